import type { Clock } from '../clock.js'

interface Timer {
  readonly at: number
  readonly number: number
  readonly call: () => void
}

/** A clock that stands still until it is advanced. */
export class FakeClock implements Clock {
  #now: number
  #timers: Timer[] = []
  #number = 0

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  setTimeout(call: () => void, ms: number): unknown {
    const timer = { at: this.#now + Math.max(0, ms), number: this.#number++, call }
    this.#timers.push(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer)
  }

  /** How many timers are running. */
  get pending(): number {
    return this.#timers.length
  }

  /** Let so much time pass: every timer in between fires in its turn, and what it causes settles before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.number - b.number)[0]
      if (!due) break
      this.clearTimeout(due)
      this.#now = due.at
      due.call()
      await settled()
    }
    this.#now = until
  }

  /** Let what is due now happen. */
  settle(): Promise<void> {
    return this.advance(0)
  }
}

/** Longer than any chain of promises here. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}
