/** What the list shows, line by line. */
import type { User } from '@usher/client'
import { dayOf } from '../time'

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly day: string }
  /** Whoever stands above it has come since the viewer left. */
  | { readonly kind: 'left'; readonly key: string }
  | { readonly kind: 'burst'; readonly key: string; readonly users: readonly User[]; readonly isOpen: boolean }
  | { readonly kind: 'user'; readonly key: string; readonly user: User; readonly isInBurst: boolean }

export interface Shown {
  /** Newest first. */
  readonly users: readonly User[]
  /** The id of the newest user that the viewer had seen when leaving. */
  readonly leftAt: string | null
  /** The keys of the bursts that are unfolded. */
  readonly open: ReadonlySet<string>
  readonly now: number
}

/** So many by one way within ten seconds are one line, until somebody wants to see them. */
export const BURST_FROM = 6
const BURST_MS = 10_000

/**
 * Return the rows for some users.
 *
 * Bursts are cut where the clock shows full ten seconds. Counted from their own first or last one, a burst would be
 * another one each time that somebody comes or older ones are read, and what is on the screen would jump.
 */
export function rowsOf({ users, leftAt, open, now }: Shown): Row[] {
  const isNew = (user: User): boolean => leftAt !== null && user.id > leftAt
  const bursts = burstsOf(users, isNew)
  const rows: Row[] = []
  const days = new Set<string>()
  let hasNew = false
  let isDivided = false
  for (const user of users) {
    if (isNew(user)) hasNew = true
    else if (hasNew && !isDivided) {
      isDivided = true
      rows.push({ kind: 'left', key: 'left' })
    }
    const day = dayOf(Date.parse(user.joined_at), now)
    if (!days.has(day)) {
      days.add(day)
      rows.push({ kind: 'day', key: `day ${day}`, day })
    }
    const burst = bursts.get(burstKey(user, isNew(user)))!
    if (burst.users.length < BURST_FROM) rows.push({ kind: 'user', key: user.id, user, isInBurst: false })
    else if (!burst.isDone) {
      burst.isDone = true
      rows.push(...rowsOfBurst(burst, open))
    }
  }
  return rows
}

interface Burst {
  readonly key: string
  readonly users: User[]
  isDone: boolean
}

function burstsOf(users: readonly User[], isNew: (user: User) => boolean): Map<string, Burst> {
  const bursts = new Map<string, Burst>()
  for (const user of users) {
    const key = burstKey(user, isNew(user))
    const burst = bursts.get(key)
    if (burst) burst.users.push(user)
    else bursts.set(key, { key, users: [user], isDone: false })
  }
  return bursts
}

/** The divider cuts a burst in two. */
const burstKey = (user: User, isNew: boolean): string =>
  `${user.joined_via} ${Math.floor(Date.parse(user.joined_at) / BURST_MS)}${isNew ? ' new' : ''}`

function rowsOfBurst({ key, users }: Burst, open: ReadonlySet<string>): Row[] {
  const isOpen = open.has(key)
  const head: Row = { kind: 'burst', key, users, isOpen }
  if (!isOpen) return [head]
  return [head, ...users.map((user): Row => ({ kind: 'user', key: user.id, user, isInBurst: true }))]
}
