import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS

@Suite("deepfgsadapt")
struct AdaptTests {
    /// Frames of 20 kB with a base of 1.5 kB.
    static func frames(_ count: Int) -> [[UInt8]] {
        (0..<count).map { ParserTests.frame(chunks: [1500, 3500, 5000, 10_000], fill: UInt8(truncatingIfNeeded: $0)) }
    }

    /// Checks what any receiver relies on, and gives the frames' bytes as sent.
    static func received(_ packets: [RTPPacket]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        for (index, packet) in packets.enumerated() {
            let isFirst = index == 0 || packets[index - 1].timestamp != packet.timestamp
            let isLast = index + 1 == packets.count || packets[index + 1].timestamp != packet.timestamp
            #expect(packet.marker == isLast && packet.has(GST_BUFFER_FLAG_MARKER) == isLast)
            if index > 0 { #expect(packet.sequenceNumber == packets[index - 1].sequenceNumber &+ 1) }
            if isFirst { frames.append([]) }
            frames[frames.count - 1] += packet.frameBytes
        }
        return frames
    }

    static func settle(_ harness: Harness, frames: Int) -> [RTPPacket] {
        var packets: [RTPPacket] = []
        for _ in 0..<3000 {
            packets += harness.available().map(RTPPacket.init)
            if packets.filter(\.marker).count >= frames { break }
            usleep(1000)
        }
        return packets
    }

    @Test(
        "Each frame's prefix that the bitrate allows is sent, byte for byte",
        arguments: [500_000, 1_000_000, 3_000_000])
    func budget(target: Int) {
        let harness = Harness(
            frames: "rtpdeepfgspay ! deepfgsadapt pacing=false frame-messages=true target-bitrate=\(target)")
        let frames = Self.frames(5)
        var packets: [RTPPacket] = []
        for (index, frame) in frames.enumerated() {
            harness.push(frames: [frame], from: index)
            packets += harness.available().map(RTPPacket.init)
            usleep(40_000)
        }
        let received = Self.received(packets)
        #expect(received.count == 5)
        for (got, sent) in zip(received, frames) { #expect(sent.starts(with: got) && got.count >= 1500) }
        // The first frame's budget is that of one interval, to the byte.
        let first = packets.filter { $0.timestamp == packets[0].timestamp }
        let wire = first.reduce(0) { $0 + $1.bytes.count + 28 }
        let budget = Int(0.99 * Double(target) / 8 * 0.04)
        #expect(wire <= budget && wire > budget - 120, "\(wire) of \(budget)")
        #expect(harness.count("frames-cut", in: "stats", of: "deepfgsadapt") == 5)
        let messages = harness.elementMessages()
        #expect(
            messages.filter { $0.hasPrefix("deepfgs-frame-sent") && $0.contains("reason=(string)budget") }.count == 5)
    }

    @Test("Frames under the bitrate pass as they are")
    func untouched() {
        let harness = Harness(frames: "rtpdeepfgspay ! deepfgsadapt pacing=false target-bitrate=100000000")
        let frames = Self.frames(5)
        harness.push(frames: frames)
        #expect(Self.received(harness.available().map(RTPPacket.init)) == frames)
        #expect(harness.count("frames-whole", in: "stats", of: "deepfgsadapt") == 5)
    }

    @Test("Packets of a list leave as they came, none of them copied", arguments: [true, false])
    func lists(pacing: Bool) throws {
        let harness = Harness("deepfgsadapt target-bitrate=100000000 pacing=\(pacing)")
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        gst_harness_play(harness.harness)
        let packets = RTPTests.packets()[0]
        let list = gst_buffer_list_new()
        var sent: [UnsafeMutablePointer<GstBuffer>] = []
        for packet in packets {
            let buffer = try #require(gst_buffer_new_allocate(nil, gsize(packet.bytes.count), nil))
            gst_buffer_fill(buffer, 0, packet.bytes, gsize(packet.bytes.count))
            buffer.pointee.pts = 0
            gst_buffer_list_insert(list, -1, buffer)
            sent.append(buffer)
        }
        #expect(gst_pad_push_list(harness.harness.pointee.srcpad, list) == GST_FLOW_OK)
        var received: [UnsafeMutablePointer<GstBuffer>] = []
        for _ in 0..<3000 where received.count < sent.count {
            while let buffer = gst_harness_try_pull(harness.harness) { received.append(buffer) }
            usleep(1000)
        }
        #expect(received == sent)
        for buffer in received { gst_buffer_unref(buffer) }
    }

    @Test("A paced frame is spread over its interval, without bursts")
    func paced() {
        let harness = Harness("rtpdeepfgspay ! deepfgsadapt target-bitrate=3000000")
        gst_harness_set_live(harness.harness, 1)
        gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
        gst_harness_play(harness.harness)
        harness.push(frames: Self.frames(1))
        var counts: [Int] = []
        let began = now()
        while now() - began < 60_000_000 {
            let count = harness.available().count
            if count > 0 { counts.append(count) }
            usleep(300)
        }
        #expect(counts.reduce(0, +) >= 12)
        // A loaded machine may hold the test up, not the packets: allow it a few.
        #expect((counts.max() ?? 0) <= 6, "\(counts)")
        #expect(counts.count >= 5)
    }

    @Test("A new target holds from the next frame on")
    func retarget() {
        let harness = Harness(frames: "rtpdeepfgspay ! deepfgsadapt pacing=false target-bitrate=3000000")
        var sizes: [Int] = []
        for (index, target) in [3_000_000, 3_000_000, 1_000_000, 1_000_000, 6_000_000].enumerated() {
            harness.set("target-bitrate", "\(target)", of: "deepfgsadapt")
            harness.push(frames: Self.frames(1), from: index)
            sizes.append(harness.available().reduce(0) { $0 + $1.bytes.count })
            usleep(40_000)
        }
        #expect(sizes[1] > 12_000 && sizes[3] < 6_500 && sizes[4] > 18_000, "\(sizes)")
    }

    @Test("The end of the stream comes after the last packet")
    func end() {
        let harness = Harness(frames: "rtpdeepfgspay ! deepfgsadapt target-bitrate=8000000")
        harness.push(frames: Self.frames(1))
        gst_harness_push_event(harness.harness, gst_event_new_eos())
        let packets = harness.available().map(RTPPacket.init)
        #expect(Self.received(packets) == Self.frames(1))
        #expect(harness.events(of: GST_EVENT_EOS) == 1)
    }

    @Test("A flush empties the queue, and the stream goes on without a gap")
    func flush() {
        let harness = Harness("rtpdeepfgspay ! deepfgsadapt target-bitrate=3000000")
        gst_harness_set_live(harness.harness, 1)
        gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
        gst_harness_play(harness.harness)
        harness.push(frames: Self.frames(1))
        gst_harness_push_event(harness.harness, gst_event_new_flush_start())
        gst_harness_push_event(harness.harness, gst_event_new_flush_stop(1))
        let before = harness.available().map(RTPPacket.init)
        #expect(before.count < 13)
        #expect(harness.count("bytes-queued", in: "stats", of: "deepfgsadapt") == 0)
        var segment = GstSegment()
        gst_segment_init(&segment, GST_FORMAT_TIME)
        gst_harness_push_event(harness.harness, gst_event_new_segment(&segment))
        harness.push(frames: Self.frames(1), from: 1)
        let after = Self.settle(harness, frames: 1)
        #expect(after.last?.marker == true)
        if let last = before.last, let next = after.first {
            #expect(next.sequenceNumber == last.sequenceNumber &+ 1)
        }
    }

    @Test("Stopping with a full queue loses nothing but the queue")
    func stop() {
        for _ in 0..<20 {
            let harness = Harness("rtpdeepfgspay ! deepfgsadapt target-bitrate=3000000")
            gst_harness_set_live(harness.harness, 1)
            gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
            gst_harness_play(harness.harness)
            harness.push(frames: Self.frames(2))
        }
    }

    @Test("Feedback ends here, other events go on")
    func feedback() {
        let harness = Harness(frames: "identity name=above ! rtpdeepfgspay ! deepfgsadapt request-bases=false")
        harness.push(frames: Self.frames(1))
        func send(_ name: String) -> Bool {
            let event = gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_from_string(name, nil))
            return gst_harness_push_upstream_event(harness.harness, event) != 0
        }
        let before = gst_harness_upstream_events_received(harness.harness)
        _ = send("RTPTWCCPackets")
        #expect(gst_harness_upstream_events_received(harness.harness) == before)
        _ = send("Something")
        #expect(gst_harness_upstream_events_received(harness.harness) == before + 1)
    }

