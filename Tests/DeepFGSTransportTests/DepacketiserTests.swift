import DeepFGSBitstream
import Testing

@testable import DeepFGSTransport

@Suite("RTP frames from packets")
struct DepacketiserTests {
    let frames = (0..<6).map { syntheticFrame(chunks: [350, 200, 300, 500], seed: UInt64($0)) }

    func sent() throws -> [[TestPacket]] {
        var sender = TestSender()
        return try frames.map { try sender.packets(of: $0) }
    }

    @Test("What is sent is received, over the wrap of every counter")
    func whole() throws {
        let sent = try sent()
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(sent.joined())
        #expect(received.map(\.bytes) == frames)
        #expect(received.allSatisfy { $0.end == .complete && $0.lostBefore == 0 })
        #expect(received.map(\.timestamp) == sent.map { $0[0].timestamp })
        #expect(received.map(\.mark) == sent.map { UInt64($0[0].timestamp) })
        #expect(depacketiser.statistics.framesLost == 0 && depacketiser.statistics.framesSkipped == 0)
        #expect(depacketiser.statistics.bytes == UInt64(frames.joined().count))
    }

    @Test("A cut tail, renumbered and with the marker on its last packet, is a cut and not a loss")
    func cut() throws {
        var depacketiser = Depacketiser()
        var sequenceNumber: UInt16 = 65533
        var received: [Depacketiser.Frame] = []
        for packets in try sent() {
            var kept = Array(packets.prefix(5))
            kept[4].payload.removeLast(7)
            kept[4].marker = true
            for var packet in kept {
                packet.sequenceNumber = sequenceNumber
                sequenceNumber &+= 1
                received += depacketiser.receive(packet)
            }
        }
        #expect(received.count == frames.count)
        for (got, frame) in zip(received, frames) {
            #expect(got.end == .cut && got.lostBefore == 0)
            #expect(got.bytes == Array(frame.prefix(got.bytes.count)) && got.frameLength == frame.count)
        }
    }

    @Test("Of a frame with a hole the prefix before it is kept, and the frame after it is not blamed")
    func hole() throws {
        var sent = try sent()
        let missing = sent[1].remove(at: 4)
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(sent.joined())
        #expect(received.map(\.end) == [.complete, .tailLost] + Array(repeating: .complete, count: 4))
        let prefix = received[1].bytes
        #expect(prefix == Array(frames[1].prefix(prefix.count)) && prefix.count < frames[1].count)
        #expect(depacketiser.receive(missing).isEmpty)
        #expect(depacketiser.statistics.packetsLate == 1)
    }

    @Test("Without its marker a frame ends with the next one's first packet")
    func noMarker() throws {
        var sent = try sent()
        sent[2].removeLast()
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(sent.joined())
        #expect(received.map(\.end)[1...3] == [.complete, .tailLost, .complete])
        #expect(received.map(\.timestamp) == sent.map { $0[0].timestamp })
    }

    @Test("A hole in the base loses the frame and says so; wholly lost frames are counted")
    func baseLost() throws {
        var sent = try sent()
        sent[1].remove(at: 0)
        sent[3] = []
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(sent.joined())
        #expect(received.map(\.end) == [.complete, .baseLost, .complete, .complete, .complete])
        #expect(received[1].bytes.isEmpty)
        #expect(received.map(\.lostBefore) == [0, 0, 0, 1, 0])
        #expect(depacketiser.statistics.framesLost == 1)
    }

    @Test("A frame that the sender left out is not a loss")
    func skipped() throws {
        var sent = try sent()
        let shift = UInt16(sent[2].count)
        sent[2] = []
        for frame in 3..<sent.count {
            for packet in sent[frame].indices { sent[frame][packet].sequenceNumber &-= shift }
        }
        var depacketiser = Depacketiser()
        let received = depacketiser.receive(sent.joined())
        #expect(received.count == 5 && received.allSatisfy { $0.end == .complete && $0.lostBefore == 0 })
        #expect(depacketiser.statistics.framesSkipped == 1 && depacketiser.statistics.framesLost == 0)
    }

