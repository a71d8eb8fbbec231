import DeepFGSTools

/// Settings that a mapping of the configuration declares, key by key.
///
/// One list of keys reads them, refuses what is none of them, shows them again, and so keeps file, API and
/// documentation from saying different things.
public protocol Settings: Sendable, Equatable {
    /// Every setting at its default.
    init()
    static var keys: [Key<Self>] { get }
}

/// One key of a mapping: how its value is read into the settings, and shown again.
public struct Key<Root: Sendable>: Sendable {
    let name: String
    let read: @Sendable (inout Root, Node, inout Reader) -> Void
    let show: @Sendable (Root) -> JSON
}

/// Reads settings out of nodes and gathers everything that is wrong, so that one look tells of all of it.
public struct Reader {
    public private(set) var problems: [Problem] = []
    /// What receivers begin with.
    var receiverDefaults = ReceiverSettings()

    public init() {}

    mutating func refuse(_ node: Node, _ reason: String) { problems.append(Problem(place: node.place, reason: reason)) }

    /// The settings that a mapping declares.
    ///
    /// - Parameters:
    ///   - node: The mapping; nothing at all is an empty one.
    ///   - start: The settings where the mapping does not mention them.
    ///   - what: What to call it.
    /// - Returns: The settings, wherever nothing was wrong.
    mutating func settings<Root: Settings>(_ node: Node, over start: Root, _ what: String) -> Root {
        var root = start
        if node.isNull { return root }
        guard case .mapping(let members) = node.value else {
            refuse(node, "\(what) must be a mapping of keys")
            return root
        }
        for (key, _) in members where !Root.keys.contains(where: { $0.name == key.text }) {
            let near = nearest(to: key.text ?? "", in: Root.keys.map(\.name))
            refuse(key, "unknown key \(key.text ?? "?") in \(what)" + near)
        }
        // In the order of the keys, whatever the file's: streams build upon the defaults.
        for key in Root.keys {
            if let value = node[key.name] { key.read(&root, value, &self) }
        }
        return root
    }

    /// A hint at the key that was meant, or at all there are.
    private func nearest(to name: String, in names: [String]) -> String {
        let best = names.min { distance(name, $0) < distance(name, $1) }
        if let best, distance(name, best) <= 2 { return "; did you mean \(best)?" }
        return "; known are \(names.joined(separator: ", "))"
    }
}

/// How many letters have to be changed, put in or left out (Levenshtein).
private func distance(_ a: String, _ b: String) -> Int {
    let other = Array(b)
    var row = Array(0...other.count)
    for (i, letter) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in other.indices {
            let change = diagonal + (other[j] == letter ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[other.count]
}

extension Settings {
    /// The settings as a mapping, every key in order.
    func shown() -> JSON { .object(Self.keys.map { ($0.name, $0.show(self)) }) }
}

extension Key {
    static func text(
        _ name: String, _ path: any WritableKeyPath<Root, String> & Sendable,
        check: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Key {
        Key(name: name) { root, node, reader in
            // Nothing is the empty text: `key:` alone is how one writes that there is none.
            let text = node.isNull ? "" : node.text
            guard let text else { return reader.refuse(node, "\(name) must be text") }
            guard !text.utf8.contains(0) else { return reader.refuse(node, "\(name) holds a zero byte") }
            if let reason = check(text) { return reader.refuse(node, "\(name): \(reason)") }
            root[keyPath: path] = text
        } show: {
            .string($0[keyPath: path])
        }
    }

    static func integer(
        _ name: String, _ path: any WritableKeyPath<Root, Int> & Sendable, _ range: ClosedRange<Int>, unit: String = ""
    ) -> Key {
        Key(name: name) { root, node, reader in
            let unit = unit.isEmpty ? "" : " \(unit)"
            guard case .scalar(let text, plain: true) = node.value, let value = wholeNumber(text) else {
                return reader.refuse(
                    node, "\(name) must be a whole number, \(range.lowerBound) to \(range.upperBound)\(unit)")
            }
            guard range.contains(value) else {
                return reader.refuse(
                    node, "\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)\(unit)")
            }
            root[keyPath: path] = value
        } show: {
            .integer($0[keyPath: path])
        }
    }

    static func number(
        _ name: String, _ path: any WritableKeyPath<Root, Double> & Sendable, _ range: ClosedRange<Double>
    ) -> Key {
        Key(name: name) { root, node, reader in
            guard case .scalar(let text, plain: true) = node.value, let value = Double(text), range.contains(value)
            else {
                return reader.refuse(node, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
            }
            root[keyPath: path] = value
        } show: {
            .number($0[keyPath: path], digits: 6)
        }
    }

    static func truth(_ name: String, _ path: any WritableKeyPath<Root, Bool> & Sendable) -> Key {
        Key(name: name) { root, node, reader in
            guard case .scalar(let text, plain: true) = node.value, text == "true" || text == "false" else {
                return reader.refuse(node, "\(name) must be true or false")
            }
            root[keyPath: path] = text == "true"
        } show: {
            .bool($0[keyPath: path])
        }
    }

    static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Root, Choice> & Sendable
    ) -> Key where Choice.RawValue == String {
        Key(name: name) { root, node, reader in
            guard let text = node.text, let value = Choice(rawValue: text) else {
                let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                return reader.refuse(node, "\(name) must be one of: \(all)")
            }
            root[keyPath: path] = value
        } show: {
            .string($0[keyPath: path].rawValue)
        }
    }

    static func texts(_ name: String, _ path: any WritableKeyPath<Root, [String]> & Sendable) -> Key {
        Key(name: name) { root, node, reader in
            if node.isNull { return root[keyPath: path] = [] }
            guard case .sequence(let items) = node.value, case let texts = items.compactMap(\.text),
                texts.count == items.count
            else { return reader.refuse(node, "\(name) must be a list of texts") }
            root[keyPath: path] = texts
        } show: {
            .array($0[keyPath: path].map { .string($0) })
        }
    }

    /// A mapping with keys of its own.
    static func group<Inner: Settings>(_ name: String, _ path: any WritableKeyPath<Root, Inner> & Sendable) -> Key {
        Key(name: name) { root, node, reader in
            root[keyPath: path] = reader.settings(node, over: root[keyPath: path], name)
        } show: {
            $0[keyPath: path].shown()
        }
    }

    /// A mapping with keys of its own that need not be there.
    static func option<Inner: Settings>(_ name: String, _ path: any WritableKeyPath<Root, Inner?> & Sendable) -> Key {
        Key(name: name) { root, node, reader in
            if node.isNull, case .scalar("null", _) = node.value { return root[keyPath: path] = nil }
            root[keyPath: path] = reader.settings(node, over: root[keyPath: path] ?? Inner(), name)
        } show: {
            $0[keyPath: path]?.shown() ?? .null
        }
    }
}

/// A whole number; 1_000_000 is one too.
private func wholeNumber(_ text: String) -> Int? {
    guard let first = text.unicodeScalars.first, first != "_", !text.hasSuffix("_") else { return nil }
    return Int(text.filter { $0 != "_" })
}
