/// Packets that left together: a frame's, as a rule.
///
/// A paced frame is a train at 1.5 times the target. Its dispersion tells, at no cost, what the path can carry: a train
/// that arrives as fast as it left has proved its rate; one that arrives slower shows the rate that it was given.
struct PacketTrain: Hashable, Sendable {
    var firstSent: Int64
    var lastSent: Int64
    var firstArrived: Int64
    var lastArrived: Int64
    /// Bytes on the wire that were sent, and those that arrived.
    var pendingLost = 0
    var innerLost = 0
    var sentBytes: Int
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
    var isUndispersed: Bool {
        guard let sendRate, let arrivalRate else { return sendRate != nil }
        return arrivalRate >= 0.95 * sendRate
            || Double(lastArrived - firstArrived) <= 1.07 * Double(lastSent - firstSent) + 500_000
    }
    /// Bit/s at which it arrived; nil where it is too short to tell.
    var arrivalRate: Double? { rate(bytes: arrivedBytes + innerLost - firstBytes, span: lastArrived - firstArrived) }

    private func rate(bytes: Int, span: Int64) -> Double? {
        packets >= 2 && bytes > 0 && span >= 1_000_000 ? Double(bytes) * 8e9 / Double(span) : nil
    }
}

/// Finds trains in a row of outcomes by the gaps between their sendings.
struct FeedbackTrains: Sendable {
    private var open: PacketTrain?
    /// Nanoseconds per byte of the open train's longest gap.
    private var slowest = 0.0

    /// Takes the next outcome in the order of sending.
    ///
    /// - Returns: the train before it, where this one begins another.
    mutating func add(_ outcome: PacketOutcome, frameInterval: Int64) -> PacketTrain? {
        guard let arrived = outcome.arrived else {
            open?.pendingLost += outcome.isLost ? outcome.bytes : 0
            open?.lost += outcome.isLost ? 1 : 0
            return nil
        }
        let delay = arrived.subtractingSaturated(outcome.sent)
        guard var train = open else {
            begin(outcome, arrived: arrived, delay: delay)
            return nil
        }
        let gap = outcome.sent.subtractingSaturated(train.lastSent)
        // A full frame leaves the last third of its interval free; within it, gaps go with the packet before them.
        let slowness = Double(gap) / Double(max(1, train.lastBytes))
        let isFar =
            train.packets == 1
            ? gap > frameInterval - frameInterval / 4 : gap > frameInterval / 4 && slowness > 1.5 * slowest
        guard gap >= 0, !isFar else {
            begin(outcome, arrived: arrived, delay: delay)
            return train
        }
        slowest = max(slowest, slowness)
        train.lastSent = outcome.sent
        train.lastArrived = max(train.lastArrived, arrived)
        train.sentBytes += outcome.bytes + train.pendingLost
        train.innerLost += train.pendingLost
        train.pendingLost = 0
        train.arrivedBytes += outcome.bytes
        train.packets += 1
        train.lastBytes = outcome.bytes
        train.leastDelay = min(train.leastDelay, delay)
        train.largestDelay = max(train.largestDelay, delay)
        open = train
        return nil
    }

    /// Ends the open train, as when a report ends: reports come at the frames' ends.
    mutating func close() -> PacketTrain? {
        defer { open = nil }
        return open
    }

    private mutating func begin(_ outcome: PacketOutcome, arrived: Int64, delay: Int64) {
        slowest = 0
        open = PacketTrain(
            firstSent: outcome.sent, lastSent: outcome.sent, firstArrived: arrived, lastArrived: arrived,
            sentBytes: outcome.bytes, arrivedBytes: outcome.bytes, packets: 1, lost: 0, firstBytes: outcome.bytes,
            lastBytes: outcome.bytes,
            leastDelay: delay, largestDelay: delay)
    }
}
