import { REMEDY } from './ends.js'
import { AuthError, UsherError } from './errors.js'
import type { UserFields } from './frames.js'
import type { Tokens } from './tokens.js'
import { verdictOnStatus } from './verdicts.js'

/** A user as the list has it: as in an event's `data`, and what is hidden. The last two are for holders of `manage_users`. */
export interface User extends UserFields {
  readonly redacted: readonly string[]
  readonly is_active?: boolean
  readonly role?: string | null
}

export interface ListOptions {
  /** 1 to 200. */
  readonly limit?: number
  /** Only users older than the one of this id. */
  readonly before?: string
  /** Only users newer than the one of this id, the nearest to it. */
  readonly after?: string
  /** Part of a name, or of an e-mail or phone that the viewer may see. */
  readonly q?: string
  readonly joinedVia?: string
  readonly signal?: AbortSignal
}

export interface Page {
  /** Newest first. */
  readonly users: readonly User[]
  /** Give it as `before` for the next page; null at the end. */
  readonly before: string | null
}

export interface RequestOptions {
  readonly method?: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** The REST calls, with a token that is renewed once when the server says that it has expired. */
export class Rest {
  readonly #base: string
  readonly #fetch: typeof fetch
  readonly #tokens: Tokens

  constructor(base: string, fetcher: typeof fetch, tokens: Tokens) {
    this.#base = base
    this.#fetch = fetcher
    this.#tokens = tokens
  }

  /** Return a page of the users that the viewer may see. Rejects as `request` does. */
  async users({ joinedVia, signal, ...query }: ListOptions = {}): Promise<Page> {
    const options = { query: { ...query, joined_via: joinedVia }, signal }
    const page = (await this.request('/users', options)) as { results: User[]; next: string | null }
    return { users: page.results, before: (page.next && page.results.at(-1)?.id) || null }
  }

  /**
   * Return the JSON that a call under /api/v1 is answered with; undefined for an answer without a body.
   *
   * Rejects with an `UsherError`, or with what `signal` was aborted with.
   */
  async request(path: string, options: RequestOptions = {}): Promise<unknown> {
    const token = await this.#token()
    const answer = await this.#send(path, options, token)
    return this.#read(answer.status === 401 ? await this.#send(path, options, await this.#token(token)) : answer)
  }

  async #token(not?: string): Promise<string> {
    try {
      return await this.#tokens.get(not === undefined ? 'initial' : 'expired', not)
    } catch (error) {
      throw noToken(error)
    }
  }

  async #send(path: string, options: RequestOptions, token: string): Promise<Response> {
    const { method = 'GET', query = {}, body, headers, signal } = options
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
    const search = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`).join('&')
    const hasBody = body !== undefined
    const all = new Headers(headers)
    all.set('Authorization', `Bearer ${token}`)
    if (hasBody) all.set('Content-Type', 'application/json')
    try {
      return await this.#fetch(`${this.#base}/api/v1${path}${search && '?'}${search}`, {
        method,
        headers: all,
        ...(hasBody && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
        credentials: 'omit',
        cache: 'no-store',
      })
    } catch (cause) {
      signal?.throwIfAborted?.()
      throw new UsherError('unreachable', 'the server did not answer', REMEDY.come_back!, { retryable: true, cause })
    }
  }

  async #read(answer: Response): Promise<unknown> {
    const text = await answer.text().catch(() => '')
    let content: unknown
    try {
      if (text) content = JSON.parse(text)
    } catch {
      // No JSON: no answer of ours.
    }
    if (answer.ok && (content !== undefined || !text)) return content
    throw problemOf(answer, (content ?? {}) as Record<string, unknown>)
  }
}

/** Return what `getToken` failed with as an error of ours. */
export function noToken(error: unknown): UsherError {
  if (error instanceof UsherError) return error
  const message = error instanceof Error ? error.message : String(error)
  return error instanceof AuthError
    ? new UsherError('expired', message || 'there is no token', REMEDY.renew!, { cause: error })
    : new UsherError('no_token', `getToken failed: ${message}`, REMEDY.come_back!, { retryable: true, cause: error })
}

/** Return the error that an answer which is not `ok` stands for; `problem` is its body, as far as that could be read. */
export function problemOf(answer: Response, problem: Record<string, unknown>): UsherError {
  const verdict = verdictOnStatus(answer.status)
  const code = typeof problem.code === 'string' ? problem.code : `http_${answer.status}`
  const detail = typeof problem.detail === 'string' ? problem.detail : `the server answered ${answer.status}`
  return new UsherError(code, detail, REMEDY[verdict]!, {
    retryable: verdict === 'come_back' || verdict === 'wait',
    status: answer.status,
    retryAfterMs: (Number(answer.headers.get('Retry-After')) || 0) * 1000,
    ...(typeof problem.request_id === 'string' && { requestId: problem.request_id }),
  })
}
