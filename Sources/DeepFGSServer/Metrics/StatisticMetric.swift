import DeepFGSPlugin
import DeepFGSTransport

/// A field of an element's statistics as a metric, made from the one table of those fields by Prometheus' naming rules.
///
/// Counters end in their unit and `_total`, what describes them stands in front: `packets-sent` becomes
/// `sent_packets_total`. Gauges end in a base unit, bytes and seconds: `sent-bitrate` becomes `sent_bytes_per_second`.
/// Of what is left out the reason is a label. Fields that are words are no metrics.
struct StatisticMetric {
    /// In the element's statistics.
    let field: String
    let name: String
    let kind: MetricsText.Kind
    let help: String
    /// Beside stream and receiver.
    let label: (String, String)?
    private let scale: Double
    /// Times below zero are not known.
    private let isTime: Bool

    /// Nil for fields that are words.
    init?<Source>(_ field: StatisticField<Source>) {
        self.field = "\(field.name)"
        var words = self.field.split(separator: "-").map(String.init)
        var reason: String?
        let unit: String
        switch (field.kind, field.unit) {
        case (_, .word): return nil
        case (.counter, let counted):
            let at = words.firstIndex(of: counted.rawValue) ?? words.count
            var behind = Array(words[min(at + 1, words.count)...])
            if behind.first == "dropped", behind.count > 1 {
                reason = behind.dropFirst().joined(separator: "-")
                behind = ["dropped"]
            }
            words = behind + words[..<at]
            unit = "\(counted.rawValue)_total"
        case (.gauge, .bitsPerSecond):
            words.removeAll { $0 == "bitrate" }
            unit = "bytes_per_second"
        case (.gauge, .nanoseconds): unit = "seconds"
        case (.gauge, .share): unit = "ratio"
        case (.gauge, let counted):
            words = words.filter { $0 != counted.rawValue }
            unit = counted.rawValue
        }
        name = (words + [unit]).joined(separator: "_")
        kind = field.kind == .counter ? .counter : .gauge
        scale = field.unit == .bitsPerSecond ? 1.0 / 8 : field.unit == .nanoseconds ? 1e-9 : 1
        isTime = field.unit == .nanoseconds
        label = reason.map { ("reason", $0) }
        // A value that is not known is left out here, so that there is no −1 to tell of.
        let meaning = "\(field.meaning)".split(separator: "; −1").first.map(String.init) ?? ""
        help =
            reason == nil
            ? meaning.prefix(1).uppercased() + meaning.dropFirst() + "."
            : "Left out or shortened, by the reason why: \(field.unit.rawValue)."
    }

    /// The value in the metric's unit; nil where it is not known.
    func value(in numbers: [String: Double]) -> Double? {
        guard let value = numbers[field], !isTime || value >= 0 else { return nil }
        return value * scale
    }

    static let receiver = AdaptiveSender.statisticFields.compactMap { StatisticMetric($0) }
    static let encoder = CodecStatistics.encoder.compactMap { StatisticMetric($0) }
    static let decoder = CodecStatistics.decoder.compactMap { StatisticMetric($0) }
    static let input = Depacketiser.statisticFields.compactMap { StatisticMetric($0) }
}
