/// The frames on their way through a `TailCutter`: what waits of each, what is handed back, and what became of it.
///
/// The first frame is the one that is being sent. The caller answers for indices; every packet that comes in leaves through
/// `removeFirst` or `nextDrop`.
struct FrameQueue: Sendable {
    /// How long a frame waits for its turn, in nanoseconds, or in frame intervals if they are longer, beyond what the source's
    /// own lateness explains; and at most.
    private static let leastPatience: Int64 = 1_000_000_000
    private static let leastIntervals: Int64 = 8
    private static let mostPatience: Int64 = 5_000_000_000
    /// How long the source's latest frame is remembered, in nanoseconds.
    private static let latenessMemory: Int64 = 10_000_000_000

    /// Bytes that the network adds to each RTP packet.
    var networkOverhead = 28
    /// The frame that is being sent, and those that wait behind it.
    var frames: [QueuedFrame] = []
    var statistics = TailCutter.Statistics()
    /// Repair packets have come.
    private(set) var isProtected = false
    /// The last frame that came: what belongs to it and comes late is dropped.
    private(set) var newest: (timestamp: UInt32, number: UInt16)?
    /// Why what comes of it after it is done with is dropped.
    private(set) var lateReason = DropReason.budget
    /// How much earlier than they came frames were by their timestamps, at least: negative, and from any zero.
    private var leastEarliness = WindowMinimum(nanoseconds: Self.latenessMemory)
    private var drops: [(token: UInt64, reason: DropReason)] = []
    private var finished: [FrameReport] = []

    /// Bytes on the wire that have come and not been sent.
    var waitingBytes: Int { frames.reduce(0) { $0 + $1.waitingBytes } }
    /// Whether nothing waits to be sent or dropped; a frame that is still coming does not count.
    var isEmpty: Bool { drops.isEmpty && frames.allSatisfy { $0.packets.isEmpty || $0.isHeldBack } }
    /// The frame that packets are still taken for, where it is still there.
    var open: Int? {
        guard let last = frames.indices.last, newest?.number == frames[last].report.frameNumber else { return nil }
        return last
    }

    func wireBytes(_ packet: TailCutter.Packet) -> Int {
        packet.payloadBytes + packet.rtpHeaderBytes + networkOverhead
    }

    /// Whether a packet is of the last frame that came.
    func isOfNewest(_ packet: TailCutter.Packet) -> Bool {
        newest.map { $0.timestamp == packet.timestamp && $0.number == packet.header.frameNumber } ?? false
    }

    /// Counts a packet that comes.
    mutating func count(_ packet: TailCutter.Packet) {
        statistics.packets += 1
        statistics.bytes += UInt64(clamping: wireBytes(packet))
        if packet.header.repair != nil { statistics.repairPackets += 1 }
    }

    /// Begins a frame with its first packet, which is not taken yet: those before it are complete.
    ///
    /// - Parameters:
    ///   - packet: the packet.
    ///   - mediaTime: its timestamp in nanoseconds, unwrapped.
    ///   - gap: how long that is after the last frame's.
    ///   - interval: nanoseconds between frames.
    ///   - now: when it came.
    mutating func begin(
        _ packet: TailCutter.Packet, mediaTime: Int64, gap: Int64, interval: Int64, at now: Int64
    ) {
        // A source that was late by its timestamps, and is so no more, delivers in bunches what takes as long to send.
        let earliness = mediaTime.subtractingSaturated(now)
        leastEarliness.add(earliness, at: now)
        let lateness = earliness.subtractingSaturated(leastEarliness.value ?? earliness)
        let wait = lateness.addingSaturated(max(Self.leastPatience, Self.leastIntervals * interval))
        newest = (packet.timestamp, packet.header.frameNumber)
        for index in frames.indices { frames[index].isComplete = true }
        statistics.frames += 1
        var report = FrameReport(frameNumber: packet.header.frameNumber, timestamp: packet.timestamp)
        report.bytes = packet.header.frameLength
        frames.append(
            QueuedFrame(
                report: report, baseEnd: packet.header.baseEnd, arrival: now, lastArrival: now, mediaTime: mediaTime,
                gap: gap, patience: min(wait, Self.mostPatience)))
    }

    /// Leaves out all frames but the newest, which alone has a future.
    mutating func leaveOutAllButNewest(_ reason: DropReason) {
        for index in frames.indices.dropLast() { leaveOut(from: index, reason) }
    }

    /// Adds a packet to what waits of a frame.
    mutating func append(_ packet: TailCutter.Packet, to index: Int, at now: Int64) {
        frames[index].packets.append(packet)
        frames[index].waitingBytes += wireBytes(packet)
        frames[index].lastArrival = now
    }

