/// Steps out.
extension TailCutter {
    /// Longest time, in nanoseconds, for which one frame is sent while no other comes.
    private static let longestFrame: Int64 = 1_000_000_000
    /// Where others wait, a frame has this part of an interval's bytes, or its base: so what is bunched is caught up with.
    private static let bunchedTurn: Int64 = 2
    /// The shortest payload worth a packet of its own, payload header and all.
    private static let smallest = 64
    /// How much time, in nanoseconds, the packet that closes a frame for the next one's sake may take.
    private static let closing: Int64 = 2_000_000

    /// What to do at this time.
    public mutating func next(at now: Int64) -> Step {
        while true {
            if let drop = queue.nextDrop() { return .drop(token: drop.token, reason: drop.reason) }
            guard !queue.frames.isEmpty else { return .idle }
            if isDoneWith(at: now) { continue }
            guard let packet = queue.frames[0].packets.first else { return .wait(until: timeout) }
            if !queue.frames[0].hasBegun, !start(at: now) { continue }
            let hasFollower = queue.frames.count > 1
            let gives = !packet.header.isBase && (hasFollower ? isSpent(for: packet) : now >= queue.frames[0].deadline)
            let isOnly = queue.frames[0].packets.count == 1
            guard gives || !isOnly || queue.frames[0].isComplete || hasFollower || ends(with: packet) else {
                return .wait(until: timeout)
            }
            let time = pacer.departure(of: queue.wireBytes(packet), need: queue.frames[0].need, at: now)
            guard pacer.isDue(time, at: now) else {
                // Before that, its deadline may make the packet the frame's last.
                let deadline = hasFollower || packet.header.isBase || gives ? .max : queue.frames[0].deadline
                return .wait(until: min(time, deadline))
            }
            return send(packet, gives: gives, isOnly: isOnly, at: now)
        }
    }

    /// Bytes on the wire that the first frame may still have; nil: as many as there is time for.
    private var allowance: Int? {
        let own = queue.frames[0].allowance
        guard queue.frames.count > 1, pacing != .none else { return own }
        let turn = FrameBudget.bytes(target, interval / Self.bunchedTurn) - queue.frames[0].report.wireBytes
        return min(own ?? turn, turn)
    }

    /// Whether what the first frame may still have is less than a packet is worth.
    private func isSpent(for packet: Packet) -> Bool {
        allowance.map { $0 < queue.wireBytes(packet) - packet.payloadBytes + Self.smallest } ?? false
    }

    /// When what is held back is let go though nothing has followed it.
    private var timeout: Int64 {
        queue.frames.first.map { $0.lastArrival.addingSaturated(2 * interval + 1) } ?? .max
    }

    /// Removes the first frame where nothing is left to do for it; true where something has changed.
    private mutating func isDoneWith(at now: Int64) -> Bool {
        let hasFollower = queue.frames.count > 1
        if !queue.frames[0].isComplete, !hasFollower, now >= timeout { queue.frames[0].isComplete = true }
        guard queue.frames[0].isComplete || hasFollower else { return false }
        if !queue.frames[0].isBaseThere, queue.frames[0].closed == nil {
            // The rest of the base is lost: nothing of the frame can be decoded.
            queue.leaveOut(from: 0, .gap)
        }
        guard queue.frames[0].packets.isEmpty else { return false }
        queue.conclude()
        return true
    }

