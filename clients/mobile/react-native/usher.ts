import { createClient, type ClientOptions, type Happening, type Surroundings, type UsherClient } from '@usher/client'
import type { Session } from './session'

/** As much of React Native's `AppState` as is used. */
export interface AppStateLike {
  readonly currentState: string
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void }
}

/** As much of `@react-native-community/netinfo` as is used. */
export interface NetInfoLike {
  addEventListener(listener: (state: { readonly isConnected: boolean | null }) => void): () => void
}

/** Tell the client of foreground and background, and of the network. */
export function phone(appState: AppStateLike, netInfo: NetInfoLike): Surroundings {
  let isOnline = true
  return {
    isOnline: () => isOnline,
    isHidden: () => false, // a page's word, which 'visible' would have to end; in the background an app is frozen
    listen(call: (what: Happening) => void) {
      let isListening = true
      // Who begins in the background hears of no change; a moment later, when the client is under way.
      queueMicrotask(() => isListening && appState.currentState === 'background' && call('frozen'))
      // The system takes the network from an app in the background: let the socket go in time, and resume.
      const watching = appState.addEventListener('change', (state) => {
        if (state === 'background') call('frozen')
        else if (state === 'active') call('thawed')
      })
      const stop = netInfo.addEventListener(({ isConnected }) => {
        if (isOnline === (isConnected !== false)) return
        isOnline = isConnected !== false
        call(isOnline ? 'online' : 'offline')
      })
      return () => {
        isListening = false
        watching.remove()
        stop()
      }
    },
  }
}

/** Return a client for one viewer, with the token in the header; `more` is what the options have besides. */
export function createUsher(
  url: string,
  session: Session,
  surroundings: Surroundings,
  more: Partial<ClientOptions> = {},
): UsherClient {
  return createClient({
    url,
    auth: 'header',
    getToken: ({ reason }) => (reason === 'initial' || reason === 'reconnecting' ? session.token() : session.renew()),
    surroundings,
    ...more,
  })
}
