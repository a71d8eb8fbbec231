/// Cuts a stream of packets to a bitrate that is fixed, or that follows what feedback says of the path.
///
/// The cutter does the cutting, the estimator the estimating; this tells each what the other did. Values in, values out:
/// no clock, no thread; times are nanoseconds on one steady clock, that of the feedback's sending times.
public struct AdaptiveSender: Sendable {
    /// Where the bitrate comes from.
    public enum Mode: UInt8, Sendable {
        /// `Settings.target`.
        case fixed
        /// The estimate.
        case automatic
    }

    /// What the user sets; bitrates in bit/s on the wire.
    public struct Settings: Hashable, Sendable {
        public var mode = Mode.fixed
        /// Kept to in fixed mode, and in automatic mode where no feedback comes.
        public var target = 2_000_000.0
        /// Bounds of the estimate.
        public var minimum = 100_000.0
        public var maximum = 20_000_000.0
        /// The estimate before the first feedback.
        public var start = 500_000.0
        /// Bytes that the network adds to each RTP packet: IPv4 and UDP.
        public var networkOverhead = 28
        /// Whether packets are spread in time; else each frame's budget leaves at once.
        public var paces = true
        /// Every frame is cut to so many bytes, but never into its base; 0: no such cut.
        public var maximumFrameBytes = 0
        /// How many repair packets are passed on.
        public var protection = Protection.automatic
        /// Whether tails wait where the path narrows: off in tests alone, which compare.
        var holdsTails = true

        public init() {}
    }

    /// What feedback the bitrate follows.
    public enum Feedback: UInt8, Sendable {
        /// None has come: the estimate is where it began, and after five seconds `Settings.target` counts.
        case none
        case transportWide, receiverReports
        /// Some came, and has stopped although packets are sent: the estimate falls to its minimum and stays there.
        case stopped
    }

    /// How long, in nanoseconds, the first feedback is waited for before the fixed target counts.
    private static let patience: Int64 = 5_000_000_000
    /// How long, in nanoseconds, bases alone are sent before it: on a path of 100 kbit/s a frame of the start's bitrate takes as
    /// long, and the next ones would be a second of queue.
    private static let listening: Int64 = 400_000_000

    /// A change takes effect with the next packet, that of `start` before the first.
    public var settings: Settings { didSet { apply() } }
    /// What cuts; its target and pacing are set here.
    public internal(set) var cutter: TailCutter
    /// What estimates; at work in automatic mode only.
    public private(set) var estimator: BandwidthEstimator
    /// What feedback has come last; `none` before the first.
    private var latest = Feedback.none
    /// Packets that came and are not of this format.
    public private(set) var packetsMalformed: UInt64 = 0
    private var begun: Int64?
    /// What loss feedback has told of.
    private(set) var losses = LossMemory()
    var asking = Asking()

    /// A sender before its first packet.
    public init(settings: Settings = Settings()) {
        self.settings = settings
        cutter = TailCutter(target: settings.target)
        var limits = BandwidthEstimator.Settings()
        limits.start = settings.start
        estimator = BandwidthEstimator(settings: limits)
        apply()
    }

    /// Takes the nominal time between frames, as new caps tell it.
    public mutating func setInterval(_ interval: Int64) { cutter.setInterval(interval) }

    /// Takes one packet.
    public mutating func take(_ packet: TailCutter.Packet, at now: Int64) {
        if begun == nil { begun = now }
        let overhead = packet.rtpHeaderBytes + settings.networkOverhead
        if estimator.settings.packetOverhead != overhead { estimator.settings.packetOverhead = overhead }
        asking.note(packet, networkOverhead: settings.networkOverhead)
        if packet.header.repair != nil {
            cutter.protection = protection(at: now)
            cutter.protectsWithinBudget = settings.protection == .automatic
        }
        cutter.take(packet, at: now)
    }

