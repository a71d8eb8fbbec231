/// Turns feedback into outcomes: unwraps numbers, skips duplicates and what matches no packet.
struct FeedbackHistory: Sendable {
    /// How many numbers back feedback is still matched; a power of two below half the number space.
    private static let reach: Int64 = 8192
    /// After so many useless reports in a row, the numbering is taken to have started anew.
    private static let patience = 5

    /// Times believed: 36 years, so that no difference of two overflows.
    static let times: ClosedRange<Int64> = 0...(1 << 60)

    private enum Known: UInt8 { case nothing, lost, arrived }

    private var known = [Known](repeating: .nothing, count: Int(Self.reach))
    private var highest: Int64?
    private var useless = 0

    /// The outcomes that are news, in the order of sending.
    ///
    /// - Parameters:
    ///   - packets: one report's entries.
    ///   - overhead: bytes that each packet costs beyond its payload.
    /// - Returns: one outcome for each packet of which something new is known.
    mutating func accept(_ packets: [PacketFeedback], overhead: Int) -> [PacketOutcome] {
        var outcomes: [PacketOutcome] = []
        outcomes.reserveCapacity(packets.count)
        for packet in packets {
            guard let sent = packet.sendTime, Self.times ~= sent, packet.size >= 0, packet.size <= 65_535 else {
                continue
            }
            let sequence = unwrap(packet.sequence)
            guard let highest, sequence > highest - Self.reach else { continue }
            advance(to: sequence)
            let slot = Int(sequence & (Self.reach - 1))
            let before = known[slot]
            guard before == .nothing || (before == .lost && !packet.isLost) else { continue }
            known[slot] = packet.isLost ? .lost : .arrived
            outcomes.append(
                PacketOutcome(
                    sequence: sequence, sent: sent,
                    arrived: packet.isLost ? nil : packet.arrivalTime.flatMap { Self.times ~= $0 ? $0 : nil },
                    bytes: packet.size + overhead, isLost: packet.isLost, isCorrection: before == .lost))
            self.highest = max(highest, sequence)
        }
        useless = outcomes.isEmpty && !packets.isEmpty ? useless + 1 : 0
        if useless >= Self.patience { self = FeedbackHistory() }
        outcomes.sort { $0.sequence < $1.sequence }
        return outcomes
    }

    private mutating func unwrap(_ sequence: UInt16) -> Int64 {
        guard let highest else {
            self.highest = Int64(sequence)
            return Int64(sequence)
        }
        let ahead = Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest))
        return highest + Int64(ahead)
    }

    /// Forgets what the slots of the numbers between held.
    private mutating func advance(to sequence: Int64) {
        guard let highest, sequence > highest else { return }
        let first = max(highest + 1, sequence - Self.reach + 1)
        for number in first...sequence { known[Int(number & (Self.reach - 1))] = .nothing }
    }
}
