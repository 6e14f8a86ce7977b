/** Time, as the client needs it; tests bring one that jumps. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  setTimeout(call: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

export const CLOCK: Clock = {
  now: () => Date.now(),
  setTimeout: (call, ms) => setTimeout(call, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
}
