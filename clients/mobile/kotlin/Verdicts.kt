package com.example.usher

import kotlin.math.min
import kotlin.math.pow

/** What the end of a connection asks of a client. */
enum class Verdict { COME_BACK, RENEW, WAIT, STOP }

/** The range of a close code is the verdict, so that codes which are not known yet are handled too. */
fun verdictOnClose(code: Int): Verdict = when (code / 100) {
    41 -> Verdict.RENEW
    42 -> Verdict.WAIT
    44 -> Verdict.STOP
    else -> Verdict.COME_BACK
}

/** The status of a refused handshake, or of a REST call, says the same. */
fun verdictOnStatus(status: Int): Verdict = when (status) {
    401 -> Verdict.RENEW
    429, 503 -> Verdict.WAIT
    408, 425 -> Verdict.COME_BACK
    in 400..499 -> Verdict.STOP
    else -> Verdict.COME_BACK
}

/** Milliseconds to wait before an attempt (0 is the first): full jitter, `random` being from 0 to 1. */
fun waitBefore(attempt: Int, random: Double, leastMs: Long = 0): Long =
    leastMs + (random * min(30_000.0, 500.0 * 2.0.pow(min(attempt, 30)))).toLong()
