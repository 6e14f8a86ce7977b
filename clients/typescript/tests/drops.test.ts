import { expect, test } from 'vitest'
import { createFeed } from '../src/feed.js'
import { live } from './story.js'

/** Numbers from 0 to 1 that are the same at each run (mulberry32). */
const chance = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

test.each([1, 2, 3])('50 drops at random during 2,000 events: each comes once, in order (seed %i)', async (seed) => {
  const random = chance(seed)
  const { server, client, pass, events } = await live({ random })
  const feed = createFeed(client, { ...server.parts })
  feed.subscribe(() => {})
  const ways = [() => server.drop(), () => server.mute(), () => server.drain(500), () => server.expire()]
  const moments = new Set<number>()
  while (moments.size < 50) moments.add(1 + Math.floor(random() * 1999))
  // A line that went silent is taken for live until that is noticed: only one that can hear is worth a drop.
  const up = async (): Promise<void> => {
    for (let waited = 0; waited < 2000; waited++) {
      if (client.state.status === 'live' && server.open.some(({ isLive, isMute }) => isLive && !isMute)) return
      await pass(100)
    }
    throw new Error(`it does not come back: ${client.state.status}`)
  }

  for (let number = 0; number < 2000; number++) {
    server.create({ username: `n${number}` })
    if (random() < 0.01) server.repeat(3)
    if (moments.has(number)) {
      await pass(server.delayMs) // the drop before has arrived
      await up()
      await pass(server.delayMs) // what is under way is not overtaken: nothing does that on one line
      server.delayMs = random() * 300
      ways[Math.floor(random() * ways.length)]!()
    }
    await pass(random() * 40)
  }
  await up()
  await pass(1000)

  expect(server.sockets, 'every drop cost the client a socket').toHaveLength(1 + 50)
  const created = server.log.events.map((event) => event.data.username)
  expect(events.map((event) => event.data.username)).toEqual(created)
  expect(feed.getSnapshot().users.map((user) => user.username)).toEqual([...created].reverse())
})
