/// Keeps an RTP stream of DeepFGS frames to a bitrate by leaving out the tails of its frames.
///
/// Takes packets as `Packetiser` makes them, and says which to send, when, how much of each, and under which number.
/// Of each frame a prefix goes out, its base always, and behind it as many repair packets as `protection` says; the last
/// packet kept may be shortened, carries the marker, and sequence numbers have no gaps: a packet is held until it is known
/// whether another follows it. Where one base takes longer than its frame's time, the frames that come meanwhile are left
/// out whole, but for the newest.
///
/// The caller holds the packets; this sees tokens and sizes. Every token taken comes back once, in `send` or `drop`.
/// Values in, values out: no clock, no thread; times are nanoseconds on any steady clock.
public struct TailCutter: Sendable {
    /// What a packet says of itself.
    public struct Packet: Hashable, Sendable {
        /// The caller's name for it, not 0.
        public var token: UInt64
        /// Bytes of RTP header and header extensions.
        public var rtpHeaderBytes: Int
        /// Bytes of RTP payload, payload header and all.
        public var payloadBytes: Int
        public var header: PayloadHeader
        public var timestamp: UInt32
        public var sequenceNumber: UInt16
        public var marker: Bool

        public init(
            token: UInt64, rtpHeaderBytes: Int, payloadBytes: Int, header: PayloadHeader, timestamp: UInt32,
            sequenceNumber: UInt16, marker: Bool
        ) {
            self.token = token
            self.rtpHeaderBytes = rtpHeaderBytes
            self.payloadBytes = payloadBytes
            self.header = header
            self.timestamp = timestamp
            self.sequenceNumber = sequenceNumber
            self.marker = marker
        }
    }

    /// What to do now; ask again after `send` and `drop`.
    public enum Step: Hashable, Sendable {
        /// Nothing waits.
        case idle
        /// Nothing is due before this time.
        case wait(until: Int64)
        /// Send the packet with this much of its payload, this marker and this sequence number.
        case send(token: UInt64, payloadBytes: Int, marker: Bool, sequenceNumber: UInt16)
        /// Free the packet.
        case drop(token: UInt64, reason: DropReason)
    }

    /// What became of a frame.
    public struct Report: Hashable, Sendable {
        public var frameNumber: UInt16
        public var timestamp: UInt32
        /// Bytes of the frame as it came, and of the prefix that was sent.
        public var bytes = 0
        public var bytesSent = 0
        /// Packets sent, and their bytes on the wire.
        public var packetsSent = 0
        public var wireBytes = 0
        /// Repair packets among them.
        public var repairPacketsSent = 0
        /// Why the frame was cut, the first reason where there are several; nil: it was sent whole.
        public var reason: DropReason?
    }

    /// Counts since the start.
    ///
    /// Bytes on the wire are RTP packets plus `networkOverhead` each.
    public struct Statistics: Hashable, Sendable {
        /// Frames that came; of these, sent whole, sent in part, and left out.
        public var frames: UInt64 = 0
        public var framesWhole: UInt64 = 0
        public var framesCut: UInt64 = 0
        public var framesSkipped: UInt64 = 0
        public var packets: UInt64 = 0
        public var packetsSent: UInt64 = 0
        /// Repair packets among those that came, and among those that were sent.
        public var repairPackets: UInt64 = 0
        public var repairPacketsSent: UInt64 = 0
        /// Bytes on the wire.
        public var bytes: UInt64 = 0
        public var bytesSent: UInt64 = 0
        /// Packets left out or shortened, and bytes on the wire so saved, by reason (index: `DropReason.rawValue`).
        public var packetsDropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
        public var bytesDropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
    }

    /// How packets are spread.
    public enum Pacing: Hashable, Sendable {
        /// At the target, evenly, until the next frame comes: whatever the source's rhythm, the target is used and never
        /// exceeded.
        case even
        /// Each frame's budget at 1.5 times the target: a train whose dispersion tells the estimator what the path
        /// carries, and a rest that lets the path's queue drain.
        case train
        /// Each frame's budget at once. Time is that of the RTP timestamps.
        case none
    }

    /// Bit/s on the wire.
    ///
    /// What is not a positive number counts as nothing. A change takes effect at once.
    public var target: Double {
        didSet { if target != oldValue { window.reset() } }
    }
    /// Bytes that the network adds to each RTP packet: IPv4 and UDP.
    public var networkOverhead = 28
    public var pacing = Pacing.even
    /// Every frame is cut to so many bytes, but never into its base; 0: no such cut.
    public var maximumFrameBytes = 0
    /// How many repair packets are sent of those that come; a change takes effect with the next frame.
    public var protection = BaseProtection.all
    /// Repair packets for which the frame's share of the target has no room behind the base are left out: a protected frame is
    /// not worth another one that is not sent at all.
    public var protectsWithinBudget = false
    public internal(set) var statistics = Statistics()
    /// Time between frames in nanoseconds, as far as it is known.
    public internal(set) var interval: Int64
    /// Bytes on the wire that have come and not been sent; a part of them will be dropped.
    public var queuedBytes: Int { frames.reduce(0) { $0 + $1.waitingBytes } }
    /// Whether nothing waits to be sent or dropped; a frame that is still coming does not count.
    public var isEmpty: Bool { drops.isEmpty && frames.allSatisfy { $0.packets.isEmpty || $0.isHeldBack } }

