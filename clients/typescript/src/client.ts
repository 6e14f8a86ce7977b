import { waitBefore } from './backoff.js'
import { Connection, type Ended } from './connection.js'
import { cursorKey } from './cursors.js'
import { Emitter } from './emitter.js'
import { errorOf } from './ends.js'
import { UsherError } from './errors.js'
import type { Event, Frame, Ready, RightsChanged, Synced } from './frames.js'
import { settingsOf, type ClientOptions, type Settings } from './options.js'
import { Place } from './place.js'
import { noToken, Rest, type ListOptions, type Page, type RequestOptions } from './rest.js'
import { Seen } from './seen.js'
import { isFinal, type State } from './states.js'
import type { Happening } from './surroundings.js'
import { Tokens, type TokenReason } from './tokens.js'
import { verdictOn } from './verdicts.js'

/** What a client tells of. */
export interface ClientEvents {
  state: State
  /** Something happened; each comes once, in the order of the log. */
  event: Event
  /** Caught up. `reload`: read the list now, since what was missed cannot all be replayed or no place was known. */
  synced: { readonly complete: boolean; readonly reason?: string; readonly reload: boolean }
  /** What this viewer may see or do has changed: read the list again, and replace what is shown. */
  'rights.changed': { readonly permissions: readonly string[] }
  /** Something failed that the state does not show, such as a listener that threw. */
  error: UsherError
}

/** Distributes over the union, which plain `Omit` does not. */
type Sinceless = State extends infer S ? (S extends State ? Omit<S, 'since'> : never) : never

const WAIT_MS = 5_000
const MOST_SEEN = 10_000

/**
 * Keeps one socket open for as long as it is asked to, and misses nothing in between.
 *
 *     const client = createClient({ url: 'https://usher.example.com', getToken })
 *     client.on('event', (event) => console.log(event.message))
 *     await client.connect()
 */
export class UsherClient {
  readonly #settings: Settings
  readonly #tokens: Tokens
  readonly #rest: Rest
  readonly #emitter = new Emitter<ClientEvents>((cause) => this.#tell('listener_failed', cause))
  readonly #seen = new Seen(MOST_SEEN)
  readonly #idle: State

  #state: State
  #viewer: Ready | undefined
  #connection: Connection | undefined
  /** Which attempt it is; what belongs to an earlier one is not listened to. */
  #visit = 0
  #attempt = 0
  #error: UsherError | undefined
  readonly #timers: Record<string, unknown> = {}
  #unlisten: (() => void) | undefined
  /** Why no socket is wanted just now. */
  #pauses = new Set<'asked' | 'hidden' | 'frozen'>()

  #token: string | undefined
  #reason: TokenReason = 'initial'
  #useless: string | undefined
  #hasRenewed = false

  readonly #place: Place
  /** Whether the socket was opened with a place to resume from. */
  #hadPlace = false
  #isTelling = false

  constructor(options: ClientOptions) {
    this.#settings = settingsOf(options)
    const { origin, identity, store } = this.#settings
    const key = identity ? cursorKey(origin, identity.tenant, identity.user) : ''
    this.#place = new Place(store, key, (cause) => this.#tell('store_failed', cause))
    this.#tokens = new Tokens(this.#settings.getToken, this.#settings.clock)
    this.#rest = new Rest(this.#settings.origin, this.#settings.fetch, this.#tokens)
    this.#idle = this.#state = { status: 'idle', since: this.#settings.clock.now() }
  }

  /** Where the connection stands now; a new object whenever it changes. */
  get state(): State {
    return this.#state
  }

  /** Who the server says that we are, once it has let us in. */
  get viewer(): Ready | undefined {
    return this.#viewer
  }

  /** For `useSyncExternalStore`. */
  readonly getSnapshot = (): State => this.#state
  readonly getServerSnapshot = (): State => this.#idle
  readonly subscribe = (listener: () => void): (() => void) => this.#emitter.on('state', listener)

