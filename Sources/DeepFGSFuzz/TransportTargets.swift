import DeepFGS
import DeepFGSTransport

/// RTP packets in any order: each is a length, sequence number, timestamp and marker, then the payload; or what of a frame
/// with repair packets arrives.
///
/// A frame that comes out is one that can be decoded, or empty; the counts add up.
func fuzzDepacketiser(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    var depacketiser = Depacketiser()
    var ended: [Depacketiser.Frame] = []
    var sequenceNumber: UInt16 = 0
    var timestamp: UInt32 = 0
    while !input.isEmpty {
        let control = input.byte()
        // Mostly packets that follow each other, as only those make frames.
        sequenceNumber = control & 1 == 0 ? sequenceNumber &+ 1 : input.uint16()
        if control & 2 != 0 { timestamp = control & 4 != 0 ? input.uint32() : timestamp &+ 3000 }
        switch control >> 5 {
        case 0: ended += CollectionOfOne(depacketiser.lost()).compactMap { $0 }
        case 1: ended += CollectionOfOne(depacketiser.finish()).compactMap { $0 }
        case 2 where control & 8 != 0: depacketiser.reset()
        case 3 where control & 8 != 0:
            // A whole small frame with repair packets, of which only some come.
            let lossy = LossyFrame(&input, timestamp: timestamp)
            try lossy.check()
            ended += lossy.received(by: &depacketiser, from: sequenceNumber, timestamp: timestamp)
            sequenceNumber &+= UInt16(truncatingIfNeeded: lossy.payloads.count)
        default:
            ended += depacketiser.receive(
                input.bytes(Int(input.byte())), sequenceNumber: sequenceNumber, timestamp: timestamp,
                marker: control & 16 != 0, mark: UInt64(control))
        }
    }
    ended += CollectionOfOne(depacketiser.finish()).compactMap { $0 }
    for frame in ended {
        try expect((frame.end == .baseLost) == frame.bytes.isEmpty, "a frame without a base, or a base without bytes")
        try expect((frame.header == nil) == frame.bytes.isEmpty, "a frame without a header")
        try expect(frame.bytes.count <= frame.frameLength, "a frame longer than it declares")
        try expect((frame.end == .complete) == (frame.bytes.count == frame.frameLength), "a whole frame called cut")
        try expect(frame.lostBefore >= 0, "a negative number of lost frames")
    }
    let counts = depacketiser.statistics
    try expect(counts.ends.reduce(0, +) >= UInt64(ended.count), "frames that were not counted")
    try expect(
        counts.packetsMalformed + counts.packetsLate + counts.packetsBehindGap <= counts.packets
            && counts.repairPacketsUsed <= counts.repairPackets && counts.repairPackets <= counts.packets,
        "packets that were counted twice")
}