    /// Counts a packet that is not of this format, which stays with the caller.
    public mutating func countMalformed() { packetsMalformed += 1 }

    /// What to do at this time.
    public mutating func next(at now: Int64) -> TailCutter.Step {
        if settings.mode == .automatic {
            if cutter.isBetweenFrames {
                estimator.frameInterval = cutter.interval
                estimator.advance(to: now)
                cutter.part = part(at: now)
            }
            cutter.target = target(at: now)
        }
        let before = cutter.statistics.bytesSent
        let step = cutter.next(at: now)
        if case .send = step { estimator.sent(Int(cutter.statistics.bytesSent - before), at: now) }
        return step
    }

    /// What is sent of a frame that begins now.
    private func part(at now: Int64) -> TailCutter.Part {
        guard settings.holdsTails else { return .all }
        if estimator.isNarrowing(at: now) { return .spreadBases }
        return isListening(at: now) ? .bases : .all
    }

    /// Closes the frame that is still coming, as at the end of the stream.
    public mutating func finish(at now: Int64) { cutter.finish(at: now) }

    /// Hands everything back in `drop`; what is known of the path stays.
    public mutating func flush() { cutter.flush() }

    /// What became of the next frame that is done with; nil where there is none.
    public mutating func report() -> FrameReport? { cutter.report() }

    /// Bit/s on the wire over the last two seconds.
    public mutating func sentRate(at now: Int64) -> Double { cutter.sentRate(at: now) }

    /// Takes one report of transport-wide feedback.
    public mutating func receive(_ packets: [PacketFeedback], at now: Int64) {
        latest = .transportWide
        estimator.feedback(packets, at: now)
        losses.note(estimator.lossFraction, at: now)
    }

    /// Takes one receiver report.
    public mutating func receive(_ report: ReceiverReport, at now: Int64) {
        if latest == .none || feedback(at: now) == .stopped { latest = .receiverReports }
        estimator.report(report, at: now)
        if latest == .receiverReports { losses.note(report.fractionLost, at: now) }
    }

    /// The bitrate that is kept to, in bit/s.
    public func target(at now: Int64) -> Double {
        guard settings.mode == .automatic else { return settings.target }
        guard hasNoFeedback(at: now) else { return estimator.target }
        return max(settings.minimum, min(settings.maximum, settings.target))
    }

    /// What the bitrate follows now.
    public func feedback(at now: Int64) -> Feedback {
        latest != .none && estimator.isSilent(at: now) ? .stopped : latest
    }

    /// What is to be told of feedback: what it is, or that it has been waited for in vain; nil where neither is known yet.
    public func feedbackNews(at now: Int64) -> Feedback? {
        guard settings.mode == .automatic, latest != .none || hasNoFeedback(at: now) else { return nil }
        return feedback(at: now)
    }

    /// Whether the stream has just begun, and nothing is known of the path.
    private func isListening(at now: Int64) -> Bool {
        guard latest == .none, let begun else { return false }
        return now.subtractingSaturated(begun) < Self.listening
    }

    /// Whether the first feedback has been waited for in vain.
    private func hasNoFeedback(at now: Int64) -> Bool {
        guard latest == .none, let begun else { return false }
        return now.subtractingSaturated(begun) > Self.patience
    }

    private mutating func apply() {
        cutter.networkOverhead = settings.networkOverhead
        cutter.maximumFrameBytes = settings.maximumFrameBytes
        cutter.pacing = !settings.paces ? .none : settings.mode == .fixed ? .even : .train
        var limits = estimator.settings
        limits.minimum = settings.minimum
        limits.maximum = settings.maximum
        if begun == nil, limits.start != settings.start {
            limits.start = settings.start
            estimator = BandwidthEstimator(settings: limits)
        } else if limits != estimator.settings {
            estimator.settings = limits
        }
        if settings.mode == .fixed {
            cutter.target = settings.target
            cutter.part = .all
        }
    }
}