  /** Have `listener` called from now on; return the undo. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (payload: ClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  /**
   * Connect, and stay connected until `close()`; also after that, or after an end, to begin again.
   *
   * Resolves when live for the first time. Rejects with an `UsherError` when the end is reached before, or with what
   * `signal` was aborted with, which closes.
   */
  connect({ signal }: { signal?: AbortSignal } = {}): Promise<Ready> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#state.status === 'idle' || isFinal(this.#state)) {
      this.#unlisten ??= this.#settings.surroundings.listen((what) => this.#happened(what))
      if (this.#settings.surroundings.isHidden()) this.#happened('hidden')
      this.#attempt = 0
      this.#isGood()
      this.#reason = 'initial'
      this.#go()
    }
    const promise = new Promise<Ready>((resolve, reject) => {
      const abort = (): void => {
        undo()
        reject(signal?.reason)
        this.close()
      }
      const look = (state: State): void => {
        if (state.status === 'live') resolve(state.viewer)
        else if (isFinal(state))
          reject(
            ('error' in state && state.error) ||
              new UsherError('closed', 'the client was closed', 'Call connect() again.'),
          )
        else return
        undo()
      }
      const off = this.on('state', look)
      const undo = (): void => {
        off()
        signal?.removeEventListener('abort', abort)
      }
      signal?.addEventListener('abort', abort)
      look(this.#state)
    })
    promise.catch(() => {}) // the state says the same: who does not wait for the promise need not catch
    return promise
  }

  /** Close, for good: nothing is tried again until `connect()`. */
  close(): void {
    this.#tokens.forget() // first: a listener may begin anew
    this.#end({ status: 'closed' })
  }

  /** Let the socket go until `resume()`. */
  pause(): void {
    this.#pauseFor('asked')
  }

