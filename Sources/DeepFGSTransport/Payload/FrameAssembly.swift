/// Collects the bytes of one frame: the longest prefix without a gap, and beside it, as long as the base is not whole, packets
/// of the base behind a gap and repair packets, until there are enough of both to fill the gaps.
///
/// Total on any packets. Holds what has come, and no more than `RepairCode.maximumSymbols` packets beside the prefix. Cost:
/// O(bytes) a packet, and once a frame O(missing × base) to fill the gaps.
struct FrameAssembly: Sendable {
    /// What became of a packet.
    enum Outcome: Hashable, Sendable {
        /// It continues the prefix, or may yet help to.
        case used
        /// Its bytes, or all of the base, were there already.
        case late
        /// It is behind a gap that nothing will fill.
        case behindGap
        /// It contradicts the frame's first repair packet.
        case malformed
    }

    /// Bytes of the frame's header and base.
    let baseEnd: Int
    /// The prefix.
    private(set) var bytes: [UInt8] = []
    /// Symbols of the base that repair packets gave back.
    private(set) var recovered = 0
    /// A packet behind the base has come.
    private(set) var hasTail = false
    /// Packets of the base behind a gap, by offset.
    private var pieces: [Int: [UInt8]] = [:]
    private var repairs: [RepairCode.Symbol] = []

    /// An empty frame.
    ///
    /// - Parameters:
    ///   - baseEnd: bytes of header and base.
    ///   - reservation: bytes to make room for at once.
    init(baseEnd: Int, reservation: Int) {
        self.baseEnd = baseEnd
        bytes.reserveCapacity(reservation)
    }

    var isBaseWhole: Bool { bytes.count >= baseEnd }
    /// Packets that wait behind a gap in the base.
    var waiting: Int { pieces.count }

    /// Takes what follows the payload header of a packet of this frame.
    mutating func add(_ body: UnsafeRawBufferPointer, _ header: PayloadHeader) -> Outcome {
        if let repair = header.repair { return addRepair(body, repair) }
        hasTail = hasTail || !header.isBase
        if header.offset < bytes.count { return .late }
        if header.offset == bytes.count {
            bytes.append(contentsOf: body)
            while !pieces.isEmpty, let piece = pieces.removeValue(forKey: bytes.count) { bytes += piece }
        } else {
            guard header.isBase, pieces.count < RepairCode.maximumSymbols else { return .behindGap }
            guard pieces.updateValue(Array(body), forKey: header.offset) == nil else { return .late }
        }
        recover()
        return .used
    }

    private mutating func addRepair(_ body: UnsafeRawBufferPointer, _ repair: PayloadHeader.Repair) -> Outcome {
        guard !isBaseWhole else { return .late }
        let index = Int(repair.index)
        guard repairs.first.map({ $0.bytes.count == body.count }) ?? true else { return .malformed }
        guard !repairs.contains(where: { $0.index == index }) else { return .late }
        repairs.append(RepairCode.Symbol(index: index, bytes: Array(body)))
        recover()
        return .used
    }

    /// Fills the gaps in the base where there is enough for it.
    private mutating func recover() {
        guard !isBaseWhole, let size = repairs.first?.bytes.count else { return }
        let count = RepairCode.symbols(in: baseEnd, of: size)
        let ranges = (0..<count).map { ($0 * size)..<min(baseEnd, ($0 + 1) * size) }
        let isKnown = ranges.map { $0.upperBound <= bytes.count || pieces[$0.lowerBound]?.count == $0.count }
        let missing = isKnown.count { !$0 }
        guard repairs.count >= missing else { return }
        var symbols = [UInt8](repeating: 0, count: count * size)
        for (range, isKnown) in zip(ranges, isKnown) where isKnown {
            if range.upperBound <= bytes.count {
                symbols.replaceSubrange(range, with: bytes[range])
            } else if let piece = pieces[range.lowerBound] {
                symbols.replaceSubrange(range, with: piece)
            }
        }
        guard RepairCode.recover(&symbols, isKnown: isKnown, repairs: repairs) else { return }
        bytes.replaceSubrange(0..<bytes.count, with: symbols[..<baseEnd])
        recovered = missing
        pieces = [:]
        repairs = []
    }
}
