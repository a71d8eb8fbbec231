import DeepFGSTools
import Glibc

/// A configuration that was read, or everything that is wrong with it.
public enum Configuration {
    /// Why a configuration is refused.
    public struct Refused: Error, CustomStringConvertible {
        public var problems: [Problem]
        public var description: String { problems.map(\.description).joined(separator: "\n") }
    }

    /// Variables that begin so override keys: `DEEPFGSD_API__PORT` is the key `port` of `api`.
    public static let prefix = "DEEPFGSD_"

    /// Reads a file, and what the environment overrides of it.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - environment: Variables by name.
    ///   - inspect: What else is wrong with the API's settings, such as files that they name, by the key that says it.
    /// - Returns: The settings.
    /// - Throws: `Refused`, with every problem and its place.
    public static func load(
        _ path: String, environment: [String: String],
        inspect: (APISettings) -> [(key: String, reason: String)] = { _ in [] }
    ) throws(Refused) -> DaemonSettings {
        let bytes: [UInt8]
        do throws(Failure) { bytes = try readRegularFile(path, limit: 16 << 20) } catch {
            throw Refused(problems: [Problem(place: Place(source: path, line: 0, column: 0), reason: error.reason)])
        }
        return try read(bytes, source: path, environment: environment, inspect: inspect)
    }

    /// Reads a document.
    static func read(
        _ yaml: [UInt8], source: String, environment: [String: String] = [:],
        inspect: (APISettings) -> [(key: String, reason: String)] = { _ in [] }
    ) throws(Refused) -> DaemonSettings {
        let root: Node
        do throws(Problem) { root = try overridden(try Node(yaml: yaml, source: source), environment) } catch {
            throw Refused(problems: [error])
        }
        var reader = Reader()
        let settings = reader.settings(root, over: DaemonSettings(), "the configuration")
        if reader.problems.isEmpty {
            check(settings, root, &reader)
            let api = root["api"] ?? root
            for (key, reason) in inspect(settings.api) { reader.refuse(api[key] ?? api, reason) }
        }
        guard reader.problems.isEmpty else { throw Refused(problems: reader.problems) }
        return settings
    }

    /// A document with what the environment says in its place.
    private static func overridden(_ document: Node, _ environment: [String: String]) throws(Problem) -> Node {
        var root = document
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(prefix) {
            let path = keyPath(of: String(name.dropFirst(prefix.count)), in: root)
            root.set(path[...], to: try Node(yaml: Array(value.utf8), source: name))
        }
        return root
    }

    /// The keys that a variable's name means: `__` between them, `_` for `-`; a name of the file wins over its lower case.
    private static func keyPath(of name: String, in root: Node) -> [String] {
        var parts: [String] = []
        var part = ""
        for letter in name {
            part.append(letter)
            if part.hasSuffix("__") {
                parts.append(String(part.dropLast(2)))
                part = ""
            }
        }
        parts.append(part)
        var here: Node? = root
        return parts.map { part in
            var key = part.lowercased().replacing("_", with: "-")
            if case .mapping(let members) = here?.value,
                let same = members.compactMap(\.key.text).first(where: {
                    $0.lowercased().replacing("_", with: "-") == key
                })
            {
                key = same
            }
            here = here?[key]
            return key
        }
    }

    // MARK: - What single keys cannot tell

    private static func check(_ settings: DaemonSettings, _ root: Node, _ reader: inout Reader) {
        func node(_ path: String...) -> Node {
            var here = root
            for key in path { here = here[key] ?? here }
            return here
        }
        checkAPI(settings.api, node("api"), &reader)
        var ports: [String: String] = [:]
        for (name, stream) in settings.streams.sorted(by: { $0.key < $1.key }) {
            for reason in problems(of: stream) { reader.refuse(node("streams", name), "stream \(name): \(reason)") }
            if let source = stream.send?.source, source.isEncoded, source.width > 0 {
                reader.refuse(
                    node("streams", name, "send", "source", "width"),
                    "stream \(name): width and height cannot be changed of a .dfgs file, whose frames are sent as they are"
                )
            }
            guard let listen = (stream.receive?.input ?? stream.relay?.input)?.listen else { continue }
            for port in [Endpoint(listen)?.port, Endpoint(listen).map { $0.port + 1 }].compactMap({ $0 }) {
                if let other = ports.updateValue(name, forKey: "\(port)"), stream.enabled {
                    reader.refuse(
                        node("streams", name),
                        "stream \(name): port \(port) is that of stream \(other) (RTCP takes the port above RTP's)")
                }
            }
        }
    }

