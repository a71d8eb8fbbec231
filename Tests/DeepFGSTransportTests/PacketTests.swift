import DeepFGSBitstream
import Testing

@testable import DeepFGSTransport

/// One RTP packet, as far as these tests look at it.
struct TestPacket {
    var payload: [UInt8]
    var sequenceNumber: UInt16
    var timestamp: UInt32
    var marker: Bool
}

/// Sends frames as RTP packets with running numbers.
struct TestSender {
    var packetiser = Packetiser(frameNumber: 65534)
    var sequenceNumber: UInt16 = 65500
    var timestamp: UInt32 = .max - 5000

    mutating func packets(of frame: [UInt8], maximumPayload: Int = 200) throws -> [TestPacket] {
        let cut = try frame.withUnsafeBytes { try packetiser.packets(of: $0, maximumPayload: maximumPayload) }
        let repairs = frame.withUnsafeBytes { Packetiser.repairSymbols(of: $0, for: cut) }
        defer { timestamp &+= 3000 }
        return cut.map { packet in
            var payload = [UInt8](repeating: 0, count: PayloadHeader.length)
            payload.withUnsafeMutableBytes { packet.header.write(to: $0) }
            defer { sequenceNumber &+= 1 }
            let body = packet.header.repair.map { repairs[Int($0.index)] }
            return TestPacket(
                payload: payload + (body ?? Array(frame[packet.bytes])), sequenceNumber: sequenceNumber,
                timestamp: timestamp, marker: packet.isLast)
        }
    }
}

extension Depacketiser {
    mutating func receive(_ packet: TestPacket) -> [Frame] {
        packet.payload.withUnsafeBytes {
            receive(
                $0, sequenceNumber: packet.sequenceNumber, timestamp: packet.timestamp, marker: packet.marker,
                mark: UInt64(packet.timestamp))
        }
    }

    mutating func receive(_ packets: some Sequence<TestPacket>) -> [Frame] {
        var frames: [Frame] = []
        for packet in packets { frames += receive(packet) }
        return frames
    }
}

@Suite("RTP packets")
struct PacketTests {
    @Test("Fields stand where the specification says")
    func layout() {
        let header = PayloadHeader(
            priority: 0x2A, offset: 0x01_0203, baseEnd: 0x04_0506, frameLength: 0x07_0809, frameNumber: 0x0A0B)
        var bytes = [UInt8](repeating: 0xEE, count: 13)
        bytes.withUnsafeMutableBytes { header.write(to: $0) }
        #expect(bytes == [0x6A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xEE])
    }

    @Test("Headers that contradict themselves are refused by name")
    func contradictions() {
        func parse(_ header: PayloadHeader, body: Int) -> Result<PayloadHeader, MalformedPacket> {
            var bytes = [UInt8](repeating: 0, count: PayloadHeader.length + body)
            bytes.withUnsafeMutableBytes { header.write(to: $0) }
            return bytes.withUnsafeBytes { bytes in
                Result { () throws(MalformedPacket) in try PayloadHeader(parsing: bytes) }
            }
        }
        let good = PayloadHeader(priority: 0, offset: 60, baseEnd: 100, frameLength: 500, frameNumber: 7)
        #expect(parse(good, body: 40) == .success(good))
        #expect(parse(good, body: 41) == .failure(.contradiction("offset")))
        #expect(parse(good, body: 0) == .failure(.tooShort(12)))
        var bad = good
        bad.priority = 1
        #expect(parse(bad, body: 40) == .failure(.contradiction("priority")))
        bad = good
        bad.offset = 100
        #expect(parse(bad, body: 40) == .failure(.contradiction("priority")))
        bad.priority = 3
        #expect(parse(bad, body: 400) == .success(bad))
        #expect(parse(bad, body: 401) == .failure(.contradiction("frame length")))
        bad = good
        bad.baseEnd = 501
        #expect(parse(bad, body: 40) == .failure(.contradiction("base end")))
        bad.baseEnd = FrameHeader.minimumLength - 1
        #expect(parse(bad, body: 4) == .failure(.contradiction("base end")))
        let other = [UInt8](repeating: 0, count: 40).withUnsafeBytes { bytes in
            Result { () throws(MalformedPacket) in try PayloadHeader(parsing: bytes) }
        }
        #expect(other == .failure(.unsupportedVersion(0)))
    }

    @Test("Packets tile the frame, keep base and scalable bytes apart, and name the chunk of their first byte")
    func tiling() throws {
        let frame = syntheticFrame(chunks: [500, 30, 0, 400, 170, 900])
        let header = try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
        for maximumPayload in [13, 14, 75, 200, 1188, 65000] {
            var packetiser = Packetiser(frameNumber: 9)
            let packets = try frame.withUnsafeBytes {
                try packetiser.packets(of: $0, maximumPayload: maximumPayload)
            }
            var end = 0
            for packet in packets {
                #expect(packet.bytes.lowerBound == end && !packet.bytes.isEmpty)
                #expect(packet.bytes.count <= maximumPayload - PayloadHeader.length)
                #expect(packet.header.offset == end)
                #expect(packet.header.isBase == (end < header.baseEnd))
                #expect(!packet.header.isBase || packet.bytes.upperBound <= header.baseEnd)
                #expect(Int(packet.header.priority) == header.chunkEnds.firstIndex { end < $0 })
                end = packet.bytes.upperBound
                #expect(packet.isLast == (end == frame.count))
            }
            #expect(end == frame.count)
            #expect(packetiser.nextFrameNumber == 10)
        }
    }

    @Test("A prefix of a frame is sent as it is; what does not decode is refused and uses no number")
    func prefixes() throws {
        let frame = syntheticFrame(chunks: [300, 300])
        let baseEnd = try frame.withUnsafeBytes { try FrameHeader(parsing: $0).baseEnd }
        var packetiser = Packetiser(frameNumber: 0)
        for count in [baseEnd, baseEnd + 1, frame.count - 1] {
            let packets = try frame.prefix(count).withUnsafeBytes {
                try packetiser.packets(of: $0, maximumPayload: 100)
            }
            #expect(packets.last?.bytes.upperBound == count)
            #expect(packets.allSatisfy { $0.header.frameLength == count })
        }
        let trailing = try (frame + [1, 2, 3]).withUnsafeBytes {
            try packetiser.packets(of: $0, maximumPayload: 100)
        }
        #expect(trailing.last?.bytes.upperBound == frame.count)
        #expect(packetiser.nextFrameNumber == 4)
        for count in [0, 3, 20, baseEnd - 1] {
            #expect(throws: Packetiser.Failure.self) {
                try frame.prefix(count).withUnsafeBytes { try packetiser.packets(of: $0, maximumPayload: 100) }
            }
        }
        #expect(throws: Packetiser.Failure.noRoom(maximumPayload: 12)) {
            try frame.withUnsafeBytes { try packetiser.packets(of: $0, maximumPayload: 12) }
        }
        #expect(packetiser.nextFrameNumber == 4)
    }
}
