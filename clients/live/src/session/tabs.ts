/** What the tabs of one browser tell each other: they share one session, since they share its cookie. */
import type { Access } from './web'

export type Told =
  /** Without a user: somebody, whoever it is. */
  | { readonly what: 'signed_in'; readonly user: string | undefined }
  | { readonly what: 'signed_out' }
  | { readonly what: 'renewed'; readonly user: string; readonly access: Access }

export interface Tabs {
  tell(told: Told): void
  /** Have `call` called with what the others tell; return the undo. */
  listen(call: (told: Told) => void): () => void
  /** Run `task` while no other tab runs one; `hasWaited` says whether another tab has just run its own. */
  alone<Result>(task: (hasWaited: boolean) => Promise<Result>): Promise<Result>
}

const NAME = 'usher-session'

/** The browser's. Where it has no locks, the server forgives two renewals at once; without channels tabs find out late. */
export function browserTabs(): Tabs {
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(NAME)
  const locks = typeof navigator === 'undefined' ? undefined : (navigator.locks as LockManager | undefined)
  return {
    tell: (told) => channel?.postMessage(told),
    listen(call) {
      const hear = (message: MessageEvent<Told>): void => call(message.data)
      channel?.addEventListener('message', hear)
      return () => channel?.removeEventListener('message', hear)
    },
    async alone(task) {
      if (!locks) return task(false)
      const free = await locks.request(
        NAME,
        { ifAvailable: true },
        async (lock) => lock && { result: await task(false) },
      )
      return free ? free.result : locks.request(NAME, () => task(true))
    },
  }
}
