import DeepFGSBitstream

/// The times of a stream's frames, as a player wants them: from zero on, never backwards.
struct ParserTimeline {
    /// What is taken from every time: that of the first frame, so that a piece of a longer recording starts at once.
    private var origin: UInt64?
    /// The last frame's time, and how long it lasts if it says; nil after a seek.
    private var last: (time: UInt64, duration: UInt32?)?
    /// Nanoseconds that a frame lasts that does not say how long.
    var interval: UInt64 = 1
    /// Times from here on, 146 years, are not believed.
    private static let limit: UInt64 = 1 << 62

    /// The frame's time since the first frame; nil where it does not say.
    mutating func time(of frame: HeaderExtensions) -> UInt64? {
        guard let stamp = frame.presentationTime, stamp < Self.limit else { return nil }
        var zero = origin ?? stamp
        // The origin may have wrapped below zero: distances are right all the same.
        if let last, stamp &- zero >= Self.limit || stamp &- zero <= last.time {
            // No later than the last one: another recording was put behind the first. It goes on where that ended.
            zero = stamp &- (last.time + max(last.duration.map(UInt64.init) ?? interval, 1))
        }
        let time = stamp &- zero
        guard time < Self.limit else { return nil }
        origin = zero
        last = (time, frame.duration)
        return time
    }

    /// The next frame does not follow the last one.
    mutating func interrupt() { last = nil }
}
