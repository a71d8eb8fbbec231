/// Packets in, steps out.
extension TailCutter {
    /// How much faster than the target a train leaves.
    private static let headroom = 1.5
    /// Share of the target that even pacing uses; the rest covers a late thread within any two seconds.
    static let usableShare = 0.99
    /// How far behind its plan the sender may be and still catch up, in nanoseconds.
    private static let longestLag: Int64 = 40_000_000
    /// How much faster than the plan it catches up, so that no burst follows a stall.
    private static let catchUp = 2.0
    /// Most packets that leave at once while it catches up.
    private static let burst = 3
    /// A packet due so soon, in nanoseconds, leaves now: a thread does not wake more finely.
    private static let tick: Int64 = 200_000
    /// Longest time, in nanoseconds, for which one frame is sent while no other comes.
    private static let longestFrame: Int64 = 1_000_000_000
    /// The shortest payload worth a packet of its own, payload header and all.
    private static let smallest = 64
    /// How much time, in nanoseconds, the packet that closes a frame for the next one's sake may take.
    private static let closing: Int64 = 2_000_000

    /// Takes one packet.
    public mutating func take(_ packet: Packet, at now: Int64) {
        statistics.packets += 1
        statistics.bytes += UInt64(clamping: wireBytes(packet))
        if packet.header.repair != nil { statistics.repairPackets += 1 }
        if nextSequenceNumber == nil { nextSequenceNumber = packet.sequenceNumber }
        if newest.map({ $0.timestamp != packet.timestamp || $0.number != packet.header.frameNumber }) ?? true {
            begin(packet, at: now)
        }
        guard let last = frames.indices.last, newest.map({ $0.number == frames[last].report.frameNumber }) == true
        else {
            return drop(packet, lateReason)
        }
        defer { if packet.marker { frames[last].isComplete = true } }
        if let reason = frames[last].isFull ? .fixedCut : frames[last].closed {
            frames[last].report.reason = frames[last].report.reason ?? reason
            return drop(packet, reason)
        }
        guard let packet = fixedCut(packet, of: last) else { return }
        guard continues(packet, in: last) else {
            frames[last].report.reason = frames[last].report.reason ?? .gap
            return drop(packet, .gap)
        }
        if isSuperfluous(packet, in: last) { return drop(packet, .protection) }
        // Time in which there was nothing to send is not made good.
        if frames.allSatisfy({ $0.packets.isEmpty }) { due = max(due, now) }
        frames[last].packets.append(packet)
        frames[last].waitingBytes += wireBytes(packet)
        frames[last].lastArrival = now
    }

    /// What to do at this time.
    public mutating func next(at now: Int64) -> Step {
        while true {
            if let drop = drops.first {
                drops.removeFirst()
                return .drop(token: drop.token, reason: drop.reason)
            }
            guard !frames.isEmpty else { return .idle }
            if isDoneWith(at: now) { continue }
            guard let packet = frames[0].packets.first else {
                return .wait(until: timeout)
            }
            if !frames[0].hasBegun, !start(at: now) { continue }
            let gives = !packet.header.isBase && (frames.count > 1 || now >= frames[0].deadline)
            let isOnly = frames[0].packets.count == 1
            guard gives || !isOnly || frames[0].isComplete || frames.count > 1 || ends(with: packet) else {
                return .wait(until: timeout)
            }
            let time = departure(of: packet, at: now)
            guard pacing == .none || now >= time.subtractingSaturated(Self.tick) else {
                // Before that, its deadline may make the packet the frame's last.
                return .wait(until: packet.header.isBase || gives ? time : min(time, frames[0].deadline))
            }
            return send(packet, gives: gives, isOnly: isOnly, at: now)
        }
    }

    /// What the fixed cut leaves of a packet; nil where that is nothing, then it is dropped.
    private mutating func fixedCut(_ packet: Packet, of index: Int) -> Packet? {
        // Behind the base's last packet repair packets may come, whatever the cut.
        guard maximumFrameBytes > 0, !packet.header.isBase else { return packet }
        let limit = max(maximumFrameBytes, frames[index].baseEnd)
        let end = packet.frameBytes.upperBound
        guard end >= limit else { return packet }
        let wasFull = frames[index].isFull
        frames[index].isFull = true
        frames[index].isComplete = true
        if limit < packet.header.frameLength {
            frames[index].report.reason = frames[index].report.reason ?? .fixedCut
        }
        guard end > limit else { return packet }
        guard !wasFull, packet.header.offset < limit else {
            drop(packet, .fixedCut)
            return nil
        }
        count(.fixedCut, packets: 1, bytes: end - limit)
        var kept = packet
        kept.payloadBytes -= end - limit
        return kept
    }

