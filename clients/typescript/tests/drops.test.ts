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
  const harms = [
    () => server.drop(),
    () => server.mute(),
    () => server.drain(500),
    () => server.expire(),
    () => server.repeat(3),
    () => (server.delayMs = random() * 300),
  ]
  const drops = new Set(Array.from({ length: 50 }, () => 1 + Math.floor(random() * 1999)))

  for (let number = 0; number < 2000; number++) {
    server.create({ username: `n${number}` })
    if (drops.has(number)) harms[Math.floor(random() * harms.length)]!()
    await pass(random() * 40)
  }
  server.delayMs = 0
  await pass(120_000)

  const created = server.log.events.map((event) => event.data.username)
  expect(events.map((event) => event.data.username)).toEqual(created)
  expect(feed.getSnapshot().users.map((user) => user.username)).toEqual([...created].reverse())
})
