import { useEffect, useRef, useState } from 'react'
import type { User } from '@usher/client'
import { keep, kept } from '../kept'

/** Which sign-ups have come since the viewer left: since the last visit, or while the page was out of sight. */
export interface Left {
  /** The id of the newest one that was seen before. */
  readonly leftAt: string | null
  /** How many have come while the page is out of sight. */
  readonly unseen: number
}

export const leftKey = (tenant: string, user: string): string => `usher:left:${tenant}:${user}`

/** Return what is new; `users` as they are shown, newest first. Kept in this browser, by tenant and viewer. */
export function useLeft(key: string, users: readonly User[]): Left {
  const [leftAt, setLeftAt] = useState(() => kept(key))
  const [hiddenAt, setHiddenAt] = useState<string | null>(null)
  const newest = useRef<string | null>(null)
  const first = users[0]?.id
  useEffect(() => {
    // The greatest: a filter shows older ones first, which unsees nothing.
    if (first && document.visibilityState !== 'hidden') newest.current = greater(newest.current, first)
  }, [first])

  useEffect(() => {
    const leave = (): void => {
      if (newest.current) keep(key, greater(kept(key), newest.current))
    }
    let hidden: string | null = null
    const turn = (): void => {
      if (document.visibilityState === 'hidden') {
        leave()
        hidden = newest.current
      } else {
        if (hidden) setLeftAt(hidden)
        hidden = null
      }
      setHiddenAt(hidden)
    }
    document.addEventListener('visibilitychange', turn)
    addEventListener('pagehide', leave)
    return () => {
      leave()
      document.removeEventListener('visibilitychange', turn)
      removeEventListener('pagehide', leave)
    }
  }, [key])

  const unseen = hiddenAt === null ? 0 : count(users, hiddenAt)
  return { leftAt, unseen }
}

const greater = (one: string | null, other: string): string => (one !== null && one > other ? one : other)

/** The newest stand first, so counting ends where the known ones begin. */
function count(users: readonly User[], after: string): number {
  const known = users.findIndex((user) => user.id <= after)
  return known < 0 ? users.length : known
}
