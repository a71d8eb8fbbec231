import DeepFGSTools
import Glibc

/// Who may do what: bearer tokens out of files, or whoever reaches the loopback address where there are none.
struct Tokens: Sendable {
    enum Scope: Int, Sendable { case read, write }

    private var tokens: [(bytes: [UInt8], scope: Scope)] = []
    private let host: String

    /// Shorter tokens can be guessed.
    static let shortest = 16

    /// Reads the files.
    ///
    /// - Throws: `StreamError` where one cannot be read, or holds no token or too short a one.
    init(_ settings: APISettings) throws(StreamError) {
        host = settings.address
        for (files, scope) in [(settings.readTokenFiles, Scope.read), (settings.writeTokenFiles, .write)] {
            for file in files { tokens += try Self.read(file).map { ($0, scope) } }
        }
    }

    /// What is wrong with the files, by the key that names them.
    static func problems(of settings: APISettings) -> [(key: String, reason: String)] {
        let keys = [("read-token-files", settings.readTokenFiles), ("write-token-files", settings.writeTokenFiles)]
        return keys.flatMap { key, files in
            files.compactMap { file in
                do throws(StreamError) {
                    _ = try read(file)
                    return nil
                } catch { return (key, error.reason) }
            }
        }
    }

    /// The tokens of a file.
    private static func read(_ file: String) throws(StreamError) -> [[UInt8]] {
        let bytes: [UInt8]
        do throws(Failure) { bytes = try readRegularFile(file, limit: 1 << 16) } catch {
            throw StreamError(error.description)
        }
        let lines = bytes.split { $0 == 10 || $0 == 13 }.map(Array.init)
        guard !lines.isEmpty else { throw StreamError("\(file): holds no token") }
        guard lines.allSatisfy({ $0.count >= shortest }) else {
            throw StreamError("\(file): a token has fewer than \(shortest) characters")
        }
        return lines
    }

    /// What a request may do.
    func scope(of request: Request) -> Scope {
        tokens.isEmpty ? .write : bearer(request).flatMap { scope(of: $0) } ?? .read
    }

    /// Why a request may not do what it asks for; nil where it may.
    func refusal(of request: Request, needs scope: Scope) -> Response? {
        guard !tokens.isEmpty else { return crossSite(request) }
        guard let given = bearer(request) else {
            return .problem(401, "a bearer token is needed", headers: [("WWW-Authenticate", "Bearer")])
        }
        guard let granted = self.scope(of: given) else {
            return .problem(
                401, "the token is not known", headers: [("WWW-Authenticate", "Bearer error=\"invalid_token\"")])
        }
        return granted.rawValue >= scope.rawValue ? nil : .problem(403, "the token may only read")
    }

    /// The token of a request: in its own header; of a WebSocket, where a page cannot write that one, a subprotocol.
    private func bearer(_ request: Request) -> [UInt8]? {
        let words = (request.header("Authorization") ?? "").split(separator: " ", maxSplits: 1)
        if words.count == 2, words[0].lowercased() == "bearer" { return Array(words[1].utf8) }
        let protocols = (request.header("Sec-WebSocket-Protocol") ?? "").split { $0 == "," || $0 == " " }
        return protocols.first { $0.hasPrefix(LiveHub.tokenPrefix) }
            .flatMap { bytes(ofBase64URL: $0.dropFirst(LiveHub.tokenPrefix.count)) }
    }

    /// The scope of a token; every one that there is is compared whole, so that time tells nothing of them.
    private func scope(of given: [UInt8]) -> Scope? {
        var found: Scope?
        for (bytes, scope) in tokens where sameInConstantTime(given, bytes) {
            if (found?.rawValue ?? -1) < scope.rawValue { found = scope }
        }
        return found
    }

    /// Without tokens a page of another site must not reach the API through somebody's browser.
    private func crossSite(_ request: Request) -> Response? {
        let name = request.header("Host").map(hostName) ?? ""
        guard name == "localhost" || name == "::1" || isLoopback(name) || name == host else {
            return .problem(403, "the host must be a loopback name as long as there are no tokens")
        }
        if let origin = request.header("Origin"), let host = request.header("Host"),
            origin != "http://" + host, origin != "https://" + host
        {
            return .problem(403, "requests of other sites' pages are refused")
        }
        return nil
    }

    /// Whether a name is an address of 127.0.0.0/8, and not the name of a host that only begins like one.
    private func isLoopback(_ name: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, name, &address) == 1 && UInt32(bigEndian: address.s_addr) >> 24 == 127
    }

    private func hostName(_ header: String) -> String {
        if header.hasPrefix("[") { return String(header.dropFirst().prefix { $0 != "]" }) }
        return String(header.prefix { $0 != ":" }).lowercased()
    }
}

/// The bytes of a text in base64url without padding (RFC 4648, section 5); nil where it is none.
func bytes(ofBase64URL text: some StringProtocol) -> [UInt8]? {
    var (bytes, bits, count): ([UInt8], UInt32, Int) = ([], 0, 0)
    for character in text.utf8 {
        let value: UInt8
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): value = 62
        case UInt8(ascii: "_"): value = 63
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        count += 6
        guard count >= 8 else { continue }
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
    }
    return bytes
}

/// Whether two texts are the same, in a time that depends on the length of the first alone.
func sameInConstantTime(_ given: [UInt8], _ known: [UInt8]) -> Bool {
    guard !known.isEmpty else { return false }
    var difference = given.count ^ known.count
    // An index beyond the known text reads its beginning again: the lengths have told already.
    for index in given.indices { difference |= Int(given[index] ^ known[index % known.count]) }
    return difference == 0
}
