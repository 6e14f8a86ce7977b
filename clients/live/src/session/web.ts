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

  refresh(): Promise<Access> {
    return this.#access('/auth/web/refresh')
  }

  async logout(): Promise<void> {
    await this.call('POST', '/auth/web/logout')
  }

  async me(token: string): Promise<Me> {
    return (await this.call('GET', '/me', undefined, token)) as Me
  }

  /** Return what a call is answered with. */
  async call(method: string, path: string, body?: unknown, token?: string): Promise<unknown> {
    let answer: Response
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
      })
    } catch (cause) {
      throw new UsherError('unreachable', 'the server did not answer', 'Ask again later.', { retryable: true, cause })
    }
    const content = (await answer.json().catch(() => ({}))) as Record<string, unknown>
    if (answer.ok) return content
    throw problemOf(answer, content)
  }

  async #access(path: string, body?: unknown): Promise<Access> {
    const { access, expires_in: seconds } = (await this.call('POST', path, body)) as {
      access: string
      expires_in: number
    }
    return { token: access, until: this.#now() + seconds * GOOD_FOR * 1000 }
  }
}
