/// Packets in.
extension TailCutter {
    /// Takes one packet.
    public mutating func take(_ packet: Packet, at now: Int64) {
        queue.count(packet)
        if nextSequenceNumber == nil { nextSequenceNumber = packet.sequenceNumber }
        if !queue.isOfNewest(packet) { begin(packet, at: now) }
        guard let index = queue.open else { return queue.drop(packet, queue.lateReason) }
        defer { if packet.marker { queue.frames[index].isComplete = true } }
        if let reason = queue.frames[index].isFull ? .fixedCut : queue.frames[index].closed {
            queue.note(reason, in: index)
            return queue.drop(packet, reason)
        }
        guard let packet = fixedCut(packet, of: index) else { return }
        guard queue.continues(packet, in: index) else {
            queue.note(.gap, in: index)
            return queue.drop(packet, .gap)
        }
        if isSuperfluous(packet, in: index) { return queue.drop(packet, .protection) }
        if queue.frames.allSatisfy({ $0.packets.isEmpty }) { pacer.rest(until: now) }
        queue.append(packet, to: index, at: now)
    }

    /// A packet of a new frame.
    private mutating func begin(_ packet: Packet, at now: Int64) {
        var gap = interval
        if let newest = queue.newest {
            let ticks = Int64(Int32(bitPattern: packet.timestamp &- newest.timestamp))
            let frames = Int64(Int16(bitPattern: packet.header.frameNumber &- newest.number))
            let elapsed = ticks * 100_000 / 9
            mediaTime = mediaTime.addingSaturated(max(0, elapsed))
            if elapsed > 0, frames > 0, FrameInterval.believed.contains(elapsed / frames) { learn(elapsed / frames) }
            // Timestamps that go back are another stream's.
            if elapsed >= 0 { gap = elapsed }
        }
        queue.begin(packet, mediaTime: mediaTime, gap: gap, interval: interval, at: now)
    }

    private mutating func learn(_ interval: Int64) {
        if intervalIsKnown {
            self.interval = (3 * self.interval + interval) / 4
        } else {
            setInterval(interval)
        }
    }

    /// What the fixed cut leaves of a packet; nil where that is nothing, then it is dropped.
    private mutating func fixedCut(_ packet: Packet, of index: Int) -> Packet? {
        // Behind the base's last packet repair packets may come, whatever the cut.
        guard maximumFrameBytes > 0, !packet.header.isBase else { return packet }
        let limit = max(maximumFrameBytes, queue.frames[index].baseEnd)
        let end = packet.frameBytes.upperBound
        guard end >= limit else { return packet }
        let wasFull = queue.frames[index].isFull
        queue.frames[index].isFull = true
        queue.frames[index].isComplete = true
        if limit < packet.header.frameLength { queue.note(.fixedCut, in: index) }
        guard end > limit else { return packet }
        guard !wasFull, packet.header.offset < limit else {
            queue.drop(packet, .fixedCut)
            return nil
        }
        queue.count(.fixedCut, bytes: end - limit)
        var kept = packet
        kept.payloadBytes -= end - limit
        return kept
    }

    /// Whether a packet is a repair packet that is one too many.
    private mutating func isSuperfluous(_ packet: Packet, in index: Int) -> Bool {
        guard packet.header.repair != nil else { return false }
        let (protection, room) = (protection, room(for: packet))
        return queue.isSuperfluousRepair(in: index) { symbols in
            min(protection.limit(packets: symbols), room.map { max(0, $0 - symbols) } ?? .max)
        }
    }

    /// How many packets of a size the frame's share of the target has room for; nil where that is not asked.
    private func room(for packet: Packet) -> Int? {
        guard protectsWithinBudget else { return nil }
        let packets = target / 8 * Double(interval) / 1e9 / Double(max(1, queue.wireBytes(packet)))
        return packets > 0 ? Int(min(packets, Double(RepairCode.maximumSymbols))) : 0
    }
}
