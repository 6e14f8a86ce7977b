import type { Clock } from '@usher/client'
import { texts } from '../texts'

/** Where something is said: what happens in the list, and how the connection stands. */
export type Region = 'news' | 'connection'

const GAP_MS = 5_000
/** Makes a text another one without changing how it sounds: the same text twice would not be said again. */
const SAME = '\u00a0'

/**
 * What is said to those who do not see the page: at most one thing in five seconds.
 *
 * What comes sooner waits; of sign-ups that wait the number is said, of a connection only how it stands in the end.
 */
export class Announcements {
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  readonly #said: Record<Region, string> = { news: '', connection: '' }
  #waiting = new Map<Region, string>()
  #signUps = 0
  #timer: unknown
  #lastAt = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  said(region: Region): string {
    return this.#said[region]
  }

  say(region: Region, text: string): void {
    this.#waiting.set(region, text)
    this.#plan()
  }

  signUps(count: number): void {
    this.#signUps += count
    this.say('news', texts.newSignUps(this.#signUps))
  }

  /** Say nothing of what waits. */
  hush(region: Region): void {
    this.#waiting.delete(region)
    if (region === 'news') this.#signUps = 0
  }

  #plan(): void {
    this.#timer ??= this.#clock.setTimeout(() => this.#sayOne(), this.#lastAt + GAP_MS - this.#clock.now())
  }

  #sayOne(): void {
    this.#timer = undefined
    const next = this.#waiting.entries().next().value
    if (!next) return
    const [region, text] = next
    this.hush(region)
    this.#lastAt = this.#clock.now()
    this.#said[region] = text === this.#said[region] ? text + SAME : text
    this.#listeners.forEach((listener) => listener())
    if (this.#waiting.size) this.#plan()
  }
}
