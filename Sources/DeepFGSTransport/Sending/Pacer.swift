/// Says when packets leave, so that a stream keeps to a rate.
///
/// Values in, values out: no clock. Times are nanoseconds on any steady clock, rates bit/s on the wire.
struct Pacer: Sendable {
    /// How much faster than the target a train leaves.
    private static let headroom = 1.5
    /// How much faster a train leaves that is spread over its frame's interval.
    private static let spreadHeadroom = 1.05
    /// Share of the target that even pacing uses; the rest covers a late thread within any two seconds.
    private static let usableShare = 0.99
    /// How far behind its plan the sender may be and still catch up, in nanoseconds.
    private static let longestLag: Int64 = 40_000_000
    /// How much faster than the plan it catches up, so that no burst follows a stall.
    private static let catchUp = 2.0
    /// Most packets that leave at once while it catches up.
    private static let burst = 3
    /// A packet due so soon, in nanoseconds, leaves now: a thread does not wake more finely.
    private static let tick: Int64 = 200_000

    var pacing = Pacing.even
    /// Trains are spread over their frames' intervals.
    var spreads = false
    /// Bit/s; what is not a positive number lets nothing through.
    var target: Double {
        didSet { if target != oldValue { window.reset() } }
    }
    /// When the next packet is to leave for the rate to be right.
    private var due = Int64.min
    /// The same at the rate at which a late thread catches up: what is before it by more than a few packets is a burst.
    private var earliest = Int64.min
    /// What was sent at the present target.
    private var window = SlidingWindow()

    init(target: Double) { self.target = target }

    /// Forgets what was sent.
    mutating func reset() {
        due = .min
        earliest = .min
        window.reset()
    }

    /// Begins anew after a time in which there was nothing to send, which is not made good.
    mutating func rest(until now: Int64) { due = max(due, now) }

    /// When a packet is to leave.
    ///
    /// - Parameters:
    ///   - bytes: of the packet on the wire.
    ///   - need: bit/s at which its frame lasts just one frame interval; a train leaves no slower than that asks for.
    ///   - now: the time.
    /// - Returns: a time, which may be over.
    mutating func departure(of bytes: Int, need: Double, at now: Int64) -> Int64 {
        guard pacing != .none else { return now }
        let tolerance = Int64(Self.burst - 1) * Self.duration(bytes, Self.catchUp * rate(need: need))
        let time = max(due, earliest.subtractingSaturated(tolerance))
        guard pacing == .even, isDue(time, at: now) else { return time }
        // Catching up must not exceed the target either.
        return max(time, window.time(for: bytes, limit: FrameBudget.bytes(target, SlidingWindow.length), at: now))
    }

    /// Whether a packet that is to leave at a time leaves now.
    func isDue(_ time: Int64, at now: Int64) -> Bool { now >= time.subtractingSaturated(Self.tick) }

    /// Whether the caller is so late with what was due that it must have been held up.
    func isHeldUp(at now: Int64) -> Bool { pacing != .none && now.subtractingSaturated(due) > Self.longestLag }

    /// Notes a packet that leaves.
    mutating func sent(_ bytes: Int, need: Double, at now: Int64) {
        let rate = rate(need: need)
        due = max(due, now.subtractingSaturated(Self.longestLag)).addingSaturated(Self.duration(bytes, rate))
        earliest = max(earliest, now).addingSaturated(Self.duration(bytes, Self.catchUp * rate))
        if pacing == .even { window.add(bytes, at: now) }
    }

    /// The rate at which packets leave, in bit/s.
    private func rate(need: Double) -> Double {
        switch pacing {
        case .even: target * Self.usableShare
        case .train: spreads && need > 0 ? Self.spreadHeadroom * need : Self.headroom * max(target, need)
        case .none: .infinity
        }
    }

    /// Nanoseconds that so many bytes take at a rate in bit/s.
    private static func duration(_ bytes: Int, _ rate: Double) -> Int64 {
        rate > 0 ? Int64(min(1e12, Double(bytes) * 8e9 / rate)) : FrameInterval.believed.upperBound
    }
}
