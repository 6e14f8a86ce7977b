/** The calls by which a page logs in, on top of the client's fake server. */
import type { FakeServer } from '@usher/client/testing'
import type { Tabs, Told } from '../src/session/tabs'

const answer = (status: number, content: unknown, headers: Record<string, string> = {}): Response =>
  new Response(status === 204 ? null : JSON.stringify(content), { status, headers })

interface Answer {
  readonly status: number
  readonly content?: unknown
  readonly headers?: Record<string, string>
}

export interface Person {
  readonly tenant: string
  readonly username: string
  readonly password: string
  readonly description: string
}

/** One browser's cookie, and what was asked of the server with it. */
export class FakeWeb {
  readonly server: FakeServer
  isSignedIn = true
  /** What the next renewals are answered with instead of a token. */
  refusal: { status: number; code: string; retryAfter?: string } | undefined
  people: readonly Person[] | undefined
  readonly calls: string[] = []
  /** A renewal's answer, made when it was asked for, arrives only after this. */
  gate: Promise<unknown> = Promise.resolve()
  /** Whom the next call takes its caller for, instead of the server's one user. */
  mistakenFor: object | undefined
  /** Calls by path that are to fail. */
  readonly failing = new Map<string, { status: number; code: string; detail: string }>()

  constructor(server: FakeServer) {
    this.server = server
  }

  readonly fetch = (async (address: string, init: RequestInit = {}) => {
    const path = new URL(address).pathname.replace('/api/v1', '')
    this.calls.push(`${init.method ?? 'GET'} ${path}`)
    const failure = this.failing.get(path)
    if (path === '/me' && this.mistakenFor) {
      const other = this.mistakenFor
      this.mistakenFor = undefined
      return answer(200, other)
    }
    if (failure) return answer(failure.status, { ...failure, request_id: 'r-1234' })
    if (path === '/demo') return this.people ? answer(200, { people: this.people }) : answer(404, { code: 'not_found' })
    if (path === '/demo/signups') return answer(201, { created: 8 })
    if (!path.startsWith('/auth/web')) return this.server.fetch(address, init)
    if (this.server.isDown) throw new TypeError('fetch failed')
    const { status, content, headers } = this.#session(path, init)
    if (path === '/auth/web/refresh') {
      await this.gate
      if (status === 401) this.isSignedIn = false // it takes the cookie, whichever that is by now
    }
    return answer(status, content, headers)
  }) as typeof fetch

  #session(path: string, init: RequestInit): Answer {
    if (path === '/auth/web/logout') {
      this.isSignedIn = false
      return { status: 204 }
    }
    if (path === '/auth/web/token') {
      const { password } = JSON.parse(String(init.body)) as { password: string }
      if (password !== 'usher-demo')
        return { status: 401, content: { code: 'bad_credentials', detail: 'no', request_id: 'r-1' } }
      this.isSignedIn = true
    } else if (this.refusal) {
      const { status, code, retryAfter } = this.refusal
      const headers = retryAfter ? { headers: { 'Retry-After': retryAfter } } : {}
      return { status, content: { code, detail: `${code}, says the server` }, ...headers }
    } else if (!this.isSignedIn) return { status: 401, content: { code: 'unauthenticated', detail: 'log in' } }
    return { status: 200, content: { access: this.server.mint(), expires_in: 300 } }
  }
}

/** Tabs of one browser, in memory: what one tells, the others hear. */
export class FakeTabs {
  readonly #listeners = new Map<object, Set<(told: Told) => void>>()
  #last: Promise<unknown> = Promise.resolve()
  #running = 0

  open(): Tabs {
    const tab = {}
    this.#listeners.set(tab, new Set())
    return {
      tell: (told) =>
        this.#listeners.forEach(
          (calls, other) => other === tab || calls.forEach((call) => queueMicrotask(() => call(told))),
        ),
      listen: (call) => {
        this.#listeners.get(tab)!.add(call)
        return () => void this.#listeners.get(tab)!.delete(call)
      },
      alone: async (task) => {
        const hasWaited = this.#running++ > 0
        const result = this.#last.then(() => task(hasWaited))
        this.#last = result.catch(() => {}).finally(() => this.#running--)
        return result
      },
    }
  }
}
