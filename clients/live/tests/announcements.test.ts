import { FakeClock } from '@usher/client/testing'
import { expect, test } from 'vitest'
import { Announcements } from '../src/announce/announcements'

function hearing() {
  const clock = new FakeClock()
  const announcements = new Announcements(clock)
  const heard: [number, string][] = []
  const began = clock.now()
  const before = { news: '', connection: '' }
  announcements.subscribe(() => {
    for (const region of ['news', 'connection'] as const) {
      const text = announcements.said(region)
      if (text !== before[region]) heard.push([clock.now() - began, (before[region] = text).trim()])
    }
  })
  return { clock, announcements, heard }
}

test('both regions together say one thing in five seconds', async () => {
  const { clock, announcements, heard } = hearing()
  announcements.signUps(1)
  announcements.say('connection', 'Paused.')
  await clock.advance(100)
  announcements.signUps(2)
  await clock.advance(20_000)

  expect(heard).toEqual([
    [0, '1 new sign-up'],
    [5_000, 'Paused.'],
    [10_000, '2 new sign-ups'],
  ])
})

test('sign-ups that wait are summed, and of a connection its last state is said', async () => {
  const { clock, announcements, heard } = hearing()
  announcements.signUps(1)
  await clock.advance(100)
  for (let number = 0; number < 1_000; number++) announcements.signUps(1)
  await clock.advance(5_000)
  announcements.say('connection', 'The connection was lost. Trying again.')
  announcements.say('connection', 'Connection: live again.')
  await clock.advance(10_000)

  expect(heard.map(([, text]) => text)).toEqual(['1 new sign-up', '1,000 new sign-ups', 'Connection: live again.'])
})

test('the same words are said again, since they are new', async () => {
  const { clock, announcements, heard } = hearing()
  for (let number = 0; number < 3; number++) {
    announcements.signUps(1)
    await clock.advance(10_000)
  }

  expect(heard).toHaveLength(3)
})
