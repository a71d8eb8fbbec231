import CGStreamer
import CGstCheck
import Testing

@testable import DeepFGS

extension RTPPacket {
    /// Whether it is a repair packet: version 2 of the payload header.
    var isRepair: Bool { payload.first.map { $0 >> 6 == 2 } ?? false }
}

@Suite("Protection of the base")
struct ProtectionTests {
    /// Frames with a base of three packets.
    static let frames = (0..<10).map { ParserTests.frame(chunks: [3000, 1500, 2000 + $0], fill: UInt8($0 + 1)) }

    /// What a payloader makes of the frames, frame by frame.
    static func sent(_ options: String) -> (harness: Harness, packets: [[RTPPacket]]) {
        let harness = Harness(frames: "rtpdeepfgspay \(options)")
        let packets = frames.enumerated().map { index, frame in
            harness.push(frames: [frame], from: index)
            return harness.available().map(RTPPacket.init)
        }
        return (harness, packets)
    }

    /// A piece that takes packets.
    static func receiver(_ launch: String) -> Harness {
        let harness = Harness(launch)
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        gst_harness_play(harness.harness)
        return harness
    }

    @Test("Repair packets are in their place, droppable, and fit the mtu")
    func payload() {
        for (percent, count) in [(0, 0), (1, 1), (100, 3), (200, 6)] {
            let (_, sent) = Self.sent("base-protection=\(percent)")
            for (packets, frame) in zip(sent, Self.frames) {
                let repairs = packets.filter(\.isRepair)
                #expect(repairs.count == count)
                #expect(packets.dropFirst(3).prefix(count).allSatisfy { $0.isRepair })
                #expect(packets.filter { !$0.isRepair }.flatMap(\.frameBytes) == frame)
                #expect(packets.allSatisfy { $0.bytes.count <= 1200 && $0.timestamp == packets[0].timestamp })
                #expect(packets.map(\.marker) == packets.indices.map { $0 == packets.count - 1 })
                for packet in packets {
                    let isKept = packet.priority == 0 && !packet.isRepair
                    #expect(packet.has(GST_BUFFER_FLAG_NON_DROPPABLE) == isKept)
                    #expect(packet.has(GST_BUFFER_FLAG_DROPPABLE) == !isKept)
                }
                // The base's packets are of one size, and repair packets as large.
                #expect(count == 0 || Set(packets.prefix(2 + count).map(\.bytes.count)).count <= 2)
                #expect(repairs.allSatisfy { $0.bytes.count == packets[0].bytes.count })
            }
        }
    }

    @Test("The protection can be changed while playing")
    func change() {
        let harness = Harness(frames: "rtpdeepfgspay base-protection=100")
        var counts: [Int] = []
        for percent in [100, 0, 34, 1000] {
            harness.set("base-protection", "\(percent)", of: "rtpdeepfgspay")
            harness.push(frames: [Self.frames[0]])
            counts.append(harness.available().map(RTPPacket.init).filter(\.isRepair).count)
        }
        #expect(counts == [3, 0, 2, 30])
    }

