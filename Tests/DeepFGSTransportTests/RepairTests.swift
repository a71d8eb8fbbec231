import DeepFGSBitstream
import Testing

@testable import DeepFGSTransport

@Suite("Frames whose base is repaired")
struct RepairTests {
    /// A frame with a base of three packets, and with three repair packets behind them.
    static func sent(
        _ count: Int = 1, chunks: [Int] = [440, 300, 300], protection: Int = 100
    ) throws -> (frames: [[UInt8]], packets: [[TestPacket]]) {
        let frames = (0..<count).map { syntheticFrame(chunks: chunks, seed: UInt64($0)) }
        var sender = TestSender()
        sender.packetiser.baseProtection = protection
        return (frames, try frames.map { try sender.packets(of: $0) })
    }

    static func header(_ packet: TestPacket) throws -> PayloadHeader {
        try packet.payload.withUnsafeBytes { try PayloadHeader(parsing: $0) }
    }

    @Test("Repair packets stand behind the base, whose packets are of one size", arguments: [1, 50, 100, 200, 1000])
    func layout(protection: Int) throws {
        let (frames, sent) = try Self.sent(protection: protection)
        let headers = try sent[0].map(Self.header)
        let repairs = headers.filter { $0.repair != nil }
        #expect(repairs.count == (3 * protection + 99) / 100)
        #expect(headers.prefix(3).allSatisfy { $0.isBase && $0.repair == nil })
        #expect(headers.dropFirst(3).prefix(repairs.count).map { $0.repair?.index } == repairs.indices.map(UInt8.init))
        let size = (headers[0].baseEnd - 1) / 3 + 1
        #expect(sent[0].prefix(2).allSatisfy { $0.payload.count == 12 + size })
        for packet in sent[0].dropFirst(3).prefix(repairs.count) {
            #expect(packet.payload.count == 12 + size && packet.payload[0] == 0x80 && !packet.marker)
        }
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(sent[0])
        #expect(received.map(\.bytes) == frames && received.first?.end == .complete)
        #expect(depacketiser.statistics.repairPackets == UInt64(repairs.count))
        #expect(depacketiser.statistics.repairPacketsUsed == 0 && depacketiser.statistics.packetsLate == 0)
    }

    @Test("Where base and repair packets would be more than 255 there are fewer or none")
    func most() throws {
        let frame = syntheticFrame(chunks: [4000, 100])
        for (payload, protection) in [(32, 100), (28, 100), (32, 10), (13, 100)] {
            var packetiser = Packetiser(frameNumber: 0)
            packetiser.baseProtection = protection
            let packets = try frame.withUnsafeBytes { try packetiser.packets(of: $0, maximumPayload: payload) }
            let base = packets.filter { $0.header.isBase && $0.header.repair == nil }.count
            let repairs = packets.filter { $0.header.repair != nil }.count
            #expect(repairs == max(0, min((base * protection + 99) / 100, 255 - base)), "\(base)")
        }
    }

    @Test("Of every pattern of loss in base and repair packets those with K packets left give the frame")
    func patterns() throws {
        let (frames, packets) = try Self.sent()
        for pattern in 0..<64 {
            let kept = (0..<6).filter { pattern >> $0 & 1 == 1 }
            var depacketiser = Depacketiser()
            let received = depacketiser.receive(kept.map { packets[0][$0] } + packets[0].dropFirst(6))
            try #require(received.count == 1)
            let hasBase = kept.count >= 3
            #expect(received[0].end == (hasBase ? .complete : .baseLost), "\(kept)")
            #expect(received[0].bytes == (hasBase ? frames[0] : []))
            let lost = 3 - kept.filter { $0 < 3 }.count
            #expect(received[0].recoveredPackets == (hasBase ? lost : 0))
            let counts = depacketiser.statistics
            #expect(counts.framesRecovered == (hasBase && lost > 0 ? 1 : 0))
            #expect(counts.repairPacketsUsed == UInt64(hasBase ? lost : 0))
            #expect(counts.packetsMalformed + counts.packetsLate + counts.packetsBehindGap <= counts.packets)
        }
    }

    @Test("In any order within the frame, and with duplicates, three packets are enough", arguments: 0..<30)
    func disorder(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (frames, packets) = try Self.sent()
        let base = Array(packets[0].prefix(6).shuffled(using: &generator).prefix(3))
        let arriving = (base + base.prefix(2)).shuffled(using: &generator)
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(arriving + packets[0].dropFirst(6))
        #expect(received.map(\.bytes) == frames)
        #expect(received.first?.end == .complete)
    }

    @Test("News of lost packets does not end a frame that repair packets may save")
    func lostEvents() throws {
        let (frames, packets) = try Self.sent(3)
        var depacketiser = Depacketiser()
        #expect(depacketiser.receive(packets[0].prefix(1)).isEmpty)
        #expect(depacketiser.lost() == nil && depacketiser.lost() == nil)
        #expect(depacketiser.receive(packets[0][3...4]).isEmpty)
        // The base is there; what is lost may be the last repair packet.
        #expect(depacketiser.lost() == nil)
        #expect(depacketiser.receive(packets[0].dropFirst(6)).map(\.bytes) == [frames[0]])
        // Behind a packet of the tail only packets of the tail come.
        #expect(depacketiser.receive(packets[1].prefix(7)).isEmpty)
        let cut = depacketiser.lost()
        #expect(cut?.end == .tailLost)
        // What is not saved ends with the next frame.
        #expect(depacketiser.receive(packets[2].prefix(1)).isEmpty)
        #expect(depacketiser.lost() == nil)
        let last = depacketiser.finish()
        #expect(last?.end == .baseLost)
    }

