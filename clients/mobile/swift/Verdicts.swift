import Foundation

/// What the end of a connection asks of a client.
enum Verdict { case comeBack, renew, wait, stop }

/// The range of a close code is the verdict, so that codes which are not known yet are handled too.
func verdict(onClose code: Int) -> Verdict {
    switch code / 100 {
    case 41: return .renew
    case 42: return .wait
    case 44: return .stop
    default: return .comeBack
    }
}

/// The status of a refused handshake, or of a REST call, says the same.
func verdict(onStatus status: Int) -> Verdict {
    switch status {
    case 401: return .renew
    case 429, 503: return .wait
    case 408, 425: return .comeBack
    case 400..<500: return .stop
    default: return .comeBack
    }
}

/// Seconds to wait before an attempt (0 is the first): full jitter, `random` being from 0 to 1.
func waitBefore(attempt: Int, random: Double, least: Double = 0) -> Double {
    least + random * min(30, 0.5 * pow(2, Double(min(attempt, 30))))
}
