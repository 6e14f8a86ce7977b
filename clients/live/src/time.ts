/** Times as people say them. */
import { useEffect, useState, useSyncExternalStore } from 'react'
import { useParts } from './parts'
import { texts } from './texts'

const EXACT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' })
const CLOCK_TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
const DAY_OF_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const TICK_MS = 10_000

export const exactTime = (at: number): string => EXACT.format(at)
export const clockTime = (at: number): string => CLOCK_TIME.format(at)

/** How long ago, as shortly as it can be said; the time of day for what is hours ago. A clock that is behind says "now". */
export function timeAgo(at: number, now: number): string {
  const ms = now - at
  if (ms < 10_000) return 'now'
  if (ms < MINUTE) return `${Math.floor(ms / 10_000) * 10} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  return clockTime(at)
}

/** When the day of a moment began. */
export const midnightOf = (at: number): number => new Date(at).setHours(0, 0, 0, 0)

/** The day that a moment is of, as a heading says it. */
export function dayOf(at: number, now: number): string {
  const days = Math.round((midnightOf(now) - midnightOf(at)) / (24 * HOUR))
  if (days <= 0) return texts.list.today
  if (days === 1) return texts.list.yesterday
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? DAY.format(at) : DAY_OF_YEAR.format(at)
}

const ticks = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** One timer, however many times are shown. */
function subscribe(listener: () => void): () => void {
  ticks.add(listener)
  timer ??= setInterval(() => ticks.forEach((tick) => tick()), TICK_MS)
  return () => {
    ticks.delete(listener)
    if (!ticks.size) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** Return the time, as of the last ten seconds. */
export function useNow(): number {
  const { clock } = useParts()
  return useSyncExternalStore(subscribe, () => Math.floor(clock.now() / TICK_MS) * TICK_MS)
}

/** Return how many seconds there are until a moment, counted down; 0 once it is there, or without one. */
export function useSecondsUntil(at: number | null): number {
  const { clock } = useParts()
  const secondsLeft = (): number => (at === null ? 0 : Math.max(0, Math.ceil((at - clock.now()) / 1000)))
  const [ticks, count] = useState(0)
  const left = secondsLeft()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a timer may be a moment early, and find as many seconds left
  useEffect(() => {
    if (!left || at === null) return undefined
    const next = clock.setTimeout(() => count((number) => number + 1), at - clock.now() - (left - 1) * 1000)
    return () => clock.clearTimeout(next)
  }, [at, left, ticks, clock])
  return left
}

/** Return true once `is` has been true for so long; false as soon as it is not. */
export function useLasting(is: boolean, ms: number): boolean {
  const { clock } = useParts()
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    if (!is) return setLong(false)
    const timer = clock.setTimeout(() => setLong(true), ms)
    return () => clock.clearTimeout(timer)
  }, [is, ms, clock])
  return is && isLong
}
