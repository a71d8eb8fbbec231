/// Estimates from feedback what the path carries, and says the target to keep to.
///
/// Every paced frame is a packet train at 1.5 times the target, so that its dispersion proves or measures the capacity at no cost, within
/// one round trip: this is what makes it faster than Google congestion control, whose trendline detector, decrease
/// and limits it keeps (draft-ietf-rmcat-gcc-02).
///
/// - growth: **proved** (a train that arrived as fast as it left proved its rate: ×1.38 a round trip), else **additive**,
///   300 kbit/s a second at 1 Mbit/s, with the root of the rate and below 400 kbit/s more slowly, up to 96 % of what stretched trains arrived at;
///   where the path was lately seen to be full (`full`), at less than a third of that, and proved by long trains alone;
/// - decrease: **dispersion** (trains arrive slower than the estimate), **delay** (trendline overuse, 0.85 of what arrives),
///   **queue** (in proportion to rate and queue: flows that share a queue so come to share it evenly; above 400 kbit/s not below nine
///   tenths of what arrives), **loss**;
/// - a standing queue is drained by lowering `target` below `bitrate`; feedback that is overdue lowers it too, and where it
///   stops, the estimate falls to its minimum and stays there (**silence**).
///
/// Values in, values out: times are nanoseconds on one steady clock of the sender's, rates bit/s on the wire (payload and
/// `packetOverhead`). Total on any feedback. Cost: O(packets) a report.
public struct BandwidthEstimator: Sendable {
    /// Bounds and the beginning.
    public struct Settings: Hashable, Sendable {
        /// The estimate never falls below this; bit/s.
        public var minimum = 100_000.0
        /// The estimate never grows above this; bit/s.
        public var maximum = 20_000_000.0
        /// The estimate before the first feedback; bit/s.
        public var start = 500_000.0
        /// Bytes that the network adds to each packet's RTP payload.
        public var packetOverhead = 48

        /// 0.1 to 20 Mbit/s, from 0.5.
        public init() {}
    }

    /// What the estimate did last.
    public enum State: UInt8, CaseIterable, Sendable {
        /// It stayed, it grew, it fell.
        case hold, increase, decrease
    }

    /// Why it did so.
    public enum Reason: UInt8, CaseIterable, Sendable {
        /// No feedback yet.
        case start
        /// A train proved a higher rate.
        case proved
        /// Nothing speaks against a little more.
        case additive
        /// The estimate is as high as what is sent, the stretched trains or the settings allow.
        case limit
        /// Packets sent before the last decrease are still underway.
        case settling
        /// The queue grows.
        case delay
        /// The queue stands.
        case queue
        /// Trains arrive slower than the estimate.
        case dispersion
        /// Packets are lost, or the rate is cut to see why they are.
        case loss
        /// Nothing was sent for a while.
        case idle
        /// A receiver report said so.
        case report
        /// Feedback has stopped, or has come back.
        case silence
    }

    /// Bounds and overhead; a change takes effect at once.
    public var settings: Settings { didSet { bitrate = bounded(bitrate) } }
    /// Time between frames in nanoseconds.
    public var frameInterval: Int64 = 40_000_000 {
        didSet { frameInterval = frameInterval.clamped(to: FrameInterval.believed) }
    }
    /// What the path is believed to carry for this flow; bit/s, within the settings.
    public internal(set) var bitrate: Double
    /// What the estimate did last.
    public internal(set) var state = State.hold
    /// Why it did so.
    public internal(set) var reason = Reason.start

