import type { CursorStore } from './cursors.js'

/** A viewer's place in the log: the id of the last event that came. Kept in a store, which may fail. */
export class Place {
  /** The id to resume after; undefined: no place is known. */
  cursor: string | undefined
  readonly #store: CursorStore
  readonly #key: string
  readonly #failed: (error: unknown) => void
  #isLoaded = false
  #last: Promise<void> = Promise.resolve()

  constructor(store: CursorStore, key: string, failed: (error: unknown) => void) {
    this.#store = store
    this.#key = key
    this.#failed = failed
  }

  /** Read what an earlier client has kept; only the first call does. */
  async load(): Promise<void> {
    if (this.#isLoaded) return
    try {
      const kept = await this.#store.get(this.#key)
      if (!this.#isLoaded && kept) this.cursor = kept
    } catch (error) {
      this.#failed(error)
    }
    this.#isLoaded = true
  }

  move(cursor: string | undefined): void {
    this.#isLoaded = true
    this.cursor = cursor
    // One after the other: a slow store must not end up with an older place.
    this.#last = this.#last
      .then(() => {
        if (cursor !== this.cursor) return undefined
        return cursor === undefined ? this.#store.delete(this.#key) : this.#store.set(this.#key, cursor)
      })
      .catch((error: unknown) => this.#failed(error))
  }
}
