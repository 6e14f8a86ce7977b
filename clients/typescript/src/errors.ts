/** What went wrong, for programs (`code`), for people (`message`, `remedy`), and whether asking again can help. */
export class UsherError extends Error {
  override readonly name = 'UsherError'
  readonly code: string
  /** What to do about it, in a sentence. */
  readonly remedy: string
  readonly retryable: boolean
  /** The close code or HTTP status, where there was one. */
  readonly status: number | undefined
  /** Names the request in the server's log. */
  readonly requestId: string | undefined
  /** How many milliseconds the server wants to be left alone. */
  readonly retryAfterMs: number

  constructor(
    code: string,
    message: string,
    remedy: string,
    more: { retryable?: boolean; status?: number; requestId?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, more)
    this.code = code
    this.remedy = remedy
    this.retryable = more.retryable ?? false
    this.status = more.status
    this.requestId = more.requestId
    this.retryAfterMs = more.retryAfterMs ?? 0
  }
}

/** Thrown by `getToken` when there is no token to be had until somebody logs in again. Anything else it throws is retried. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
}