    /// Takes the next packet off, which leaves now with so much of its payload.
    mutating func removeFirst(_ packet: TailCutter.Packet, payloadBytes: Int, at now: Int64) {
        frames[0].report.took = max(0, now.subtractingSaturated(frames[0].arrival))
        frames[0].packets.removeFirst()
        frames[0].waitingBytes -= wireBytes(packet)
        let bytes = wireBytes(packet) - packet.payloadBytes + payloadBytes
        frames[0].allowance = frames[0].allowance.map { $0 - bytes }
        statistics.packetsSent += 1
        statistics.bytesSent += UInt64(clamping: bytes)
        frames[0].report.packetsSent += 1
        frames[0].report.wireBytes += bytes
        if packet.header.repair == nil {
            frames[0].report.bytesSent += payloadBytes - PayloadHeader.length
        } else {
            frames[0].report.repairPacketsSent += 1
            statistics.repairPacketsSent += 1
        }
    }

    /// Closes a frame: what waits of it is dropped, what still comes will be.
    mutating func leaveOut(from index: Int, _ reason: DropReason) {
        for packet in frames[index].packets {
            drop(packet, reason)
            note(reason, in: index)
        }
        frames[index].packets = []
        frames[index].waitingBytes = 0
        frames[index].closed = reason
    }

    /// Removes the first frame and tells what became of it.
    mutating func conclude() {
        let frame = frames.removeFirst()
        let report = frame.report
        lateReason = frame.isFull ? .fixedCut : frame.closed ?? .budget
        if report.packetsSent == 0 {
            statistics.framesSkipped += 1
        } else if report.reason == nil {
            statistics.framesWhole += 1
        } else {
            statistics.framesCut += 1
        }
        finished.append(report)
    }

    /// Drops everything, and forgets the stream but for statistics.
    mutating func flush() {
        while !frames.isEmpty {
            leaveOut(from: 0, .queue)
            conclude()
        }
        newest = nil
        leastEarliness = WindowMinimum(nanoseconds: Self.latenessMemory)
        isProtected = false
    }

    /// Hands a packet back.
    mutating func drop(_ packet: TailCutter.Packet, _ reason: DropReason) {
        count(reason, bytes: wireBytes(packet))
        drops.append((packet.token, reason))
    }

    /// The next packet that is handed back; nil where there is none.
    mutating func nextDrop() -> (token: UInt64, reason: DropReason)? { drops.isEmpty ? nil : drops.removeFirst() }

    /// What became of the next frame that is done with; nil where there is none.
    mutating func report() -> FrameReport? { finished.isEmpty ? nil : finished.removeFirst() }

    /// Counts a packet that is left out or shortened, and its bytes on the wire so saved.
    mutating func count(_ reason: DropReason, bytes: Int) {
        statistics.packetsDropped[Int(reason.rawValue)] += 1
        statistics.bytesDropped[Int(reason.rawValue)] += UInt64(clamping: bytes)
    }

    /// Notes why a frame was cut, where it is the first reason.
    mutating func note(_ reason: DropReason?, in index: Int) {
        frames[index].report.reason = frames[index].report.reason ?? reason
    }
}

/// Repair packets on their way through: how many, and what they make up for.
extension FrameQueue {
    /// Whether a packet is the next of its frame; what it says is then taken note of.
    ///
    /// Where there are repair packets the base may have gaps, as long as they can be filled: the receiver fills them.
    mutating func continues(_ packet: TailCutter.Packet, in index: Int) -> Bool {
        let header = packet.header
        let end = packet.frameBytes.upperBound
        if let repair = header.repair {
            isProtected = true
            guard frames[index].nextOffset <= frames[index].baseEnd, Int(repair.index) >= frames[index].nextRepair
            else { return false }
            frames[index].symbols = RepairCode.symbols(in: frames[index].baseEnd, of: repair.symbolSize)
            frames[index].nextRepair = Int(repair.index) + 1
            frames[index].repairPackets += 1
        } else if header.isBase {
            let isNext = header.offset == frames[index].nextOffset
            let mayFollowGap =
                isProtected && frames[index].nextRepair == 0 && header.offset > frames[index].nextOffset
            guard isNext || mayFollowGap else { return false }
            frames[index].baseBytes += packet.frameBytes.count
            frames[index].basePackets += 1
        } else {
            guard header.offset == frames[index].nextOffset else { return false }
            guard frames[index].isBaseThere else {
                leaveOut(from: index, .gap)
                return false
            }
        }
        frames[index].nextOffset = end
        return true
    }

    /// Whether a repair packet that has come is one too many.
    ///
    /// `limit` says how many may pass of a base of so many symbols, apart from those that make up for losses before they
    /// came here; what it says for the frame's first repair packet counts.
    mutating func isSuperfluousRepair(in index: Int, limit: (_ symbols: Int) -> Int) -> Bool {
        let symbols = frames[index].symbols
        let most = frames[index].repairLimit ?? limit(symbols)
        frames[index].repairLimit = most
        // What was lost before it came here has to be made up for too.
        let missing = max(0, symbols - frames[index].basePackets)
        guard frames[index].repairPassed < missing + most else { return true }
        frames[index].repairPassed += 1
        return false
    }
}
