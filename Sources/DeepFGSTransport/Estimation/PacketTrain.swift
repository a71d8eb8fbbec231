/// Packets that left together: a frame's, as a rule.
///
/// A paced frame is a train at 1.5 times the target. Its dispersion tells, at no cost, what the path can carry: a train
/// that arrives as fast as it left has proved its rate; one that arrives slower shows the rate that it was given.
struct PacketTrain: Hashable, Sendable {
    /// Shorter spans tell no rate, in nanoseconds: the clocks of the feedback tick in quarters of a millisecond.
    private static let leastSpan: Int64 = 1_000_000

    var firstSent: Int64
    var lastSent: Int64
    var firstArrived: Int64
    var lastArrived: Int64
    /// Bytes on the wire that were lost between those that arrived, and since the last one that did.
    var innerLost = 0
    var pendingLost = 0
    /// Bytes on the wire that arrived.
    var arrivedBytes: Int
    /// Packets that arrived.
    var packets: Int
    var lost: Int
    /// Bytes of the first packet that arrived, which the spans do not cover.
    var firstBytes: Int
    var lastBytes: Int
    /// Least and largest of arrival minus sending, in nanoseconds: an offset is unknown, differences tell.
    var leastDelay: Int64
    var largestDelay: Int64

    /// Bit/s at which it left; nil where it is too short to tell.
    var sendRate: Double? { rate(bytes: arrivedBytes + innerLost - lastBytes, span: lastSent - firstSent) }
    /// Bit/s at which it arrived; nil where it is too short to tell.
    var arrivalRate: Double? { rate(bytes: arrivedBytes + innerLost - firstBytes, span: lastArrived - firstArrived) }

    private func rate(bytes: Int, span: Int64) -> Double? {
        packets >= 2 && bytes > 0 && span >= Self.leastSpan ? Double(bytes) * 8e9 / Double(span) : nil
    }
}
