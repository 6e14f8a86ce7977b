import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The server said no; `status` says how.
struct Refused: Error {
    let status: Int
    let retryAfter: Double
}

/// Nothing but a new log-in helps.
struct SessionOver: Error {}

/// The server's answer is none of Usher's.
struct NoAnswer: Error {}

/// A user as the viewer may see it: what is hidden is absent, and named in `redacted`.
struct User: @unchecked Sendable {
    let fields: [String: Any]
}

/// Where the tokens are kept: in the Keychain. Never in a log or an address.
protocol TokenStore: Sendable {
    func load() async -> (access: String, refresh: String)
    func save(access: String, refresh: String) async
}

/// The REST calls that a client needs.
actor Rest {
    private let origin: URL
    private let tokens: TokenStore
    private let session: URLSession
    private var renewal: Task<String, Error>?

    init(origin: URL, tokens: TokenStore, session: URLSession = .shared) {
        self.origin = origin
        self.tokens = tokens
        self.session = session
    }

    func logIn(tenant: String, username: String, password: String) async throws {
        try await keep(post("/api/v1/auth/token", ["tenant": tenant, "username": username, "password": password]))
    }

    func access() async -> String { await tokens.load().access }

    /// Return a new token in place of a useless one. Throws `SessionOver`, or something else if it may work later.
    func renew(_ useless: String) async throws -> String {
        // A refresh token is good once: two renewals at the same time would end the session.
        if let renewal { return try await renewal.value }
        let task = Task { () throws -> String in
            let old = await tokens.load()
            if old.access != useless { return old.access }
            do {
                try await keep(post("/api/v1/auth/token/refresh", ["refresh": old.refresh]))
            } catch let refused as Refused where refused.status == 401 || refused.status == 403 {
                throw SessionOver()
            }
            return await tokens.load().access
        }
        renewal = task
        defer { renewal = nil }
        return try await task.value
    }

    /// The newest users that the viewer may see; `before` a user's id: older ones.
    func users(before: String? = nil) async throws -> [User] {
        let path = "/api/v1/users?limit=50" + (before.map { "&before=\($0)" } ?? "")
        let token = await access()
        let page: [String: Any]
        do {
            page = try await get(path, token)
        } catch let refused as Refused where refused.status == 401 {
            page = try await get(path, renew(token))
        }
        return (page["results"] as? [[String: Any]] ?? []).map(User.init)
    }

    private func get(_ path: String, _ token: String) async throws -> [String: Any] {
        var request = try URLRequest(url: url(path))
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        return try await send(request)
    }

    private func post(_ path: String, _ body: [String: String]) async throws -> [String: Any] {
        var request = try URLRequest(url: url(path))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try JSONSerialization.data(withJSONObject: body)
        return try await send(request)
    }

    private func url(_ path: String) throws -> URL {
        guard let url = URL(string: path, relativeTo: origin) else { throw NoAnswer() }
        return url
    }

    private func send(_ request: URLRequest) async throws -> [String: Any] {
        let (data, answer) = try await session.data(for: request)
        guard let http = answer as? HTTPURLResponse else { throw NoAnswer() }
        guard (200..<300).contains(http.statusCode) else {
            throw Refused(status: http.statusCode, retryAfter: retryAfter(http))
        }
        guard let json = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else { throw NoAnswer() }
        return json
    }

    private func keep(_ pair: [String: Any]) async throws {
        guard let access = pair["access"] as? String, let refresh = pair["refresh"] as? String else { throw NoAnswer() }
        await tokens.save(access: access, refresh: refresh)
    }
}

/// Return the seconds that `Retry-After` asks for, a day at most; 0 for none, and for the form that names a date.
func retryAfter(_ answer: HTTPURLResponse) -> Double {
    let seconds = answer.value(forHTTPHeaderField: "Retry-After").flatMap(Int.init) ?? 0
    return Double(min(max(seconds, 0), 86_400))
}
