/// How many bytes of each frame may be sent, so that the stream stays under a target bitrate and uses it.
///
/// An account in bytes on the wire (payload and all headers). Each frame pays in the target times
/// the time since the last frame; each packet sent draws its size. What is left over is carried, but never more than
/// `carry` (20 ms of the target), so that no burst follows a poor or idle time; a base larger than the budget
/// is sent all the same and leaves a debt that later tails repay, at most `maximumDebt` (1 s of the target).
///
/// Bounds: with `usableShare` 0.99 and a carry of 20 ms, the bytes sent in any two seconds stay under the target's bytes,
/// and above 98 % of them while the source has enough. The bound cannot hold while the bases alone exceed the target.
///
/// Values in, values out: no clock. Times are nanoseconds on any steady clock, rates bit/s.
public struct FrameBudget: Sendable {
    /// Share of the target that is paid in; the rest covers `carry` within any two seconds.
    static let usableShare = 0.99
    /// Longest time, in nanoseconds, whose unused bytes the next frame may use.
    static let carry: Int64 = 20_000_000
    /// Longest time, in nanoseconds, for which a base larger than its budget may mortgage the tails that follow.
    static let maximumDebt: Int64 = 1_000_000_000
    /// A gap counts for at most this many frame intervals, and one longer than `idleGap` intervals for one: no burst follows it.
    static let maximumGap: Int64 = 2
    static let idleGap: Int64 = 4
    /// Weight, as 1/n, of a new gap in the smoothed frame interval.
    static let smoothing: Int64 = 8

    /// Smoothed time between frames, in nanoseconds; starts as the nominal interval.
    public private(set) var interval: Int64
    /// Bytes on the wire that may still be sent: negative is a debt.
    public private(set) var balance = 0
    private var lastFrame: Int64?

    /// An account without credit.
    ///
    /// - Parameter interval: the nominal time between frames in nanoseconds; 40 ms where it is not known.
    public init(interval: Int64 = 40_000_000) { self.interval = interval.clamped(to: FrameInterval.believed) }

    /// Pays a new frame in and says how many bytes on the wire it may have.
    ///
    /// - Parameters:
    ///   - time: when the frame came, in nanoseconds; a time before the last frame's pays nothing.
    ///   - target: bit/s; what is not a positive number counts as nothing.
    ///   - base: bytes on the wire of the packets that must be sent.
    ///   - queued: bytes on the wire accepted before and not sent yet; they are drawn when `sent` reports them.
    /// - Returns: bytes on the wire, at least `base`.
    public mutating func open(at time: Int64, target: Double, base: Int, queued: Int = 0) -> Int {
        var paid = interval
        if let lastFrame {
            let gap = max(0, time.subtractingSaturated(lastFrame))
            let isIdle = gap > Self.idleGap * interval
            paid = min(gap, Self.maximumGap * interval)
            // An idle time must not change the interval much: the clipped gap is what is averaged.
            interval = (interval + (paid - interval) / Self.smoothing).clamped(to: FrameInterval.believed)
            if isIdle { paid = interval }
        }
        lastFrame = time
        let queued = max(0, queued)
        balance = min(balance, queued + Self.bytes(target, Self.carry))
        balance = max(balance, -Self.bytes(target, Self.maximumDebt))
        balance += Self.bytes(target * Self.usableShare, paid)
        return max(base, balance - queued)
    }

    /// Draws bytes that have gone out.
    ///
    /// - Parameter bytes: bytes on the wire, payload and overhead.
    public mutating func sent(_ bytes: Int) {
        balance = balance.subtractingSaturated(max(0, bytes))
    }

    /// The bytes that `rate` bit/s carries in `time` nanoseconds, rounded down; nothing for a rate that is no number.
    static func bytes(_ rate: Double, _ time: Int64) -> Int {
        let bytes = rate * Double(time) / 8e9
        return bytes > 0 ? Int(min(bytes, 1e15)) : 0
    }
}
