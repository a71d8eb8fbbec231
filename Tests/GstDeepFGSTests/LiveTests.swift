import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGSPlugin

@Suite("Encoder and decoder behind a live source")
struct LiveTests {
    private static let picture = TestPicture(width: 32, height: 32)

    /// Pushes 32 by 32 pictures, one a second, of these times in seconds, at a time of the clock; the first at its own.
    ///
    /// A second, so that a busy machine does not look like a source that was waited for.
    private static func encode(_ options: String, live: Bool = true, at now: UInt64, times: [UInt64]) -> Harness {
        let harness = Harness("deepfgsenc threads=1 \(options)")
        gst_harness_use_testclock(harness.harness)
        gst_harness_set_live(harness.harness, live ? 1 : 0)
        harness.setCaps(32, 32, framerate: "1/1")
        for (number, time) in times.enumerated() {
            gst_harness_set_time(harness.harness, GstClockTime((number == 0 ? time : now) * second))
            harness.push(picture, time: time * second)
        }
        return harness
    }

    private static let second: UInt64 = 1_000_000_000

    /// When the frames that came out are to be shown, in seconds.
    private static func times(_ harness: Harness) -> [UInt64] {
        harness.available().compactMap(\.time).map { $0 / second }
    }

    @Test("Frames that waited too long are dropped, the oldest first; the newest is encoded")
    func oldest() {
        let harness = Self.encode("", at: 5, times: [0, 1, 2, 3, 4, 5])
        #expect(Self.times(harness) == [0, 4, 5])
        #expect(harness.count("late", of: "deepfgsenc") == 3)
        #expect(harness.count("encoded", of: "deepfgsenc") == 3)
    }

    @Test("max-lateness says how long one may have waited")
    func lateness() {
        let harness = Self.encode("max-lateness=2500000000", at: 5, times: [0, 1, 2, 3, 4])
        #expect(Self.times(harness) == [0, 3, 4])
    }

    @Test("Nothing is dropped where qos is off, and nothing of a source that is not live")
    func everything() {
        for (options, live) in [("qos=false", true), ("", false), ("qos=true", false)] {
            let harness = Self.encode(options, live: live, at: 9, times: [0, 1, 2])
            #expect(harness.available().count == 3)
        }
    }

    @Test("The latency of the elements before counts as no lateness")
    func upstream() {
        let harness = Harness("deepfgsenc threads=1")
        gst_harness_use_testclock(harness.harness)
        gst_harness_set_upstream_latency(harness.harness, GstClockTime(4 * Self.second))
        harness.setCaps(32, 32, framerate: "1/1")
        for time: UInt64 in [0, 1, 2] {
            gst_harness_set_time(harness.harness, GstClockTime((time + 4) * Self.second))
            harness.push(Self.picture, time: time * Self.second)
        }
        #expect(harness.available().count == 3)
    }

    @Test("An encoder that cannot keep up says so, once a second at most")
    func overload() throws {
        let harness = Self.encode("", at: 9, times: [0, 1, 2, 3])
        usleep(1_050_000)
        // The frame behind the pause did not wait: it is encoded.
        for time: UInt64 in [4, 5, 6] { harness.push(Self.picture, time: time * Self.second) }
        let overloads = harness.overloads()
        // One, unless the machine was so busy that a second had passed before.
        #expect((1...3).contains(overloads.count))
        #expect(overloads.reduce(0) { $0 + $1.dropped } >= 3)
        #expect(overloads.allSatisfy { $0.framerate >= 0 && $0.framerate < 4 })
        #expect(Self.times(harness) == [0, 4])
    }

    @Test("A decoder drops what waited for it, and says so")
    func decoding() throws {
        let frame = try #require(Harness.encode([Self.picture]).first)
        let harness = Harness("deepfgsdec threads=1")
        gst_harness_use_testclock(harness.harness)
        gst_harness_set_src_caps_str(harness.harness, "image/x-deepfgs,alignment=frame,parsed=true,framerate=1/1")
        for time: UInt64 in [0, 1, 2, 3, 4, 5] {
            gst_harness_set_time(harness.harness, GstClockTime(time == 0 ? 0 : 5 * Self.second))
            harness.push(frame, time: time * Self.second)
        }
        #expect(Self.times(harness) == [0, 4, 5])
        #expect(harness.count("late", of: "deepfgsdec") == 3)
        usleep(1_050_000)
        harness.push(frame, time: 6 * Self.second)
        #expect(harness.overloads().reduce(0) { $0 + $1.dropped } == 3)
    }

    @Test("The latency announced is one frame until some were coded, then what they took")
    func announced() {
        let harness = Harness("deepfgsenc threads=1")
        harness.setCaps(32, 32, framerate: "1/10")
        harness.push(Self.picture, time: 0)
        #expect(gst_harness_query_latency(harness.harness) == 10_000_000_000)
        for number in 1...9 { harness.push(Self.picture, time: UInt64(number) * 10_000_000_000) }
        let measured = gst_harness_query_latency(harness.harness)
        #expect(measured > 0 && measured < 10_000_000_000)
        #expect(harness.count("latency", of: "deepfgsenc") == UInt64(measured))
    }
}

@Suite("Pace of a live source")
struct PaceTests {
    private static let millisecond: UInt64 = 1_000_000

    @Test("What comes late but did not wait is coded")
    func steadyLateness() {
        var pace = Pace()
        for number: UInt64 in 0..<100 {
            let now = number * 40 * Self.millisecond
            let isAdmitted = pace.admits(now: now, lateness: 300_000_000, most: 40_000_000, interval: 40_000_000)
            #expect(isAdmitted)
            _ = pace.coded(now: now + 15 * Self.millisecond, took: 15 * Self.millisecond)
        }
        let report = pace.report(now: 5_000 * Self.millisecond)
        #expect(report == nil)
    }

    @Test("At half the speed that it takes, every other frame is coded and latency stays below the limit")
    func overloaded() {
        // A source of 25 frames a second, and 70 ms for each frame: the next frame waits.
        var (pace, now, worst, coded) = (Pace(), UInt64(0), Int64(0), 0)
        var reports: [Pace.Overload] = []
        for number: UInt64 in 0..<250 {
            let time = number * 40 * Self.millisecond
            now = max(now, time)
            let lateness = Int64(now - time)
            if pace.admits(now: now, lateness: lateness, most: 40_000_000, interval: 40_000_000) {
                worst = max(worst, lateness)
                now += 70 * Self.millisecond
                coded += 1
                _ = pace.coded(now: now, took: 70 * Self.millisecond)
            }
            if let report = pace.report(now: now) { reports.append(report) }
        }
        #expect(worst <= 40_000_000)
        #expect((140...145).contains(coded))
        #expect((8...10).contains(reports.count))
        #expect(reports.allSatisfy { abs($0.framerate - 14.3) < 1.5 && (8...13).contains($0.dropped) })
    }

    @Test("The latency announced follows what frames take, upwards at once and downwards where it matters")
    func latency() {
        var pace = Pace()
        func run(_ count: Int, _ took: UInt64) -> [UInt64] {
            (0..<count).compactMap { _ in pace.coded(now: 0, took: took * Self.millisecond) }.map { $0 / 1_000_000 }
        }
        // The first sets up the networks.
        #expect(run(1, 900).isEmpty)
        #expect(run(30, 16) == [20])
        #expect(run(64, 19).isEmpty)
        #expect(run(64, 40) == [50])
        #expect(run(64, 30).isEmpty)
        #expect(run(128, 12) == [15])
    }
}
