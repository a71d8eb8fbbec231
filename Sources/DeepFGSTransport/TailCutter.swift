/// Keeps an RTP stream of DeepFGS frames to a bitrate by leaving out the tails of its frames.
///
/// Takes packets as `Packetiser` makes them, and says which to send, when, how much of each, and under which number:
/// of each frame the prefix that its budget allows goes out, spread over the frame interval; the last packet kept may be
/// shortened, carries the marker, and sequence numbers have no gaps. A frame whose turn comes while an earlier base has
/// overdrawn the budget is left out whole.
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
        /// Why the frame was cut, the first reason where there are several; nil: it was sent whole.
        public var reason: DropReason?
        /// Tokens that have not come back yet.
        fileprivate var open = 0
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
        /// Bytes on the wire.
        public var bytes: UInt64 = 0
        public var bytesSent: UInt64 = 0
        /// Packets left out or shortened, and bytes on the wire so saved, by reason (index: `DropReason.rawValue`).
        public var packetsDropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
        public var bytesDropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
    }

    private struct Held: Sendable {
        var packet: Packet
        /// Bytes of payload to be sent.
        var payloadBytes: Int
        var frame: Int
    }

    /// Bit/s on the wire; what is not a positive number counts as nothing.
    public var target: Double
    /// Bytes that the network adds to each RTP packet: IPv4 and UDP.
    public var networkOverhead = 28
    /// Whether packets are spread over the frame interval; else each frame leaves at once.
    public var paces = true
    public private(set) var statistics = Statistics()
    /// Time between frames in nanoseconds, as far as it is known.
    public var interval: Int64 { budget.interval }
    /// Bytes on the wire that wait to be sent.
    public var queuedBytes: Int { pacer.queuedBytes }
    /// Whether nothing waits to be sent or dropped; a frame that is still coming does not count.
    public var isEmpty: Bool { pacer.queuedPackets == 0 && immediate.isEmpty && drops.isEmpty }

    private var budget: FrameBudget
    private var intervalIsKnown: Bool
    private var pacer = Pacer(spacing: .even)
    /// Packets of the frame that is still coming, and when its first came.
    private var coming: [Packet] = []
    private var comingSince: Int64 = 0
    private var lastFrameTime: Int64?
    private var held: [UInt64: Held] = [:]
    private var drops: [(token: UInt64, reason: DropReason)] = []
    private var immediate: [(token: UInt64, isLast: Bool)] = []
    private var reports: [Int: Report] = [:]
    private var finished: [Report] = []
    private var frame = 0
    private var nextSequenceNumber: UInt16?
    private var meter = RateMeter()

    /// A cutter for one stream.
    ///
    /// - Parameters:
    ///   - target: Bit/s on the wire.
    ///   - interval: Time between frames in nanoseconds; nil where it is not known, then the first two frames tell.
    public init(target: Double, interval: Int64? = nil) {
        self.target = target
        intervalIsKnown = interval != nil
        budget = FrameBudget(interval: interval ?? 40_000_000)
    }

    /// Takes the nominal time between frames, as new caps tell it.
    public mutating func setInterval(_ interval: Int64) {
        intervalIsKnown = true
        budget = FrameBudget(interval: interval)
    }

    /// Takes one packet.
    public mutating func take(_ packet: Packet, at now: Int64) {
        statistics.packets += 1
        statistics.bytes += UInt64(clamping: wireBytes(packet))
        if nextSequenceNumber == nil { nextSequenceNumber = packet.sequenceNumber }
        if let first = coming.first,
            first.timestamp != packet.timestamp || first.header.frameNumber != packet.header.frameNumber
        {
            close(at: now)
        }
        let end = coming.last.map { $0.header.offset + $0.payloadBytes - PayloadHeader.length } ?? 0
        guard packet.header.offset == end else {
            count(packet, .gap)
            drops.append((packet.token, .gap))
            if packet.marker { close(at: now) }
            return
        }
        if coming.isEmpty { comingSince = now }
        coming.append(packet)
        if packet.marker { close(at: now) }
    }

    /// Closes the frame that is still coming, as at the end of the stream.
    public mutating func finish(at now: Int64) { close(at: now) }

    /// What to do at this time.
    public mutating func next(at now: Int64) -> Step {
        if !coming.isEmpty, now.subtractingSaturated(comingSince) > 2 * budget.interval { close(at: now) }
        if let drop = drops.first {
            drops.removeFirst()
            return .drop(token: drop.token, reason: drop.reason)
        }
        if let next = immediate.first {
            immediate.removeFirst()
            return send(next.token, isLast: next.isLast, at: now)
        }
        switch pacer.next(at: now) {
        case .send(let token, let isLast): return send(token, isLast: isLast, at: now)
        case .drop(let token, let reason):
            if let dropped = held.removeValue(forKey: token) {
                count(dropped.packet, reason)
                settle(dropped.frame, reason)
            }
            return .drop(token: token, reason: reason)
        case .wait(let until): return .wait(until: until)
        case .idle:
            return coming.isEmpty ? .idle : .wait(until: comingSince.addingSaturated(2 * budget.interval + 1))
        }
    }

    /// Hands everything back in `drop`, and forgets the stream but for sequence numbers and statistics.
    public mutating func flush() {
        for packet in coming {
            count(packet, .queue)
            drops.append((packet.token, .queue))
        }
        for next in immediate { discard(next.token, .queue) }
        coming = []
        immediate = []
        pacer.flush()
        lastFrameTime = nil
        budget = FrameBudget(interval: budget.interval)
    }

    /// What became of the next frame that is done with; nil where there is none.
    public mutating func report() -> Report? { finished.isEmpty ? nil : finished.removeFirst() }

    /// Bit/s on the wire over the last two seconds.
    public mutating func sentRate(at now: Int64) -> Double { meter.rate(at: now) }

    private func wireBytes(_ packet: Packet) -> Int {
        packet.payloadBytes + packet.rtpHeaderBytes + networkOverhead
    }

    /// Cuts the frame that has come to its budget and plans it.
    private mutating func close(at now: Int64) {
        guard let first = coming.first else { return }
        let packets = coming
        coming = []
        if let lastFrameTime, !intervalIsKnown {
            setInterval(now.subtractingSaturated(lastFrameTime))
        }
        lastFrameTime = now
        frame += 1
        statistics.frames += 1
        var report = Report(frameNumber: first.header.frameNumber, timestamp: first.timestamp)
        report.open = packets.count
        report.bytes = packets.reduce(0) { $0 + $1.payloadBytes - PayloadHeader.length }
        reports[frame] = report

        let baseCount = packets.prefix { $0.header.isBase }.count
        let baseEnd = packets.prefix(baseCount).last.map { $0.header.offset + $0.payloadBytes - PayloadHeader.length }
        budget.packetOverhead = first.rtpHeaderBytes + networkOverhead
        let base = packets.prefix(baseCount).reduce(0) { $0 + wireBytes($1) }
        let allowed = budget.open(at: now, target: target, base: base, queued: pacer.queuedBytes)
        guard baseEnd == first.header.baseEnd else { return leaveOut(packets[...], .gap) }
        guard budget.balance >= 0 else { return leaveOut(packets[...], .budget) }

        let cut = budget.cut(packets.map(\.payloadBytes), base: baseCount, budget: allowed)
        var kept: [Pacer.Packet] = []
        for (index, packet) in packets.prefix(cut.packets + (cut.partialPayload > 0 ? 1 : 0)).enumerated() {
            let payloadBytes = index < cut.packets ? packet.payloadBytes : cut.partialPayload
            held[packet.token] = Held(packet: packet, payloadBytes: payloadBytes, frame: frame)
            kept.append(
                Pacer.Packet(
                    token: packet.token, bytes: wireBytes(packet) - packet.payloadBytes + payloadBytes,
                    isBase: index < baseCount))
            if payloadBytes < packet.payloadBytes {
                statistics.packetsDropped[Int(DropReason.budget.rawValue)] += 1
                statistics.bytesDropped[Int(DropReason.budget.rawValue)] += UInt64(packet.payloadBytes - payloadBytes)
                reports[frame]?.reason = .budget
            }
        }
        leaveOut(packets.dropFirst(kept.count), .budget)
        if paces {
            pacer.open(kept, now: now, interval: budget.interval, target: target)
        } else {
            for packet in kept { immediate.append((packet.token, packet.token == kept.last?.token)) }
        }
    }

    private mutating func send(_ token: UInt64, isLast: Bool, at now: Int64) -> Step {
        guard let sent = held.removeValue(forKey: token) else { return .drop(token: token, reason: .queue) }
        let bytes = wireBytes(sent.packet) - sent.packet.payloadBytes + sent.payloadBytes
        budget.sent(bytes)
        meter.add(bytes, at: now)
        statistics.packetsSent += 1
        statistics.bytesSent += UInt64(clamping: bytes)
        reports[sent.frame]?.bytesSent += sent.payloadBytes - PayloadHeader.length
        reports[sent.frame]?.packetsSent += 1
        reports[sent.frame]?.wireBytes += bytes
        settle(sent.frame, nil)
        let sequenceNumber = nextSequenceNumber ?? sent.packet.sequenceNumber
        nextSequenceNumber = sequenceNumber &+ 1
        return .send(
            token: token, payloadBytes: sent.payloadBytes, marker: isLast, sequenceNumber: sequenceNumber)
    }

    private mutating func leaveOut(_ packets: ArraySlice<Packet>, _ reason: DropReason) {
        for packet in packets {
            count(packet, reason)
            drops.append((packet.token, reason))
            settle(frame, reason)
        }
    }

    private mutating func discard(_ token: UInt64, _ reason: DropReason) {
        guard let dropped = held.removeValue(forKey: token) else { return }
        count(dropped.packet, reason)
        drops.append((token, reason))
        settle(dropped.frame, reason)
    }

    private mutating func count(_ packet: Packet, _ reason: DropReason) {
        statistics.packetsDropped[Int(reason.rawValue)] += 1
        statistics.bytesDropped[Int(reason.rawValue)] += UInt64(clamping: wireBytes(packet))
    }

    /// One token of a frame has come back; the last one completes its report.
    private mutating func settle(_ frame: Int, _ reason: DropReason?) {
        guard var report = reports.removeValue(forKey: frame) else { return }
        report.open -= 1
        report.reason = report.reason ?? reason
        guard report.open <= 0 else {
            reports[frame] = report
            return
        }
        if report.packetsSent == 0 {
            statistics.framesSkipped += 1
        } else if report.reason == nil {
            statistics.framesWhole += 1
        } else {
            statistics.framesCut += 1
        }
        finished.append(report)
    }
}
