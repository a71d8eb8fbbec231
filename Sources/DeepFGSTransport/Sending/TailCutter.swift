/// Keeps an RTP stream of DeepFGS frames to a bitrate by leaving out the tails of its frames.
///
/// Takes packets as `Packetiser` makes them, and says which to send, when, how much of each, and under which number.
/// Of each frame a prefix goes out, its base always, and behind it as many repair packets as `protection` says; the last
/// packet kept may be shortened, carries the marker, and sequence numbers have no gaps: a packet is held until it is known
/// whether another follows it. Frames that come bunched wait for their turns, in which their bases go out and as much of their
/// tails as half a frame interval's bytes let through. Where the target has no room for the bases, frames are left out whole, but for
/// the newest.
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

    /// Bit/s on the wire.
    ///
    /// What is not a positive number counts as nothing. A change takes effect at once.
    public var target: Double {
        get { pacer.target }
        set { pacer.target = newValue }
    }
    /// Bytes that the network adds to each RTP packet: IPv4 and UDP.
    public var networkOverhead: Int {
        get { queue.networkOverhead }
        set { queue.networkOverhead = newValue }
    }
    /// How packets are spread.
    public var pacing: Pacing {
        get { pacer.pacing }
        set { pacer.pacing = newValue }
    }
    /// Every frame is cut to so many bytes, but never into its base; 0: no such cut.
    public var maximumFrameBytes = 0
    /// How many repair packets are sent of those that come; a change takes effect with the next frame.
    public var protection = BaseProtection.all
    /// Repair packets for which the frame's share of the target has no room behind the base are left out: a protected frame is
    /// not worth another one that is not sent at all.
    public var protectsWithinBudget = false
    /// What is sent of frames that begin now, evenly paced ones excepted.
    public enum Part: Sendable {
        /// Bases, and as much of the tails as there is room for.
        case all
        /// Bases alone.
        case bases
        /// Bases alone, those that are there whole spread over the frame's interval: where a queue is full, a packet that comes a
        /// while after the one before finds room. Frames behind which others wait leave as trains.
        case spreadBases
    }
    public var part = Part.all
    public var statistics: Statistics { queue.statistics }
    /// Time between frames in nanoseconds, as far as it is known.
    public internal(set) var interval: Int64
    /// Bytes on the wire that have come and not been sent; a part of them will be dropped.
    public var queuedBytes: Int { queue.waitingBytes }
    /// Whether nothing waits to be sent or dropped; a frame that is still coming does not count.
    public var isEmpty: Bool { queue.isEmpty }
    /// Bytes of repair packets sent lately, over those of the bases that they protect.
    public var repairShare: Double { bases.repairShare }
    /// Whether the next packet begins a frame: the time to set the target for it.
    public var isBetweenFrames: Bool { queue.frames.first.map { !$0.hasBegun && !$0.packets.isEmpty } ?? false }

    var intervalIsKnown: Bool
    var queue = FrameQueue()
    var pacer: Pacer
    var budget: FrameBudget
    var bases = BaseAccount()
    var nextSequenceNumber: UInt16?
    var meter = RateMeter()
    /// Nanoseconds of the RTP timestamps, unwrapped: the time that counts without pacing.
    var mediaTime: Int64 = 0

    /// A cutter for one stream.
    ///
    /// - Parameters:
    ///   - target: Bit/s on the wire.
    ///   - interval: Time between frames in nanoseconds; nil where it is not known, then timestamps tell.
    public init(target: Double, interval: Int64? = nil) {
        pacer = Pacer(target: target)
        self.interval = (interval ?? 40_000_000).clamped(to: FrameInterval.believed)
        intervalIsKnown = interval != nil
        budget = FrameBudget(interval: self.interval)
    }

    /// Takes the nominal time between frames, as new caps tell it.
    public mutating func setInterval(_ interval: Int64) {
        intervalIsKnown = true
        self.interval = interval.clamped(to: FrameInterval.believed)
        budget = FrameBudget(interval: self.interval)
    }

    /// Closes the frame that is still coming, as at the end of the stream: what waits leaves within a frame interval.
    public mutating func finish(at now: Int64) {
        for index in queue.frames.indices {
            queue.frames[index].isComplete = true
            queue.frames[index].deadline = min(queue.frames[index].deadline, now.addingSaturated(interval))
        }
    }

    /// Hands everything back in `drop`, and forgets the stream but for sequence numbers and statistics.
    public mutating func flush() {
        queue.flush()
        pacer.reset()
        bases = BaseAccount()
        budget = FrameBudget(interval: interval)
    }

    /// What became of the next frame that is done with; nil where there is none.
    public mutating func report() -> FrameReport? { queue.report() }

    /// Bit/s on the wire over the last two seconds.
    public mutating func sentRate(at now: Int64) -> Double { meter.rate(at: now) }
}

extension TailCutter.Packet {
    /// The bytes of the frame that it holds; none in a repair packet.
    var frameBytes: Range<Int> {
        let count = header.repair == nil ? max(0, payloadBytes - PayloadHeader.length) : 0
        return header.offset..<(header.offset + count)
    }
}
