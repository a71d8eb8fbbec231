/// Metrics in Prometheus' text format (version 0.0.4): each family once, with its help and type, then its samples.
struct MetricsText {
    enum Kind: String { case counter, gauge }

    private var families: [(name: String, kind: Kind, help: String, samples: [String])] = []
    private var index: [String: Int] = [:]

    /// Adds a sample; values that are no numbers are left out.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ value: Double, _ labels: [(String, String)] = []
    ) {
        guard value.isFinite else { return }
        let place =
            index[name]
            ?? {
                families.append((name, kind, help, []))
                index[name] = families.count - 1
                return families.count - 1
            }()
        let text = labels.isEmpty ? "" : "{" + labels.map { "\($0)=\"\(escaped($1))\"" }.joined(separator: ",") + "}"
        families[place].samples.append("\(name)\(text) \(number(value))")
    }

    var text: String {
        families.map { family in
            "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
                + family.samples.map { $0 + "\n" }.joined()
        }.joined()
    }

    private func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
