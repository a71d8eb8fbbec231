/// One field of an element's statistics: how it is called, what it counts or measures, and how it is read.
///
/// Tables of these are all there is to be said of statistics: the properties `stats` and `frame-stats` of the elements, the
/// tables in `docs/`, and metrics are made from them.
public struct StatisticField<Source: Sendable>: Sendable {
    /// A field's value, of the type that it has in a GstStructure.
    public enum Value: Sendable {
        case uint64(UInt64)
        case int64(Int64)
        case double(Double)
        case string(StaticString)
    }

    /// What a value is measured in.
    public enum Unit: String, Sendable {
        case frames, packets, bytes
        case bitsPerSecond = "bit/s"
        case nanoseconds = "ns"
        /// 0 to 1.
        case share = "0 to 1"
        /// Of a quantiser's step.
        case sixteenths
        /// One of the words that the field's description names.
        case word
    }

    /// How a value moves.
    public enum Kind: Sendable {
        /// It counts up from 0 since the element went to PAUSED.
        case counter
        /// It says how things are now.
        case gauge
    }

    /// Lower case, words joined by hyphens.
    public let name: StaticString
    public let kind: Kind
    public let unit: Unit
    /// What it says, for a reader of the documentation, and as a metric's help.
    public let meaning: StaticString
    /// Reads the value.
    public let value: @Sendable (Source) -> Value

    /// A counter of frames, packets or bytes.
    package init(
        _ name: StaticString, _ unit: Unit, _ meaning: StaticString, _ count: @escaping @Sendable (Source) -> UInt64
    ) {
        self.init(name, .counter, unit, meaning) { .uint64(count($0)) }
    }

    package init(
        _ name: StaticString, _ kind: Kind, _ unit: Unit, _ meaning: StaticString,
        _ value: @escaping @Sendable (Source) -> Value
    ) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.meaning = meaning
        self.value = value
    }
}

extension StatisticField.Value {
    /// The type's name in a GstStructure.
    public var typeName: StaticString {
        switch self {
        case .uint64: "uint64"
        case .int64: "int64"
        case .double: "double"
        case .string: "string"
        }
    }

    /// A bitrate: whole bit/s, rounded down.
    static func bitrate(_ rate: Double) -> Self { .uint64(rate > 0 ? UInt64(min(rate, 1e18)) : 0) }
}