    /// A packet of a new frame: those before it are complete.
    private mutating func begin(_ packet: Packet, at now: Int64) {
        if let newest {
            let ticks = Int64(Int32(bitPattern: packet.timestamp &- newest.timestamp))
            let frames = Int64(Int16(bitPattern: packet.header.frameNumber &- newest.number))
            let elapsed = ticks * 100_000 / 9
            mediaTime = mediaTime.addingSaturated(max(0, elapsed))
            if elapsed > 0, frames > 0, FrameBudget.intervals.contains(elapsed / frames) {
                learn(elapsed / frames)
            }
        }
        newest = (packet.timestamp, packet.header.frameNumber)
        for index in frames.indices { frames[index].isComplete = true }
        statistics.frames += 1
        var report = Report(frameNumber: packet.header.frameNumber, timestamp: packet.timestamp)
        report.bytes = packet.header.frameLength
        frames.append(Frame(report: report, baseEnd: packet.header.baseEnd, lastArrival: now))
        // Of the frames that wait only the newest has a future.
        for index in frames.indices.dropFirst().dropLast() { leaveOut(from: index, .budget) }
    }

    private mutating func learn(_ interval: Int64) {
        if intervalIsKnown {
            self.interval = (3 * self.interval + interval) / 4
        } else {
            setInterval(interval)
        }
    }

    /// When what is held back is let go though nothing has followed it.
    private var timeout: Int64 {
        frames.first.map { $0.lastArrival.addingSaturated(2 * interval + 1) } ?? .max
    }

    /// Removes the first frame where nothing is left to do for it; true where something has changed.
    private mutating func isDoneWith(at now: Int64) -> Bool {
        let hasFollower = frames.count > 1
        if !frames[0].isComplete, !hasFollower, now >= timeout { frames[0].isComplete = true }
        guard frames[0].isComplete || hasFollower else { return false }
        if !frames[0].isBaseThere, frames[0].closed == nil {
            // The rest of the base is lost: nothing of the frame can be decoded.
            leaveOut(from: 0, .gap)
        }
        guard frames[0].packets.isEmpty else { return false }
        conclude()
        return true
    }

    /// The first frame's turn comes: false where it is left out.
    private mutating func start(at now: Int64) -> Bool {
        frames[0].hasBegun = true
        switch pacing {
        case .even:
            frames[0].deadline = min(
                frames[0].deadline, now.addingSaturated(max(Self.longestFrame, 2 * interval)))
            return true
        case .train, .none:
            let time = pacing == .train ? now : mediaTime
            let allowance = budget.open(at: time, target: target, base: 0)
            frames[0].allowance = allowance
            let length = max(frames[0].waitingBytes, frames[0].report.bytes)
            let repairs = frames[0].packets.reduce(0) { $0 + ($1.header.repair == nil ? 0 : $1.payloadBytes) }
            frames[0].need =
                Double(max(frames[0].baseEnd + repairs, min(allowance, length))) * 8e9 / Double(interval)
            frames[0].deadline = min(
                frames[0].deadline, pacing == .train ? now.addingSaturated(2 * interval) : .max)
            guard budget.balance < 0 else { return true }
            leaveOut(from: 0, .budget)
            return false
        }
    }

    /// Whether the packet uses up its frame's allowance, to less than another is worth.
    private func ends(with packet: Packet) -> Bool {
        guard let allowance = frames[0].allowance else { return false }
        if packet.header.isBase {
            // Repair packets are sent whatever the allowance, and until something else has come they may follow.
            guard frames[0].packets.dropFirst().first.map({ !$0.header.isBase }) ?? !isProtected else { return false }
        }
        let end = packet.frameBytes.upperBound
        let rest = allowance - wireBytes(packet)
        return end >= frames[0].baseEnd && rest < wireBytes(packet) - packet.payloadBytes + Self.smallest
    }

