import CGStreamer
import CGstCheck
import Testing

@testable import DeepFGS

@Suite("Frame marking header extension")
struct FrameMarkingTests {
    private static let caps =
        "capsfilter caps=\"application/x-rtp,extmap-5=(string)urn:ietf:params:rtp-hdrext:framemarking\""

    /// The bits S, E, I, D, B, TID and the layer of each packet (RFC 9626, section 3.1).
    private func marks(_ packets: [RTPPacket]) throws -> [(bits: UInt8, layer: UInt8)] {
        try packets.map { packet in
            try #require(packet.bytes[0] & 0x10 != 0)
            #expect(Array(packet.bytes[12..<14]) == [0xBE, 0xDE])
            #expect(packet.bytes[16] == 0x51, "id 5, two bytes")
            return (packet.bytes[17], packet.bytes[18])
        }
    }

    private func check(_ packets: [RTPPacket]) throws {
        let marks = try marks(packets)
        for (index, packet) in packets.enumerated() {
            let isSameLayer = { (other: Int) in
                packets.indices.contains(other) && packets[other].timestamp == packet.timestamp
                    && packets[other].priority == packet.priority
            }
            #expect(marks[index].layer == packet.priority)
            #expect((marks[index].bits & 0x80 != 0) == !isSameLayer(index - 1))
            #expect((marks[index].bits & 0x40 != 0) == !isSameLayer(index + 1))
            #expect(marks[index].bits & 0x20 != 0)
            #expect((marks[index].bits & 0x10 != 0) == (packet.priority > 0))
            #expect(marks[index].bits & 0x0F == 0)
        }
    }

    @Test("Each packet tells its layer, its place in it, and whether it may be left out")
    func written() throws {
        let harness = Harness(frames: "rtpdeepfgspay mtu=500 ! \(Self.caps)")
        harness.push(frames: RTPTests.frames)
        let packets = harness.available().map(RTPPacket.init)
        #expect(packets.count > 50 && packets.allSatisfy { $0.bytes.count <= 500 })
        try check(packets)
    }

    @Test("Where a frame is cut, its last packet ends its layer")
    func cut() throws {
        let harness = Harness(
            frames: "rtpdeepfgspay mtu=300 ! \(Self.caps) ! deepfgsadapt pacing=false target-bitrate=600000")
        harness.push(frames: Array(RTPTests.frames.prefix(1)))
        let packets = harness.available().map(RTPPacket.init)
        #expect(packets.last?.marker == true && packets.count > 3)
        #expect(packets.flatMap(\.frameBytes).count < RTPTests.frames[0].count)
        try check(packets)
    }

    @Test("A depayloader reads it, and frames come through unharmed")
    func read() {
        let harness = Harness(frames: "rtpdeepfgspay ! \(Self.caps) ! rtpdeepfgsdepay")
        harness.push(frames: RTPTests.frames)
        var marks: [guint] = []
        while let buffer = gst_harness_try_pull(harness.harness) {
            var value: guint = 0
            if let meta = gst_buffer_get_custom_meta(buffer, "GstDeepFGSFrameMarkingMeta"),
                gst_structure_get_uint(gst_custom_meta_get_structure(meta), "marks", &value) != 0
            {
                marks.append(value)
            }
            gst_buffer_unref(buffer)
        }
        // The last packet of a frame with three scalable chunks: end, independent, discardable.
        #expect(marks.count == RTPTests.frames.count)
        #expect(marks.allSatisfy { $0 & 0x7F00 == 0x7000 && $0 & 0xFF == 3 }, "\(marks)")
    }
}
