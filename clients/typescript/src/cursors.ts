/** Where the id of the last event is kept between sockets. A store that fails costs a reload of the list, nothing else. */
export interface CursorStore {
  get(key: string): string | null | undefined | Promise<string | null | undefined>
  set(key: string, cursor: string): void | Promise<void>
  delete(key: string): void | Promise<void>
}

/** In memory: over reconnects, not over reloads of the page. */
export function memoryStore(): CursorStore {
  const cursors = new Map<string, string>()
  return {
    get: (key) => cursors.get(key),
    set: (key, cursor) => void cursors.set(key, cursor),
    delete: (key) => void cursors.delete(key),
  }
}

/** In `sessionStorage`: as long as the tab lives. */
export function sessionStore(): CursorStore {
  return {
    get: (key) => sessionStorage.getItem(key),
    set: (key, cursor) => sessionStorage.setItem(key, cursor),
    delete: (key) => sessionStorage.removeItem(key),
  }
}

/** Return the key of a viewer's cursor: nobody is resumed from another's, whoever logs in on the same device. */
export const cursorKey = (origin: string, tenant: string, user: string): string =>
  `usher:${[origin, tenant, user].map(encodeURIComponent).join(':')}`
