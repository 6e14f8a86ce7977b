/** The calls by which a page logs in and out. The refresh token is in a cookie that no script sees. */
import { problemOf, UsherError } from '@usher/client'

export interface Credentials {
  readonly tenant: string | null
  readonly username: string
  readonly password: string
}

/** An access token, and until when it is handed out: a third of its life before its end, in milliseconds since 1970. */
export interface Access {
  readonly token: string
  readonly until: number
}

const GOOD_FOR = 2 / 3

/** So long a call may take: a server whose database is gone says so after ten seconds. */
const PATIENCE_MS = 15_000
/** So long a renewal may take until it is tried once more. */
const RENEWAL_PATIENCE_MS = 4_000

/** Who is signed in; without a tenant: an operator. */
export interface Me {
  readonly id: string
  readonly username: string
  readonly tenant: { readonly slug: string; readonly name: string } | null
  readonly role: string | null
}

/** Each call rejects with an `UsherError`. */
export class Web {
  readonly #origin: string
  readonly #fetch: typeof fetch
  readonly #now: () => number

  constructor(origin: string, fetcher: typeof fetch, now: () => number) {
    this.#origin = origin
    this.#fetch = fetcher
    this.#now = now
  }

  token(credentials: Credentials): Promise<Access> {
    return this.#access('/auth/web/token', credentials)
  }

  async refresh(): Promise<Access> {
    const path = '/auth/web/refresh'
    try {
      return await this.#access(path, undefined, RENEWAL_PATIENCE_MS)
    } catch (error) {
      if ((error as UsherError).code !== 'unreachable') throw error
    }
    // A line that has died swallows the answer, and with it the next cookie. The server gives both again for ten seconds.
    return this.#access(path)
  }

  async logout(): Promise<void> {
    await this.call('POST', '/auth/web/logout')
  }

  async me(token: string): Promise<Me> {
    return (await this.call('GET', '/me', { token })) as Me
  }

  /** Return what a call is answered with: an object, without anything in it if there is no JSON. */
  async call(
    method: string,
    path: string,
    { body, token, patienceMs = PATIENCE_MS }: { body?: unknown; token?: string; patienceMs?: number } = {},
  ): Promise<unknown> {
    let answer: Response
    let text: string
    try {
      answer = await this.#fetch(`${this.#origin}/api/v1${path}`, {
        method,
        headers: {
          ...(token && { Authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(patienceMs),
      })
      text = await answer.text()
    } catch (cause) {
      throw new UsherError('unreachable', 'the server did not answer', 'Ask again later.', { retryable: true, cause })
    }
    const content = contentOf(text)
    if (answer.ok) return content
    throw problemOf(answer, content)
  }

  async #access(path: string, body?: unknown, patienceMs?: number): Promise<Access> {
    const options = { body, ...(patienceMs !== undefined && { patienceMs }) }
    const { access, expires_in: seconds } = (await this.call('POST', path, options)) as {
      access: string
      expires_in: number
    }
    return { token: access, until: this.#now() + seconds * GOOD_FOR * 1000 }
  }
}

function contentOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
