import { useState } from 'react'
import { useNotificationEvent } from '@usher/client/react'
import { useParts } from '../parts'

/** Return when the last event came on this page; null before the first. */
export function useLastEvent(): number | null {
  const { clock } = useParts()
  const [at, setAt] = useState<number | null>(null)
  // To the second: a burst is not worth a drawing for each of its events.
  useNotificationEvent('event', () => setAt(Math.floor(clock.now() / 1000) * 1000))
  return at
}
