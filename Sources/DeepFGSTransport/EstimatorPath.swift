/// What the feedback shows of the path: queue, round trip, the rates of the latest trains.
struct PathView: Sendable {
    private static let most = 24
    /// How long the least delay counts as the path without a queue, in nanoseconds.
    private static let baseWindow: Int64 = 30_000_000_000
    /// A delay that moves more than this from one train to the next is a clock that jumped.
    private static let clockJump: Int64 = 10_000_000_000
    /// Span over which the received rate is taken, in nanoseconds.
    private static let rateSpan: Int64 = 250_000_000

    private(set) var trains: [PacketTrain] = []
    private var base = WindowMinimum(nanoseconds: Self.baseWindow)
    private var trip = WindowMinimum(nanoseconds: 10_000_000_000)
    /// How long packets wait in the path's queue: the latest train's least delay above the least of the last 30 s.
    private(set) var queue: Int64 = 0
    /// When the newest packet known to have arrived was sent.
    private(set) var newestSent: Int64?
    /// Time from sending to feedback of the newest packet, in nanoseconds.
    private(set) var latestTrip: Int64?
    /// Least time from sending to feedback, in nanoseconds; nil before the first.
    var roundTrip: Int64? { trip.value }

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
        trip.add(latest, at: now)
        newestSent = max(newestSent ?? train.lastSent, train.lastSent)
        trains.append(train)
        if trains.count > Self.most { trains.removeFirst() }
        queue = queue(of: train)
        return isContinuous
    }

    /// How long a train's luckiest packet waited, in nanoseconds.
    func queue(of train: PacketTrain) -> Int64 {
        max(0, train.leastDelay.subtractingSaturated(base.value ?? train.leastDelay))
    }

    /// Forgets the trains, as after an idle time.
    mutating func restart() { trains.removeAll(keepingCapacity: true) }

    /// Bit/s that arrived over the last whole trains; nil before there are enough.
    func receivedRate(frameInterval: Int64) -> Double? {
        guard var later = trains.last else { return nil }
        let last = later
        var bytes = 0
        for train in trains.dropLast().reversed() {
            guard later.firstSent.subtractingSaturated(train.firstSent) <= 4 * frameInterval else { return nil }
            bytes += train.arrivedBytes
            let span = last.firstArrived.subtractingSaturated(train.firstArrived)
            if span >= Self.rateSpan { return Double(bytes) * 8e9 / Double(span) }
            later = train
        }
        return nil
    }

    /// The fastest arrival of the last three trains, in bit/s: no less than this flow's share of the path.
    var fastestArrival: Double { trains.suffix(3).lazy.compactMap(\.arrivalRate).max() ?? 0 }

    /// Share of the packets of the last five trains that were lost.
    var recentLoss: Double {
        let last = path5
        let lost = last.reduce(0) { $0 + $1.lost }
        let all = last.reduce(lost) { $0 + $1.packets }
        return all > 0 ? Double(lost) / Double(all) : 0
    }
    private var path5: ArraySlice<PacketTrain> { trains.suffix(5) }

    /// The median arrival rate of the trains among the last five that the path stretched; nil where it stretched none.
    var stretchedRate: Double? {
        let rates = trains.suffix(5).filter { !$0.isUndispersed }.compactMap(\.arrivalRate).sorted()
        return rates.isEmpty ? nil : rates[rates.count / 2]
    }
}
