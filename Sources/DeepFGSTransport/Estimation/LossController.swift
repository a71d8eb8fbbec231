/// Tells loss from a full path apart from loss at random, and says what the estimate should do about it.
///
/// Loss with a grown queue is congestion: above 10 % the estimate is multiplied by 1 − 0.5 × loss, as in draft-ietf-rmcat-gcc-02. Loss
/// without a queue is either random (radio) or a policer's. It is put to the test: the rate is cut for a second by a
/// little more than the loss. A policer's loss vanishes, and the cut stays; random loss stays, the rate comes back, and loss
/// of that size is from then on taken to be the path's nature.
struct LossController: Sendable {
    /// What to do now.
    enum Verdict: Hashable, Sendable {
        /// Loss says nothing.
        case free
        /// Do not grow.
        case hold
        /// Multiply the estimate: congestion.
        case decrease(Double)
        /// Multiply the estimate for a while, to see whether the loss goes away.
        case test(Double)
        /// The loss was random: take the estimate from before the test again.
        case restore
        /// The loss was a policer's: multiply the estimate, and do not grow for a while.
        case policed(Double)
    }

    /// Less loss than this is none, and more than that congestion: draft-ietf-rmcat-gcc-02, section 6.
    static let low = 0.02
    static let high = 0.10
    /// A loss fraction is taken over at least this time, and this many packets or `longestWindow` times as long.
    static let window: Int64 = 500_000_000
    static let fewest = 30
    static let longestWindow: Int64 = 4
    /// How long a suspicion is counted, and then a test.
    static let testTime: Int64 = 1_000_000_000
    /// How much of the distance to a lower loss the floor goes down in each window.
    static let floorShare = 0.2
    /// How much above the floor, as a share of it, loss must be to count.
    static let aboveFloor = 0.5
    /// A test cuts the rate by so many times the loss beyond the floor, within bounds.
    static let testCut = 1.2
    static let testCuts = 0.05...0.35

    private enum Phase: Sendable {
        case watching
        /// Counting at a rate that stays, once packets come that were sent at it.
        case suspecting(from: Int64)
        /// Counting at the lower rate, once packets come that were sent at it.
        case testing(from: Int64, before: Double, factor: Double)
    }

    private var phase = Phase.watching
    private var began: Int64?
    private var received = 0
    private var lost = 0
    private var sawQueue = false
    /// Loss that is the path's nature, as far as tests have shown.
    private(set) var floor = 0.0
    /// Share of the packets lost in the last whole window.
    private(set) var fraction = 0.0
    private var isWatching: Bool { if case .watching = phase { true } else { false } }

    /// Counts outcomes.
    ///
    /// - Parameters:
    ///   - received: packets that arrived.
    ///   - lost: packets that did not; negative where a packet said to be lost has come after all.
    mutating func count(received: Int, lost: Int) {
        self.received += received
        self.lost += lost
    }

    /// Says what to do, at most once a window.
    ///
    /// - Parameters:
    ///   - hasQueue: the path's queue has grown.
    ///   - newestSent: when the newest packet counted was sent, in nanoseconds.
    ///   - now: the time in nanoseconds.
    /// - Returns: what the estimate should do.
    mutating func verdict(hasQueue: Bool, newestSent: Int64, at now: Int64) -> Verdict {
        sawQueue = sawQueue || hasQueue
        switch phase {
        case .suspecting(let from) where newestSent < from, .testing(let from, _, _) where newestSent < from:
            restart(now)
            return .hold
        default: break
        }
        let start = began ?? now
        began = start
        let span = isWatching ? Self.window : Self.testTime
        let age = now.subtractingSaturated(start)
        guard age >= span, received + lost >= Self.fewest || age >= Self.longestWindow * span else {
            return isWatching && fraction - floor <= Self.low ? .free : .hold
        }
        fraction = received + lost > 0 ? Double(max(0, lost)) / Double(received + lost) : 0
        let hadQueue = sawQueue
        restart(now)
        if case .testing(_, let before, let factor) = phase { return conclude(before, factor) }
        floor = min(floor, (1 - Self.floorShare) * floor + Self.floorShare * fraction)
        let excess = fraction - floor
        guard excess > Self.low + Self.aboveFloor * floor else {
            phase = .watching
            return .free
        }
        if hadQueue {
            phase = .watching
            return fraction > Self.high ? .decrease(1 - Tuning.lossShare * fraction) : .hold
        }
        guard !isWatching else {
            phase = .suspecting(from: now)
            return .hold
        }
        let factor = 1 - (Self.testCut * excess).clamped(to: Self.testCuts)
        phase = .testing(from: now, before: fraction, factor: factor)
        return .test(factor)
    }

    /// What arrives falls with what is sent where loss is random, and stays where a policer takes what is too much.
    private mutating func conclude(_ before: Double, _ factor: Double) -> Verdict {
        phase = .watching
        let arrived = factor * (1 - fraction) / max(0.01, 1 - before)
        if arrived > (1 + factor) / 2 { return .policed(1 - fraction) }
        floor = max(floor, min(before, fraction))
        return .restore
    }

    private mutating func restart(_ now: Int64) {
        began = now
        received = 0
        lost = 0
        sawQueue = false
    }
}