    @Test("In auto mode the target follows feedback events")
    func automatic() {
        let harness = Harness("rtpdeepfgspay ! deepfgsadapt mode=auto start-bitrate=300000 max-bitrate=50000000")
        gst_harness_set_live(harness.harness, 1)
        gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
        gst_harness_play(harness.harness)
        var number: guint = 65_500
        for index in 0..<60 {
            harness.push(frames: Self.frames(1), from: index)
            var report: [(number: guint, size: Int, time: Int64)] = []
            let began = now()
            while now() - began < 40_000_000 {
                for packet in harness.available().map(RTPPacket.init) {
                    report.append((number & 0xFFFF, packet.payload.count, now()))
                    number += 1
                }
                usleep(500)
            }
            Self.sendFeedback(report, through: harness)
        }
        #expect(harness.text("feedback", in: "stats", of: "deepfgsadapt") == "transport-wide")
        let estimate = harness.count("estimated-bitrate", in: "stats", of: "deepfgsadapt") ?? 0
        #expect(estimate > 450_000, "\(estimate)")
        #expect(harness.count("target-bitrate", in: "stats", of: "deepfgsadapt").map { $0 <= estimate } == true)
        // Nonsense is let pass by.
        for text in ["RTPTWCCPackets", "RTPTWCCPackets,packets=(int)1", "RTPTWCCPackets,packets=(string)a"] {
            gst_harness_push_upstream_event(
                harness.harness, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_from_string(text, nil)))
        }
    }

    @Test("That feedback has come, has stopped, or is waited for in vain is told")
    func feedbackNews() {
        let harness = Harness("rtpdeepfgspay ! deepfgsadapt mode=auto target-bitrate=700000 max-bitrate=50000000")
        gst_harness_set_live(harness.harness, 1)
        gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
        gst_harness_play(harness.harness)
        var (number, index): (guint, Int) = (0, 0)
        func run(seconds: Double, feedback: Bool) -> [String] {
            for _ in 0..<Int(seconds * 10) {
                harness.push(frames: Self.frames(1), from: index)
                index += 1
                usleep(100_000)
                var report: [(number: guint, size: Int, time: Int64)] = []
                for packet in harness.available().map(RTPPacket.init) {
                    report.append((number & 0xFFFF, packet.payload.count, now()))
                    number += 1
                }
                if feedback { Self.sendFeedback(report, through: harness) }
            }
            return harness.elementMessages().filter { $0.hasPrefix("deepfgs-feedback") }
        }
        let none = run(seconds: 5.6, feedback: false)
        #expect(none.count == 1)
        #expect(none.first?.contains("feedback=(string)none, target-bitrate=(guint64)700000") == true, "\(none)")
        #expect(run(seconds: 1, feedback: true).map { $0.contains("feedback=(string)transport-wide") } == [true])
        let stopped = run(seconds: 2.8, feedback: false)
        #expect(stopped.map { $0.contains("feedback=(string)stopped") } == [true], "\(stopped)")
        #expect(harness.text("feedback", in: "stats", of: "deepfgsadapt") == "stopped")
        #expect(harness.count("received-bitrate", in: "stats", of: "deepfgsadapt") == 0)
        #expect(run(seconds: 0.5, feedback: true).map { $0.contains("feedback=(string)transport-wide") } == [true])
    }

    @Test("A minimum above the maximum is warned of, before it runs and while it does")
    func contradiction() {
        let before = Harness.Pipeline(
            "appsrc ! deepfgsadapt min-bitrate=900000 max-bitrate=300000 ! fakesink async=false")
        #expect(before.reaches(GST_STATE_PAUSED))
        #expect(before.warnings() == ["min-bitrate, 900000, is above max-bitrate, 300000, which counts as that."])
        let harness = Harness(frames: "rtpdeepfgspay ! deepfgsadapt min-bitrate=900000 max-bitrate=1000000")
        harness.set("max-bitrate", "950000", of: "deepfgsadapt")
        #expect(harness.messages().isEmpty)
        harness.set("min-bitrate", "2000000", of: "deepfgsadapt")
        #expect(harness.messages().count == 1)
    }

    /// An event as rtpsession makes it: every packet arrived 20 ms after it was sent.
    static func sendFeedback(_ packets: [(number: guint, size: Int, time: Int64)], through harness: Harness) {
        let report = gst_structure_new_empty("RTPTWCCPackets")
        for packet in packets {
            let text =
                "RTPTWCCPacket,seqnum=(uint)\(packet.number),local-ts=(guint64)\(packet.time),"
                + "remote-ts=(guint64)\(packet.time + 20_000_000),size=(uint)\(packet.size),lost=(boolean)false"
            deepfgs_check_append(report, "packets", gst_structure_from_string(text, nil))
        }
        gst_harness_push_upstream_event(harness.harness, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, report))
    }

    @Test("Latency is one frame interval when live and pacing, until it is known what frames take")
    func latency() {
        let harness = Harness("rtpdeepfgspay ! deepfgsadapt name=adapt")
        gst_harness_set_live(harness.harness, 1)
        gst_harness_set_src_caps_str(harness.harness, Harness.frameCaps)
        gst_harness_play(harness.harness)
        harness.push(frames: Self.frames(1))
        #expect(gst_harness_query_latency(harness.harness) == 40_000_000)
        // Frames of one packet leave at once.
        for number in 1..<10 {
            harness.push(frames: [ParserTests.frame()], from: number)
            usleep(40_000)
        }
        #expect(gst_harness_query_latency(harness.harness) < 40_000_000)
        harness.set("pacing", "false", of: "deepfgsadapt")
        #expect(gst_harness_query_latency(harness.harness) == 0)
    }

    @Test("Packets of another format are dropped and counted, those behind a hole too")
    func foreign() {
        let frame = Self.frames(1)
        let pay = Harness(frames: "rtpdeepfgspay")
        pay.push(frames: frame)
        var packets = pay.available().map(RTPPacket.init)
        let harness = Harness("deepfgsadapt pacing=false target-bitrate=100000000")
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        gst_harness_play(harness.harness)
        var foreign = packets[0].bytes
        foreign[12] = 0
        harness.push(foreign, time: 0)
        packets.remove(at: 4)
        for packet in packets { harness.push(packet.bytes, time: 0) }
        let received = Self.received(Self.settle(harness, frames: 1))
        #expect(received.count == 1 && received.first.map { frame[0].starts(with: $0) } == true)
        #expect(harness.count("packets-malformed", in: "stats", of: "deepfgsadapt") == 1)
        #expect(harness.count("packets-dropped-gap", in: "stats", of: "deepfgsadapt").map { $0 > 5 } == true)
    }

    /// Nanoseconds of a steady clock.
    private func now() -> Int64 { Int64(g_get_monotonic_time()) * 1000 }
}
