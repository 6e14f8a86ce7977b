import type { UsherError } from './errors.js'
import type { Ready } from './frames.js'

/**
 * Where the connection stands. One union, the same words as in the docs and on the page.
 *
 * Times are milliseconds of the client's clock (`Date.now()` unless another was given).
 */
export type State =
  /** Not asked to connect yet. */
  | { readonly status: 'idle'; readonly since: number }
  /** The first socket is being opened. */
  | { readonly status: 'connecting'; readonly since: number }
  /** Let in, and being sent what was missed. */
  | { readonly status: 'catching_up'; readonly since: number; readonly viewer: Ready }
  /** Nothing is missing, and what happens from now on comes at once. `complete` is false if a gap could not be replayed. */
  | { readonly status: 'live'; readonly since: number; readonly viewer: Ready; readonly complete: boolean }
  /** The connection has ended; `retryAt` is when the next attempt begins, null while one is under way. */
  | {
      readonly status: 'reconnecting'
      readonly since: number
      readonly attempt: number
      readonly retryAt: number | null
      readonly error: UsherError
    }
  /** The device says that it has no network. */
  | { readonly status: 'offline'; readonly since: number }
  /** Let go by `pause()`, or because the page was hidden for long. */
  | { readonly status: 'paused'; readonly since: number }
  /** No token is to be had: somebody must log in again. */
  | { readonly status: 'expired'; readonly since: number; readonly error: UsherError }
  /** This user may not watch. Nothing is tried again. */
  | { readonly status: 'forbidden'; readonly since: number; readonly error: UsherError }
  /** Ended by `close()`; or, with an error, by the server for a reason that coming back cannot help. */
  | { readonly status: 'closed'; readonly since: number; readonly error?: UsherError }

export type Status = State['status']

/** The states that last until somebody does something. */
export const isFinal = (state: State): boolean =>
  state.status === 'expired' || state.status === 'forbidden' || state.status === 'closed'
