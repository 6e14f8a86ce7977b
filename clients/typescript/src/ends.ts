import { UsherError } from './errors.js'
import type { Ended } from './connection.js'
import { verdictOnClose } from './verdicts.js'

/** What can be done about the end of a connection, by close code or else by verdict. */
const REMEDY: Readonly<Record<number | string, string>> = {
  4201: 'Close another of your connections.',
  4401: 'Log in again.',
  4403: 'Ask an owner of the tenant for a role that may watch.',
  4408: 'Connect again.',
  come_back: 'Nothing: the client comes back and resumes.',
  renew: 'Log in again.',
  wait: 'Nothing: the client waits as long as the server asks, and comes back.',
  stop: 'See the close codes in the protocol.',
}

/** Return how a connection ended, as an error. */
export function errorOf({ code, reason, leastMs }: Ended): UsherError {
  const verdict = verdictOnClose(code)
  const words = code === 4403 ? 'forbidden' : verdict === 'renew' || code === 4401 ? 'expired' : `closed_${code}`
  return new UsherError(words, reason || `the connection broke (${code})`, REMEDY[code] ?? REMEDY[verdict]!, {
    retryable: verdict === 'come_back' || verdict === 'wait',
    status: code,
    retryAfterMs: leastMs,
  })
}