    @Test("Any three of six packets give a base back, also after news of the loss", arguments: [false, true])
    func recover(tells: Bool) {
        let (_, sent) = Self.sent("base-protection=100")
        for pattern in 0..<64 {
            let harness = Self.receiver("rtpdeepfgsdepay")
            // From this frame the depayloader knows that there are repair packets.
            for packet in sent[0] { harness.push(packet.bytes, time: 0) }
            var kept = 0
            for (index, packet) in sent[1].enumerated() {
                if index >= 6 || pattern >> index & 1 == 1 {
                    if index < 6 { kept += 1 }
                    harness.push(packet.bytes, time: 40_000_000)
                } else if tells {
                    let lost = gst_structure_from_string(
                        "GstRTPPacketLost,seqnum=(uint)\(packet.sequenceNumber),timestamp=(guint64)0,"
                            + "duration=(guint64)1", nil)
                    gst_harness_push_event(harness.harness, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, lost))
                }
            }
            let isRight = harness.available().map(\.bytes) == Array(Self.frames.prefix(kept >= 3 ? 2 : 1))
            #expect(isRight, "pattern \(pattern)")
        }
    }

    @Test("Repairs are counted and told of")
    func statistics() {
        let (_, sent) = Self.sent("base-protection=100")
        let harness = Self.receiver("rtpdeepfgsdepay frame-messages=true")
        for (index, packets) in sent.enumerated() {
            // In every other frame two packets of the base are lost.
            for (place, packet) in packets.enumerated() where index % 2 == 0 || ![0, 2].contains(place) {
                harness.push(packet.bytes, time: UInt64(index) * 40_000_000)
            }
        }
        #expect(harness.available().map(\.bytes) == Self.frames)
        func count(_ field: String) -> UInt64? { harness.count(field, in: "frame-stats", of: "rtpdeepfgsdepay") }
        #expect(count("frames-recovered") == 5 && count("frames-base-lost") == 0 && count("frames-complete") == 10)
        #expect(count("repair-packets") == 30 && count("repair-packets-used") == 10)
        #expect(count("packets-late") == 0 && count("packets-malformed") == 0)
        let messages = harness.elementMessages()
        #expect(messages.filter { $0.contains("recovered-packets=(uint)2") }.count == 5)
        #expect(!messages.contains { $0.contains("deepfgs-frame-lost") })
    }

    @Test("deepfgsadapt passes repair packets on, or not", arguments: ["all", "auto", "none"])
    func adapt(policy: String) {
        let harness = Harness(
            frames: "rtpdeepfgspay base-protection=200 ! deepfgsadapt pacing=false target-bitrate=100000000 "
                + "frame-messages=true base-protection=\(policy)")
        harness.push(frames: Self.frames)
        let packets = harness.available().map(RTPPacket.init)
        #expect(packets.filter { !$0.isRepair }.flatMap(\.frameBytes) == Self.frames.flatMap { $0 })
        for (packet, next) in zip(packets, packets.dropFirst()) {
            #expect(next.sequenceNumber == packet.sequenceNumber &+ 1)
            #expect(packet.marker == (packet.timestamp != next.timestamp))
        }
        // Without feedback auto passes all.
        let passed = policy == "none" ? 0 : 60
        #expect(packets.filter(\.isRepair).count == passed)
        func count(_ field: String) -> UInt64? { harness.count(field, in: "stats", of: "deepfgsadapt") }
        #expect(count("repair-packets") == 60 && count("repair-packets-sent") == UInt64(passed))
        #expect(count("packets-dropped-protection") == UInt64(60 - passed) && count("frames-whole") == 10)
        // The last message may come after the last packet.
        var messages: [String] = []
        for _ in 0..<3000 where messages.count < 10 {
            messages += harness.elementMessages().filter { $0.contains("repair-packets=(uint)\(passed / 10)") }
            g_usleep(1000)
        }
        #expect(messages.count == 10)
    }

    @Test("Where feedback tells of no loss for a while auto passes none on")
    func noLoss() {
        let harness = Harness("rtpdeepfgspay base-protection=100 ! deepfgsadapt target-bitrate=20000000")
        gst_harness_set_live(harness.harness, 1)
        gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
        gst_harness_play(harness.harness)
        var (number, repairs): (guint, [Int]) = (0, [])
        // At first feedback is not relied on.
        let began = g_get_monotonic_time()
        for index in 0..<400 where g_get_monotonic_time() - began < 4_000_000 {
            harness.push(frames: [Self.frames[0]], from: index)
            let packets = AdaptTests.settle(harness, frames: 1)
            let report = packets.map { packet in
                defer { number += 1 }
                return (number & 0xFFFF, packet.payload.count, Int64(g_get_monotonic_time()) * 1000)
            }
            AdaptTests.sendFeedback(report, through: harness)
            repairs.append(packets.filter(\.isRepair).count)
            g_usleep(20_000)
        }
        #expect(repairs.first == 3 && repairs.last == 0)
        #expect(harness.count("packets-dropped-protection", in: "stats", of: "deepfgsadapt").map { $0 > 0 } == true)
        #expect(harness.count("packets-dropped-gap", in: "stats", of: "deepfgsadapt") == 0)
    }

    @Test("One encode, many branches: each drops for itself and the receivers of all decode")
    func branches() {
        let (_, sent) = Self.sent("base-protection=100")
        for (policy, cut) in [("all", 0), ("none", 0), ("all", 1), ("none", 1)] {
            let harness = Self.receiver(
                "deepfgsadapt pacing=false target-bitrate=100000000 base-protection=\(policy) max-frame-bytes=\(cut) "
                    + "! rtpdeepfgsdepay")
            for packet in sent.joined() { harness.push(packet.bytes, time: 0) }
            gst_harness_push_event(harness.harness, gst_event_new_eos())
            let outputs = harness.available()
            #expect(outputs.count == Self.frames.count)
            for (output, frame) in zip(outputs, Self.frames) {
                #expect(frame.starts(with: output.bytes) && (output.bytes.count == frame.count) == (cut == 0))
            }
        }
    }

    @Test("Random loss of a tenth and of a third: what arrives is right, and few frames are lost", arguments: [10, 3])
    func randomLoss(oneIn: Int) {
        var generator = SystemRandomNumberGenerator()
        let harness = Harness(frames: "rtpdeepfgspay base-protection=\(oneIn == 10 ? 200 : 500)")
        let receiver = Self.receiver("rtpdeepfgsdepay")
        var decoded = 0
        for index in 0..<300 {
            harness.push(frames: [Self.frames[index % 10]], from: index)
            for packet in harness.available() where Int.random(in: 0..<oneIn, using: &generator) > 0 {
                receiver.push(packet.bytes, time: UInt64(index) * 40_000_000)
            }
            for output in receiver.available() {
                #expect(Self.frames.contains { $0.starts(with: output.bytes) })
                decoded += 1
            }
        }
        // Expected lost: 0.0003 and 0.0004 of the frames.
        #expect(decoded >= 295)
    }

    @Test("The frame marking calls repair packets discardable and keeps start and end to the base")
    func frameMarking() {
        let harness = Harness(
            frames: "rtpdeepfgspay base-protection=100 ! capsfilter "
                + "caps=\"application/x-rtp,extmap-5=(string)urn:ietf:params:rtp-hdrext:framemarking\"")
        harness.push(frames: [Self.frames[0]])
        let packets = harness.available().map(RTPPacket.init)
        // S, E, I, D of the base's three packets, the three repair packets, and the first of the tail.
        let bits: [UInt8] = [0b1010, 0b0010, 0b0110, 0b0011, 0b0011, 0b0011, 0b1011]
        #expect(packets.prefix(7).map { $0.bytes[17] >> 4 } == bits)
        #expect(packets.prefix(7).map { $0.bytes[18] } == [0, 0, 0, 0, 0, 0, 1])
        #expect(packets.allSatisfy { $0.bytes.count <= 1200 })
    }
}
