import type { User } from '@usher/client'
import { expect, test } from 'vitest'
import { BURST_FROM, rowsOf, type Row } from '../src/signups/rows'

const NOON = new Date(2026, 10, 25, 12).getTime()
let number = 0

/** Somebody who has joined so many milliseconds after noon. */
const joined = (ms: number, via = 'import'): User => ({
  id: String(++number).padStart(6, '0'),
  username: `user-${number}`,
  full_name: null,
  joined_via: via,
  joined_at: new Date(NOON + ms).toISOString(),
  redacted: [],
})

const several = (count: number, at: (place: number) => number, via?: string): User[] =>
  Array.from({ length: count }, (_, place) => joined(at(place), via))

const shown = (users: User[], more: Partial<Parameters<typeof rowsOf>[0]> = {}): Row[] =>
  rowsOf({
    users: [...users].sort((a, b) => (a.id < b.id ? 1 : -1)),
    leftAt: null,
    open: new Set(),
    today: new Date(NOON).setHours(0, 0, 0, 0),
    ...more,
  })

/** A row in a word. */
const told = (row: Row): string =>
  row.kind === 'user'
    ? row.user.username
    : row.kind === 'burst'
      ? `${row.users.length} via ${row.users[0]!.joined_via}`
      : row.kind === 'day'
        ? row.day
        : 'left'
const kinds = (rows: Row[]): string => rows.map((row) => row.kind).join(' ')

test('many by one way within ten seconds are one row', () => {
  expect(shown(several(27, () => 1_000)).map(told)).toEqual(['Today', '27 via import'])
})

test('a few stay as they are', () => {
  expect(kinds(shown(several(BURST_FROM - 1, () => 1_000)))).toBe('day user user user user user')
})

test('another way, and another ten seconds, are other bursts', () => {
  const users = [...several(6, () => 1_000), ...several(7, () => 2_000, 'api'), ...several(8, () => 11_000)]
  expect(shown(users).map(told)).toEqual(['Today', '8 via import', '7 via api', '6 via import'])
})

test('a burst among others stands where its newest stands', () => {
  const users = several(12, () => 1_000).map((user, place) => (place % 2 ? { ...user, joined_via: 'api' } : user))
  expect(shown(users).map(told)).toEqual(['Today', '6 via api', '6 via import'])
})

test('an open burst shows everybody in it', () => {
  const users = several(6, () => 1_000)
  const [, burst] = shown(users)
  const rows = shown(users, { open: new Set([burst!.key]) })

  expect(kinds(rows)).toBe('day burst user user user user user user')
  expect(rows.map(told)[2]).toBe(users.at(-1)!.username)
})

test('whoever comes later leaves the key of a burst as it was, so that it stays open', () => {
  const users = several(6, (place) => place * 100)
  const key = shown(users)[1]!.key

  expect(shown([...users, ...several(3, () => 9_000)])[1]!.key).toBe(key)
  expect(shown(users.slice(0, 6).concat(several(1, () => 9_999)))[1]!.key).toBe(key)
})

test('the divider stands under what is new since the viewer left', () => {
  const users = [joined(0, 'api'), joined(20_000), joined(40_000)]
  expect(shown(users, { leftAt: users[0]!.id }).map(told)).toEqual([
    'Today',
    users[2]!.username,
    users[1]!.username,
    'left',
    users[0]!.username,
  ])
})

test('there is none if nothing is new, nothing was seen before, or all that is loaded is new', () => {
  const users = [joined(0), joined(20_000)]
  for (const leftAt of [users[1]!.id, null, '000000']) expect(kinds(shown(users, { leftAt }))).toBe('day user user')
})

test('the divider cuts a burst in two', () => {
  const users = several(14, () => 1_000)
  expect(shown(users, { leftAt: users[6]!.id }).map(told)).toEqual(['Today', '7 via import', 'left', '7 via import'])
})

test('each day has its heading', () => {
  const day = 86_400_000
  const rows = shown([joined(-9 * day), joined(-day), joined(0)])
  expect(rows.filter((row) => row.kind === 'day').map(told)).toEqual(['Today', 'Yesterday', 'Monday 16 November'])
})

test('keys are unique, also where the times go back', () => {
  const rows = shown([joined(0), joined(-86_400_000), joined(1_000)])
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length)
})
