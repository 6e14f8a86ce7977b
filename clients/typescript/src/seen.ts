/** Ids that have come, the oldest forgotten beyond a bound: delivery is at least once, and showing is once. */
export class Seen {
  readonly #most: number
  readonly #ids = new Set<string>()

  constructor(most: number) {
    this.#most = most
  }

  /** Remember an id, and return whether it is new. */
  add(id: string): boolean {
    const isNew = !this.#ids.delete(id)
    this.#ids.add(id)
    if (this.#ids.size > this.#most) this.#ids.delete(this.#ids.values().next().value as string)
    return isNew
  }
}