    private mutating func send(_ packet: Packet, gives: Bool, isOnly: Bool, at now: Int64) -> Step {
        var payloadBytes = packet.payloadBytes
        let overhead = wireBytes(packet) - payloadBytes
        let isLast = gives || isOnly || ends(with: packet)
        var reason: DropReason?
        if gives {
            reason = frames.count > 1 ? .budget : .deadline
            payloadBytes = min(payloadBytes, max(Self.smallest, FrameBudget.bytes(target, Self.closing) - overhead))
        } else if let allowance = frames[0].allowance, !packet.header.isBase, payloadBytes > allowance - overhead {
            payloadBytes = max(min(Self.smallest, payloadBytes), allowance - overhead)
        }
        if payloadBytes < packet.payloadBytes {
            reason = reason ?? .budget
            count(reason ?? .budget, packets: 1, bytes: packet.payloadBytes - payloadBytes)
            frames[0].report.reason = frames[0].report.reason ?? reason
        }
        frames[0].packets.removeFirst()
        frames[0].waitingBytes -= wireBytes(packet)
        let bytes = overhead + payloadBytes
        account(bytes, at: now)
        if packet.header.repair == nil {
            frames[0].report.bytesSent += payloadBytes - PayloadHeader.length
        } else {
            frames[0].report.repairPacketsSent += 1
            statistics.repairPacketsSent += 1
        }
        if isLast { leaveOut(from: 0, reason ?? .budget) }
        let sequenceNumber = nextSequenceNumber ?? packet.sequenceNumber
        nextSequenceNumber = sequenceNumber &+ 1
        return .send(
            token: packet.token, payloadBytes: payloadBytes, marker: isLast, sequenceNumber: sequenceNumber)
    }

    /// The rate at which packets leave, in bit/s.
    private var rate: Double {
        switch pacing {
        case .even: target * Self.usableShare
        case .train: Self.headroom * max(target, frames.first?.need ?? 0)
        case .none: .infinity
        }
    }

    /// Nanoseconds that so many bytes take at a rate in bit/s.
    private static func duration(_ bytes: Int, _ rate: Double) -> Int64 {
        rate > 0 ? Int64(min(1e12, Double(bytes) * 8e9 / rate)) : FrameBudget.intervals.upperBound
    }

    /// When a packet is to leave.
    private mutating func departure(of packet: Packet, at now: Int64) -> Int64 {
        guard pacing != .none else { return now }
        let bytes = wireBytes(packet)
        let tolerance = Int64(Self.burst - 1) * Self.duration(bytes, Self.catchUp * rate)
        let time = max(due, earliest.subtractingSaturated(tolerance))
        guard pacing == .even, now >= time.subtractingSaturated(Self.tick) else { return time }
        // Catching up must not exceed the target either.
        return max(time, window.time(for: bytes, limit: FrameBudget.bytes(target, SlidingWindow.length), at: now))
    }

    private mutating func account(_ bytes: Int, at now: Int64) {
        due = max(due, now.subtractingSaturated(Self.longestLag)).addingSaturated(Self.duration(bytes, rate))
        earliest = max(earliest, now).addingSaturated(Self.duration(bytes, Self.catchUp * rate))
        if pacing == .even { window.add(bytes, at: now) }
        budget.sent(bytes)
        frames[0].allowance = frames[0].allowance.map { $0 - bytes }
        meter.add(bytes, at: now)
        statistics.packetsSent += 1
        statistics.bytesSent += UInt64(clamping: bytes)
        frames[0].report.packetsSent += 1
        frames[0].report.wireBytes += bytes
    }

    func wireBytes(_ packet: Packet) -> Int { packet.payloadBytes + packet.rtpHeaderBytes + networkOverhead }

    /// Closes a frame: what waits of it is dropped, what still comes will be.
    mutating func leaveOut(from index: Int, _ reason: DropReason) {
        for packet in frames[index].packets {
            drop(packet, reason)
            frames[index].report.reason = frames[index].report.reason ?? reason
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

    private mutating func drop(_ packet: Packet, _ reason: DropReason) {
        count(reason, packets: 1, bytes: wireBytes(packet))
        drops.append((packet.token, reason))
    }

    private mutating func count(_ reason: DropReason, packets: UInt64, bytes: Int) {
        statistics.packetsDropped[Int(reason.rawValue)] += packets
        statistics.bytesDropped[Int(reason.rawValue)] += UInt64(clamping: bytes)
    }
}
