import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// For the terminal only: an app keeps these over its restarts, tokens in the Keychain.
actor InMemory: TokenStore, PlaceStore {
    private var tokens = (access: "", refresh: "")
    private var place: String?

    func load() -> (access: String, refresh: String) { tokens }
    func save(access: String, refresh: String) { tokens = (access, refresh) }
    func load() -> String? { place }
    func save(_ place: String?) { self.place = place }
}

/// Shows what comes, and ends after so many events.
actor Terminal: Listener {
    private let rest: Rest
    private var left: Int

    init(rest: Rest, count: Int) { (self.rest, left) = (rest, count) }

    func state(_ state: State) {
        FileHandle.standardError.write(Data("-- \(state)\n".utf8))
        if case .ended = state { exit(1) }
    }

    func event(_ event: Event) {
        FileHandle.standardOutput.write(Data("\(event.id)  \(event.message)\n".utf8))
        left -= 1
        if left == 0 { exit(0) }
    }

    func reload() async {
        let users = try? await rest.users()
        FileHandle.standardError.write(Data("-- \(users?.count ?? 0) users in the list\n".utf8))
    }
}

/// Watches a server from a terminal: `watch http://127.0.0.1:8000 acme alice usher-demo 10`.
let words = CommandLine.arguments
guard words.count == 6, let origin = URL(string: words[1]), let count = Int(words[5]) else {
    fatalError("expected an address, a tenant, a username, a password and a number of events")
}
let store = InMemory()
let rest = Rest(origin: origin, tokens: store)
try await rest.logIn(tenant: words[2], username: words[3], password: words[4])
let settings = URLSessionConfiguration.ephemeral
#if os(Linux)
// Foundation on Linux sends keep-alive here, and servers then see no handshake.
settings.httpAdditionalHeaders = ["Connection": "Upgrade"]
#endif
let client = UsherClient(
    origin: origin, rest: rest, places: store, app: Terminal(rest: rest, count: count),
    session: URLSession(configuration: settings))
await client.start()
try await Task.sleep(nanoseconds: UInt64.max / 2)
