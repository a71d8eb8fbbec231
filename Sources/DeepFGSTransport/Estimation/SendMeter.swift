/// What this end does: how much it sends, and whether it has stopped.
struct SendMeter: Sendable {
    /// Span over which the rate is taken, in nanoseconds, and the least number of frames in it.
    private static let span: Int64 = 400_000_000
    private static let frames = 4

    /// Frames: when each began, its bytes, and when its last packet so far left.
    private var counted: [(time: Int64, bytes: Int, last: Int64)] = []
    /// When the last packet left.
    private(set) var lastSent: Int64?

    /// A frame begins.
    mutating func frame(at now: Int64) {
        counted.append((now, 0, now))
        while counted.count > Self.frames + 1, now.subtractingSaturated(counted[1].time) >= Self.span {
            counted.removeFirst()
        }
    }

    /// A packet has left.
    mutating func sent(_ bytes: Int, at now: Int64) {
        if counted.isEmpty { counted.append((now, 0, now)) }
        counted[counted.count - 1].bytes = counted[counted.count - 1].bytes.addingSaturated(max(0, bytes))
        counted[counted.count - 1].last = now
        lastSent = now
    }

    /// When the last packet left of the first frame, as far back as frames are remembered, that left after a time; nil where
    /// there is none.
    func frameSent(after time: Int64) -> Int64? { counted.first { $0.bytes > 0 && $0.last > time }?.last }

    /// Forgets the rate, as after an idle time.
    mutating func restart() { counted = counted.suffix(1) }

    /// Bit/s over the last whole frames; nil before there are enough.
    var rate: Double? {
        guard counted.count > Self.frames, let first = counted.first, let last = counted.last else { return nil }
        let span = last.time.subtractingSaturated(first.time)
        guard span > 0 else { return nil }
        return counted.dropLast().reduce(0) { $0 + Double($1.bytes) } * 8e9 / Double(span)
    }
}
