import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

/// Senders that ask for bases that fit, and the encoder that makes them.
@Suite("Bases that fit")
struct FittingBasesTests {
    private static let picture = TestPicture(width: 128, height: 96)

    /// Sends a request upstream into the element at the harness's end.
    private static func ask(_ harness: Harness, sender: Int, bitrate: Int) {
        let fields =
            "deepfgs-base-request,sender=(guint64)\(sender),bitrate=(guint64)\(bitrate),packet-overhead=(uint)60,"
            + "packet-bytes=(uint)1140"
        gst_harness_push_upstream_event(
            harness.harness, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_from_string(fields, nil)))
    }

    /// Encodes 10 pictures a second from a number on; gives times in tenths of a second and sizes of the bases.
    ///
    /// Senders repeat what they ask for: a busy machine may take longer for a picture than a request holds.
    private static func run(
        _ harness: Harness, _ range: Range<Int>, asking requests: [(sender: Int, bitrate: Int)] = []
    ) throws -> [(time: Int, base: Int)] {
        for number in range {
            for request in requests { ask(harness, sender: request.sender, bitrate: request.bitrate) }
            harness.push(picture, time: UInt64(number) * 100_000_000)
        }
        return try harness.available().map { output in
            (Int((output.time ?? 0) / 100_000_000), try EncoderSettingsTests.header(output.bytes).baseEnd)
        }
    }

    private static func encoder(_ options: String = "") -> Harness {
        let harness = Harness("deepfgsenc threads=1 qos=false \(options)")
        harness.setCaps(128, 96)
        return harness
    }

    @Test("Coarser at once, fewer where that is not enough, and as before when they let go")
    func obeys() throws {
        let harness = Self.encoder()
        let plain = try Self.run(harness, 0..<3)
        #expect(plain.map(\.time) == [0, 1, 2])
        let base = try #require(plain.last).base
        // Room for four fifths of each base.
        let coarse = try Self.run(harness, 3..<13, asking: [(7, (base + 60) * 4 / 5 * 80)])
        #expect(coarse.count == 10)
        #expect(coarse.allSatisfy { $0.base < base })
        #expect(harness.count("base-step", of: "deepfgsenc").map { $0 > 16 && $0 < 32 } == true)
        // Room for a quarter of the bases: two thirds of that size at best, so two of five frames.
        let few = try Self.run(harness, 13..<43, asking: [(7, (base + 60) * 80 / 4)])
        #expect((9...15).contains(few.count), "\(few)")
        #expect(harness.count("base-step", of: "deepfgsenc") == 32)
        #expect(harness.count("skipped", of: "deepfgsenc") == UInt64(30 - few.count))
        // Evenly: no gap is longer than another by more than a frame.
        let gaps = zip(few, few.dropFirst()).map { $1.time - $0.time }.dropFirst()
        #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1, "\(few)")
        Self.ask(harness, sender: 7, bitrate: 0)
        let again = try Self.run(harness, 43..<46)
        #expect(again.map(\.time) == [43, 44, 45] && again.last?.base == base)
    }

    @Test("Of several senders the one with the least room counts")
    func lowest() throws {
        let harness = Self.encoder()
        let base = try #require(try Self.run(harness, 0..<2).last).base
        let others = [(1, 10_000_000), (3, 5_000_000)]
        let narrow = (2, (base + 60) * 4 / 5 * 80)
        #expect(try Self.run(harness, 2..<6, asking: others + [narrow]).allSatisfy { $0.base < base })
        Self.ask(harness, sender: 2, bitrate: 0)
        // Finer again, step by step.
        #expect(try Self.run(harness, 6..<90, asking: others).last?.base == base)
    }

    @Test("max-base-step and min-framerate forbid it")
    func forbidden() throws {
        let harness = Self.encoder("max-base-step=16 min-framerate=10")
        let base = try #require(try Self.run(harness, 0..<2).last).base
        let frames = try Self.run(harness, 2..<12, asking: [(1, 1000)])
        #expect(frames.count == 10 && frames.allSatisfy { $0.base == base })
        harness.set("min-framerate", "2", of: "deepfgsenc")
        #expect((2...3).contains(try Self.run(harness, 12..<22, asking: [(1, 1000)]).count))
    }

    @Test("A sender asks when packets come, each second, when its target falls, and lets go at its end")
    func asks() {
        let harness = Harness(frames: "deepfgsadapt pacing=false target-bitrate=1000000", caps: Harness.packetCaps)
        func requests() -> [String] { harness.upstream().filter { $0.hasPrefix("deepfgs-base-request") } }
        for packet in RTPTests.packets()[0] { harness.push(packet.bytes, time: 0) }
        _ = AdaptTests.settle(harness, frames: 1)
        let first = requests()
        #expect(first.count == 1)
        #expect(
            first.first?.contains("bitrate=(guint64)800000, packet-overhead=(uint)52, packet-bytes=(uint)576") == true,
            "\(first)")
        usleep(60_000)
        harness.set("target-bitrate", "300000", of: "deepfgsadapt")
        for packet in RTPTests.packets()[1] { harness.push(packet.bytes, time: 40_000_000) }
        _ = AdaptTests.settle(harness, frames: 1)
        #expect(requests().contains { $0.contains("bitrate=(guint64)240000") })
        harness.set("request-bases", "false", of: "deepfgsadapt")
        for packet in RTPTests.packets()[2] { harness.push(packet.bytes, time: 80_000_000) }
        _ = AdaptTests.settle(harness, frames: 1)
        #expect(requests().map { $0.contains("bitrate=(guint64)0") } == [true])
    }

    @Test("From the encoder through a tee to two senders: bases fit the narrower one")
    func tee() throws {
        let pipeline = Harness.Pipeline(
            "videotestsrc num-buffers=40 pattern=snow ! video/x-raw,width=128,height=96,framerate=10/1"
                + " ! deepfgsenc name=enc threads=1 ! rtpdeepfgspay ! tee name=t"
                + " t. ! queue ! deepfgsadapt pacing=false target-bitrate=5000000 ! fakesink sync=false"
                + " t. ! queue max-size-buffers=1 ! deepfgsadapt name=narrow pacing=false target-bitrate=25000 ! fakesink sync=false"
        )
        #expect(pipeline.outcome() == "end")
        #expect(pipeline.count("base-step", of: "enc") == 32)
        #expect(pipeline.count("skipped", of: "enc").map { $0 > 5 } == true)
        // But for those under way when it asked first, bases had room.
        #expect(pipeline.count("frames-skipped", of: "narrow").map { $0 <= 4 } == true)
    }
}
