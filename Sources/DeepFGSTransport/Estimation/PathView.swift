/// What the feedback shows of the path: queue, round trip, the rates of the latest trains.
struct PathView: Sendable {
    /// Trains that are remembered.
    private static let most = 24
    /// Trains of which the longest trip is remembered.
    private static let trips = 10
    /// Trains that the fastest arrival is taken from, and those that the latest loss is.
    private static let fastestOf = 3
    private static let lossOf = 5
    /// Trains that the growth of the queue is compared among.
    private static let growthOf = 7
    /// Trains further apart than so many frame intervals tell no rate together.
    private static let widestGap: Int64 = 4
    /// How long the least round trip is remembered, in nanoseconds.
    private static let tripWindow: Int64 = 10_000_000_000
    /// Trains with fewer gaps than this each, on average, are taken at the better of the two rates that they show.
    private static let fullGaps = 4
    /// The jitter of a pool is at most this share of its span.
    private static let poolError = 0.05
    /// Significantly longer is by this share, and so many times the jitter.
    private static let significantShare = 0.03
    private static let significantJitter = 2.0
    /// The median of what second differences of independent delays come to, over their standard deviation.
    private static let spread = 1.7
    /// Most trains taken as one.
    private static let mostPooled = 10
    /// A rival's packets fall into few gaps by chance: fewer than this tell no rate.
    private static let fewestGaps = 6
    /// Moves of the least delay that the jitter is taken from.
    private static let mostMoves = 15
    /// How long the least delay counts as the path without a queue, in nanoseconds.
    private static let baseWindow: Int64 = 30_000_000_000
    /// A delay that moves more than this from one train to the next is a clock that jumped.
    private static let clockJump: Int64 = 10_000_000_000
    /// Span over which the received rate is taken, in nanoseconds.
    private static let rateSpan: Int64 = 250_000_000

    private(set) var trains: [PacketTrain] = []
    private var base = WindowMinimum(nanoseconds: Self.baseWindow)
    private var trip = WindowMinimum(nanoseconds: Self.tripWindow)
    /// How long packets wait in the path's queue: the latest train's least delay above the least of the last 30 s.
    private(set) var queue: Int64 = 0
    /// When the newest packet known to have arrived was sent.
    private(set) var newestSent: Int64?
    /// Time from sending to feedback of the newest packet, in nanoseconds.
    private(set) var latestTrip: Int64?
    /// Least time from sending to feedback, in nanoseconds; nil before the first.
    var roundTrip: Int64? { trip.value }
    /// The same of the last trains, each one's last packet; and the longest of them.
    private var latestTrips: [Int64] = []
    var longestTrip: Int64? { latestTrips.max() }

    /// Takes a whole train.
    ///
    /// - Parameters:
    ///   - train: the train.
    ///   - now: the time in nanoseconds.
    ///   - keepsBase: the least delay is not forgotten, because a rival keeps the queue filled.
    /// - Returns: false where the far clock jumped, and all delays before are void.
    mutating func add(_ train: PacketTrain, at now: Int64, keepsBase: Bool) -> Bool {
        var isContinuous = true
        if let last = trains.last {
            let change = train.leastDelay.subtractingSaturated(last.leastDelay)
            if change > Self.clockJump || change < -Self.clockJump {
                base = WindowMinimum(nanoseconds: Self.baseWindow)
                trains.removeAll(keepingCapacity: true)
                isContinuous = false
            }
        }
        base.add(train.leastDelay, at: now, forgets: !keepsBase)
        let latest = max(0, now.subtractingSaturated(train.lastSent))
        latestTrip = latest
        latestTrips.append(latest)
        if latestTrips.count > Self.trips { latestTrips.removeFirst() }
        trip.add(latest, at: now)
        newestSent = max(newestSent ?? train.lastSent, train.lastSent)
        trains.append(train)
        if trains.count > Self.most { trains.removeFirst() }
        updateJitter()
        queue = queue(of: train)
        return isContinuous
    }

    /// How long a train's luckiest packet waited, in nanoseconds.
    func queue(of train: PacketTrain) -> Int64 {
        max(0, train.leastDelay.subtractingSaturated(base.value ?? train.leastDelay))
    }

    /// How much more the queue grew during the latest train than during any of the four that came two trains before it, in
    /// nanoseconds: jitter, and packets that a radio sends again, are in all of them, a fall in the last few.
    var latestGrowth: Int64 {
        let growths = trains.suffix(Self.growthOf).map {
            $0.lastArrived.subtractingSaturated($0.lastSent).subtractingSaturated($0.leastDelay)
        }
        guard let latest = growths.last else { return 0 }
        return latest.subtractingSaturated(max(0, growths.dropLast(3).max() ?? 0))
    }

    /// Forgets the trains, as after an idle time.
    mutating func restart() { trains.removeAll(keepingCapacity: true) }

    /// Bit/s that arrived over the last whole trains; nil before there are enough.
    func receivedRate(frameInterval: Int64) -> Double? {
        guard var later = trains.last else { return nil }
        let last = later
        var bytes = 0
        for train in trains.dropLast().reversed() {
            guard later.firstSent.subtractingSaturated(train.firstSent) <= Self.widestGap * frameInterval else {
                return nil
            }
            bytes += train.arrivedBytes
            let span = last.firstArrived.subtractingSaturated(train.firstArrived)
            if span >= Self.rateSpan { return Double(bytes) * 8e9 / Double(span) }
            later = train
        }
        return nil
    }

