import type { WebSocketConstructor } from '../connection.js'
import { AuthError } from '../errors.js'
import type { Event } from '../frames.js'
import type { GetToken } from '../tokens.js'
import { FakeClock } from './clock.js'
import { FakeLog, type Newcomer } from './log.js'
import { answerOf } from './rest.js'
import { FakeSocket } from './socket.js'

export interface FakeServerOptions {
  readonly clock?: FakeClock
  readonly tenant?: string
  readonly username?: string
  readonly permissions?: readonly string[]
}

/**
 * A server in memory, on a clock that stands still: one tenant as one viewer sees it.
 *
 *     const server = new FakeServer()
 *     const client = createClient({ url: server.url, getToken: server.getToken, ...server.parts })
 *     void client.connect()
 *     await server.clock.settle()
 *     server.create({ username: 'dave' })
 *     await server.clock.advance(1000)
 */
export class FakeServer {
  readonly url = 'https://usher.test'
  readonly clock: FakeClock
  readonly log = new FakeLog()
  readonly tenant: string
  readonly user: { readonly id: string; readonly username: string }
  permissions: readonly string[]
  /** Each field of a user, and the permission that shows it. */
  fields: Readonly<Record<string, string>> = {
    id: 'view_user',
    username: 'view_user',
    full_name: 'view_user',
    joined_via: 'view_user',
    joined_at: 'view_user',
    email: 'view_user_contact',
    phone: 'view_user_contact',
    address: 'view_user_origin',
    agent: 'view_user_origin',
  }
  /** Every socket that was ever asked for, and every REST call. */
  readonly sockets: FakeSocket[] = []
  readonly requests: { readonly method: string; readonly path: string; readonly token: string }[] = []
  /** What `getToken` was asked for. */
  readonly asked: string[] = []
  /** How late whatever is sent arrives. */
  delayMs = 0
  /** While true no socket opens and no call is answered. */
  isDown = false
  /** While true `getToken` throws an `AuthError`, as after a log-out. */
  isLoggedOut = false
  /** While set, handshakes are answered with this HTTP status; a client without `auth: 'header'` only sees them fail. */
  refuses: number | undefined
  mayWatch = true
  heartbeatSeconds = 25

  #tokens = new Set<string>()
  #minted = 0
  #held: Event | undefined
  #reorders = false

  constructor({ clock = new FakeClock(), tenant = 'acme', username = 'alice', permissions }: FakeServerOptions = {}) {
    this.clock = clock
    this.tenant = tenant
    this.user = { id: '01900000-0000-7000-8000-00000000a11c', username }
    this.permissions = permissions ?? ['watch_signups']
  }

  /** What a client is to be made with: socket, fetch, clock, and jitter that is always half. */
  get parts() {
    return { WebSocket: this.WebSocket, fetch: this.fetch, clock: this.clock, random: () => 0.5 }
  }

  get open(): readonly FakeSocket[] {
    return this.sockets.filter((socket) => socket.isOpen)
  }

  // ---- what a test does

