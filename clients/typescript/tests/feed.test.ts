/** The list and the socket together: nothing missing, nothing twice, nothing that is masked otherwise by now. */
import { describe, expect, test } from 'vitest'
import { createFeed, type Feed, type FeedOptions } from '../src/feed.js'
import { matches } from '../src/filter.js'
import { masked } from '../src/masking.js'
import type { ClientOptions, User } from '../src/index.js'
import { FakeServer } from '../src/testing/index.js'
import { live, story, type Story } from './story.js'

interface FeedStory extends Story {
  readonly feed: Feed
  shown(): string[]
}

async function fed(
  server = new FakeServer(),
  options: FeedOptions = {},
  isLive = true,
  clients: Partial<ClientOptions> = {},
): Promise<FeedStory> {
  const told = isLive ? await live(clients, server) : story(clients, server)
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

describe('only who has come since is counted as new, and moves nothing', () => {
  const held = async () => {
    const server = new FakeServer()
    people(server, 120)
    const told = await fed(server)
    told.feed.hold(true)
    return { ...told, before: told.shown() }
  }

  test('when the list is read again because no place was known', async () => {
    const { server, feed, pass, shown, before } = await held()
    server.drop()
    server.create({ username: 'dave' })
    await pass(1000)

    expect(feed.getSnapshot().newCount).toBe(1)
    expect(shown().slice(0, 50)).toEqual(before)
    feed.showNew()
    await pass(20)
    expect(shown().slice(0, 51)).toEqual(['dave', ...before])
  })

  test('when the place was lost', async () => {
    const { server, feed, pass, shown, before } = await held()
    const dave = server.create({ username: 'dave' })
    await pass(20)
    server.drop()
    server.log.events[120] = { ...dave, id: 'of another log' }
    server.create({ username: 'erin' })
    await pass(1000)

    expect(feed.getSnapshot().newCount).toBe(2)
    expect(shown().slice(0, 50)).toEqual(before)
    feed.showNew()
    await pass(20)
    expect(shown().slice(0, 52)).toEqual(['erin', 'dave', ...before])
  })

  test('when some are gone, and older ones take their place', async () => {
    const { server, feed, pass, shown, before } = await held()
    server.log.events.splice(100, 3)
    server.permit('watch_signups')
    await pass(20)

    expect(feed.getSnapshot().newCount).toBe(0)
    expect(shown().slice(0, 47)).toEqual(before.filter((name) => !['old-101', 'old-102', 'old-103'].includes(name)))
    expect(shown().slice(47)).toEqual(['old-70', 'old-69', 'old-68'])
  })
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

describe('when rights have changed', () => {
  const all = { email: 'dave@acme.test', phone: '+49 30 1', address: '203.0.113.7', agent: 'curl' }
  const names = ['email', 'phone', 'address', 'agent']

  test('what not everybody sees is hidden at once, until the list could be read', async () => {
    const server = new FakeServer()
    const dave = server.create({ username: 'dave', ...all })
    const { pass, feed } = await fed(server)
    expect(feed.getSnapshot().users).toEqual([{ ...dave.data, redacted: [] }])

    server.isDown = true // for new calls; the socket stays
    server.permit('watch_signups')
    await pass(60_000)

    const { id, username, full_name, joined_via, joined_at } = dave.data
    const rest = { id, username, full_name, joined_via, joined_at }
    expect(feed.getSnapshot()).toMatchObject({ error: { code: 'unreachable' } })
    expect(feed.getSnapshot().users).toEqual([{ ...rest, redacted: names }])

    server.isDown = false
    const { phone, ...allowed } = dave.data
    server.log.events[0] = { ...dave, data: allowed, redacted: ['phone'] }
    await pass(60_000)
    expect(feed.getSnapshot().users).toEqual([{ ...allowed, redacted: ['phone'] }])
  })

  test('what only managers see is not kept from before', async () => {
    const user = { id: '1', username: 'dave', is_active: true, role: 'viewer', ...all, redacted: [] } as unknown as User
    const { viewer } = (await live()).client

    expect(masked(user, { ...viewer!.fields, 'user.renamed.to': 'view_user' })).toEqual({
      id: '1',
      username: 'dave',
      redacted: names,
    })
  })

  test('an event hides what was known', async () => {
    const server = new FakeServer()
    const { data } = server.create({ username: 'dave', ...all })
    const { pass, feed } = await fed(server)

    server.create({ ...data, redacted: ['email', 'phone'] })
    await pass(20)

    const { email, phone, ...rest } = data
    expect(feed.getSnapshot().users).toEqual([{ ...rest, redacted: ['email', 'phone'] }])
  })
})

describe('an answer that comes although nobody waits for it any more', () => {
  const deaf = async (server: FakeServer) => {
    const fetch = ((address: string, { signal: _, ...init }: RequestInit) =>
      server.fetch(address, init)) as typeof globalThis.fetch
    return await fed(server, {}, true, { fetch })
  }

  test('is not shown after a change of rights', async () => {
    const server = new FakeServer()
    const dave = server.create({ username: 'dave', email: 'dave@acme.test' })
    const { pass, feed } = await deaf(server)
    server.delayMs = 500
    void feed.reload()
    await pass(10)
    server.delayMs = 0
    server.permit('watch_signups')
    server.delayMs = 500
    await pass(495) // the old answer has come, and the new one has not
    expect(feed.getSnapshot().users[0]).not.toHaveProperty('email')

    const { email, ...data } = dave.data
    server.log.events[0] = { ...dave, data, redacted: ['email'] }
    await pass(2000)
    expect(feed.getSnapshot().users).toEqual([{ ...data, redacted: ['email'] }])
  })

  test('is not mixed with what another filter finds', async () => {
    const server = new FakeServer()
    people(server, 100)
    const dave = server.create({ username: 'dave' })
    const { pass, feed, shown } = await deaf(server)
    server.delayMs = 500
    void feed.fetchMore()
    await pass(10)
    server.delayMs = 0
    feed.setFilter({ q: dave.data.username })
    await pass(2000)
    feed.showNew() // which tells anew
    await pass(20)

    expect(shown()).toEqual(['dave'])
    expect(feed.getSnapshot().hasMore).toBe(false)
  })

  test('is not kept by who may not watch any more', async () => {
    const server = new FakeServer()
    people(server, 3)
    const { pass, feed, client, shown } = await deaf(server)
    server.delayMs = 500
    void feed.reload()
    await pass(10)
    server.delayMs = 0
    server.sockets[0]!.end(4403)
    await pass(2000)
    feed.showNew()
    await pass(20)

    expect(client.state.status).toBe('forbidden')
    expect(shown()).toEqual([])
  })
})

test('no more are read than are kept, however often they are asked for', async () => {
  const server = new FakeServer()
  people(server, 30)
  const { pass, shown, feed } = await fed(server, { pageSize: 10, most: 25 })
  const lists = (): number => server.requests.filter(({ path }) => path.startsWith('/users')).length
  for (let asked = 0; asked < 5; asked++) await Promise.all([feed.fetchMore(), pass(20)])
  const before = lists()
  await Promise.all([feed.fetchMore(), pass(20)])

  expect(lists()).toBe(before)
  expect(shown()).toEqual(Array.from({ length: 25 }, (_, place) => `old-${30 - place}`))
  expect(feed.getSnapshot()).toMatchObject({ hasMore: false, isFull: true })
  server.create({ username: 'dave' })
  await pass(20)
  expect(shown()[0]).toBe('dave')
  expect(shown()).toHaveLength(25)
})

test('no more are kept than asked for, and the rest can be read when there is room', async () => {
  const server = new FakeServer()
  people(server, 4)
  const { pass, shown, feed } = await fed(server, { most: 5 })
  for (const username of ['dave', 'erin', 'frank']) server.create({ username })
  await pass(20)

  expect(shown()).toEqual(['frank', 'erin', 'dave', 'old-4', 'old-3'])
  expect(feed.getSnapshot()).toMatchObject({ hasMore: false, isFull: true })
  server.log.events.splice(4, 1)
  await Promise.all([feed.reload(), pass(20)])
  expect(shown()).toEqual(['frank', 'erin', 'old-4', 'old-3', 'old-2'])
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