    /// The fastest arrival of the last three trains, in bit/s: no less than this flow's share of the path.
    var fastestArrival: Double { trains.suffix(Self.fastestOf).lazy.compactMap(\.arrivalRate).max() ?? 0 }

    /// Several trains taken as one, to average the path's jitter out.
    struct Pool: Sendable {
        var trains = 0
        /// Gaps between packets that the spans cover.
        var gaps = 0
        /// Nanoseconds from first to last packet, summed.
        var sentSpan = 0.0
        var arrivedSpan = 0.0
        /// Bits that the arrival spans cover, and those that the sending spans cover.
        var bits = 0.0
        var sentBits = 0.0
        /// The slowest of the trains as they left, in bit/s.
        var slowest = Double.infinity

        /// Bit/s of arrival.
        ///
        /// Behind a queue of one's own the time from packet to packet is that of the later one, beside a rival that of the
        /// earlier one, stretched. In trains of few packets, a full and a short one, this is a difference of half the rate:
        /// there the better counts, lest a small flow yield to a large one what the large one takes.
        var rate: Double {
            guard gaps < PathView.fullGaps * trains, arrivedSpan > 0 else { return carried }
            return max(carried, sentBits * 1e9 / arrivedSpan)
        }

        /// Bit/s of all but the first packets, which the arrival spans cover.
        var carried: Double { arrivedSpan > 0 ? bits * 1e9 / arrivedSpan : .infinity }

        /// The same without so many bytes of each train.
        func carried(beyond bytes: Double) -> Double {
            arrivedSpan > 0 ? max(0, bits - 8 * bytes * Double(trains)) * 1e9 / arrivedSpan : .infinity
        }

        mutating func add(_ train: PacketTrain) {
            trains += 1
            gaps += train.packets - 1
            sentSpan += Double(train.lastSent.subtractingSaturated(train.firstSent))
            arrivedSpan += Double(train.lastArrived.subtractingSaturated(train.firstArrived))
            bits += 8 * Double(train.arrivedBytes + train.innerLost - train.firstBytes)
            sentBits += 8 * Double(train.arrivedBytes + train.innerLost - train.lastBytes)
            slowest = min(slowest, train.sendRate ?? 0)
        }
    }

    /// The latest trains that tell a rate, as many as the jitter asks for, as one; nil where there are too few.
    var pool: Pool? {
        var pool = Pool()
        for train in trains.suffix(Self.mostPooled + 4).reversed() {
            guard train.sendRate != nil else { continue }
            pool.add(train)
            // The jitter of the sum goes with the root of the number, its span with the number.
            let error = jitter * Double(pool.trains).squareRoot()
            if pool.trains >= 2, error < Self.poolError * pool.sentSpan || pool.trains >= Self.mostPooled {
                return pool
            }
        }
        return nil
    }

    /// What the latest trains arrived at, where they took significantly longer than at `rate`; bit/s.
    func rate(significantlyBelow rate: Double) -> Double? {
        var pool = Pool()
        for train in trains.suffix(Self.mostPooled).reversed() {
            guard train.sendRate != nil else { continue }
            pool.add(train)
            let expected = max(pool.sentSpan, pool.bits * 1e9 / rate)
            let excess = pool.arrivedSpan - expected
            if pool.trains >= 2, pool.gaps >= Self.fewestGaps, pool.rate < rate,
                excess > Self.significantShare * expected + Self.significantJitter * jitter
                    * Double(pool.trains).squareRoot()
            {
                return pool.rate
            }
        }
        return nil
    }

    /// The latest trains, as few of them as tell a rate, as one; nil where there are too few.
    var latest: Pool? {
        var pool = Pool()
        for train in trains.suffix(Self.mostPooled).reversed() where train.arrivalRate != nil {
            pool.add(train)
            if pool.gaps >= Self.fewestGaps { return pool }
        }
        return nil
    }

    /// How much the least delay moves from train to train but for the queue's growth: a median, in nanoseconds.
    private(set) var jitter = 0.0

    private mutating func updateJitter() {
        let delays: [Double] = trains.suffix(Self.mostMoves + 2).map { Double($0.leastDelay) }
        guard delays.count > 3 else { return }
        // Second differences: a queue that grows or drains evenly is no jitter. Of independent delays they spread √6 times as much.
        let slopes: [Double] = zip(delays, delays.dropFirst()).map { $1 - $0 }
        let moves: [Double] = zip(slopes, slopes.dropFirst()).map { abs($1 - $0) }
        jitter = moves.sorted()[moves.count / 2] / Self.spread
    }

    /// Share of the packets of the last five trains that were lost.
    var recentLoss: Double {
        let last = trains.suffix(Self.lossOf)
        let lost = last.reduce(0) { $0 + $1.lost }
        let all = last.reduce(lost) { $0 + $1.packets }
        return all > 0 ? Double(lost) / Double(all) : 0
    }
}