    /// The first frame's turn comes: false where it is left out.
    private mutating func start(at now: Int64) -> Bool {
        let (hasFollower, frame) = (queue.frames.count > 1, queue.frames[0])
        bases.pay(frame.gap, interval: interval)
        if hasFollower, now.subtractingSaturated(frame.arrival) > frame.patience {
            queue.leaveOutAllButNewest(pacer.isHeldUp(at: now) ? .blocked : .deadline)
            return false
        }
        if bases.isOverdrawn, hasFollower || pacing != .even {
            // The newest is as good as the others, and later. Paced evenly it goes out in any case: so slowly as need be.
            if hasFollower { queue.leaveOutAllButNewest(.budget) } else { queue.leaveOut(from: 0, .budget) }
            return false
        }
        queue.frames[0].hasBegun = true
        pacer.spreads = false
        switch pacing {
        case .even:
            queue.frames[0].deadline = min(
                frame.deadline, now.addingSaturated(max(Self.longestFrame, 2 * interval)))
        case .train, .none:
            let time = pacing == .train ? now : frame.mediaTime
            let budgeted = budget.open(at: time, target: target, base: 0)
            let allowance = part == .all ? budgeted : 0
            queue.frames[0].allowance = allowance
            // Repair packets that have not come yet would be so many more than it is spread for.
            let isWhole = frame.isBaseThere && (frame.isComplete || !queue.isProtected)
            pacer.spreads = part == .spreadBases && pacing == .train && isWhole && !hasFollower
            let bytes: Int
            if pacer.spreads {
                bytes = frame.packets.reduce(0) { $0 + ($1.header.isBase ? queue.wireBytes($1) : 0) }
            } else {
                let length = max(frame.waitingBytes, frame.report.bytes)
                let repairs = frame.packets.reduce(0) { $0 + ($1.header.repair == nil ? 0 : $1.payloadBytes) }
                bytes = max(frame.baseEnd + repairs, min(allowance, length))
            }
            queue.frames[0].need = Double(bytes) * 8e9 / Double(interval)
            queue.frames[0].deadline = min(
                frame.deadline, pacing == .train ? now.addingSaturated(2 * interval) : .max)
        }
        return true
    }

    /// Whether the packet uses up its frame's allowance, to less than another is worth.
    private func ends(with packet: Packet) -> Bool {
        guard let allowance else { return false }
        if packet.header.isBase {
            // Repair packets are sent whatever the allowance, and until something else has come they may follow.
            let next = queue.frames[0].packets.dropFirst().first
            guard next.map({ !$0.header.isBase }) ?? !queue.isProtected else { return false }
        }
        let end = packet.frameBytes.upperBound
        let rest = allowance - queue.wireBytes(packet)
        return end >= queue.frames[0].baseEnd
            && rest < queue.wireBytes(packet) - packet.payloadBytes + Self.smallest
    }

    private mutating func send(_ packet: Packet, gives: Bool, isOnly: Bool, at now: Int64) -> Step {
        var payloadBytes = packet.payloadBytes
        let overhead = queue.wireBytes(packet) - payloadBytes
        let isLast = gives || isOnly || ends(with: packet)
        var reason: DropReason?
        if gives {
            reason = queue.frames.count > 1 ? .budget : .deadline
            payloadBytes = min(payloadBytes, max(Self.smallest, FrameBudget.bytes(target, Self.closing) - overhead))
        } else if let allowance, !packet.header.isBase, payloadBytes > allowance - overhead {
            payloadBytes = max(min(Self.smallest, payloadBytes), allowance - overhead)
        }
        if payloadBytes < packet.payloadBytes {
            reason = reason ?? .budget
            queue.count(reason ?? .budget, bytes: packet.payloadBytes - payloadBytes)
            queue.note(reason, in: 0)
        }
        let bytes = overhead + payloadBytes
        pacer.sent(bytes, need: queue.frames[0].need, at: now)
        budget.sent(bytes)
        if packet.header.isBase { bases.draw(bytes, target: target, isRepair: packet.header.repair != nil) }
        meter.add(bytes, at: now)
        queue.removeFirst(packet, payloadBytes: payloadBytes, at: now)
        if isLast { queue.leaveOut(from: 0, reason ?? .budget) }
        let sequenceNumber = nextSequenceNumber ?? packet.sequenceNumber
        nextSequenceNumber = sequenceNumber &+ 1
        return .send(
            token: packet.token, payloadBytes: payloadBytes, marker: isLast, sequenceNumber: sequenceNumber)
    }
}
