/** Listeners by name. One that throws harms nobody else; `failed` is told. */
export class Emitter<Events> {
  readonly #listeners: { [Name in keyof Events]?: Set<(payload: Events[Name]) => void> } = {}
  readonly #failed: (error: unknown) => void

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  /** Have `listener` called from now on; return the undo. */
  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    // A listener of its own for each call, so that the same function may be given twice and undone once.
    const own = (payload: Events[Name]): void => listener(payload)
    const listeners = (this.#listeners[name] ??= new Set())
    listeners.add(own)
    return () => void listeners.delete(own)
  }

  /** Call the listeners; no further one once `isStill` says that the payload is overtaken. */
  emit<Name extends keyof Events>(name: Name, payload: Events[Name], isStill = (): boolean => true): void {
    for (const listener of [...(this.#listeners[name] ?? [])]) {
      if (!isStill()) return
      try {
        listener(payload)
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}
