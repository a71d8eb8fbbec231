/// Finds trains in a row of outcomes by the gaps between their sendings.
struct FeedbackTrains: Sendable {
    /// A full frame leaves the last third of its interval free: the first two packets of a train are at most three quarters
    /// of it apart, later ones a quarter, or so many times as long as the packets before them took for their size.
    private static let widestGap: Int64 = 4
    private static let slowness = 1.5

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
        // Within a train gaps go with the packet before them.
        let slowness = Double(gap) / Double(max(1, train.lastBytes))
        let isFar =
            train.packets == 1
            ? gap > frameInterval - frameInterval / Self.widestGap
            : gap > frameInterval / Self.widestGap && slowness > Self.slowness * slowest
        guard gap >= 0, !isFar else {
            begin(outcome, arrived: arrived, delay: delay)
            return train
        }
        slowest = max(slowest, slowness)
        train.lastSent = outcome.sent
        train.lastArrived = max(train.lastArrived, arrived)
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
            arrivedBytes: outcome.bytes, packets: 1, lost: 0, firstBytes: outcome.bytes,
            lastBytes: outcome.bytes,
            leastDelay: delay, largestDelay: delay)
    }
}
