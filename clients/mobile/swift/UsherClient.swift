import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Keeps one socket open from `start()` to `stop()`, and misses nothing, neither then nor in between.
actor UsherClient {
    private let origin: URL
    private let rest: Rest
    private let places: PlaceStore
    private let app: Listener
    private let session: URLSession
    private let random: @Sendable () -> Double
    private var running: Task<Void, Never>?
    /// The last that was running, which may not have ended yet.
    private var latest: Task<Void, Never>?
    private var waiting: Task<Void, Never>?
    private var seen = Seen()
    private var attempt = 0
    private var syncedAt: Date?
    private var hasRenewed = false
    private var useless: String?

    init(
        origin: URL, rest: Rest, places: PlaceStore, app: Listener, session: URLSession = .shared,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        (self.origin, self.rest, self.places, self.app, self.session) = (origin, rest, places, app, session)
        self.random = random
    }

    /// The app has come to the foreground: connect, and stay connected.
    func start() {
        guard running == nil else { return }
        let before = latest
        latest = Task {
            await before?.value  // never two at once, and what the app hears of them comes in order
            await run()
        }
        running = latest
    }

    /// The app goes to the background: let the socket go. The place is kept, so nothing is lost.
    func stop() async {
        running?.cancel()
        running = nil
        waiting?.cancel()
        await latest?.value
    }

    /// The device has a network again: do not wait any longer.
    func retryNow() { waiting?.cancel() }

    private func run() async {
        (attempt, hasRenewed, useless) = (0, false, nil)
        while !Task.isCancelled {
            let end = await visit()
            if Task.isCancelled { break }
            // It was a good connection.
            if let syncedAt, Date().timeIntervalSince(syncedAt) >= 30 { attempt = 0 }
            var seconds = 0.0
            switch end.verdict {
            case .stop: return await finish(end)
            case .renew:
                if hasRenewed { return await finish(end) }  // a new token did not help
                useless = end.token
            case .wait: seconds = waitBefore(attempt: attempt, random: random(), least: end.least > 0 ? end.least : 5)
            case .comeBack: seconds = waitBefore(attempt: attempt, random: random(), least: end.least)
            }
            hasRenewed = end.verdict == .renew
            if hasRenewed { continue }
            attempt += 1
            // Before the app is told: it may take its time, and `stop()` and `retryNow()` must find what to cancel.
            let wait: Task<Void, Never> = Task { try? await Task.sleep(nanoseconds: UInt64(seconds * 1e9)) }
            waiting = wait
            await app.state(.reconnecting(why: end.why, seconds: seconds))
            await wait.value
        }
        // Not where `start()` came meanwhile: its run is waiting for this one.
        if running == nil { await app.state(.paused) }
    }

    private func finish(_ end: End) async {
        running = nil
        await app.state(.ended(code: end.code, why: end.why))
    }

    /// One socket, from the token to its end.
    private func visit() async -> End {
        syncedAt = nil  // first of all: also a visit that has no token was no good connection
        await app.state(.connecting)
        let token: String
        do {
            if let useless { token = try await rest.renew(useless) } else { token = await rest.access() }
        } catch is SessionOver {
            return End(code: 401, why: "the session has ended", verdict: .stop)
        } catch let refused as Refused {
            let verdict = verdict(onStatus: refused.status) == .wait ? Verdict.wait : .comeBack
            let why = "no token: the server answered \(refused.status)"
            return End(code: refused.status, why: why, verdict: verdict, least: refused.retryAfter)
        } catch {
            return End(code: 0, why: "no token: \(error)", verdict: .comeBack)
        }
        useless = nil
        let place = await places.load()
        let socket = session.webSocketTask(with: request(token: token, after: place))
        socket.maximumMessageSize = 1 << 20
        let visit = Visit(socket: socket)
        socket.resume()
        let end = await withTaskCancellationHandler {
            await stay(visit, token: token, hadPlace: place != nil)
        } onCancel: {
            socket.cancel(with: .goingAway, reason: nil)
        }
        await visit.leave()
        return end
    }

    private func request(token: String, after place: String?) -> URLRequest {
        var parts = URLComponents(url: origin, resolvingAgainstBaseURL: false)!
        parts.scheme = origin.scheme == "https" ? "wss" : "ws"
        parts.path = "/ws/user_notifications/"
        if let place { parts.queryItems = [URLQueryItem(name: "after", value: place)] }
        var request = URLRequest(url: parts.url!)
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        request.setValue("usher.v1", forHTTPHeaderField: "Sec-WebSocket-Protocol")
        return request
    }

    private func stay(_ visit: Visit, token first: String, hadPlace: Bool) async -> End {
        var goodbye: Goodbye?
        while true {
            let text: String
            do {
                text = try await visit.receive()
            } catch {
                return await visit.end(error, goodbye: goodbye, token: visit.token ?? first)
            }
            switch frame(of: text) {
            case .event(let event):
                if seen.add(event.id) { await app.event(event) }
                // After the app has it: should the process end in between, it comes again.
                await places.save(event.id)
            case .ping: await visit.send("{\"type\":\"pong\"}")
            case .ready(let silence): await visit.setPatience(silence)
            case .synced(let isComplete):
                syncedAt = Date()
                hasRenewed = false
                if !isComplete { await places.save(nil) }
                await app.state(.live(isComplete: isComplete))
                if !isComplete || !hadPlace { await app.reload() }
            case .rightsChanged: await app.reload()
            case .tokenExpiring: await visit.renew(by: rest, useless: visit.token ?? first)
            case .goodbye(let said):
                goodbye = said
                await visit.setPatience(3)  // the close frame may never come
            case .other: break
            case nil: return End(code: 0, why: "the server sent something that is no frame", verdict: .comeBack)
            }
        }
    }
}
