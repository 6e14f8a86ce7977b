/** What is said of a connection that has ended, and from when on. */
import { useState } from 'react'
import type { State, UsherError } from '@usher/client'
import { texts } from '../texts'
import { useLasting } from '../time'

/** A connection that is back so soon was never worth a word. */
const PATIENCE_MS = 2_000

const { waits, suspended, lost } = texts.connection

/** Why the server asks to be left alone for a while, in a sentence; nothing if the connection just broke. */
const askedToWait = ({ status, code }: UsherError): string | undefined =>
  waits[status ?? 0] ?? (code === 'tenant_suspended' ? suspended : undefined)

/** Why there is no connection, in a sentence. */
export const whyOf = (error: UsherError): string => askedToWait(error) ?? lost

/** Return whether the connection is lost, and for so long, or for such a reason, that it is worth a word. */
export function useIsLost(state: State): boolean {
  const isReconnecting = state.status === 'reconnecting'
  const isLong = useLasting(isReconnecting, PATIENCE_MS)
  return isReconnecting && (isLong || askedToWait(state.error) !== undefined)
}

/** Return how the connection is said to stand: as it did before, until it is lost. */
export function useShown(state: State): State {
  const isLost = useIsLost(state)
  const [before, setBefore] = useState(state)
  if (state.status === 'reconnecting') return isLost ? state : before
  if (before !== state) setBefore(state)
  return state
}
