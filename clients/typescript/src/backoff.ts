/** How long to wait before coming back, in milliseconds. */
export interface Backoff {
  /** The ceiling of the first wait; each further one doubles it. */
  readonly first: number
  readonly longest: number
  /** A connection that was live for so long was a good one: the next failure is a first one again. */
  readonly stableAfter: number
}

export const BACKOFF: Backoff = { first: 500, longest: 30_000, stableAfter: 30_000 }

/**
 * Return the milliseconds to wait before the attempt of that number (0 is the first), never less than `least`.
 *
 * Full jitter, so that clients which were thrown out together do not come back together.
 */
export function waitBefore(attempt: number, random: () => number, least = 0, backoff: Backoff = BACKOFF): number {
  return least + random() * Math.min(backoff.longest, backoff.first * 2 ** Math.min(attempt, 30))
}
