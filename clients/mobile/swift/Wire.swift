import Foundation

/// Where the connection stands.
enum State: Sendable, Equatable {
    case paused, connecting
    /// Nothing is missing; `isComplete` is false if a gap could not be replayed, and the list must make up for it.
    case live(isComplete: Bool)
    case reconnecting(why: String, seconds: Double)
    /// Nothing is tried again: 401, 41xx and 4401 need a new log-in, 403 and 4403 a right.
    case ended(code: Int, why: String)
}

/// Something that happened. Names in it were chosen by strangers: show them as text.
struct Event: @unchecked Sendable {
    let type: String
    let id: String
    let message: String
    let data: [String: Any]
    let redacted: [String]
}

/// What the app does with what comes.
protocol Listener: Sendable {
    func state(_ state: State) async
    /// Something happened, once.
    func event(_ event: Event) async
    /// Read the list again, and replace what is shown; merge the events that come meanwhile, by user id. Not in here, since
    /// frames wait meanwhile, and again if it fails.
    func reload() async
}

/// The id of the last event, of one viewer on one server: key it by both. It may outlive the process.
protocol PlaceStore: Sendable {
    func load() async -> String?
    func save(_ place: String?) async
}

/// How a socket ended, and what that asks for.
struct End {
    let code: Int
    let why: String
    let verdict: Verdict
    var least = 0.0
    var token: String?
}

struct Goodbye {
    let code: Int
    let reason: String
    let least: Double
}

enum Frame {
    case event(Event)
    case ready(silence: Double)
    case synced(isComplete: Bool)
    case goodbye(Goodbye)
    case ping, rightsChanged, tokenExpiring
    /// Of a type that this client has no use for, or that a later version of the protocol will explain.
    case other
}

/// Return the frame that a message holds; nil for something that is no frame.
func frame(of text: String) -> Frame? {
    guard let json = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
        let type = json["type"] as? String
    else { return nil }
    // Whatever its type: a new kind of event needs no new client.
    if let id = json["id"], let data = json["data"], let redacted = json["redacted"] {
        guard let id = id as? String, let data = data as? [String: Any], let redacted = redacted as? [String]
        else { return nil }
        let message = json["message"] as? String ?? type
        return .event(Event(type: type, id: id, message: message, data: data, redacted: redacted))
    }
    switch type {
    case "ready":
        guard json["user"] is [String: Any], let beat = json["heartbeat"] as? [String: Any],
            let every = time(beat["every_seconds"]), let within = time(beat["answer_within_seconds"])
        else { return nil }
        // A ping may come late by its jitter; two in a row do not.
        return .ready(silence: 2 * every + within)
    case "synced": return (json["complete"] as? Bool).map { .synced(isComplete: $0) }
    case "goodbye":
        guard let code = json["code"] as? Int, let reason = json["reason"] as? String,
            let least = time(json["retry_after_ms"] ?? 0.0)
        else { return nil }
        return .goodbye(Goodbye(code: code, reason: reason, least: least / 1000))
    case "ping": return .ping
    case "rights.changed": return json["permissions"] is [String] ? .rightsChanged : nil
    case "auth.expiring": return .tokenExpiring
    default: return .other
    }
}

private func time(_ value: Any?) -> Double? {
    (value as? Double).flatMap { (0...86_400_000).contains($0) ? $0 : nil }
}

func authMessage(_ token: String) -> String { "{\"type\":\"auth\",\"token\":\"\(token)\"}" }

/// Ids that have come, the oldest forgotten beyond a bound: delivery is at least once, and showing is once.
struct Seen {
    private let most = 10_000
    private var ids = Set<String>()
    private var order: [String] = []

    mutating func add(_ id: String) -> Bool {
        guard ids.insert(id).inserted else { return false }
        order.append(id)
        if order.count >= 2 * most {
            ids.subtract(order.prefix(most))
            order.removeFirst(most)
        }
        return true
    }
}
