/** What the list shows, line by line. */
import type { User } from '@usher/client'
import { dayOf, midnightOf } from '../time'

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
  /** When today began. */
  readonly today: number
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
export function rowsOf({ users, leftAt, open, today }: Shown): Row[] {
  const isNew = (user: User): boolean => leftAt !== null && user.id > leftAt
  const bursts = burstsOf(users, isNew)
  const rows: Row[] = []
  const days = new Set<number>()
  let hasNew = false
  let isDivided = false
  for (const user of users) {
    if (isNew(user)) hasNew = true
    else if (hasNew && !isDivided) {
      isDivided = true
      rows.push({ kind: 'left', key: 'left' })
    }
    const { midnight } = momentOf(user)
    if (!days.has(midnight)) {
      days.add(midnight)
      rows.push({ kind: 'day', key: `day ${midnight}`, day: dayOf(midnight, today) })
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
const burstKey = (user: User, isNew: boolean): string => momentOf(user).burst + (isNew ? ' new' : '')

interface Moment {
  readonly midnight: number
  readonly burst: string
}

/** Reading a time costs more than all the rest, and each change of the list asks for all of them. */
const moments = new WeakMap<User, Moment>()

function momentOf(user: User): Moment {
  let moment = moments.get(user)
  if (!moment) {
    const at = Date.parse(user.joined_at)
    moment = { midnight: midnightOf(at), burst: `${user.joined_via} ${Math.floor(at / BURST_MS)}` }
    moments.set(user, moment)
  }
  return moment
}

function rowsOfBurst({ key, users }: Burst, open: ReadonlySet<string>): Row[] {
  const isOpen = open.has(key)
  const head: Row = { kind: 'burst', key, users, isOpen }
  if (!isOpen) return [head]
  return [head, ...users.map((user): Row => ({ kind: 'user', key: user.id, user, isInBurst: true }))]
}
