import DeepFGSBitstream

/// Puts frames together from RTP payloads (docs/30-rtp-payload.md, "Depacketisation").
///
/// Keeps of each frame the longest prefix without a gap; gaps in the base are filled from repair packets. A frame ends with
/// the RTP marker, with the first packet of a later frame, or with `lost` or `finish`: bytes behind a gap in the tail are
/// never waited for. A frame whose base is not whole is reported without bytes. Total on any bytes; holds at most one frame
/// (16 MiB).
///
/// Values in, values out: no clock. Reordering within the network is the jitterbuffer's work; a packet that comes after
/// a later one is used only where it continues the prefix.
public struct Depacketiser: Sendable {
    /// How a frame ended.
    public enum End: UInt8, CaseIterable, Sendable {
        /// Every byte that the sender had arrived.
        case complete
        /// All that was sent arrived, and it was less than the frame: a cut on the way.
        case cut
        /// Packets were lost; the prefix before the first of them is left, and decodes.
        case tailLost
        /// Header or base did not arrive whole, or the header is damaged: nothing to decode.
        case baseLost
    }

    /// A frame that has ended.
    public struct Frame: Sendable {
        /// The prefix that arrived; empty for `baseLost`.
        public var bytes: [UInt8]
        /// What its header says; nil for `baseLost`.
        public var header: FrameHeader?
        /// Bytes of the frame before any cut.
        public var frameLength: Int
        /// The RTP timestamp of its packets.
        public var timestamp: UInt32
        public var frameNumber: UInt16
        public var end: End
        /// Lost packets of the base that repair packets gave back.
        public var recoveredPackets: Int
        /// Frames before this one of which no packet came, because packets were lost.
        public var lostBefore: Int
        /// The caller's mark of the frame's first packet.
        public var mark: UInt64
    }

    /// Counts since the start; the sums of `ends` and `framesLost` are all frames that were sent and not skipped.
    public struct Statistics: Hashable, Sendable {
        /// Frames of which at least one packet came, by how they ended (index: `End.rawValue`).
        public var ends = [UInt64](repeating: 0, count: End.allCases.count)
        /// Frames of which no packet came, because packets were lost.
        public var framesLost: UInt64 = 0
        /// Frames whose number is missing though no packet is: the sender or a middlebox left them out.
        public var framesSkipped: UInt64 = 0
        /// Packets given to `receive`.
        public var packets: UInt64 = 0
        /// Packets that are not of this format.
        public var packetsMalformed: UInt64 = 0
        /// Packets of frames that had ended, and bytes that were there already; no repair packets behind a whole base.
        public var packetsLate: UInt64 = 0
        /// Packets behind a gap in their frame.
        public var packetsBehindGap: UInt64 = 0
        /// Repair packets, and of these, those that took the place of a lost packet.
        public var repairPackets: UInt64 = 0
        public var repairPacketsUsed: UInt64 = 0
        /// Frames that would have ended as `baseLost` without repair packets.
        public var framesRecovered: UInt64 = 0
        /// Bytes of frames handed out.
        public var bytes: UInt64 = 0
        /// Bytes that those frames had before any cut.
        public var bytesBeforeCut: UInt64 = 0
    }

    private struct Pending: Sendable {
        var header: PayloadHeader
        var timestamp: UInt32
        var mark: UInt64
        var lostBefore: Int
        /// A packet behind the base is missing.
        var hasTailLoss = false
        var hasRepair = false
        var assembly: FrameAssembly
    }

    /// How far back a packet's frame may lie to count as late; further back, the sender has started anew.
    private static let lateFrames = 64
    /// After so many frames in a row without repair packets none are expected.
    private static let protectionMemory = 16
    /// Most bytes that are reserved on the word of a packet before they have come.
    private static let reservation = 1 << 16

    public private(set) var statistics = Statistics()
    private var pending: Pending?
    private var lastFrameNumber: UInt16?
    private var lastTimestamp: UInt32 = 0
    private var lastSequenceNumber: UInt16?
    /// Packets are missing since the last frame's end.
    private var hasLoss = false
    private var lateInARow = 0
    /// Frames for which a missing packet may be a repair packet.
    private var protectedFrames = 0

    public init() {}

    /// Takes one packet.
    ///
    /// - Parameters:
    ///   - payload: The RTP payload, without RTP header and padding.
    ///   - sequenceNumber: The packet's RTP sequence number.
    ///   - timestamp: The packet's RTP timestamp.
    ///   - marker: The packet's RTP marker bit.
    ///   - mark: Anything; the frame hands back that of its first packet.
    /// - Returns: The frames that ended with this packet, in order: none, one or two.
    public mutating func receive(
        _ payload: UnsafeRawBufferPointer, sequenceNumber: UInt16, timestamp: UInt32, marker: Bool, mark: UInt64 = 0
    ) -> [Frame] {
        statistics.packets += 1
        let header: PayloadHeader
        do { header = try PayloadHeader(parsing: payload) } catch {
            statistics.packetsMalformed += 1
            return []
        }
        guard !isLate(header, timestamp) else {
            statistics.packetsLate += 1
            return []
        }
        var ended: [Frame] = []
        let isAfterLoss = isBehindGap(sequenceNumber)
        if isAfterLoss { hasLoss = true }
        if let pending, pending.header.frameNumber != header.frameNumber || pending.timestamp != timestamp {
            end(&ended)
            // What is missing may belong to either frame.
            if isAfterLoss { hasLoss = true }
        }
        if pending == nil || isAfterLoss || lastSequenceNumber.map({ $0 &+ 1 }) == sequenceNumber {
            lastSequenceNumber = sequenceNumber
        }
        append(payload, header, timestamp, mark)
        if marker { end(&ended) }
        return ended
    }