    @Test("Known loss ends the frame at once: a late tail delays nothing")
    func knownLoss() throws {
        let sent = try sent()
        var depacketiser = Depacketiser()
        #expect(depacketiser.receive(sent[0].prefix(4)).isEmpty)
        let ended = depacketiser.lost()
        let frame = try #require(ended)
        #expect(frame.end == .tailLost && frame.bytes == Array(frames[0].prefix(frame.bytes.count)))
        #expect(depacketiser.finish() == nil)
        #expect(depacketiser.receive(sent[0].suffix(2)).isEmpty)
        let next = depacketiser.receive(sent[1])
        #expect(next.map(\.end) == [.complete])
        #expect(depacketiser.statistics.framesLost == 0)
    }

    @Test("A sender that starts anew with old numbers is taken up after 64 packets")
    func restart() throws {
        var depacketiser = Depacketiser()
        var sender = TestSender()
        for frame in frames + frames { _ = depacketiser.receive(try sender.packets(of: frame)) }
        var again = TestSender()
        var received: [Depacketiser.Frame] = []
        for _ in 0..<6 { for frame in frames { received += depacketiser.receive(try again.packets(of: frame)) } }
        #expect(received.suffix(frames.count).map(\.bytes) == frames)
    }

    @Test("Loss, reordering and duplication give true prefixes, and every frame is accounted for", arguments: 0..<40)
    func disturbed(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var sender = TestSender()
        var packets: [TestPacket] = []
        var byTimestamp: [UInt32: [UInt8]] = [:]
        for index in 0..<40 {
            let frame = syntheticFrame(chunks: [120, 200, 300, 500], seed: UInt64(index))
            byTimestamp[sender.timestamp] = frame
            packets += try sender.packets(of: frame)
        }
        let loss = Double(seed % 5) * 0.08
        var arriving: [TestPacket] = []
        for packet in packets where Double.random(in: 0..<1, using: &generator) >= loss {
            arriving.append(packet)
            if Int.random(in: 0..<20, using: &generator) == 0 { arriving.append(packet) }
        }
        if seed >= 20 {
            for index in arriving.indices.dropLast(3) where Int.random(in: 0..<10, using: &generator) == 0 {
                arriving.swapAt(index, index + Int.random(in: 1...3, using: &generator))
            }
        }
        var depacketiser = Depacketiser()
        var received = depacketiser.receive(arriving)
        if let last = depacketiser.finish() { received.append(last) }
        for frame in received where frame.end != .baseLost {
            let whole = try #require(byTimestamp[frame.timestamp])
            #expect(frame.bytes == Array(whole.prefix(frame.bytes.count)))
            #expect(frame.bytes.count >= 120 && (frame.end == .complete) == (frame.bytes.count == whole.count))
        }
        #expect(Set(received.map(\.timestamp)).count == received.count)
        if loss == 0 && seed < 20 { #expect(received.filter { $0.end == .complete }.count == 40) }
        let counted = depacketiser.statistics.ends.reduce(0, +) + depacketiser.statistics.framesLost
        #expect(counted <= 40 && counted >= UInt64(loss < 0.1 ? 38 : 30))
    }

    @Test("Random and mutated bytes never trap", arguments: 0..<20)
    func noise(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let sent = Array(try sent().joined())
        var depacketiser = Depacketiser()
        for _ in 0..<2000 {
            var packet = sent[Int.random(in: sent.indices, using: &generator)]
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !packet.payload.isEmpty {
                let at = Int.random(in: 0..<min(16, packet.payload.count), using: &generator)
                packet.payload[at] = UInt8.random(in: 0...255, using: &generator)
            }
            packet.payload.removeLast(Int.random(in: 0...packet.payload.count, using: &generator) / 8)
            if Int.random(in: 0..<10, using: &generator) == 0 { packet.payload = Array(packet.payload.prefix(7)) }
            packet.sequenceNumber ^=
                UInt16.random(in: 0...3, using: &generator)
                << UInt16.random(
                    in: 0...14, using: &generator)
            packet.timestamp ^= Bool.random(using: &generator) ? 0 : UInt32.random(in: 0...(.max), using: &generator)
            for frame in depacketiser.receive(packet) { #expect(frame.bytes.count <= frame.frameLength) }
        }
        #expect(depacketiser.statistics.packets == 2000)
    }
}
