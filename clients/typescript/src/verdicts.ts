/** What the end of a connection means. */

/** Come back with back-off and resume; renew the token once; wait as long as told; or stop. */
export type Verdict = 'come_back' | 'renew' | 'wait' | 'stop'

const BY_RANGE: Readonly<Record<number, Verdict>> = { 41: 'renew', 42: 'wait', 44: 'stop' }

/** Return the verdict on a close code, known or not: its range decides, and whatever has none of ours is a broken line. */
export const verdictOnClose = (code: number): Verdict => BY_RANGE[Math.floor(code / 100)] ?? 'come_back'

/** Return the verdict on what a connection ended with: a close code, or the status that refused its handshake. */
export const verdictOn = (code: number): Verdict => (code < 1000 ? verdictOnStatus(code) : verdictOnClose(code))

/** Return the verdict on the status that a handshake or a request was answered with. */
export function verdictOnStatus(status: number): Verdict {
  if (status === 401) return 'renew'
  if (status === 429 || status === 503) return 'wait'
  if (status >= 400 && status < 500 && status !== 408 && status !== 425) return 'stop'
  return 'come_back'
}
