import Testing

@testable import DeepFGSTransport

/// Frames that come at any times, from a source that stalls, through a sender whose thread is late now and then.
///
/// The clock is simulated; the sender is the real one.
@Suite("Bunched arrivals")
struct BunchedArrivalTests {
    /// What happens in a run, all of it from one seed.
    struct Pattern: CustomTestStringConvertible {
        var seed: UInt64
        var interval: Int64
        /// Bytes of the bases, with headers, and the target over their rate.
        var bases: [Int]
        var headroom: Double
        var tail: Int
        /// When each frame comes.
        var arrivals: [Int64]
        /// How late the thread may be.
        var lateness: Int64
        var testDescription: String { "seed \(seed): \(interval / 1_000_000) ms, \(headroom) times the bases' rate" }

        init(seed: UInt64, frames: Int = 400) {
            var random = TestRandom(seed: seed)
            self.seed = seed
            interval = [16_666_667, 40_000_000, 66_666_667, 200_000_000][Int(random.uniform(0, 4))]
            let size = random.uniform(200, 6000)
            let spread = random.uniform(0, 0.4)
            bases = (0..<frames).map { _ in Int(size * random.uniform(1 - spread, 1 + spread)) }
            headroom = random.uniform() < 0.5 ? 1.2 : random.uniform(1.2, 50)
            tail = Int(random.uniform(0, 20_000))
            lateness = random.uniform() < 0.5 ? 0 : 300_000_000
            let jitter = random.uniform(0, 1)
            let stalls = random.uniform(0, 0.2)
            var ready: Int64 = 0
            arrivals = []
            for frame in 0..<frames {
                let due = 1_000_000_000 + Int64(frame) * interval
                // A stall holds back what comes meanwhile, and delivers it at once.
                if random.uniform() < stalls {
                    ready = max(ready, due + Int64(random.uniform(1, 12) * Double(interval)))
                }
                ready = max(ready, due + Int64(random.uniform(0, jitter) * Double(interval)))
                arrivals.append(ready)
            }
        }

        /// Bit/s on the wire of the bases alone.
        func baseRate(of packets: [[TailCutter.Packet]]) -> Double {
            let bytes = packets.joined().reduce(0) { $1.header.isBase ? $0 + $1.payloadBytes + 40 : $0 }
            return Double(bytes) * 8e9 / Double(Int64(bases.count) * interval)
        }

        func packets() -> [[TailCutter.Packet]] {
            bases.enumerated().map { frame, base in
                CutterRun.packets(
                    base: base, length: base + tail, frame: UInt16(truncatingIfNeeded: 65_000 + frame),
                    timestamp: UInt32(truncatingIfNeeded: 4_294_000_000 + Int64(frame) * interval * 9 / 100_000))
            }
        }
    }

    /// Runs a sender over a pattern; the frames of which the base did not leave whole, and why not.
    private func lost(_ pattern: Pattern, _ settings: AdaptiveSender.Settings) -> [(UInt16, DropReason?)] {
        var random = TestRandom(seed: pattern.seed &+ 1)
        let packets = pattern.packets()
        var settings = settings
        settings.target = pattern.headroom * pattern.baseRate(of: packets)
        settings.maximum = 1e9
        settings.start = settings.target
        settings.minimum = settings.target
        var sender = AdaptiveSender(settings: settings)
        sender.setInterval(pattern.interval)
        var number: UInt16 = 0
        var lost: [(UInt16, DropReason?)] = []
        var next = 0
        var now = pattern.arrivals[0]
        var wake = now
        var finished = false
        var freeze = now + 100_000_000
        while !finished || wake < .max {
            let arrival = next < packets.count ? pattern.arrivals[next] : .max
            if next < packets.count, arrival <= wake {
                now = max(now, arrival)
                for packet in packets[next] {
                    var packet = packet
                    packet.token = UInt64(number) + 1
                    packet.sequenceNumber = number
                    number &+= 1
                    sender.take(packet, at: now)
                }
                next += 1
                wake = min(wake, now)
                if next < packets.count, pattern.arrivals[next] <= now { continue }
            } else if next == packets.count, !finished {
                sender.finish(at: now)
                finished = true
                wake = now
            }
            now = max(now, wake)
            if pattern.lateness > 0, now >= freeze {
                now += Int64(random.uniform() * Double(pattern.lateness))
                freeze = now + Int64(random.uniform(0.5e9, 2e9))
            }
            steps: while true {
                switch sender.next(at: now) {
                case .idle:
                    wake = .max
                    break steps
                case .wait(let until):
                    wake = until
                    break steps
                case .send, .drop: break
                }
            }
            while let report = sender.report() {
                let base = pattern.bases[Int(report.frameNumber &- 65_000)]
                if report.bytesSent < base { lost.append((report.frameNumber &- 65_000, report.reason)) }
            }
        }
        #expect(sender.cutter.statistics.frames == UInt64(packets.count))
        return lost
    }

