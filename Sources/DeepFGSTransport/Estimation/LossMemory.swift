/// The loss to be prepared for: the highest mean lately, forgotten slowly, and a little more.
///
/// Values in, values out: times are nanoseconds on any steady clock. O(1).
struct LossMemory: Sendable {
    /// Of what is above the present loss so much time, in nanoseconds, leaves little more than a third.
    static let forgetting: Int64 = 15_000_000_000
    /// Measurements are averaged over so much time, in nanoseconds: those of half a second hold few packets.
    static let averaging: Int64 = 2_000_000_000
    /// So long, in nanoseconds, the first measurements are not relied on.
    static let caution: Int64 = 2_000_000_000
    /// What is prepared for, as a multiple of the highest loss lately.
    static let headroom = 1.2
    /// Less than this is no loss.
    static let least = 0.0005

    private var mean = 0.0
    private var highest = 0.0
    private var began: Int64?
    private var last: Int64 = 0

    /// Notes a measurement.
    ///
    /// - Parameters:
    ///   - fraction: share of packets lost, 0 to 1; what is no number is passed over.
    ///   - now: when it was measured, in nanoseconds.
    mutating func note(_ fraction: Double, at now: Int64) {
        guard fraction >= 0 else { return }
        let age = began == nil ? 0 : now.subtractingSaturated(last).clamped(to: 0...Self.forgetting)
        let weight = began == nil ? 1 : Double(min(age, Self.averaging)) / Double(Self.averaging)
        if began == nil { began = now }
        last = max(last, now)
        mean += (min(fraction, 1) - mean) * weight
        highest = max(mean, highest - (highest - mean) * Double(age) / Double(Self.forgetting))
    }

    /// What to be prepared for; nil where too little is known.
    func expectation(at now: Int64) -> Double? {
        guard let began, now.subtractingSaturated(began) >= Self.caution else { return nil }
        return highest < Self.least ? 0 : min(1, highest * Self.headroom)
    }
}
