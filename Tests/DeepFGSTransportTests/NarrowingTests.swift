import Testing

@testable import DeepFGSTransport

/// What is sent while a path narrows, and when it is no longer so.
@Suite struct NarrowingTests {
    private static let interval: Int64 = 40_000_000

    /// Five frames of three base packets, so many of them sent as part of a path that narrows.
    private func run(_ part: TailCutter.Part, then pacing: Pacing = .train) -> CutterRun {
        var cutter = TailCutter(target: 4e6, interval: Self.interval)
        cutter.pacing = .train
        var run = CutterRun(cutter)
        for frame in Int64(0)..<5 {
            let now = frame * Self.interval
            run.cutter.part = frame < 2 ? part : .all
            if frame == 2 { run.cutter.pacing = pacing }
            run.frame(at: now, base: 3000, length: 14_000)
            run.run(until: now + Self.interval - 1, from: now)
        }
        return run
    }

    private func span(_ frame: Int, of run: CutterRun) -> Int64 {
        let first = UInt16(truncatingIfNeeded: 65530 + frame)
        let times = run.sent.filter { $0.frame == first && $0.isBase }.map(\.time)
        return (times.max() ?? 0) - (times.min() ?? 0)
    }

    @Test("Bases alone, spread over the frame's time; the frames behind are trains with tails again")
    func spread() {
        let run = run(.spreadBases)
        for frame in 0..<2 {
            #expect(span(frame, of: run) > Self.interval / 2 && span(frame, of: run) < Self.interval)
        }
        for frame in 2..<5 { #expect(span(frame, of: run) < Self.interval / 8) }
        let tails = Set(run.sent.filter { !$0.isBase }.map(\.frame))
        #expect(tails == Set((2..<5).map { UInt16(truncatingIfNeeded: 65530 + $0) }))
    }

    @Test("Not spread they are as close as in any train, and other pacing knows nothing of it")
    func others() {
        for frame in 0..<2 { #expect(span(frame, of: run(.bases)) < Self.interval / 8) }
        let even = run(.spreadBases, then: .even)
        #expect(Set(even.sent.filter { !$0.isBase }.map(\.frame)).count == 3)
    }

    @Test("Whoever sets a target by hand gets tails, whatever the path did before")
    func fixed() {
        var settings = AdaptiveSender.Settings()
        settings.mode = .automatic
        var sender = AdaptiveSender(settings: settings)
        sender.cutter.part = .spreadBases
        settings.mode = .fixed
        sender.settings = settings
        #expect(sender.cutter.part == .all)
    }

    @Test("A path whose packets wait at random is not taken for one that narrows", arguments: [10.0, 30.0, 70.0])
    func jitter(milliseconds: Double) {
        func use(holdsTails: Bool) -> Double {
            var flow = VideoFlow.Settings()
            flow.frameBytes = { _ in 18_000 }
            flow.baseBytes = 1900
            flow.holdsTails = holdsTails
            let link = Link.Settings(capacity: { _ in 2e6 }, jitter: 1e6 * milliseconds)
            return Scenario(seconds: 40, link: link, flows: [flow]).run().use(10, 40)
        }
        let (with, without) = (use(holdsTails: true), use(holdsTails: false))
        #expect(with > without - 0.03, "\(with), \(without)")
    }

    @Test("After a fall that was none the estimate comes back by proofs, up to what the path was seen to carry")
    func comesBack() {
        var flow = VideoFlow.Settings()
        flow.frameBytes = { _ in 18_000 }
        flow.baseBytes = 1900
        // A fifth for a second, as where a radio stands still.
        let capacity: (Double) -> Double = { (20..<21).contains($0) ? 0.4e6 : 2e6 }
        let run = Scenario(seconds: 40, link: .init(capacity: capacity, burst: 1514), flows: [flow]).run()
        #expect(run.timeToReach(0.9, from: 21) < 4, "\(run.timeToReach(0.9, from: 21))")
    }
}
