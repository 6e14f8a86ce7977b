/** The calls by which a page logs in, on top of the client's fake server. */
import type { FakeServer } from '@usher/client/testing'
import type { Tabs, Told } from '../src/session/tabs'

const answer = (status: number, content: unknown, headers: Record<string, string> = {}): Response =>
  new Response(status === 204 ? null : JSON.stringify(content), { status, headers })

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
  /** Calls by path that are to fail. */
  readonly failing = new Map<string, { status: number; code: string; detail: string }>()

  constructor(server: FakeServer) {
    this.server = server
  }

  readonly fetch = (async (address: string, init: RequestInit = {}) => {
    const path = new URL(address).pathname.replace('/api/v1', '')
    this.calls.push(`${init.method ?? 'GET'} ${path}`)
    const failure = this.failing.get(path)
    if (failure) return answer(failure.status, { ...failure, request_id: 'r-1234' })
    if (path === '/demo') return this.people ? answer(200, { people: this.people }) : answer(404, { code: 'not_found' })
    if (path === '/demo/signups') return answer(201, { created: 8 })
    if (!path.startsWith('/auth/web')) return this.server.fetch(address, init)
    if (this.server.isDown) throw new TypeError('fetch failed')
    return this.#session(path, init)
  }) as typeof fetch

  #session(path: string, init: RequestInit): Response {
    if (path === '/auth/web/logout') {
      this.isSignedIn = false
      return answer(204, undefined)
    }
    if (path === '/auth/web/token') {
      const { password } = JSON.parse(String(init.body)) as { password: string }
      if (password !== 'usher-demo') return answer(401, { code: 'bad_credentials', detail: 'no', request_id: 'r-1' })
      this.isSignedIn = true
    } else if (this.refusal) {
      const { status, code, retryAfter } = this.refusal
      return answer(
        status,
        { code, detail: `${code}, says the server` },
        retryAfter ? { 'Retry-After': retryAfter } : {},
      )
    } else if (!this.isSignedIn) return answer(401, { code: 'unauthenticated', detail: 'log in' })
    return answer(200, { access: this.server.mint(), expires_in: 300 })
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
