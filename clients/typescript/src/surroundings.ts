/** What the device tells: whether it has a network, and whether anybody looks. */
export interface Surroundings {
  isOnline(): boolean
  isHidden(): boolean
  /** Have `call` called with what happens; return the undo. `frozen` and `thawed`: into the back/forward cache and out. */
  listen(call: (what: Happening) => void): () => void
}

export type Happening = 'online' | 'offline' | 'hidden' | 'visible' | 'frozen' | 'thawed'

/** A browser's; elsewhere one that is always online and visible. */
export function surroundings(): Surroundings {
  const page = typeof document === 'undefined' ? undefined : document
  const isNavigator = typeof navigator !== 'undefined'
  return {
    // React Native and Node have a navigator that does not know.
    isOnline: () => !isNavigator || navigator.onLine !== false,
    isHidden: () => page?.visibilityState === 'hidden',
    listen(call) {
      if (!page || typeof addEventListener !== 'function') return () => {}
      const undo: (() => void)[] = []
      const on = (target: EventTarget, name: string, handle: (event: Event) => void): void => {
        target.addEventListener(name, handle)
        undo.push(() => target.removeEventListener(name, handle))
      }
      on(window, 'online', () => call('online'))
      on(window, 'offline', () => call('offline'))
      on(page, 'visibilitychange', () => call(page.visibilityState === 'hidden' ? 'hidden' : 'visible'))
      on(window, 'pagehide', () => call('frozen'))
      on(window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && call('thawed'))
      return () => undo.forEach((call) => call())
    },
  }
}
