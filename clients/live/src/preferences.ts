/** What somebody has chosen on this device. Nothing personal, and no token, is ever kept here. */
import { useSyncExternalStore } from 'react'
import { kept, keep } from './kept'

export type Scheme = 'system' | 'light' | 'dark'

export interface Preferences {
  readonly scheme: Scheme
  /** Whether single keys do something. */
  readonly keys: boolean
}

const SCHEME = 'usher:scheme'
const KEYS = 'usher:keys'
const isScheme = (value: unknown): value is Scheme => value === 'light' || value === 'dark'

const read = (): Preferences => {
  const scheme = kept(SCHEME)
  return { scheme: isScheme(scheme) ? scheme : 'system', keys: kept(KEYS) !== 'off' }
}

let preferences = read()
const listeners = new Set<() => void>()

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Have the page look as chosen; before anything is drawn, so that nothing flashes. */
export function applyScheme(): void {
  document.documentElement.dataset.scheme = preferences.scheme
}

export function choose(chosen: Partial<Preferences>): void {
  preferences = { ...preferences, ...chosen }
  keep(SCHEME, preferences.scheme)
  keep(KEYS, preferences.keys ? 'on' : 'off')
  applyScheme()
  listeners.forEach((listener) => listener())
}

export const usePreferences = (): Preferences => useSyncExternalStore(subscribe, () => preferences)
