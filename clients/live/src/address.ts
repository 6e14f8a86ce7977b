/** The part of the page's state that its address holds: it survives a reload, and can be given to somebody else. */
import { useMemo, useSyncExternalStore } from 'react'
import { VIAS } from './texts'

export interface Asked {
  /** Part of a name, an e-mail or a phone. */
  readonly q: string
  readonly joinedVia: string
  /** The id of the user whose details are open. */
  readonly user: string
}

const LONGEST_SEARCH = 200
/** The server refuses a search that holds these. */
const CONTROLS = /[\p{Cc}\p{Cs}]/gu
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const listeners = new Set<() => void>()
const tell = (): void => listeners.forEach((listener) => listener())

function subscribe(listener: () => void): () => void {
  if (!listeners.size) addEventListener('popstate', tell)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (!listeners.size) removeEventListener('popstate', tell)
  }
}

/** Return what an address asks for; what makes no sense in it counts as not asked. */
export function askedBy(search: string): Asked {
  const given = new URLSearchParams(search)
  const via = given.get('joined_via') ?? ''
  const user = given.get('user') ?? ''
  return {
    q: (given.get('q') ?? '').replace(CONTROLS, '').slice(0, LONGEST_SEARCH),
    joinedVia: VIAS.includes(via) ? via : '',
    user: UUID.test(user) ? user : '',
  }
}

/** Change the address. Opening something can be undone by the browser's way back; typing is no step of its own. */
export function ask(change: Partial<Asked>, isStep = false): void {
  const { q, joinedVia, user } = { ...askedBy(location.search), ...change }
  const given = new URLSearchParams()
  if (q) given.set('q', q)
  if (joinedVia) given.set('joined_via', joinedVia)
  if (user) given.set('user', user)
  const search = given.size ? `?${given}` : ''
  if (search === location.search) return
  history[isStep ? 'pushState' : 'replaceState'](null, '', location.pathname + search)
  tell()
}

export function useAsked(): Asked {
  const search = useSyncExternalStore(subscribe, () => location.search)
  return useMemo(() => askedBy(search), [search])
}
