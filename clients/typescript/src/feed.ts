import { waitBefore } from './backoff.js'
import type { UsherClient } from './client.js'
import { CLOCK, type Clock } from './clock.js'
import { UsherError } from './errors.js'
import { matches, type Filter } from './filter.js'
import type { Event } from './frames.js'
import { masked, merged } from './masking.js'
import type { Page, User } from './rest.js'

export type { Filter } from './filter.js'

export interface FeedOptions {
  readonly filter?: Filter
  /** Users that are read at a time, 1 to 200 (50). */
  readonly pageSize?: number
  /** Users that are kept at most (10,000); of more, the oldest are let go. A filter finds those, too. */
  readonly most?: number
  readonly clock?: Clock
  readonly random?: () => number
}

/** What a feed shows; a new object whenever it changes. */
export interface FeedState {
  /** Newest first. */
  readonly users: readonly User[]
  /** How many have come since `hold(true)`; `showNew()` shows them. */
  readonly newCount: number
  /** Whether there may be older ones, which `fetchMore()` reads. */
  readonly hasMore: boolean
  /** Whether as many are shown as are kept at most, so that there may be older ones which are not read. */
  readonly isFull: boolean
  /** Whether the list has been read at least once. */
  readonly isLoaded: boolean
  readonly isLoading: boolean
  /** Why the last reading failed; what was read before is still shown. */
  readonly error: UsherError | null
}

const FLUSH_MS = 16
const LONGEST_PAGE = 200
const EMPTY: FeedState = {
  users: [],
  newCount: 0,
  hasMore: false,
  isFull: false,
  isLoaded: false,
  isLoading: false,
  error: null,
}

/** As much of the list as has been read. */
interface Reading {
  readonly users: readonly User[]
  readonly hasMore: boolean
}

/**
 * The users of the tenant, newest first: the list, and what comes live, merged so that nothing is missing between.
 *
 * It is read anew whenever the socket was synced or rights have changed, since what is shown may be masked otherwise
 * now; when rights have changed, what not everybody sees is hidden until that is done. What came while it was being read
 * is merged into the answer, and an answer that was overtaken is thrown away.
 */
export class Feed {
  readonly #client: UsherClient
  readonly #pageSize: number
  readonly #most: number
  readonly #clock: Clock
  readonly #random: () => number
  readonly #listeners = new Set<() => void>()

  #filter: Filter
  #users = new Map<string, User>()
  /** What has come since the reading under way began. */
  #arrived = new Map<string, User>()
  /** Ids that are known and not shown yet. */
  #held = new Set<string>()
  #isHolding = false

  #undo: (() => void)[] = []
  #reading: AbortController | undefined
  #failures = 0
  #retry: unknown
  #flush: unknown
  #told: Omit<FeedState, 'users' | 'newCount' | 'isFull'> = EMPTY
  #state: FeedState = EMPTY

  constructor(client: UsherClient, options: FeedOptions = {}) {
    this.#client = client
    this.#filter = options.filter ?? {}
    this.#pageSize = options.pageSize ?? 50
    this.#most = options.most ?? 10_000
    this.#clock = options.clock ?? CLOCK
    this.#random = options.random ?? Math.random
  }

  /** For `useSyncExternalStore`. The first subscriber starts the feed, the last one to leave stops it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener()
    this.#listeners.add(own)
    if (this.#listeners.size === 1) this.#start()
    return () => {
      if (this.#listeners.delete(own) && !this.#listeners.size) this.#stop()
    }
  }
  readonly getSnapshot = (): FeedState => this.#state
  readonly getServerSnapshot = (): FeedState => EMPTY

  /** Keep back what comes from now on, for a reader whose rows must not move; or show it, and go on. */
  hold(isHolding: boolean): void {
    this.#isHolding = isHolding
    if (!isHolding) this.showNew()
  }

  /** Show what was kept back. */
  showNew(): void {
    this.#held.clear()
    this.#tell({})
  }

