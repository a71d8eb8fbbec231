import DeepFGSBitstream
import Foundation
import Testing

@testable import DeepFGSTransport

/// The worked example of repair packets in `docs/30-rtp-payload.md`, as it stands on the page.
@Suite("RTP specification's example")
struct PayloadPageTests {
    /// The bytes in the block that begins with three backticks and `hex NAME`, up to any comment in a line.
    static func bytes(_ name: String, of page: String) throws -> [UInt8] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/\(page)"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "```hex \(name)"))
        return try lines[(start + 1)...].prefix { $0 != "```" }.flatMap { line in
            try line.prefix { $0 != ";" }.split(separator: " ").map { try #require(UInt8($0, radix: 16)) }
        }
    }

    static func packets() throws -> [[UInt8]] {
        try ["base 0", "base 1", "base 2", "repair 0", "repair 1"].map { try bytes($0, of: "30-rtp-payload.md") }
    }

    @Test("A payloader makes the packets on the page of the frame on the other page")
    func made() throws {
        let frame = try Self.bytes("frame", of: "10-bitstream.md")
        var sender = TestSender()
        sender.packetiser = Packetiser(frameNumber: 7)
        sender.packetiser.baseProtection = 50
        let made = try sender.packets(of: frame, maximumPayload: 36)
        #expect(made.prefix(5).map(\.payload) == (try Self.packets()))
    }

    @Test("The packets that the page says are enough give the base back")
    func recovered() throws {
        let packets = try Self.packets()
        let frame = try Self.bytes("frame", of: "10-bitstream.md")
        var depacketiser = Depacketiser()
        for (number, index) in [1, 3, 4].enumerated() {
            let packet = TestPacket(
                payload: packets[index], sequenceNumber: UInt16(number), timestamp: 5, marker: number == 2)
            for ended in depacketiser.receive(packet) {
                #expect(ended.end == .cut && ended.bytes == Array(frame.prefix(62)) && ended.recoveredPackets == 2)
            }
        }
        #expect(depacketiser.statistics.framesRecovered == 1)
    }

    @Test("The table says how many repair packets a loss calls for")
    func table() throws {
        let rows: [(Double, [Int])] = [
            (0.005, [1, 1, 2]), (0.01, [1, 1, 2]), (0.02, [1, 2, 3]), (0.05, [2, 3, 5]), (0.1, [2, 4, 7]),
            (0.2, [4, 6, 12]), (0.3, [5, 8, 18]),
        ]
        for (loss, repairs) in rows {
            #expect([1, 3, 14].map { BaseProtection.repairPackets(for: $0, loss: loss) } == repairs)
        }
    }
}