    /// Whether the next packet begins a frame: the time to set the target for it.
    public var isBetweenFrames: Bool { frames.first.map { !$0.hasBegun && !$0.packets.isEmpty } ?? false }

    /// Repair packets have come.
    var isProtected = false
    var intervalIsKnown: Bool
    var budget: FrameBudget
    /// The frame that is being sent, and those that wait behind it.
    var frames: [Frame] = []
    var drops: [(token: UInt64, reason: DropReason)] = []
    var finished: [Report] = []
    /// The last frame that came: what belongs to it and comes late is dropped.
    var newest: (timestamp: UInt32, number: UInt16)?
    /// Why what comes of it after it is done with is dropped.
    var lateReason = DropReason.budget
    var nextSequenceNumber: UInt16?
    var meter = RateMeter()
    /// When the next packet is to leave for the rate to be right.
    var due = Int64.min
    /// The same at the rate at which a late thread catches up: what is before it by more than a few packets is a burst.
    var earliest = Int64.min
    /// What was sent at the present target.
    var window = SlidingWindow()
    /// Nanoseconds of the RTP timestamps, unwrapped: the time that counts without pacing.
    var mediaTime: Int64 = 0

    /// A cutter for one stream.
    ///
    /// - Parameters:
    ///   - target: Bit/s on the wire.
    ///   - interval: Time between frames in nanoseconds; nil where it is not known, then timestamps tell.
    public init(target: Double, interval: Int64? = nil) {
        self.target = target
        self.interval = (interval ?? 40_000_000).clamped(to: FrameBudget.intervals)
        intervalIsKnown = interval != nil
        budget = FrameBudget(interval: self.interval)
    }

    /// Takes the nominal time between frames, as new caps tell it.
    public mutating func setInterval(_ interval: Int64) {
        intervalIsKnown = true
        self.interval = interval.clamped(to: FrameBudget.intervals)
        budget = FrameBudget(interval: self.interval)
    }

    /// Closes the frame that is still coming, as at the end of the stream: what waits leaves within a frame interval.
    public mutating func finish(at now: Int64) {
        for index in frames.indices {
            frames[index].isComplete = true
            frames[index].deadline = min(frames[index].deadline, now.addingSaturated(interval))
        }
    }

    /// Hands everything back in `drop`, and forgets the stream but for sequence numbers and statistics.
    public mutating func flush() {
        while !frames.isEmpty {
            leaveOut(from: 0, .queue)
            conclude()
        }
        newest = nil
        isProtected = false
        due = .min
        earliest = .min
        window.reset()
        budget = FrameBudget(interval: interval)
    }

    /// What became of the next frame that is done with; nil where there is none.
    public mutating func report() -> Report? { finished.isEmpty ? nil : finished.removeFirst() }

    /// Bit/s on the wire over the last two seconds.
    public mutating func sentRate(at now: Int64) -> Double { meter.rate(at: now) }
}

extension TailCutter {
    /// A frame on its way through.
    struct Frame: Sendable {
        var report: Report
        var baseEnd: Int
        /// The byte that the next packet has to begin with.
        var nextOffset = 0
        /// Bytes and packets of the base that have come.
        var baseBytes = 0
        var basePackets = 0
        /// The packets of its base that are enough, as repair packets say; 0 before the first.
        var symbols = 0
        /// The lowest index that the next repair packet may have; how many have come and how many were let pass; and how
        /// many at most, apart from those that make up for losses before they came here.
        var nextRepair = 0
        var repairPackets = 0
        var repairPassed = 0
        var repairLimit: Int?
        /// Packets that wait, oldest first.
        var packets: ArraySlice<Packet> = []
        var waitingBytes = 0
        /// The last packet, or one of a later frame, has come.
        var isComplete = false
        /// When its last packet came.
        var lastArrival: Int64
        /// Its first packet's turn has come.
        var hasBegun = false
        /// The marker has been sent, or nothing of it will be: what still comes of it is dropped.
        var closed: DropReason?
        /// The fixed cut has been reached: what still comes of it is dropped.
        var isFull = false
        /// Bytes on the wire that it may still have; nil: as many as there is time for.
        var allowance: Int?
        /// Bit/s at which it lasts just one frame interval.
        var need = 0.0
        /// When it ends at the latest.
        var deadline = Int64.max

        /// What is there waits for what follows it.
        var isHeldBack: Bool { packets.count == 1 && !isComplete }
    }
}