    @Test("A cut right behind base or repair packets is a cut, whatever was lost of them")
    func cut() throws {
        let (frames, packets) = try Self.sent(2)
        for (sent, marked) in [([0, 1, 2, 3, 4, 5], 5), ([0, 2, 3], 3), ([3, 4, 5], 5), ([0, 1, 2], 2)] {
            var depacketiser = Depacketiser()
            var kept = sent.map { packets[0][$0] }
            #expect(sent.last == marked)
            kept[kept.count - 1].marker = true
            let received = depacketiser.receive(kept)
            let baseEnd = try Self.header(kept[0]).baseEnd
            #expect(received.map(\.end) == [.cut])
            #expect(received.first?.bytes == Array(frames[0].prefix(baseEnd)))
        }
        // The packet with the marker is lost: the next frame's packet ends the frame.
        var depacketiser = Depacketiser()
        #expect(depacketiser.receive(packets[0][0...4]).isEmpty)
        #expect(depacketiser.receive(packets[1].prefix(1)).map(\.end) == [.tailLost])
    }

    @Test("A frame that is nothing but a base has its marker on a repair packet")
    func baseOnly() throws {
        let frame = syntheticFrame(chunks: [440])
        var sender = TestSender()
        sender.packetiser.baseProtection = 34
        let packets = try sender.packets(of: frame)
        #expect(packets.map(\.marker) == [false, false, false, false, true])
        var depacketiser = Depacketiser()
        let received = depacketiser.receive([packets[0], packets[3], packets[4]])
        #expect(received.map(\.bytes) == [frame] && received.map(\.end) == [.complete])
    }

    @Test("Repair packets that contradict the frame or each other are malformed, and do no harm")
    func contradictory() throws {
        let (frames, packets) = try Self.sent()
        func changed(_ change: (inout [UInt8]) -> Void) -> TestPacket {
            var packet = packets[0][3]
            change(&packet.payload)
            return packet
        }
        let bad = [
            changed { $0.removeLast() }, changed { $0.append(0) }, changed { $0[0] = 0x81 }, changed { $0[0] = 0xC0 },
            changed { $0[1] = 252 }, changed { $0[2] = 1 }, changed { $0[6] ^= 1 }, changed { $0[9] ^= 1 },
            changed {
                $0.removeLast(40)
                $0[3] -= 40
            },
        ]
        var depacketiser = Depacketiser()
        #expect(depacketiser.receive(packets[0].prefix(1)).isEmpty)
        #expect(depacketiser.receive(packets[0][4...4]).isEmpty)
        #expect(depacketiser.receive(bad).isEmpty)
        #expect(depacketiser.statistics.packetsMalformed == UInt64(bad.count))
        #expect(depacketiser.receive(packets[0][5...]).map(\.bytes) == frames)
    }

    @Test("Forged repair bytes give a frame that its checksums refuse, or none")
    func forged() throws {
        let (_, packets) = try Self.sent()
        for missing in 0..<3 {
            var kept = packets[0]
            kept[3].payload[12 + 3] ^= 0x55
            kept.remove(at: missing)
            var depacketiser = Depacketiser()
            let received = depacketiser.receive(kept)
            try #require(received.count == 1)
            let isRefused = received[0].bytes.withUnsafeBytes { bytes in
                (try? FrameHeader(parsing: bytes)).map { !$0.hasIntactBase(bytes) } ?? true
            }
            #expect(isRefused)
        }
    }

    @Test("With random loss of a tenth and as many repair packets as packets frames are lost as often as expected")
    func statistics() throws {
        var generator = SeededGenerator(seed: 11)
        let (frames, packets) = try Self.sent(2000)
        var depacketiser = Depacketiser()
        let arriving = packets.joined().filter { _ in Int.random(in: 0..<10, using: &generator) > 0 }
        var received = depacketiser.receive(arriving)
        if let last = depacketiser.finish() { received.append(last) }
        // At least three of six: a frame is lost with a probability of 0.13 %.
        let decoded = received.filter { $0.end != .baseLost }
        #expect(decoded.count >= 1990)
        let byNumber = Dictionary(uniqueKeysWithValues: decoded.map { ($0.frameNumber, $0.bytes) })
        for (index, frame) in frames.enumerated() {
            if let bytes = byNumber[65534 &+ UInt16(index)] { #expect(frame.starts(with: bytes)) }
        }
        let counts = depacketiser.statistics
        #expect(counts.framesRecovered > 450 && counts.framesRecovered < 650)
        #expect(counts.ends.reduce(0, +) + counts.framesLost == 2000)
    }
}
