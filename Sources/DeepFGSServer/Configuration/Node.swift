import CDeepFGSServer

/// A value of a YAML document (or of JSON, which is YAML), with the place it stands at.
public struct Node: Sendable {
    public indirect enum Value: Sendable {
        /// `plain` where it stood without quotes: then its text may mean a number, a truth value or nothing.
        case scalar(String, plain: Bool)
        case sequence([Node])
        case mapping([(key: Node, value: Node)])
    }

    public var value: Value
    public var place: Place

    /// The text of a scalar; nil for the others, and for a plain `null`, `~` or nothing at all.
    var text: String? {
        guard case .scalar(let text, let plain) = value else { return nil }
        return plain && ["", "~", "null"].contains(text) ? nil : text
    }

    /// Whether nothing stands there.
    var isNull: Bool {
        if case .scalar(_, plain: true) = value { return text == nil }
        return false
    }

    /// The value of a key of a mapping.
    subscript(key: String) -> Node? {
        guard case .mapping(let members) = value else { return nil }
        return members.first { $0.key.text == key }?.value
    }

    /// Replaces what stands at a path of keys, making the mappings on the way.
    mutating func set(_ path: ArraySlice<String>, to node: Node) {
        guard let key = path.first else { return self = node }
        var members: [(key: Node, value: Node)] = []
        if case .mapping(let present) = value { members = present }
        let index =
            members.firstIndex { $0.key.text == key }
            ?? {
                members.append(
                    (
                        Node(value: .scalar(key, plain: true), place: node.place),
                        Node(value: .mapping([]), place: node.place)
                    ))
                return members.count - 1
            }()
        members[index].value.set(path.dropFirst(), to: node)
        value = .mapping(members)
    }
}

/// Where something of a configuration was written.
public struct Place: Sendable, Hashable, CustomStringConvertible {
    /// A file, or the name of an environment variable.
    public var source: String
    /// From 1; 0 where the source has no lines.
    public var line: Int
    public var column: Int

    public var description: String { line > 0 ? "\(source):\(line):\(column)" : source }
}

/// What is wrong with a configuration, and where.
public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    public var place: Place
    public var reason: String

    public var description: String { "\(place): \(reason)" }
}

extension Node {
    /// Most values in a document, and deepest nesting.
    private static let valueLimit = 100_000
    private static let depthLimit = 32

    /// Reads one document.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8. An empty document is an empty mapping.
    ///   - source: What to call it in error messages.
    /// - Throws: `Problem` at the first thing that is no YAML, or that is of no use here: aliases, a second document,
    ///   the same key twice, keys that are not text.
    public init(yaml bytes: [UInt8], source: String) throws(Problem) {
        var text = bytes
        text.append(0)
        let length = bytes.count
        let result = text.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters -> Result<Node, Problem> in
                guard let start = characters.baseAddress, let reader = dgs_yaml_new(start, gsize(length)) else {
                    return .failure(Problem(place: Place(source: source, line: 0, column: 0), reason: "cannot be read"))
                }
                defer { dgs_yaml_free(reader) }
                var builder = Builder(reader: reader, source: source)
                return Result { () throws(Problem) in try builder.document() }
            }
        }
        self = try result.get()
    }

    private struct Builder {
        let reader: OpaquePointer
        let source: String
        var values = 0
        var documents = 0

        func place(_ event: DGSYAMLEvent) -> Place {
            Place(source: source, line: Int(event.line), column: Int(event.column))
        }

        mutating func next() throws(Problem) -> DGSYAMLEvent {
            while true {
                let event = dgs_yaml_next(reader)
                switch event.kind {
                case DGS_YAML_OTHER: continue
                case DGS_YAML_DOCUMENT:
                    documents += 1
                    guard documents < 2 else { throw Problem(place: place(event), reason: "a second document") }
                case DGS_YAML_ERROR: throw Problem(place: place(event), reason: text(of: event))
                case DGS_YAML_ALIAS:
                    throw Problem(place: place(event), reason: "aliases (*name) are not supported")
                default: return event
                }
            }
        }

        func text(of event: DGSYAMLEvent) -> String {
            guard let start = event.text else { return "" }
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(event.length))
            return String(decoding: bytes, as: UTF8.self)
        }

        mutating func document() throws(Problem) -> Node {
            let first = try next()
            guard first.kind != DGS_YAML_END else {
                return Node(value: .mapping([]), place: Place(source: source, line: 1, column: 1))
            }
            let node = try value(first, depth: 0)
            _ = try next()
            return node
        }

        mutating func value(_ event: DGSYAMLEvent, depth: Int) throws(Problem) -> Node {
            values += 1
            let place = place(event)
            guard values < Node.valueLimit, depth < Node.depthLimit else {
                throw Problem(place: place, reason: "larger or deeper than a configuration may be")
            }
            switch event.kind {
            case DGS_YAML_SEQUENCE:
                var items: [Node] = []
                while true {
                    let inner = try next()
                    if inner.kind == DGS_YAML_CLOSE { return Node(value: .sequence(items), place: place) }
                    items.append(try value(inner, depth: depth + 1))
                }
            case DGS_YAML_MAPPING:
                var members: [(key: Node, value: Node)] = []
                var seen: Set<String> = []
                while true {
                    let inner = try next()
                    if inner.kind == DGS_YAML_CLOSE { return Node(value: .mapping(members), place: place) }
                    let key = try value(inner, depth: depth + 1)
                    guard let name = key.text else { throw Problem(place: key.place, reason: "a key must be text") }
                    guard seen.insert(name).inserted else {
                        throw Problem(place: key.place, reason: "\(name) stands here for the second time")
                    }
                    members.append((key, try value(try next(), depth: depth + 1)))
                }
            default: return Node(value: .scalar(text(of: event), plain: event.plain != 0), place: place)
            }
        }
    }
}