    @Test(
        "No base is lost at a target of 1.2 times the bases' rate or more, however frames come",
        arguments: [true, false])
    func fixed(paces: Bool) {
        for seed in Array(0..<60) + [91, 104, 180, 191, 214, 223, 250] {
            var settings = AdaptiveSender.Settings()
            settings.paces = paces
            let pattern = Pattern(seed: UInt64(seed))
            let lost = lost(pattern, settings)
            #expect(lost.isEmpty, "\(pattern.testDescription): \(lost.count) lost, \(lost.prefix(3))")
        }
    }

    @Test("Nor in automatic mode, where the estimate is as much")
    func automatic() {
        for seed in 300..<360 {
            var settings = AdaptiveSender.Settings()
            settings.mode = .automatic
            let pattern = Pattern(seed: UInt64(seed))
            let lost = lost(pattern, settings)
            #expect(lost.isEmpty, "\(pattern.testDescription): \(lost.count) lost, \(lost.prefix(3))")
        }
    }

    @Test("Three frames at once after a stall, at 43 times the stream's rate, leave whole")
    func three() {
        var cutter = TailCutter(target: 43 * 8 * 25 * 12_000, interval: 40_000_000)
        cutter.pacing = .even
        var run = CutterRun(cutter)
        for group in 0..<20 {
            let time = Int64(group + 1) * 120_000_000
            for index in 0..<3 {
                let timestamp = UInt32(truncatingIfNeeded: (group * 3 + index) * 3600)
                for packet in CutterRun.packets(
                    base: 2000, length: 12_000, frame: UInt16(group * 3 + index), timestamp: timestamp)
                {
                    run.take(packet, at: time)
                }
            }
            run.run(until: time + 119_999_999, from: time)
        }
        run.cutter.finish(at: 4_000_000_000)
        run.run(until: .max, from: 4_000_000_000)
        #expect(run.cutter.statistics.framesWhole == 60)
        #expect(run.drops.isEmpty)
    }

    @Test("Where the bases alone exceed the target the newest frames go out, and none is long in coming")
    func shortage() {
        for pacing in [Pacing.even, .train] {
            var cutter = TailCutter(target: 400_000, interval: 40_000_000)
            cutter.pacing = pacing
            var run = CutterRun(cutter)
            for frame in 0..<250 {
                let time = Int64(frame + 1) * 40_000_000
                for packet in CutterRun.packets(
                    base: 4000, length: 8000, frame: UInt16(frame), timestamp: UInt32(frame) * 3600)
                {
                    run.take(packet, at: time)
                }
                run.run(until: time + 39_999_999, from: time)
            }
            // Half of the target's time is one base's: every second frame at best.
            let sent = run.sent.filter(\.marker)
            #expect((100...135).contains(sent.count), "\(pacing): \(sent.count)")
            for packet in sent.dropFirst(10) {
                let came = Int64(packet.frame + 1) * 40_000_000
                #expect(packet.time - came < 200_000_000, "\(pacing)")
            }
            #expect(run.drops.keys.allSatisfy { $0 == .budget })
        }
    }

    @Test("What waits because downstream blocks is dropped for that reason")
    func blocked() {
        var cutter = TailCutter(target: 4_000_000, interval: 40_000_000)
        cutter.pacing = .even
        var run = CutterRun(cutter)
        var frame = 0
        func deliver(until end: Int64) {
            while Int64(frame + 1) * 40_000_000 <= end {
                for packet in CutterRun.packets(
                    base: 2000, length: 4000, frame: UInt16(frame), timestamp: UInt32(frame) * 3600)
                {
                    run.take(packet, at: Int64(frame + 1) * 40_000_000)
                }
                frame += 1
            }
        }
        deliver(until: 40_000_000)
        run.run(until: 79_000_000, from: 40_000_000)
        // A push that takes three seconds: everything that came meanwhile waits.
        deliver(until: 3_000_000_000)
        run.run(until: 3_039_000_000, from: 3_000_000_000)
        #expect(Set(run.drops.keys) == [.blocked])
        #expect(run.reports.last.map { Int($0.frameNumber) } ?? 0 >= 72)
        // Half a second is not long enough for anything to be dropped.
        let before = run.cutter.statistics.framesSkipped
        deliver(until: 3_500_000_000)
        run.run(until: 3_900_000_000, from: 3_500_000_000)
        #expect(run.cutter.statistics.framesSkipped == before)
    }
}
