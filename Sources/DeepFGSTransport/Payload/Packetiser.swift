import DeepFGSBitstream

/// Cuts frames into RTP payloads (docs/30-rtp-payload.md, "Packetisation").
///
/// Values in, values out: it says which bytes go into which packet, and copies none.
public struct Packetiser: Sendable {
    /// One packet: its payload header, and the bytes of the frame that follow it.
    public struct Packet: Hashable, Sendable {
        public var header: PayloadHeader
        /// Bytes of the frame; none in a repair packet, whose are in `repairSymbols`.
        public var bytes: Range<Int>
        /// Whether it is the last packet of the frame and carries the RTP marker.
        public var isLast: Bool
    }

    /// Why a frame cannot be sent.
    public enum Failure: Error, Equatable, Sendable {
        /// The bytes are not a frame, or end before its base does.
        case notDecodable(BitstreamError)
        /// Header and base are longer than the format can say, by themselves.
        case baseTooLong(Int)
        /// The packet size leaves no room for bytes of the frame.
        case noRoom(maximumPayload: Int)
    }

    /// The number that the next frame gets.
    public private(set) var nextFrameNumber: UInt16
    /// Repair packets behind each base, in percent of the base's packets, rounded up; 0: none.
    public var baseProtection = 0

    /// A packetiser.
    ///
    /// - Parameter frameNumber: The first frame's number; a random one tells a restarted sender from the old one.
    public init(frameNumber: UInt16) { nextFrameNumber = frameNumber }

    /// The packets of one frame, in order.
    ///
    /// Packets are filled to the limit, except that none holds both base and scalable bytes. Where there are repair
    /// packets, those of the base are of one size, so that repair packets are no larger than they have to be. A frame longer
    /// than `PayloadHeader.maximumFrameLength` is cut to it; bytes after the frame's end are left out. Costs O(packets).
    ///
    /// - Parameters:
    ///   - frame: A frame, or a prefix of one that holds header and base.
    ///   - maximumPayload: Most bytes of RTP payload in a packet, payload header and all.
    /// - Returns: At least one packet; their bytes tile the frame. Repair packets stand behind those of the base.
    /// - Throws: `Failure`; the frame number is not used up.
    public mutating func packets(
        of frame: UnsafeRawBufferPointer, maximumPayload: Int
    ) throws(Failure) -> [Packet] {
        let room = maximumPayload - PayloadHeader.length
        guard room > 0 else { throw .noRoom(maximumPayload: maximumPayload) }
        let fields: FrameHeader
        do { fields = try FrameHeader(parsing: frame) } catch { throw .notDecodable(error) }
        let baseEnd = fields.baseEnd
        guard baseEnd <= frame.count else { throw .notDecodable(.baseIncomplete(have: frame.count, need: baseEnd)) }
        guard baseEnd <= PayloadHeader.maximumFrameLength else { throw .baseTooLong(baseEnd) }
        let end = min(fields.frameLength, frame.count, PayloadHeader.maximumFrameLength)

        let (repairs, symbolSize) = protection(of: baseEnd, room: room)
        var packets: [Packet] = []
        packets.reserveCapacity(end / room + 2 + repairs)
        var priority = 0
        var offset = 0
        let chunkEnds = fields.chunkEnds
        while offset < end {
            while priority < chunkEnds.count - 1, chunkEnds[priority] <= offset { priority += 1 }
            let stop = offset < baseEnd ? min(offset + symbolSize, baseEnd) : min(offset + room, end)
            let header = PayloadHeader(
                priority: UInt8(truncatingIfNeeded: priority), offset: offset, baseEnd: baseEnd, frameLength: end,
                frameNumber: nextFrameNumber)
            packets.append(Packet(header: header, bytes: offset..<stop, isLast: false))
            offset = stop
            guard offset == baseEnd else { continue }
            for index in 0..<repairs {
                var repair = header
                repair.offset = baseEnd
                repair.repair = PayloadHeader.Repair(
                    index: UInt8(truncatingIfNeeded: index), symbolSize: symbolSize)
                packets.append(Packet(header: repair, bytes: offset..<offset, isLast: false))
            }
        }
        packets[packets.count - 1].isLast = true
        nextFrameNumber &+= 1
        return packets
    }

    /// What follows the payload header in each repair packet of a frame.
    ///
    /// - Parameters:
    ///   - frame: The frame that the packets are of.
    ///   - packets: What `packets` returned for it.
    /// - Returns: The repair symbols by their index; none where no packet is a repair packet. Costs O(result × base).
    public static func repairSymbols(of frame: UnsafeRawBufferPointer, for packets: [Packet]) -> [[UInt8]] {
        let repairs = packets.lazy.filter { $0.header.repair != nil }
        guard let header = repairs.first?.header, let repair = header.repair else { return [] }
        return RepairCode.repairSymbols(
            of: UnsafeRawBufferPointer(rebasing: frame.prefix(header.baseEnd)), symbolSize: repair.symbolSize,
            count: repairs.count { _ in true })
    }

    /// How many repair packets a base gets, and how many of its bytes a packet holds.
    private func protection(of baseEnd: Int, room: Int) -> (repairs: Int, symbolSize: Int) {
        let symbols = RepairCode.symbols(in: baseEnd, of: room)
        let wanted = (symbols * min(max(0, baseProtection), 100 * RepairCode.maximumSymbols) + 99) / 100
        let repairs = min(wanted, RepairCode.maximumSymbols - symbols)
        let symbolSize = (baseEnd - 1) / symbols + 1
        guard repairs > 0, symbolSize <= 0xFFFF else { return (0, room) }
        return (repairs, symbolSize)
    }
}

extension Packetiser.Failure: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notDecodable(let error): "cannot send a frame that does not decode: \(error)"
        case .baseTooLong(let count):
            "base of \(count) bytes; an RTP frame holds at most \(PayloadHeader.maximumFrameLength)"
        case .noRoom(let payload):
            "RTP payload of \(payload) bytes at most; the payload header takes \(PayloadHeader.length) and a frame's "
                + "byte one more: raise mtu"
        }
    }
}
