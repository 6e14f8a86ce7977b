import { useEffect, useRef } from 'react'
import type { FeedState } from '@usher/client/react'
import { useAnnouncements } from '../announce/Announcer'
import type { Asked } from '../address'
import { texts } from '../texts'

/** Have it said aloud how many have come, and how many a search has found. */
export function useNews({ users, newCount, hasMore, isLoaded }: FeedState, { q, joinedVia }: Asked): void {
  const announcements = useAnnouncements()
  const search = `${joinedVia} ${q}`
  const before = useRef({ newest: '', newCount: 0, search, isLoaded: false })
  useEffect(() => {
    const { newest, newCount: held, search: searched, isLoaded: wasLoaded } = before.current
    const now = { newest: users[0]?.id ?? '', newCount, search, isLoaded }
    if (!isLoaded) {
      before.current = { ...now, search: searched }
      return
    }
    before.current = now
    if (!wasLoaded) {
      if (search !== searched) announcements.say('news', texts.list.shown(users.length, hasMore))
      return
    }
    // What was held back has been told of when it came.
    const shown = users.findIndex((user) => user.id <= newest)
    const come = (shown < 0 ? users.length : shown) + newCount - held
    if (come > 0) announcements.signUps(come)
  }, [users, newCount, hasMore, isLoaded, search, announcements])
}