  /** Show others. */
  setFilter(filter: Filter): void {
    const { q = '', joinedVia = '' } = this.#filter
    if ((filter.q ?? '') === q && (filter.joinedVia ?? '') === joinedVia) return
    this.#filter = filter
    this.#clear()
    if (this.#undo.length) void this.reload()
  }

  /** Read again as much as is there. Resolves when that has been done, or has failed, which the state tells. */
  reload(): Promise<void> {
    this.#arrived.clear()
    const last = [...this.#users.keys()].at(-1)
    const count = Math.max(this.#users.size, this.#pageSize)
    return this.#read(
      (signal) => this.#pages(count, last, signal),
      ({ users, hasMore }) => {
        const known = this.#users
        this.#users = new Map(users.map((user) => [user.id, user]))
        const oldest = users.at(-1)?.id ?? ''
        for (const [id, user] of this.#arrived)
          if (!this.#users.has(id) && (id > oldest || !hasMore)) this.#users.set(id, user)
        this.#sort()
        // What was not known and is older than all that was, moves nothing of it.
        this.#keepBack((id) => last !== undefined && id > last && !known.has(id))
      },
    )
  }

  /** Read the next older page, unless as many are kept as may be. */
  fetchMore(): Promise<void> {
    const room = this.#most - this.#users.size
    if (this.#reading || !this.#told.hasMore || room <= 0) return Promise.resolve()
    const before = [...this.#users.keys()].at(-1)
    return this.#read(
      async (signal) => {
        const limit = Math.min(this.#pageSize, room)
        return readingOf(await this.#client.users.list({ ...this.#filter, limit, ...(before && { before }), signal }))
      },
      ({ users }) => {
        for (const user of users) this.#users.set(user.id, user)
        this.#sort() // somebody may have come meanwhile
      },
    )
  }

  #start(): void {
    const client = this.#client
    this.#undo = [
      client.on('event', (event) => this.#take(event)),
      client.on('synced', () => void this.reload()),
      client.on('rights.changed', () => this.#mask()),
      client.on('state', ({ status }) => status === 'forbidden' && this.#clear()),
    ]
    void this.reload()
  }

  #stop(): void {
    this.#undo.forEach((call) => call())
    this.#undo = []
    this.#cancel()
    this.#clock.clearTimeout(this.#flush)
    this.#flush = undefined
  }

  #cancel(): void {
    this.#reading?.abort()
    this.#reading = undefined
    this.#clock.clearTimeout(this.#retry)
  }

  #clear(): void {
    this.#cancel()
    this.#users.clear()
    this.#arrived.clear()
    this.#held.clear()
    this.#told = EMPTY
    this.#tell({})
  }

  /** What was shown by rights that are no more is not shown until the list has been read, however long that takes. */
  #mask(): void {
    const { viewer } = this.#client
    if (viewer) this.#users = new Map([...this.#users].map(([id, user]) => [id, masked(user, viewer.fields)]))
    void this.reload()
  }

  #take(event: Event): void {
    if (event.type !== 'user.created') return
    const user = merged(event, this.#users.get(event.data.id))
    if (!matches(user, this.#filter)) return
    if (this.#reading) this.#arrived.set(user.id, user)
    const isNew = !this.#users.has(user.id)
    this.#users.set(user.id, user)
    this.#sort()
    if (isNew && this.#isHolding) this.#held.add(user.id)
    this.#tell({})
  }

  /** The ids are in the order of time, as the list is. */
  #sort(): void {
    const ids = [...this.#users.keys()]
    if (ids.some((id, place) => place > 0 && id > ids[place - 1]!)) {
      this.#users = new Map([...this.#users].sort(([a], [b]) => (a < b ? 1 : -1)))
    }
    for (const id of ids.length > this.#most ? [...this.#users.keys()].slice(this.#most) : []) {
      this.#users.delete(id)
      this.#told = { ...this.#told, hasMore: true }
    }
  }

  #keepBack(isNew: (id: string) => boolean): void {
    if (!this.#isHolding) return
    const shown = [...this.#users.keys()].filter((id) => this.#held.has(id) || isNew(id))
    this.#held = new Set(shown)
  }

  /** Read so many, and on to the `last` that was known: who comes while it is read must push nobody out at the far end. */
  async #pages(count: number, last: string | undefined, signal: AbortSignal): Promise<Reading> {
    const users: User[] = []
    let before: string | null = ''
    const isShort = (): boolean =>
      users.length < this.#most && (users.length < count || (last !== undefined && users.at(-1)!.id > last))
    while (before !== null && isShort()) {
      const wanted = Math.max(count - users.length, this.#pageSize)
      const limit = Math.min(wanted, this.#most - users.length, LONGEST_PAGE)
      const page: Page = await this.#client.users.list({ ...this.#filter, limit, ...(before && { before }), signal })
      users.push(...page.users)
      before = page.before
    }
    return { users, hasMore: before !== null }
  }

  /** Ask for a part of the list, and take it; unless something else was asked for meanwhile, or nobody listens any more. */
  async #read(ask: (signal: AbortSignal) => Promise<Reading>, take: (answer: Reading) => void): Promise<void> {
    this.#cancel()
    const reading = (this.#reading = new AbortController())
    this.#tell({ isLoading: true })
    let answer: Reading | undefined
    let error: UsherError | null = null
    try {
      answer = await ask(reading.signal)
    } catch (cause) {
      error = cause instanceof UsherError ? cause : new UsherError('failed', String(cause), 'See the cause.', { cause })
    }
    if (this.#reading !== reading) return
    this.#reading = undefined
    if (answer) {
      this.#failures = 0
      this.#told = { ...this.#told, hasMore: answer.hasMore, isLoaded: true }
      take(answer)
    } else if (error?.retryable) {
      const wait = waitBefore(this.#failures++, this.#random, error.retryAfterMs || 1000)
      this.#retry = this.#clock.setTimeout(() => void this.reload(), wait)
    }
    this.#tell({ error, isLoading: false })
  }

  /** Have the listeners know, soon: a burst is told of at once, and not event by event. */
  #tell(told: Partial<FeedState>): void {
    this.#told = { ...this.#told, ...told }
    this.#flush ??= this.#clock.setTimeout(() => {
      this.#flush = undefined
      const all = [...this.#users.values()]
      const users = this.#held.size ? all.filter((user) => !this.#held.has(user.id)) : all
      const isFull = all.length >= this.#most
      const hasMore = this.#told.hasMore && !isFull
      this.#state = { ...this.#told, users, newCount: all.length - users.length, hasMore, isFull }
      this.#listeners.forEach((listener) => listener())
    }, FLUSH_MS)
  }
}

const readingOf = ({ users, before }: Page): Reading => ({ users, hasMore: before !== null })

/** Return a feed of a client's tenant; nothing is read until somebody subscribes. */
export const createFeed = (client: UsherClient, options?: FeedOptions): Feed => new Feed(client, options)
