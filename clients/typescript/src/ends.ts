import { UsherError } from './errors.js'
import type { Ended } from './connection.js'
import { verdictOn } from './verdicts.js'

const LOG_IN = 'Log in again.'

/** What can be done about a refusal: by its status, which is our close code less 4000, or else by its verdict. */
export const REMEDY: Readonly<Record<number | string, string>> = {
  201: 'Close another of your connections.',
  401: LOG_IN,
  403: 'Ask an owner for a role that may watch.',
  renew: LOG_IN,
  come_back: 'Try again later; a connection does.',
  wait: 'Try again after retryAfterMs; a connection does.',
  stop: 'Change what is asked for.',
}

/** Return how a connection ended, as an error. */
export function errorOf({ code, reason, leastMs }: Ended): UsherError {
  const verdict = verdictOn(code)
  const status = code % 4000
  const words = status === 403 ? 'forbidden' : status === 401 || verdict === 'renew' ? 'expired' : `closed_${code}`
  return new UsherError(words, reason || `the connection broke (${code})`, REMEDY[status] ?? REMEDY[verdict]!, {
    retryable: verdict === 'come_back' || verdict === 'wait',
    status: code,
    retryAfterMs: leastMs,
  })
}