    private static func checkAPI(_ api: APISettings, _ node: Node, _ reader: inout Reader) {
        if api.tlsCertificate.isEmpty != api.tlsKey.isEmpty {
            reader.refuse(node, "tls-certificate and tls-key go together")
        }
        if !api.isLoopback {
            if api.tlsCertificate.isEmpty {
                reader.refuse(
                    node["address"] ?? node, "an address other than loopback needs tls-certificate and tls-key")
            }
            if api.readTokenFiles.isEmpty && api.writeTokenFiles.isEmpty {
                reader.refuse(
                    node["address"] ?? node,
                    "an address other than loopback needs read-token-files or write-token-files")
            }
        }
    }

    /// What is wrong with a stream that no single key shows.
    static func problems(of stream: StreamSettings) -> [String] {
        let kinds = [stream.send != nil, stream.receive != nil, stream.relay != nil].count { $0 }
        guard kinds == 1 else { return ["must have exactly one of send, receive and relay"] }
        var found: [String] = []
        if let send = stream.send {
            let named = send.source.named.map(\.key)
            if named.count != 1 {
                found.append(
                    "source must have exactly one of camera, test, file, pictures, rtsp and launch"
                        + (named.isEmpty ? "" : ", not \(named.joined(separator: " and "))"))
            }
            if (send.source.width == 0) != (send.source.height == 0) { found.append("width and height go together") }
        }
        for (name, receiver) in stream.receivers.sorted(by: { $0.key < $1.key }) {
            found += problems(of: receiver).map { "receiver \(name): \($0)" }
        }
        return found
    }

    /// What is wrong with a receiver that no single key shows.
    static func problems(of receiver: ReceiverSettings) -> [String] {
        var found: [String] = []
        if receiver.address.isEmpty { found.append("address is missing; it \(Endpoint.expected)") }
        if receiver.minBitrate > receiver.maxBitrate {
            found.append("min-bitrate \(receiver.minBitrate) is above max-bitrate \(receiver.maxBitrate)")
        }
        return found
    }

    /// Whether a name can stand in paths of the API and in names of files.
    static func isName(_ text: String) -> Bool {
        let letters = text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95
        }
        return letters && (1...64).contains(text.utf8.count)
    }

    static let nameRule = "a name is 1 to 64 letters, digits, - and _"
}

extension Reader {
    /// Streams by name, over what the defaults say.
    mutating func named(
        _ node: Node, _ what: String, over start: StreamSettings, defaults: DefaultSettings
    ) -> [String: StreamSettings] {
        receiverDefaults = defaults.receiver
        return members(node, what) { reader, value, name in
            var start = start
            // The kind that the stream says it is begins with that kind's defaults.
            if value["send"] != nil { start.send = defaults.send }
            if value["receive"] != nil { start.receive = defaults.receive }
            if value["relay"] != nil { start.relay = defaults.relay }
            return reader.settings(value, over: start, "stream \(name)")
        }
    }

    mutating func members<Value>(
        _ node: Node, _ what: String, _ read: (inout Reader, Node, String) -> Value
    ) -> [String: Value] {
        if node.isNull { return [:] }
        guard case .mapping(let members) = node.value else {
            refuse(node, "\(what) must be a mapping of names")
            return [:]
        }
        var values: [String: Value] = [:]
        for (key, value) in members {
            let name = key.text ?? ""
            guard Configuration.isName(name) else {
                refuse(key, "\(name): \(Configuration.nameRule)")
                continue
            }
            values[name] = read(&self, value, name)
        }
        return values
    }
}

extension Key {
    /// Receivers by name.
    static func receivers(_ path: any WritableKeyPath<Root, [String: ReceiverSettings]> & Sendable) -> Key {
        Key(name: "receivers") { root, node, reader in
            root[keyPath: path] = reader.members(node, "receivers") { reader, value, name in
                reader.settings(value, over: reader.receiverDefaults, "receiver \(name)")
            }
        } show: { root in
            .object(root[keyPath: path].sorted { $0.key < $1.key }.map { ($0.key, $0.value.shown()) })
        }
    }
}
