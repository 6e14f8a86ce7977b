/** The vectors that are tables: frames, verdicts, waits. */
import { describe, expect, test } from 'vitest'
import { BACKOFF, parseFrame, verdictOnClose, verdictOnStatus, waitBefore } from '../../src/index.js'
import { backoff, frames, verdicts, type Range } from './vectors.js'

const kindOf = (text: string): { is: string; members: object } => {
  const frame = parseFrame(text)
  if (!frame) return { is: 'malformed', members: {} }
  if (frame.kind === 'event') return { is: 'event', members: frame.event }
  return frame.kind === 'control' ? { is: frame.frame.type, members: frame.frame } : { is: 'unknown', members: {} }
}

test.each(frames.cases)('a frame: $name', ({ text, is, members = {} }) => {
  expect(kindOf(text)).toMatchObject({ is, members })
})

const every = (ranges: readonly Range[]) =>
  ranges.flatMap(({ from, to, verdict }) =>
    Array.from({ length: to - from + 1 }, (_, place) => [from + place, verdict] as const),
  )

describe('verdicts', () => {
  test('on every close code', () => {
    const expected = every(verdicts.close_codes)

    expect(expected.map(([code]) => code)).toEqual(Array.from({ length: 4000 }, (_, place) => 1000 + place))
    expect(expected.map(([code]) => [code, verdictOnClose(code)])).toEqual(expected)
    expect(verdictOnClose(0)).toBe(verdicts.no_code)
  })

  test('on every status', () => {
    const expected = every(verdicts.statuses)

    expect(expected.map(([status]) => status)).toEqual(Array.from({ length: 400 }, (_, place) => 200 + place))
    expect(expected.map(([status]) => [status, verdictOnStatus(status)])).toEqual(expected)
  })
})

test.each(backoff.waits)(
  'attempt $attempt with random $random waits $wait_ms ms',
  ({ attempt, random, least_ms, wait_ms }) => {
    expect(waitBefore(attempt, () => random, least_ms)).toBe(wait_ms)
  },
)

test('a connection is a good one after the same time', () => {
  expect(BACKOFF.stableAfter).toBe(backoff.stable_after_ms)
})
