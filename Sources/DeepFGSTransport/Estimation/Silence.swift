/// Feedback that has stopped although packets leave: for how long, and what the estimate was before.
///
/// Values in, values out: times are nanoseconds on one steady clock, rates bit/s.
struct Silence: Sendable {
    /// How long, in nanoseconds, packets are sent without an answer before feedback counts as stopped: of transport-wide
    /// feedback, which comes with each frame, and of receiver reports, which come every few seconds.
    static let patience: Int64 = 2_000_000_000
    static let reportPatience: Int64 = 15_000_000_000
    /// In so many frame intervals feedback comes, whatever the frame rate.
    static let intervals: Int64 = 4
    /// In so many nanoseconds of silence the estimate falls to half; a longer step counts as this.
    static let halving = 1e9
    /// Share of the estimate from before that the first good news bring back: two proofs make it whole again.
    static let comeback = 0.5

    /// When the first packet left that no feedback has followed.
    private var unanswered: Int64?
    /// When the estimate last fell for it; nil while there is no silence.
    private var fallen: Int64?
    /// What the estimate may begin again with; nil where the path was full when feedback stopped.
    private var before: Double?

    /// A packet has left.
    mutating func sent(at now: Int64) { if unanswered == nil { unanswered = now } }

    /// Whether feedback has been waited for longer than so many nanoseconds.
    func has(lasted patience: Int64, at now: Int64) -> Bool {
        unanswered.map { now.subtractingSaturated($0) > patience } ?? false
    }

    /// What the estimate falls to while the silence lasts.
    ///
    /// - Parameters:
    ///   - bitrate: the estimate.
    ///   - isFull: the path is known to be full: what there was before is no longer believed in.
    ///   - now: the time.
    /// - Returns: the estimate now.
    mutating func fall(from bitrate: Double, isFull: Bool, at now: Int64) -> Double {
        guard let fallen else {
            before = isFull ? nil : Self.comeback * bitrate
            self.fallen = now
            return bitrate
        }
        self.fallen = now
        let passed = Double(now.subtractingSaturated(fallen)).clamped(to: 0...Self.halving)
        return bitrate * (1 - passed / (2 * Self.halving))
    }

    /// Feedback has come.
    ///
    /// - Returns: whether that ends a silence.
    mutating func end() -> Bool {
        unanswered = nil
        defer { fallen = nil }
        return fallen != nil
    }

    /// What the estimate begins again with; nil where there was no silence, or the first news after it were not good.
    mutating func comeback(isGood: Bool) -> Double? {
        guard fallen == nil else { return nil }
        defer { before = nil }
        return isGood ? before : nil
    }
}
