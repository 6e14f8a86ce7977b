import type { Clock } from './clock.js'
import { AuthError, UsherError } from './errors.js'

/**
 * Why a token is asked for. `initial` and `reconnecting`: one that is good, old or new. `expiring`, `expired` and
 * `rejected`: the last one is no good any more, or soon; bring another.
 */
export type TokenReason = 'initial' | 'reconnecting' | 'expiring' | 'expired' | 'rejected'

export type GetToken = (ask: { readonly reason: TokenReason; readonly signal: AbortSignal }) => Promise<string> | string

const PATIENCE_MS = 30_000

/** Asks the application for tokens: one question at a time, whoever wants to know. */
export class Tokens {
  readonly #getToken: GetToken
  readonly #clock: Clock
  #asking: Promise<string> | undefined
  #abort = new AbortController()

  constructor(getToken: GetToken, clock: Clock) {
    this.#getToken = getToken
    this.#clock = clock
  }

  /**
   * Return a token; `not` is one that has proved useless. A question that is under way answers this one as well.
   *
   * Rejects with what `getToken` threw; with an `UsherError` if it took half a minute, or gave no token.
   */
  async get(reason: TokenReason, not?: string): Promise<string> {
    // Whoever asks for a good one takes what another question brings; then it must be another than the useless one.
    if (this.#asking) {
      const answer = await this.#asking
      if (answer !== not) return answer
    }
    if (!this.#asking) {
      const asking = (this.#asking = this.#ask(reason).finally(() => {
        // After `forget()` another question may be under way.
        if (this.#asking === asking) this.#asking = undefined
      }))
    }
    return this.#asking
  }

  /** Let go of the question under way. */
  forget(): void {
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#asking = undefined
  }

  async #ask(reason: TokenReason): Promise<string> {
    const { signal } = this.#abort
    let giveUp = (): void => {}
    const late = new Promise<never>((_, reject) => {
      giveUp = () =>
        reject(new UsherError('no_token', 'getToken took too long', 'See why it does not settle.', { retryable: true }))
    })
    const timer = this.#clock.setTimeout(giveUp, PATIENCE_MS)
    signal.addEventListener('abort', giveUp)
    try {
      const token = await Promise.race([this.#getToken({ reason, signal }), late])
      if (typeof token !== 'string' || !token) {
        throw new AuthError(`getToken gave ${String(token)}; expected an access token`)
      }
      return token
    } finally {
      this.#clock.clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
    }
  }
}
