import { expect, test } from 'vitest'
import { askedBy } from '../src/address'
import { dayOf, timeAgo } from '../src/time'

const NOON = new Date(2026, 10, 25, 12).getTime()

test.each([
  [0, 'now'],
  [9_999, 'now'],
  [-60_000, 'now'],
  [34_000, '30 s'],
  [60_000, '1 min'],
  [59 * 60_000, '59 min'],
  [90 * 60_000, '10:30'],
])('what was %i ms ago was %s', (ms, words) => {
  expect(timeAgo(NOON - ms, NOON)).toBe(words)
})

test.each([
  [new Date(2026, 10, 25, 0, 1), 'Today'],
  [new Date(2026, 10, 24, 23, 59), 'Yesterday'],
  [new Date(2026, 10, 1), 'Sunday 1 November'],
  [new Date(2025, 10, 1), '1 November 2025'],
])('%s is %s', (at, words) => {
  expect(dayOf(at.getTime(), NOON)).toBe(words)
})

test.each([
  ['', { q: '', joinedVia: '', user: '' }],
  ['?q=dave&joined_via=import', { q: 'dave', joinedVia: 'import', user: '' }],
  ['?joined_via=magic&user=../me', { q: '', joinedVia: '', user: '' }],
  ['?q=a%00b%07', { q: 'ab', joinedVia: '', user: '' }],
  [`?q=${'x'.repeat(300)}`, { q: 'x'.repeat(200), joinedVia: '', user: '' }],
  [
    '?user=01a2060e-dd30-74b6-83a1-7258d2138ce9',
    { q: '', joinedVia: '', user: '01a2060e-dd30-74b6-83a1-7258d2138ce9' },
  ],
])('the address %s asks for what makes sense in it', (search, asked) => {
  expect(askedBy(search)).toEqual(asked)
})
