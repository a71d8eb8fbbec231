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
