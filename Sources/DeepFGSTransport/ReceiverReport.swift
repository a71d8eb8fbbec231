/// What an RTCP receiver report says of the path: all there is without transport-wide feedback.
public struct ReceiverReport: Hashable, Sendable {
    /// Share of the packets since the last report that were lost, 0 to 1.
    public var fractionLost: Double
    /// Interarrival jitter in nanoseconds.
    public var jitter: Int64
    /// Round-trip time in nanoseconds; nil where the report has none.
    public var roundTrip: Int64?

    /// A report.
    public init(fractionLost: Double, jitter: Int64, roundTrip: Int64?) {
        self.fractionLost = fractionLost
        self.jitter = jitter
        self.roundTrip = roundTrip
    }
}

extension BandwidthEstimator {
    /// Reports count where there has been no transport-wide feedback for so long, in nanoseconds.
    private static let reportsAfter: Int64 = 5_000_000_000
    /// Round trips this much above the least: no growth; and a decrease; nanoseconds.
    private static let slowTrip: Int64 = 60_000_000
    private static let slowestTrip: Int64 = 150_000_000

    /// Takes a receiver report; it counts only where transport-wide feedback has not come for five seconds.
    ///
    /// Above 10 % loss the estimate is multiplied by 1 − 0.5 × loss, and by 0.85 where the round trip is 150 ms above its
    /// least; under 2 % and with a short round trip it grows by 8 % a second, to at most 1.5 times what is sent.
    ///
    /// - Parameters:
    ///   - report: what the receiver said; nonsense in it is clamped.
    ///   - now: when it came, in nanoseconds.
    public mutating func report(_ report: ReceiverReport, at now: Int64) {
        let now = now.clamped(to: FeedbackHistory.times)
        if let lastFeedback, now.subtractingSaturated(lastFeedback) <= Self.reportsAfter { return }
        if lastFeedback != nil {
            // What transport-wide feedback said is out of date, and no more of it is overdue.
            lastFeedback = nil
            path = PathView()
            drain = 1
            patience = 1
        }
        let passed = now.subtractingSaturated(lastReport ?? now).clamped(to: 0...Self.reportsAfter)
        lastReport = now
        var delay: Int64 = 0
        if let trip = report.roundTrip, trip > 0 {
            reportTrip.add(trip, at: now)
            delay = trip.subtractingSaturated(reportTrip.value ?? trip)
        }
        let before = bitrate
        let lost = report.fractionLost.isNaN ? 0 : report.fractionLost.clamped(to: 0...1)
        if lost > LossController.high { bitrate = bounded(bitrate * (1 - 0.5 * lost)) }
        if delay > Self.slowestTrip { bitrate = bounded(bitrate * Tuning.decrease) }
        if lost < LossController.low, delay < Self.slowTrip, let rate = sending.rate {
            let wanted = bitrate * (1 + 0.08 * Double(passed) / 1e9)
            bitrate = bounded(max(bitrate, min(wanted, 1.5 * rate)))
        }
        state = bitrate > before ? .increase : bitrate < before ? .decrease : .hold
        reason = .report
    }
}
