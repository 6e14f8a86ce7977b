/** The list and the socket together: nothing missing, nothing twice, nothing that is masked otherwise by now. */
import { expect, test } from 'vitest'
import { createFeed, type Feed, type FeedOptions } from '../src/feed.js'
import { matches } from '../src/filter.js'
import type { User } from '../src/index.js'
import { FakeServer } from '../src/testing/index.js'
import { live, story, type Story } from './story.js'

interface FeedStory extends Story {
  readonly feed: Feed
  shown(): string[]
}

async function fed(server = new FakeServer(), options: FeedOptions = {}, isLive = true): Promise<FeedStory> {
  const told = isLive ? await live({}, server) : story({}, server)
  const feed = createFeed(told.client, { ...server.parts, ...options })
  feed.subscribe(() => {})
  await told.pass(20)
  return { ...told, feed, shown: () => feed.getSnapshot().users.map((user) => user.username) }
}

const people = (server: FakeServer, count: number): void => {
  for (let number = 1; number <= count; number++) server.create({ username: `old-${number}` })
}

test('the list comes first, and what is live on top of it', async () => {
  const server = new FakeServer()
  people(server, 3)
  const { pass, shown, feed } = await fed(server)
  expect(shown()).toEqual(['old-3', 'old-2', 'old-1'])

  server.create({ username: 'dave' })
  await pass(20)

  expect(shown()).toEqual(['dave', 'old-3', 'old-2', 'old-1'])
  expect(feed.getSnapshot()).toMatchObject({ hasMore: false, isLoaded: true, isLoading: false, error: null })
})

test('who is created between list and socket is not missing', async () => {
  const server = new FakeServer()
  people(server, 1)
  const { client, pass, shown } = await fed(server, {}, false)
  server.mint()
  server.create({ username: 'in between' })

  void client.connect()
  await pass(100)

  expect(shown()).toEqual(['in between', 'old-1'])
})

test('who arrives while the list is read is merged into the answer, once', async () => {
  const server = new FakeServer()
  people(server, 2)
  const { pass, shown, feed } = await fed(server)
  server.delayMs = 500
  void feed.reload()
  server.delayMs = 0
  server.create({ username: 'dave' })
  await pass(600)

  expect(shown()).toEqual(['dave', 'old-2', 'old-1'])
})

test('who arrives while the list is read pushes nobody out at the far end', async () => {
  const server = new FakeServer()
  people(server, 3)
  const { pass, shown, feed } = await fed(server, { pageSize: 3 })
  server.delayMs = 500
  void feed.reload()
  await pass(10)
  server.delayMs = 0
  for (const username of ['dave', 'erin']) server.create({ username })
  await pass(2000)

  expect(shown()).toEqual(['erin', 'dave', 'old-3', 'old-2', 'old-1'])
  expect(feed.getSnapshot().hasMore).toBe(false)
})

test('an answer that a change of rights has overtaken is thrown away', async () => {
  const server = new FakeServer()
  server.create({ username: 'dave', email: 'dave@acme.test' })
  const { pass, feed } = await fed(server)
  expect(feed.getSnapshot().users[0]!.email).toBe('dave@acme.test')

  server.delayMs = 500
  void feed.reload()
  await pass(10)
  server.delayMs = 0
  const dave = server.log.events[0]!
  const { email: _, ...data } = dave.data
  server.log.events[0] = { ...dave, data, redacted: ['email'] }
  server.permit('watch_signups')
  await pass(1000)

  expect(feed.getSnapshot().users).toMatchObject([{ username: 'dave', redacted: ['email'] }])
  expect(feed.getSnapshot().users[0]).not.toHaveProperty('email')
})

test('older pages come when asked for, and stay over a reconnect', async () => {
  const server = new FakeServer()
  people(server, 120)
  const { pass, shown, feed } = await fed(server)
  expect(shown()).toHaveLength(50)
  expect(feed.getSnapshot().hasMore).toBe(true)

  await Promise.all([feed.fetchMore(), pass(20)])
  expect(shown()).toHaveLength(100)
  server.drop()
  await pass(1000)
  expect(shown()).toHaveLength(100)
  await Promise.all([feed.fetchMore(), pass(20)])

  expect(shown()).toEqual(Array.from({ length: 120 }, (_, place) => `old-${120 - place}`))
  expect(feed.getSnapshot().hasMore).toBe(false)
})

test('what is held back is counted, and moves nothing until it is asked for', async () => {
  const server = new FakeServer()
  people(server, 2)
  const { pass, shown, feed } = await fed(server)
  feed.hold(true)
  server.create({ username: 'dave' })
  await pass(20)
  server.drop()
  await pass()
  server.create({ username: 'erin' })
  await pass(1000)

  expect(shown()).toEqual(['old-2', 'old-1'])
  expect(feed.getSnapshot().newCount).toBe(2)
  feed.showNew()
  await pass(20)
  expect(shown()).toEqual(['erin', 'dave', 'old-2', 'old-1'])
  expect(feed.getSnapshot().newCount).toBe(0)
})

test('a filter narrows both the list and what is live', async () => {
  const server = new FakeServer()
  server.create({ username: 'dave', joined_via: 'import' })
  server.create({ username: 'erin' })
  const { pass, shown, feed } = await fed(server)

  feed.setFilter({ joinedVia: 'import' })
  await pass(20)
  server.create({ username: 'frank', joined_via: 'import' })
  server.create({ username: 'grace' })
  await pass(20)

  expect(shown()).toEqual(['frank', 'dave'])
})

test('a list that cannot be read is tried again, and what is shown stays', async () => {
  const server = new FakeServer()
  people(server, 1)
  const { pass, shown, feed } = await fed(server)
  server.isDown = true
  server.drop()
  void feed.reload()
  await pass(100)
  expect(feed.getSnapshot().error).toMatchObject({ code: 'unreachable', retryable: true })
  expect(shown()).toEqual(['old-1'])

  server.isDown = false
  await pass(5000)

  expect(feed.getSnapshot().error).toBeNull()
})

test('nothing is left in memory of what may not be watched any more', async () => {
  const server = new FakeServer()
  people(server, 3)
  const { pass, shown } = await fed(server)

  server.revoke()
  await pass(20)

  expect(shown()).toEqual([])
})

test('no more are kept than asked for, and the rest can be read again', async () => {
  const server = new FakeServer()
  people(server, 4)
  const { pass, shown, feed } = await fed(server, { most: 5 })
  for (const username of ['dave', 'erin', 'frank']) server.create({ username })
  await pass(20)

  expect(shown()).toEqual(['frank', 'erin', 'dave', 'old-4', 'old-3'])
  expect(feed.getSnapshot().hasMore).toBe(true)
})

test('a burst is told of at once', async () => {
  const server = new FakeServer()
  const { pass, feed, shown } = await fed(server)
  let told = 0
  feed.subscribe(() => told++)
  people(server, 500)
  await pass(20)

  expect(shown()).toHaveLength(500)
  expect(told).toBe(1)
})

test('a search does not find what is hidden', () => {
  const dave = { username: 'Dave', full_name: null, joined_via: 'signup', redacted: ['email'] } as unknown as User

  expect(matches(dave, { q: 'DAV' })).toBe(true)
  expect(matches(dave, { q: 'acme.test' })).toBe(false)
  expect(matches({ ...dave, email: 'd@acme.test' }, { q: ' acme.test ' })).toBe(true)
  expect(matches(dave, { joinedVia: 'import' })).toBe(false)
})
