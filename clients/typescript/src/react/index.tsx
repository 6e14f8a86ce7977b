/** Usher in React: state lives in the client and the feed, and hooks only look. */
import {
  createContext,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react'
import type { ClientEvents, UsherClient } from '../client.js'
import { createFeed, type Feed, type FeedOptions, type FeedState, type Filter } from '../feed.js'
import type { State } from '../states.js'

export type { Feed, FeedState, Filter } from '../feed.js'

const Context = createContext<UsherClient | null>(null)
/** How many providers hold a client: it is let go when the last one has gone for good, and not by StrictMode's rehearsal. */
const holders = new WeakMap<UsherClient, number>()

export interface UsherProviderProps {
  readonly client: UsherClient
  /** False: do not connect yet, as before anybody has logged in. */
  readonly enabled?: boolean
  readonly children?: ReactNode
}

/** Connect the client for as long as this is mounted. */
export function UsherProvider({ client, enabled = true, children }: UsherProviderProps): ReactNode {
  useEffect(() => {
    if (!enabled) return undefined
    holders.set(client, (holders.get(client) ?? 0) + 1)
    void client.connect()
    return () => {
      holders.set(client, holders.get(client)! - 1)
      // Later: StrictMode and fast refresh unmount only to mount again at once.
      queueMicrotask(() => holders.get(client) || client.close())
    }
  }, [client, enabled])
  return <Context.Provider value={client}>{children}</Context.Provider>
}

/** Return the provider's client; throws outside of one. */
export function useClient(): UsherClient {
  const client = useContext(Context)
  if (!client) throw new Error('there is no <UsherProvider> above this component; put one around the application')
  return client
}

/** Return where the connection stands, and what can be done about it. */
export function useConnection(): State & Pick<UsherClient, 'reconnectNow' | 'pause' | 'resume'> {
  const client = useClient()
  const state = useSyncExternalStore(client.subscribe, client.getSnapshot, client.getServerSnapshot)
  return useMemo(
    () => ({
      ...state,
      reconnectNow: () => client.reconnectNow(),
      pause: () => client.pause(),
      resume: () => client.resume(),
    }),
    [client, state],
  )
}

/** Return the tenant's users, newest first, live; and the feed's handles. Options other than `filter` count once. */
export function useNotifications(options: FeedOptions = {}): FeedState & { readonly feed: Feed } {
  const client = useClient()
  const [{ feed }, setOwn] = useState(() => ({ client, feed: createFeed(client, options) }))
  const { q, joinedVia } = options.filter ?? {}
  // biome-ignore lint/correctness/useExhaustiveDependencies: options count once, as they are said to
  useEffect(() => {
    setOwn((own) => (own.client === client ? own : { client, feed: createFeed(client, options) }))
  }, [client])
  useEffect(() => feed.setFilter(filterOf(q, joinedVia)), [feed, q, joinedVia])
  const state = useSyncExternalStore(feed.subscribe, feed.getSnapshot, feed.getServerSnapshot)
  return useMemo(() => ({ ...state, feed }), [state, feed])
}

/** Have `listener` called with whatever the client tells of under that name; every one, also those of a burst. */
export function useNotificationEvent<Name extends keyof ClientEvents>(
  name: Name,
  listener: (payload: ClientEvents[Name]) => void,
): void {
  const client = useClient()
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => client.on(name, (payload) => latest.current(payload)), [client, name])
}

const filterOf = (q: string | undefined, joinedVia: string | undefined): Filter => ({
  ...(q !== undefined && { q }),
  ...(joinedVia !== undefined && { joinedVia }),
})
