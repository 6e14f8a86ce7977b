import { useCallback, useEffect, useRef, useState } from 'react'
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
  const seen = useSeen(users[0]?.id)
  useEffect(() => {
    const leave = (): void => {
      const newest = seen()
      if (newest) keep(key, greater(kept(key), newest))
    }
    let hidden: string | null = null
    const turn = (): void => {
      if (!isInSight()) {
        leave()
        hidden = seen()
      } else {
        if (hidden) setLeftAt(hidden)
        hidden = null
        seen()
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
  }, [key, seen])

  const unseen = hiddenAt === null ? 0 : count(users, hiddenAt)
  return { leftAt, unseen }
}

/** Return a function that returns the newest id that was ever shown to somebody who could see it. */
function useSeen(first: string | undefined): () => string | null {
  const shown = useRef(first)
  const newest = useRef<string | null>(null)
  const seen = useCallback(() => {
    // The greatest: a filter shows older ones first, which unsees nothing.
    if (shown.current && isInSight()) newest.current = greater(newest.current, shown.current)
    return newest.current
  }, [])
  useEffect(() => {
    shown.current = first
    seen()
  }, [first, seen])
  return seen
}

const isInSight = (): boolean => document.visibilityState !== 'hidden'

const greater = (one: string | null, other: string): string => (one !== null && one > other ? one : other)

/** The newest stand first, so counting ends where the known ones begin. */
function count(users: readonly User[], after: string): number {
  const known = users.findIndex((user) => user.id <= after)
  return known < 0 ? users.length : known
}
