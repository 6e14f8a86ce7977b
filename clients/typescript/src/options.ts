import { BACKOFF, type Backoff } from './backoff.js'
import { CLOCK, type Clock } from './clock.js'
import type { WebSocketConstructor } from './connection.js'
import { memoryStore, sessionStore, type CursorStore } from './cursors.js'
import { surroundings, type Surroundings } from './surroundings.js'
import type { GetToken } from './tokens.js'

export interface ClientOptions {
  /** Where the server is, such as `https://usher.example.com`. */
  readonly url: string
  /**
   * Brings an access token. Throw an `AuthError` when there is none to be had until somebody logs in again; whatever
   * else is thrown is tried again. Never called twice at once.
   */
  readonly getToken: GetToken
  /** `message` works everywhere; `header` where the constructor takes headers as a third argument (React Native, `ws`). */
  readonly auth?: 'message' | 'header'
  /** Where the place in the log is kept. Anything but `memory` needs `identity`, since a place is one viewer's alone. */
  readonly resume?: 'memory' | 'session' | CursorStore
  /** The tenant's slug and the user's id that the tokens are for: what `resume` is keyed by. */
  readonly identity?: { readonly tenant: string; readonly user: string }
  /** Let the socket go when the page was hidden for so many milliseconds (five minutes); false: never. */
  readonly pauseWhenHiddenFor?: number | false
  readonly backoff?: Partial<Backoff>
  readonly WebSocket?: WebSocketConstructor
  readonly fetch?: typeof fetch
  readonly clock?: Clock
  /** Numbers from 0 to 1. */
  readonly random?: () => number
  readonly surroundings?: Surroundings
}

export type Settings = ReturnType<typeof settingsOf>

/** Return the options with what was left out; throws a TypeError that names the option which is not as it must be. */
export function settingsOf(options: ClientOptions) {
  const { url, getToken, resume = 'memory', identity } = options
  const origin = /^https?:\/\/[^/?#]+/.exec(url)?.[0]
  if (!origin || url.replace(/\/$/, '') !== origin) {
    throw new TypeError(`url is ${JSON.stringify(url)}; expected an origin such as https://usher.example.com`)
  }
  if (typeof getToken !== 'function') throw new TypeError(`getToken is ${String(getToken)}; expected a function`)
  if (resume !== 'memory' && !identity) {
    throw new TypeError("resume needs identity: {tenant, user}, since a place is one viewer's alone")
  }
  const socket = options.WebSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor | undefined)
  if (!socket) throw new TypeError('there is no WebSocket here; pass one in, such as that of ws')
  const store = resume === 'memory' ? memoryStore() : resume === 'session' ? sessionStore() : resume
  return {
    origin,
    getToken,
    identity,
    store,
    WebSocket: socket,
    inHeader: options.auth === 'header',
    pauseAfter: options.pauseWhenHiddenFor ?? 300_000,
    backoff: { ...BACKOFF, ...options.backoff },
    fetch: options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args)),
    clock: options.clock ?? CLOCK,
    random: options.random ?? Math.random,
    surroundings: options.surroundings ?? surroundings(),
  }
}
