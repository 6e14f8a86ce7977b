/** What the page stands on and a test replaces: where the server is, and the time. */
import { createContext, useContext } from 'react'
import type { ClientOptions, Clock } from '@usher/client'
import type { Session } from './session/session'

export interface Parts {
  readonly session: Session
  readonly origin: string
  readonly clock: Clock
  /** More for the client of each viewer. */
  readonly client: Partial<ClientOptions>
}

const Context = createContext<Parts | null>(null)
export const PartsProvider = Context.Provider

export function useParts(): Parts {
  const parts = useContext(Context)
  if (!parts) throw new Error('there is no <PartsProvider> above this component; put one around the page')
  return parts
}