  /** Come back from a pause, whatever it was for, and resume. */
  resume(): void {
    this.#pauses.clear()
    if (this.#state.status === 'paused') this.#go()
  }

  /** Do not wait any longer: try now. After an end that is no `close()` it begins again. */
  reconnectNow(): void {
    const { status } = this.#state
    if (isFinal(this.#state) && 'error' in this.#state) void this.connect()
    else if (status === 'reconnecting' || status === 'offline') this.#try()
    else this.resume()
  }

  /** Make a REST call with the client's token; see `Rest.request`. */
  request(path: string, options?: RequestOptions): Promise<unknown> {
    return this.#rest.request(path, options)
  }

  /** The users that the viewer may see. */
  readonly users = { list: (options?: ListOptions): Promise<Page> => this.#rest.users(options) }

  /** Yield the events from the first `next()` on, until `signal` is aborted or the client's end, with which it throws if it is an error. */
  async *stream({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<Event, void, undefined> {
    const queue: Event[] = []
    let wake = (): void => {}
    const look = (): void => wake()
    const undo = [this.on('event', (event) => (queue.push(event), wake())), this.on('state', look)]
    signal?.addEventListener('abort', look)
    try {
      while (!signal?.aborted) {
        const next = queue.shift()
        if (next) yield next
        else if (isFinal(this.#state)) {
          if ('error' in this.#state && this.#state.error) throw this.#state.error
          return
        } else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      undo.forEach((call) => call())
      signal?.removeEventListener('abort', look)
    }
  }

  // ---- what the circumstances ask for

  #happened(what: Happening): void {
    const { pauseAfter } = this.#settings
    if (what === 'offline' || what === 'online') {
      if (!isFinal(this.#state)) this.#go()
    } else if (what === 'hidden') {
      if (pauseAfter !== false) this.#after(pauseAfter, 'hidden', () => this.#pauseFor('hidden'))
    } else if (what === 'frozen') {
      this.#pauseFor('frozen')
    } else {
      this.#stop('hidden')
      this.#pauses.delete(what === 'visible' ? 'hidden' : 'frozen')
      if (this.#state.status === 'paused') this.#go()
    }
  }

  #pauseFor(why: 'asked' | 'hidden' | 'frozen'): void {
    if (this.#state.status === 'idle' || isFinal(this.#state)) return
    this.#pauses.add(why)
    this.#go()
  }

  #go(): void {
    if (this.#pauses.size) this.#leave({ status: 'paused' })
    else if (!this.#settings.surroundings.isOnline()) this.#leave({ status: 'offline' })
    // A network that is said to be there again, to a client that has never noticed: its socket may well live.
    else if (!this.#connection || this.#state.status === 'reconnecting') this.#try()
  }

  /** Let go of socket, attempt and timers, and say where that leaves us. Returns as `#set` does. */
  #leave(state: Sinceless): boolean {
    this.#visit++
    this.#connection?.drop()
    this.#connection = undefined
    this.#stop('retry', 'stable', 'renew')
    return this.#set(state)
  }

  /** Make a call later; one at a time of each name. */
  #after(ms: number, name: string, call: () => void): void {
    this.#stop(name)
    this.#timers[name] = this.#settings.clock.setTimeout(call, ms)
  }

  #stop(...names: string[]): void {
    names.forEach((name) => this.#settings.clock.clearTimeout(this.#timers[name]))
  }

  #end(state: Sinceless): void {
    this.#unlisten?.()
    this.#unlisten = undefined
    this.#stop('hidden')
    this.#pauses.clear()
    this.#leave(state)
  }

  /** Nothing that went wrong before counts any more. */
  #isGood(): void {
    this.#hasRenewed = false
    this.#error = undefined
  }

  /** Say where we are; false if a listener has led on from there, as by `close()`, and nothing more is to be done. */
  #set(state: Sinceless): boolean {
    const isSame = state.status === this.#state.status
    const since = isSame ? this.#state.since : this.#settings.clock.now()
    const now = (this.#state = Object.freeze({ ...state, since }) as State)
    const isStill = (): boolean => now === this.#state
    this.#emitter.emit('state', now, isStill)
    return isStill()
  }

  // ---- one visit

  #try(): void {
    const error = this.#error
    const isTrying = this.#leave(
      error ? { status: 'reconnecting', attempt: this.#attempt, retryAt: null, error } : { status: 'connecting' },
    )
    if (isTrying) void this.#open()
  }

  async #open(): Promise<void> {
    const visit = this.#visit
    const { inHeader, clock, origin } = this.#settings
    let token: string
    try {
      token = await this.#tokens.get(this.#reason, this.#useless)
      await this.#place.load()
    } catch (error) {
      if (visit === this.#visit) this.#hasNoToken(noToken(error))
      return
    }
    if (visit !== this.#visit) return
    this.#token = token
    this.#useless = undefined
    this.#reason = 'reconnecting'
    const { cursor } = this.#place
    this.#hadPlace = cursor !== undefined
    const after = cursor === undefined ? '' : `?after=${encodeURIComponent(cursor)}`
    const url = `${origin.replace('http', 'ws')}/ws/user_notifications/${after}`
    try {
      this.#connection = new Connection(this.#settings.WebSocket, url, token, inHeader, clock, {
        event: (event) => this.#take(event),
        control: (frame) => this.#control(frame),
        ended: (how) => this.#ended(how),
      })
    } catch (error) {
      this.#ended({ code: 0, reason: String(error), leastMs: 0 })
    }
  }

  #hasNoToken(error: UsherError): void {
    if (error.retryable) this.#comeBack(error, error.retryAfterMs)
    else this.#end({ status: 'expired', error })
  }

  #control(frame: Extract<Frame, { kind: 'control' }>['frame']): void {
    if (frame.type === 'ready') this.#ready(frame)
    else if (frame.type === 'synced') this.#synced(frame)
    else if (frame.type === 'rights.changed') this.#rightsChanged(frame)
    else if (frame.type === 'auth.expiring') void this.#renew()
  }

  #ready(frame: Ready): void {
    const before = this.#viewer
    const { identity } = this.#settings
    const expected = before ? { tenant: before.tenant, user: before.user.id } : identity
    if (expected && (expected.tenant !== frame.tenant || expected.user !== frame.user.id)) {
      const message = `the token is of ${frame.user.username} in ${frame.tenant}, not of the viewer before`
      return this.#end({
        status: 'closed',
        error: new UsherError('identity_changed', message, 'Make a client for each viewer.'),
      })
    }
    this.#viewer = frame
    this.#set({ status: 'catching_up', viewer: frame })
  }

  #synced({ complete, reason }: Synced): void {
    const viewer = this.#viewer
    if (!viewer) return
    const reload = !complete || !this.#hadPlace
    if (!complete) this.#place.move(undefined)
    this.#isGood()
    this.#after(this.#settings.backoff.stableAfter, 'stable', () => (this.#attempt = 0))
    if (this.#set({ status: 'live', viewer, complete }))
      this.#emitter.emit('synced', { complete, reload, ...(reason && { reason }) })
  }

  #take(event: Event): void {
    // The place moves with repeated events as well: they are where the socket is in the log.
    if (this.#seen.add(event.id)) this.#emitter.emit('event', event)
    this.#place.move(event.id)
  }

  #rightsChanged({ permissions }: RightsChanged): void {
    const state = this.#state
    if (!('viewer' in state)) return
    const viewer = (this.#viewer = { ...state.viewer, permissions })
    if (this.#set({ ...state, viewer })) this.#emitter.emit('rights.changed', { permissions })
  }

  /** Renew the token of the open socket; until its end, if that takes more than one attempt. */
  async #renew(failures = 0): Promise<void> {
    const visit = this.#visit
    const { random, backoff } = this.#settings
    try {
      const token = await this.#tokens.get('expiring', this.#token)
      if (visit !== this.#visit) return
      this.#token = token
      this.#connection?.show(token)
    } catch (cause) {
      if (visit !== this.#visit) return
      const error = noToken(cause)
      if (!error.retryable) return this.#end({ status: 'expired', error })
      this.#after(waitBefore(failures, random, 1000, backoff), 'renew', () => void this.#renew(failures + 1))
      this.#emitter.emit('error', error)
    }
  }

  #ended(how: Ended): void {
    this.#connection = undefined
    const error = errorOf(how)
    const verdict = verdictOn(how.code)
    if (verdict === 'stop') {
      this.#end({ status: error.code === 'forbidden' || error.code === 'expired' ? error.code : 'closed', error })
    } else if (verdict === 'renew') {
      // Once: if the next socket ends like this before it is synced, a new token does not help.
      if (this.#hasRenewed) return this.#end({ status: 'expired', error })
      this.#hasRenewed = true
      this.#useless = this.#token
      this.#reason = how.code === 4101 ? 'expired' : 'rejected'
      this.#error = error
      this.#go()
    } else {
      this.#hasRenewed = false
      this.#comeBack(error, verdict === 'wait' ? how.leastMs || WAIT_MS : how.leastMs)
    }
  }

  #comeBack(error: UsherError, least: number): void {
    const { clock, random, backoff } = this.#settings
    const ms = waitBefore(this.#attempt++, random, least, backoff)
    this.#error = error
    if (this.#leave({ status: 'reconnecting', attempt: this.#attempt, retryAt: clock.now() + ms, error }))
      this.#after(ms, 'retry', () => this.#go())
  }

  #tell(code: string, cause: unknown): void {
    const error = new UsherError(code, String(cause), 'See the cause.', { cause })
    // A listener for errors that throws is not told of its own error.
    if (!this.#isTelling) {
      this.#isTelling = true
      this.#emitter.emit('error', error)
      this.#isTelling = false
    }
  }
}

/** Return a client; nothing happens until `connect()`. Throws a TypeError for options that cannot work. */
export const createClient = (options: ClientOptions): UsherClient => new UsherClient(options)
