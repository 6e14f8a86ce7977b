import { AuthError, type UsherError, type GetToken } from '@usher/client'
import type { Tabs, Told } from './tabs'
import { Web, type Access, type Credentials, type Me } from './web'

export type SessionState =
  /** Asking whether this browser is signed in. */
  | { readonly status: 'restoring' }
  | { readonly status: 'unreachable'; readonly error: UsherError }
  | { readonly status: 'signed_out'; readonly why: 'nobody' | 'left' | 'left_elsewhere' | 'not_told' }
  /** `signIns` goes up whenever the same person has signed in anew, here or in another tab. */
  | { readonly status: 'signed_in'; readonly me: Me; readonly signIns: number }

export interface SessionParts {
  readonly origin: string
  readonly fetch: typeof fetch
  readonly tabs: Tabs
  readonly now: () => number
}

/** For what another tab has just renewed to arrive. */
const ARRIVAL_MS = 100

/**
 * Who is signed in in this browser. The access token is kept here, in memory, and nowhere else.
 *
 * One renewal at a time over all tabs, which tell each other what it brought; a log-out in one is one in all.
 */
export class Session {
  readonly #web: Web
  readonly #tabs: Tabs
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  #state: SessionState = { status: 'restoring' }
  #access: Access | undefined
  #given: string | undefined
  #renewing: Promise<Access> | undefined

  constructor({ origin, fetch, tabs, now }: SessionParts) {
    this.#web = new Web(origin, fetch, now)
    this.#tabs = tabs
    this.#now = now
    tabs.listen((told) => this.#heard(told))
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  readonly getSnapshot = (): SessionState => this.#state

  /** Calls that need no token. */
  get web(): Web {
    return this.#web
  }

  /** Find out whether this browser is signed in. */
  async restore(): Promise<void> {
    const restoring: SessionState = { status: 'restoring' }
    this.#access = undefined
    this.#set(restoring)
    const next = await this.#found()
    // Meanwhile somebody may have signed in or out, here or in another tab.
    if (this.#state !== restoring) return
    if ('id' in next) this.#enter(next)
    else this.#set(next)
  }

  /** Rejects with an `UsherError` that says why not. */
  async signIn(credentials: Credentials): Promise<void> {
    // Alone: the answer to a renewal that is under way would put another cookie in the place of the new one, or none.
    const access = await this.#tabs.alone(() => this.#web.token(credentials))
    let me: Me | undefined
    try {
      me = await this.#web.me(access.token)
      this.#access = access
      this.#enter(me)
    } finally {
      // The session of the other tabs has been replaced, whoever it is that has begun this one.
      this.#tabs.tell({ what: 'signed_in', user: me?.id })
    }
  }

  /** End the session, in all tabs. What is shown goes at once, whether or not the server can be told. */
  async signOut(): Promise<void> {
    this.#leave('left')
    this.#tabs.tell({ what: 'signed_out' })
    try {
      await this.#tabs.alone(() => this.#web.logout())
    } catch {
      if (this.#state.status === 'signed_out') this.#set({ status: 'signed_out', why: 'not_told' })
    }
  }

  /** For the client. Its signal is not heeded: an answer that nobody waits for would take the next cookie along. */
  readonly getToken: GetToken = async ({ reason }) => {
    const held = this.#access
    const isFresh = held && held.until > this.#now()
    // What another tab has renewed is another token than the one that the client finds wanting.
    const isWanted = reason === 'initial' || reason === 'reconnecting' || held?.token !== this.#given
    const access = isFresh && isWanted && reason !== 'rejected' ? held : await this.#renew()
    this.#given = access.token
    return access.token
  }

  /** Return who is signed in, or how it stands instead. */
  async #found(): Promise<Me | SessionState> {
    try {
      const { token } = await this.#renew()
      return await this.#web.me(token)
    } catch (error) {
      const isNobody = error instanceof AuthError || (error as UsherError).status === 401
      return isNobody ? { status: 'signed_out', why: 'nobody' } : { status: 'unreachable', error: error as UsherError }
    }
  }

  #renew(): Promise<Access> {
    this.#renewing ??= this.#renewAlone().finally(() => (this.#renewing = undefined))
    return this.#renewing
  }

  async #renewAlone(): Promise<Access> {
    const before = this.#access
    try {
      return await this.#tabs.alone(async (hasWaited) => {
        if (hasWaited) await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS))
        if (this.#access && this.#access !== before) return this.#access
        const access = await this.#web.refresh()
        if (this.#state.status === 'signed_out') throw new AuthError('signed out meanwhile')
        this.#access = access
        const { me } = { me: undefined, ...this.#state }
        if (me) this.#tabs.tell({ what: 'renewed', user: me.id, access })
        return access
      })
    } catch (error) {
      const { status } = error as UsherError
      if (status === 401 || status === 403) throw new AuthError((error as UsherError).message)
      throw error
    }
  }

  #heard(told: Told): void {
    const me = this.#state.status === 'signed_in' ? this.#state.me : undefined
    if (told.what === 'signed_out') {
      if (this.#state.status !== 'signed_out') this.#leave('left_elsewhere')
    } else if (told.what === 'renewed') {
      if (me?.id === told.user) this.#access = told.access
    } else if (me && me.id === told.user) {
      this.#access = undefined // of a session that the new one has replaced
      this.#enter(me)
    } else {
      void this.restore()
    }
  }

  #enter(me: Me): void {
    const before = this.#state
    const isSame = before.status === 'signed_in' && before.me.id === me.id
    this.#set({ status: 'signed_in', me, signIns: isSame ? before.signIns + 1 : 0 })
  }

  #leave(why: 'left' | 'left_elsewhere'): void {
    this.#access = this.#given = undefined
    this.#set({ status: 'signed_out', why })
  }

  #set(state: SessionState): void {
    this.#state = state
    this.#listeners.forEach((listener) => listener())
  }
}
