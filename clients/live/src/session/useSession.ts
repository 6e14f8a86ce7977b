import { useSyncExternalStore } from 'react'
import { useParts } from '../parts'
import type { Session, SessionState } from './session'

/** Return who is signed in, and the session's handles. */
export function useSession(): { readonly session: Session; readonly state: SessionState } {
  const { session } = useParts()
  return { session, state: useSyncExternalStore(session.subscribe, session.getSnapshot) }
}