    /// Notes that packets are missing and will not come.
    ///
    /// - Returns: The frame in progress, if what could follow of it would stand behind a gap; not where repair packets may
    ///   follow, nor where what is missing may be one of them.
    public mutating func lost() -> Frame? {
        hasLoss = true
        guard let pending, !pending.assembly.hasTail else { return finish() }
        let mayBeRepair = !pending.assembly.isBaseWhole || pending.hasRepair || protectedFrames > 0
        return mayBeRepair ? nil : finish()
    }

    /// Ends the frame in progress, as at the end of the stream.
    public mutating func finish() -> Frame? {
        var ended: [Frame] = []
        end(&ended)
        return ended.first
    }

    /// Forgets everything but the statistics, as after a flush.
    public mutating func reset() {
        let kept = statistics
        self = Depacketiser()
        statistics = kept
    }

    /// Whether the packet belongs to a frame that has ended, or one before it.
    private mutating func isLate(_ header: PayloadHeader, _ timestamp: UInt32) -> Bool {
        if let pending, pending.header.frameNumber == header.frameNumber, pending.timestamp == timestamp {
            lateInARow = 0
            return false
        }
        guard let lastFrameNumber else { return false }
        let distance = Int16(bitPattern: header.frameNumber &- lastFrameNumber)
        let isOld =
            distance <= 0 && Int(distance) >= -Self.lateFrames && Int32(bitPattern: timestamp &- lastTimestamp) <= 0
        lateInARow = isOld ? lateInARow + 1 : 0
        // So many old packets and no new one: a sender that has started anew, not a network that is late.
        guard isOld, lateInARow <= Self.lateFrames else {
            if isOld {
                self.lastFrameNumber = nil
                lastSequenceNumber = nil
                lateInARow = 0
            }
            return false
        }
        return true
    }

    private func isBehindGap(_ sequenceNumber: UInt16) -> Bool {
        guard let lastSequenceNumber else { return false }
        return Int16(bitPattern: sequenceNumber &- lastSequenceNumber) > 1
    }

    private mutating func append(
        _ payload: UnsafeRawBufferPointer, _ header: PayloadHeader, _ timestamp: UInt32, _ mark: UInt64
    ) {
        if pending == nil {
            let missing = missingFrames(before: header.frameNumber)
            if hasLoss { statistics.framesLost += UInt64(missing) } else { statistics.framesSkipped += UInt64(missing) }
            pending = Pending(
                header: header, timestamp: timestamp, mark: mark, lostBefore: hasLoss ? missing : 0,
                assembly: FrameAssembly(
                    baseEnd: header.baseEnd, reservation: min(header.frameLength, Self.reservation)))
            lastFrameNumber = header.frameNumber
            lastTimestamp = timestamp
            hasLoss = false
        }
        guard var frame = pending else { return }
        // The frame leaves the property while it grows, so that its bytes are not copied.
        pending = nil
        defer { pending = frame }
        guard header.frameLength == frame.header.frameLength, header.baseEnd == frame.header.baseEnd else {
            statistics.packetsMalformed += 1
            return
        }
        let outcome = frame.assembly.add(
            UnsafeRawBufferPointer(rebasing: payload[PayloadHeader.length...]), header)
        if header.repair != nil, outcome != .malformed {
            statistics.repairPackets += 1
            frame.hasRepair = true
        }
        switch outcome {
        case .used:
            // What was missing before it was of the base, or repair packets: nothing that counts if the base is whole.
            hasLoss = false
        case .late:
            if header.repair == nil {
                statistics.packetsLate += 1
            } else if !frame.assembly.hasTail {
                hasLoss = false
            }
        case .behindGap:
            frame.hasTailLoss = true
            statistics.packetsBehindGap += 1
        case .malformed:
            statistics.packetsMalformed += 1
        }
    }

    /// How many frame numbers lie between the last frame and this one; 0 where the sender has started anew.
    private func missingFrames(before frameNumber: UInt16) -> Int {
        guard let lastFrameNumber else { return 0 }
        return max(0, Int(Int16(bitPattern: frameNumber &- lastFrameNumber)) - 1)
    }

    private mutating func end(_ ended: inout [Frame]) {
        guard let frame = pending else { return }
        pending = nil
        let assembly = frame.assembly
        protectedFrames = frame.hasRepair ? Self.protectionMemory : max(0, protectedFrames - 1)
        let fields = assembly.bytes.withUnsafeBytes { try? FrameHeader(parsing: $0) }
        let isDecodable = assembly.isBaseWhole && fields.map { $0.baseEnd == frame.header.baseEnd } == true
        let isWhole = assembly.bytes.count == frame.header.frameLength
        let loss = hasLoss || frame.hasTailLoss
        let end: End = !isDecodable ? .baseLost : isWhole ? .complete : loss ? .tailLost : .cut
        // What is missing after the last byte of a whole frame is missing between frames.
        if !isWhole { hasLoss = false }
        statistics.ends[Int(end.rawValue)] += 1
        statistics.packetsBehindGap += UInt64(assembly.waiting)
        statistics.repairPacketsUsed += UInt64(assembly.recovered)
        if isDecodable {
            if assembly.recovered > 0 { statistics.framesRecovered += 1 }
            statistics.bytes += UInt64(assembly.bytes.count)
            statistics.bytesBeforeCut += UInt64(frame.header.frameLength)
        }
        ended.append(
            Frame(
                bytes: isDecodable ? assembly.bytes : [], header: isDecodable ? fields : nil,
                frameLength: frame.header.frameLength, timestamp: frame.timestamp,
                frameNumber: frame.header.frameNumber, end: end, recoveredPackets: assembly.recovered,
                lostBefore: frame.lostBefore, mark: frame.mark))
    }
}
