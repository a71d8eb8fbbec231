import DeepFGSBitstream

/// The 12 bytes that begin every RTP payload (docs/30-rtp-payload.md, "Payload header").
///
/// Every field stands at a fixed offset in every packet, so that whoever forwards packets can tell what to drop, and
/// how much of a frame it will have sent, without the model and without state.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     | V | priority  |                    offset                     |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                   base end                    |               |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  frame length +
///     |                               |         frame number          |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// A repair packet has version 2, its index and the symbol size where the offset is ("Repair packets").
public struct PayloadHeader: Hashable, Sendable {
    /// What a repair packet says of itself.
    public struct Repair: Hashable, Sendable {
        /// Which of the frame's repair packets it is, from 0.
        public var index: UInt8
        /// Bytes of each packet of the base but the last, and of each repair packet after its header; 1 to 65 535.
        public var symbolSize: Int

        /// The caller answers for the values.
        public init(index: UInt8, symbolSize: Int) {
            self.index = index
            self.symbolSize = symbolSize
        }
    }

    /// The version of the payload format of packets that hold bytes of the frame.
    public static let version: UInt8 = 1
    /// The version of the payload format of repair packets.
    public static let repairVersion: UInt8 = 2
    /// Bytes of the header.
    public static let length = 12
    /// Longest frame that the format can carry, in bytes; of a longer one the prefix of this length is sent.
    public static let maximumFrameLength = 0xFF_FFFF
    /// Highest priority number.
    static let maximumPriority: UInt8 = 63

    /// The chunk that the packet's first byte belongs to, 0 to 63; 0 is header and base, which must be kept.
    public var priority: UInt8
    /// Where the packet's first byte stands in the frame; of a repair packet, which stands behind the base, `baseEnd`.
    public var offset: Int
    /// Bytes of the frame's header and base: the shortest prefix that decodes.
    public var baseEnd: Int
    /// Bytes of the frame before any cut.
    public var frameLength: Int
    /// Counts frames modulo 2¹⁶ in the order they were made.
    public var frameNumber: UInt16
    /// Set in a repair packet: it holds no bytes of the frame, but what gives back lost packets of the base.
    public var repair: Repair?

    /// Whether the packet carries bytes of the header or base, or what repairs them.
    public var isBase: Bool { priority == 0 }

    /// A header with the given fields, which the caller answers for.
    public init(
        priority: UInt8, offset: Int, baseEnd: Int, frameLength: Int, frameNumber: UInt16, repair: Repair? = nil
    ) {
        self.repair = repair
        self.priority = priority
        self.offset = offset
        self.baseEnd = baseEnd
        self.frameLength = frameLength
        self.frameNumber = frameNumber
    }

    /// Reads the header of an RTP payload and checks that its fields agree with each other and with the payload.
    ///
    /// Total on any bytes; O(1).
    ///
    /// - Parameter payload: The RTP payload, without RTP header and padding.
    /// - Throws: `MalformedPacket`, which names what is wrong.
    public init(parsing payload: UnsafeRawBufferPointer) throws(MalformedPacket) {
        guard payload.count > Self.length else { throw .tooShort(payload.count) }
        let version = payload[0] >> 6
        guard version == Self.version || version == Self.repairVersion else { throw .unsupportedVersion(version) }
        func uint24(_ at: Int) -> Int { Int(payload[at]) << 16 | Int(payload[at + 1]) << 8 | Int(payload[at + 2]) }
        priority = payload[0] & Self.maximumPriority
        offset = uint24(1)
        baseEnd = uint24(4)
        frameLength = uint24(7)
        frameNumber = UInt16(payload[10]) << 8 | UInt16(payload[11])
        guard baseEnd >= FrameHeader.minimumLength, baseEnd <= frameLength else { throw .contradiction("base end") }
        let body = payload.count - Self.length
        guard version == Self.version else {
            let repair = Repair(index: payload[1], symbolSize: offset & 0xFFFF)
            guard priority == 0 else { throw .contradiction("priority") }
            guard repair.symbolSize == body, body <= baseEnd else { throw .contradiction("symbol size") }
            guard RepairCode.symbols(in: baseEnd, of: body) + Int(repair.index) < RepairCode.maximumSymbols else {
                throw .contradiction("index")
            }
            offset = baseEnd
            self.repair = repair
            return
        }
        guard offset + body <= frameLength else { throw .contradiction("frame length") }
        guard isBase == (offset < baseEnd) else { throw .contradiction("priority") }
        guard !isBase || offset + body <= baseEnd else { throw .contradiction("offset") }
    }

    /// Writes the header's 12 bytes; a shorter buffer is left alone.
    public func write(to bytes: UnsafeMutableRawBufferPointer) {
        guard bytes.count >= Self.length else { return }
        func put24(_ value: Int, _ at: Int) {
            bytes[at] = UInt8(truncatingIfNeeded: value >> 16)
            bytes[at + 1] = UInt8(truncatingIfNeeded: value >> 8)
            bytes[at + 2] = UInt8(truncatingIfNeeded: value)
        }
        bytes[0] = (repair == nil ? Self.version : Self.repairVersion) << 6 | (priority & Self.maximumPriority)
        put24(repair.map { Int($0.index) << 16 | $0.symbolSize & 0xFFFF } ?? offset, 1)
        put24(baseEnd, 4)
        put24(frameLength, 7)
        bytes[10] = UInt8(truncatingIfNeeded: frameNumber >> 8)
        bytes[11] = UInt8(truncatingIfNeeded: frameNumber)
    }
}