  /** Have a user created, and everybody who is live hear of it. */
  create(newcomer: Newcomer = {}): Event {
    const event = this.log.append(this.tenant, this.clock.now(), newcomer)
    if (this.#reorders && !this.#held) this.#held = event
    else {
      const events = this.#held ? [event, this.#held] : [event]
      this.#held = undefined
      this.#reorders = false
      this.#live((socket) => events.forEach((next) => socket.push(next)))
    }
    return event
  }

  /** Have the lines break, without a word. */
  drop(): void {
    this.open.forEach((socket) => socket.end(1006))
  }

  /** Have the lines go silent: nothing arrives, and neither side is told. */
  mute(): void {
    this.open.forEach((socket) => (socket.isMute = true))
  }

  /** Say goodbye to all, and close. */
  end(code: number, reason = 'as the test wants it', retryAfterMs = 0): void {
    for (const socket of this.open) {
      const reconnect = Math.floor(code / 100) !== 44
      socket.push({ type: 'goodbye', code, reason, reconnect, retry_after_ms: retryAfterMs })
      socket.end(code, reason)
    }
  }

  /** As when a server is deployed anew: everybody is sent away, each told when to come back. */
  drain(retryAfterMs = 1000): void {
    this.end(4000, 'this server is going away; reconnect with after=<last id>', retryAfterMs)
  }

  /** Have every token that was ever given be too old. */
  expire(): void {
    this.#tokens.clear()
    this.end(4101, 'token expired; get a new one and reconnect with after=<last id>')
  }

  /** Say that the tokens are about to expire. */
  warn(): void {
    this.#live((socket) => socket.push({ type: 'auth.expiring', token_expires_at: this.#later(60) }))
  }

  /** Take the right to watch away, for good. */
  revoke(): void {
    this.mayWatch = false
    this.end(4403, 'you may not watch this tenant')
  }

  /** Change what the viewer holds on the tenant. */
  permit(...permissions: string[]): void {
    this.permissions = permissions
    this.#live((socket) => socket.push({ type: 'rights.changed', permissions }))
  }

  /** Have the next two events arrive in the wrong order. */
  reorder(): void {
    this.#reorders = true
  }

  /** Have the last events arrive once more. */
  repeat(count = 1): void {
    const events = this.log.events.slice(-count)
    this.#live((socket) => events.forEach((event) => socket.push(event)))
  }

  // ---- what a client is given

  readonly getToken: GetToken = ({ reason }) => {
    this.asked.push(reason)
    if (this.isLoggedOut) throw new AuthError('logged out')
    return this.mint()
  }

  /** Return a new token that is good. */
  mint(): string {
    const token = `token-${++this.#minted}`
    this.#tokens.add(token)
    return token
  }

  isGood(token: string): boolean {
    return this.#tokens.has(token)
  }

  readonly fetch = ((address: string, init: RequestInit = {}) =>
    new Promise<Response>((resolve, reject) => {
      const aborted = (): void => reject(init.signal?.reason)
      if (init.signal?.aborted) return aborted()
      init.signal?.addEventListener('abort', aborted)
      this.later(() => {
        if (this.isDown) reject(new TypeError('fetch failed'))
        else resolve(answerOf(this, new URL(address), init))
      })
    })) as typeof fetch

  readonly WebSocket: WebSocketConstructor = (() => {
    const connect = (url: string, headers: Record<string, string>): FakeSocket => this.#connect(url, headers)
    return class {
      constructor(url: string, _protocols: string[], options?: { headers: Record<string, string> }) {
        return connect(url, options?.headers ?? {})
      }
    } as unknown as WebSocketConstructor
  })()

  // ---- what its sockets ask of it

  later(call: () => unknown): void {
    this.clock.setTimeout(() => void call(), this.delayMs)
  }

  /** A client asks for a socket. */
  connecting(socket: FakeSocket): void {
    if (this.isDown) socket.end(1006)
    else if (this.refuses) socket.refuse(this.refuses)
    else socket.open()
  }

  opened(socket: FakeSocket): void {
    const token = socket.headers.Authorization?.replace('Bearer ', '')
    if (token) this.said(socket, { type: 'auth', token })
  }

  said(socket: FakeSocket, message: Readonly<Record<string, unknown>>): void {
    if (message.type !== 'auth') return
    const token = String(message.token)
    if (!this.isGood(token)) return socket.end(4101, 'token expired; get a new one and reconnect with after=<last id>')
    if (!this.mayWatch) return socket.end(4403, 'you may not watch this tenant')
    const isRenewal = socket.token !== undefined
    socket.token = token
    if (isRenewal) socket.push({ type: 'auth.ok', token_expires_at: this.#later(300) })
    else this.#admit(socket)
  }

  #admit(socket: FakeSocket): void {
    socket.push(this.ready())
    const missed = socket.after === null ? [] : this.log.after(socket.after)
    missed?.forEach((event) => socket.push(event))
    socket.push(
      missed ? { type: 'synced', complete: true } : { type: 'synced', complete: false, reason: 'unknown_cursor' },
    )
    socket.isLive = true
  }

  /** What a socket is told first. */
  ready(): object {
    return {
      type: 'ready',
      version: 'usher.v1',
      session: '01900000-0000-7000-8000-000000005e55',
      user: this.user,
      tenant: this.tenant,
      permissions: this.permissions,
      fields: this.fields,
      token_expires_at: this.#later(300),
      heartbeat: { every_seconds: this.heartbeatSeconds, answer_within_seconds: 10 },
      limits: { message_bytes: 8192, resume_events: 10_000, resume_days: 7 },
    }
  }

  #connect(url: string, headers: Record<string, string>): FakeSocket {
    const socket = new FakeSocket(this, url, headers)
    this.sockets.push(socket)
    this.connecting(socket)
    return socket
  }

  #live(tell: (socket: FakeSocket) => void): void {
    this.open.filter((socket) => socket.isLive).forEach(tell)
  }

  #later(seconds: number): string {
    return new Date(this.clock.now() + seconds * 1000).toISOString()
  }
}
