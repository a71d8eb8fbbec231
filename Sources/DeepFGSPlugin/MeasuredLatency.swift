/// What an element takes for a frame, measured, as the latency that it announces.
///
/// Times are nanoseconds. Nothing is allocated after the first frames.
struct MeasuredLatency {
    /// How long the last frames took, in the order of `count`.
    private var times: [UInt64] = []
    private var sorted: [UInt64] = []
    private var count = 0
    /// What was announced last; nil before the first frames.
    private(set) var announced: UInt64?

    /// Frames whose time is remembered; so many are enough to announce something, and so many are waited for from one look
    /// at them to the next.
    private static let memory = 64
    private static let first = 8
    private static let later = 32

    init() {
        times.reserveCapacity(Self.memory)
        sorted.reserveCapacity(Self.memory)
    }

    /// Takes note of a frame.
    ///
    /// - Returns: The latency to announce: 19 of 20 frames took no longer than four fifths of it. nil where the one that
    ///   was announced is still about right.
    mutating func took(_ time: UInt64) -> UInt64? {
        count += 1
        if times.count < Self.memory { times.append(time) } else { times[count % Self.memory] = time }
        guard count == Self.first || count % Self.later == 0 else { return nil }
        sorted.removeAll(keepingCapacity: true)
        sorted.append(contentsOf: times)
        sorted.sort()
        let usual = sorted[(sorted.count - 1) * 19 / 20]
        // Whole milliseconds, and only changes that matter: each makes the pipeline work out its latency anew.
        let latency = (usual + usual / 4 + 999_999) / 1_000_000 * 1_000_000
        if let announced, usual <= announced, latency > announced / 2 { return nil }
        announced = latency
        return latency
    }
}
