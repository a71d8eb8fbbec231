/// Repair packets on their way through: how many, and what they make up for.
extension TailCutter {
    /// Whether a packet is the next of its frame; what it says is then taken note of.
    ///
    /// Where there are repair packets the base may have gaps, as long as they can be filled: the receiver fills them.
    mutating func continues(_ packet: Packet, in index: Int) -> Bool {
        let header = packet.header
        let end = packet.frameBytes.upperBound
        if let repair = header.repair {
            isProtected = true
            guard frames[index].nextOffset <= frames[index].baseEnd, Int(repair.index) >= frames[index].nextRepair
            else {
                return false
            }
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
    mutating func isSuperfluous(_ packet: Packet, in index: Int) -> Bool {
        guard packet.header.repair != nil else { return false }
        let symbols = frames[index].symbols
        let limit = frames[index].repairLimit ?? min(protection.limit(packets: symbols), room(for: packet, in: index))
        frames[index].repairLimit = limit
        // What was lost before it came here has to be made up for too.
        let missing = max(0, symbols - frames[index].basePackets)
        guard frames[index].repairPassed < missing + limit else { return true }
        frames[index].repairPassed += 1
        return false
    }

    /// How many packets of a base's size the frame's share of the target has room for behind the base.
    private func room(for packet: Packet, in index: Int) -> Int {
        guard protectsWithinBudget else { return RepairCode.maximumSymbols }
        let packets = target / 8 * Double(interval) / 1e9 / Double(max(1, wireBytes(packet)))
        guard packets > Double(frames[index].symbols) else { return 0 }
        return Int(min(packets, Double(RepairCode.maximumSymbols))) - frames[index].symbols
    }
}

extension TailCutter.Packet {
    /// The bytes of the frame that it holds; none in a repair packet.
    var frameBytes: Range<Int> {
        let count = header.repair == nil ? max(0, payloadBytes - PayloadHeader.length) : 0
        return header.offset..<(header.offset + count)
    }
}

extension TailCutter.Frame {
    /// Whether what has come of the base, and of repair packets, gives all of it.
    var isBaseThere: Bool {
        baseBytes >= baseEnd || symbols > 0 && basePackets + repairPackets >= symbols
    }
}
