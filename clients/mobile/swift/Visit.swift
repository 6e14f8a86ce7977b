import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// One socket, with a watch that lets go of it when nothing comes, and a renewal that does not stop the reading.
actor Visit {
    private let socket: URLSessionWebSocketTask
    private var patience = 10.0
    private var heard = Date()
    private var isSilent = false
    private var isOver = false
    private var watch: Task<Void, Never>?
    private var renewal: Task<Void, Never>?
    /// The one that the socket was renewed with.
    private(set) var token: String?

    init(socket: URLSessionWebSocketTask) { self.socket = socket }

    func receive() async throws -> String {
        heard = Date()
        if watch == nil { watch = Task { await keepWatch() } }
        while true {
            if case .string(let text) = try await socket.receive() { return text }
        }
    }

    func send(_ text: String) async { try? await socket.send(.string(text)) }

    func setPatience(_ seconds: Double) { patience = seconds }

    /// If it fails for now, the socket's end will say that the token has ended.
    func renew(by rest: Rest, useless: String) {
        renewal = Task {
            do {
                let new = try await rest.renew(useless)
                token = new
                await send(authMessage(new))
            } catch is SessionOver {
                isOver = true
                socket.cancel()
            } catch {}
        }
    }

    func leave() {
        watch?.cancel()
        renewal?.cancel()
        socket.cancel(with: .normalClosure, reason: nil)
    }

    func end(_ error: Error, goodbye: Goodbye?, token: String) -> End {
        if isOver { return End(code: 401, why: "the session has ended", verdict: .stop) }
        if let answer = socket.response as? HTTPURLResponse, answer.statusCode != 101 {
            let status = answer.statusCode
            let why = "refused with \(status)"
            return End(
                code: status, why: why, verdict: verdict(onStatus: status), least: retryAfter(answer), token: token)
        }
        let closed = isSilent ? 0 : socket.closeCode.rawValue
        // Where the close frame got lost, or a proxy put its own in place, the goodbye still says why.
        let code = (4000..<4500).contains(closed) ? closed : goodbye?.code ?? closed
        let words = isSilent ? "nothing came for \(patience) s" : goodbye?.reason ?? error.localizedDescription
        return End(
            code: code, why: "\(code) \(words)", verdict: verdict(onClose: code), least: goodbye?.least ?? 0, token: token)
    }

    private func keepWatch() async {
        while !Task.isCancelled {
            let left = patience - Date().timeIntervalSince(heard)
            if left <= 0 {
                isSilent = true
                return socket.cancel()
            }
            try? await Task.sleep(nanoseconds: UInt64(min(left, 1) * 1e9))
        }
    }
}
