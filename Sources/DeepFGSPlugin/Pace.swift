/// Keeps an encoder or decoder up with a live source, at the cost of frames rather than of latency.
///
/// Times are nanoseconds. Nothing is allocated after the first frames.
struct Pace {
    /// What an element says that cannot keep up.
    struct Overload: Hashable {
        /// Frames coded a second.
        var framerate: Double
        /// Frames dropped.
        var dropped: Int
    }

    /// How long frames take; the first is left out, for it sets up the networks.
    private var latency = MeasuredLatency()
    private var isFirst = true
    /// When the last frame ended.
    private var idleSince: UInt64?
    /// Since `windowStart`.
    private var windowStart: UInt64?
    private var coded = 0, dropped = 0

    private static let second: UInt64 = 1_000_000_000

    /// Whether a frame is worth coding.
    ///
    /// A frame that came while nobody was at work did not wait for this element: that it is late is not this element's
    /// fault, and dropping it would not help those behind it.
    ///
    /// - Parameters:
    ///   - now: When it came in.
    ///   - lateness: How far it is behind what the clock and the latency before allow for.
    ///   - most: What it may be late.
    ///   - interval: From frame to frame, where that is known.
    /// - Returns: False where it should be dropped.
    mutating func admits(now: UInt64, lateness: Int64, most: Int64, interval: UInt64?) -> Bool {
        windowStart = windowStart ?? now
        let idle = idleSince.map { now > $0 ? now - $0 : 0 } ?? .max
        guard lateness > most, idle < (interval ?? Self.second / 30) / 2 else { return true }
        dropped += 1
        idleSince = now
        return false
    }

    /// Takes note of a frame that was coded.
    ///
    /// - Returns: The latency to announce; nil where the one that was announced is still about right.
    mutating func coded(now: UInt64, took: UInt64) -> UInt64? {
        idleSince = now
        coded += 1
        guard !isFirst else {
            isFirst = false
            return nil
        }
        return latency.took(took)
    }

    /// What is to be said, once a second at most, where frames were dropped.
    mutating func report(now: UInt64) -> Overload? {
        guard let start = windowStart, now >= start + Self.second else { return nil }
        defer {
            windowStart = now
            (coded, dropped) = (0, 0)
        }
        guard dropped > 0 else { return nil }
        return Overload(framerate: Double(coded) * Double(Self.second) / Double(now - start), dropped: dropped)
    }
}