    var history = FeedbackHistory()
    var trains = FeedbackTrains()
    var path = PathView()
    var trendline = Trendline()
    var loss = LossController()
    var rivalry = Rivalry()
    var sending = SendMeter()
    var silence = Silence()
    /// Share of the estimate that is offered while a queue drains, and while feedback is overdue.
    var drain = 1.0
    var patience = 1.0
    var updated: Int64?
    /// Feedback on packets sent before this time says nothing about the estimate since.
    var decreased: Int64?
    /// When the estimate last fell by a lot at once.
    var fallen: Int64?
    /// What the path was last seen to carry, filled by this flow, and when; bit/s.
    var full: (rate: Double, at: Int64)?
    var proved: Int64?
    var noProofUntil: Int64?
    var noGrowthUntil: Int64?
    var proofBackoff = Tuning.firstBackoff
    var beforeTest = 0.0
    var isIdle = false
    var lastFeedback: Int64?
    var lastReport: Int64?
    var reportTrip = WindowMinimum(nanoseconds: Tuning.tripMemory)

    /// An estimator before its first packet.
    public init(settings: Settings = Settings()) {
        self.settings = settings
        bitrate = 0
        bitrate = bounded(settings.start)
    }

    /// The bitrate to keep to now: the estimate, or less while a queue drains or feedback is overdue; bit/s.
    public var target: Double { bounded(bitrate * min(drain, patience)) }
    /// How long packets wait in the path's queue, in nanoseconds.
    public var queueDelay: Int64 { path.queue }
    /// Least time from sending to feedback, in nanoseconds; nil before the first feedback.
    public var roundTrip: Int64? { path.roundTrip }
    /// Share of packets lost in the last half second or so.
    public var lossFraction: Double { loss.fraction }
    /// Bit/s that arrived lately; nil where not known.
    public var receivedRate: Double? { path.receivedRate(frameInterval: frameInterval) }
    /// Whether something else keeps the path's queue filled.
    public var hasRival: Bool { rivalry.isPresent }

    /// Notes bytes on the wire that left at this time.
    public mutating func sent(_ bytes: Int, at now: Int64) {
        let now = now.clamped(to: FeedbackHistory.times)
        sending.sent(bytes, at: now)
        silence.sent(at: now)
        isIdle = false
    }

    /// A frame begins: to be called before `target` is read for it.
    public mutating func advance(to now: Int64) {
        let now = now.clamped(to: FeedbackHistory.times)
        if let last = sending.lastSent, now.subtractingSaturated(last) > Tuning.idleTime, !isIdle { resume() }
        sending.frame(at: now)
        expectFeedback(now)
        if isSilent(at: now) { fallSilent(now) }
    }

    /// Takes one report of transport-wide feedback.
    ///
    /// - Parameters:
    ///   - packets: its entries, in any order; wrong ones are skipped.
    ///   - now: when it came, on the clock of the entries' `sendTime`.
    public mutating func feedback(_ packets: [PacketFeedback], at now: Int64) {
        let now = now.clamped(to: FeedbackHistory.times)
        let outcomes = history.accept(packets, overhead: max(0, settings.packetOverhead))
        guard !outcomes.isEmpty else { return }
        // What was sent before the first feedback were bases alone: no measure of what is sent.
        if lastFeedback == nil { sending.restart() }
        lastFeedback = now
        patience = 1
        if silence.end() { listenAgain() }
        var done: [PacketTrain] = []
        for outcome in outcomes {
            loss.count(
                received: outcome.isLost ? 0 : 1, lost: outcome.isLost ? 1 : outcome.isCorrection ? -1 : 0)
            if let arrived = outcome.arrived { trendline.add(sent: outcome.sent, arrived: arrived) }
            if let train = trains.add(outcome, frameInterval: frameInterval) { done.append(train) }
        }
        if let train = trains.close() { done.append(train) }
        for train in done {
            if !path.add(train, at: now, keepsBase: rivalry.keepsBase(at: now)) { trendline = Trendline() }
            decide(train, at: now)
            comeBack(after: train)
        }
    }

    func bounded(_ rate: Double) -> Double {
        let least = settings.minimum.isFinite ? max(1000, settings.minimum) : 1000
        let most = max(least, settings.maximum)
        return rate.isNaN ? least : min(max(rate, least), most)
    }
}
