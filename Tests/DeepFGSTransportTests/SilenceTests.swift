import Testing

@testable import DeepFGSTransport

/// Feedback that stops, and comes back.
@Suite struct SilenceTests {
    /// A path of 2 Mbit/s on which feedback is lost from 20 s on, for a while.
    private static func run(silence: ClosedRange<Double>, capacity: @escaping (Double) -> Double = { _ in 2e6 })
        -> Scenario
    {
        let never: Int64 = 1_000_000_000_000
        return Scenario(
            seconds: 60, link: .init(capacity: capacity), flows: [VideoFlow.Settings()],
            feedbackDelay: { silence.contains($0) ? never : 50_000_000 })
    }

    /// Bit/s sent on average in a span of seconds.
    private static func sent(_ run: Scenario, _ from: Double, _ to: Double) -> Double {
        let bins = run.flows[0].bins[Int(from * 5)..<Int(to * 5)]
        return Double(bins.reduce(0) { $0 + $1.sent }) * 8 / (to - from)
    }

    @Test("While it lasts the estimate falls to its minimum and stays there, and the statistics say so")
    func falls() {
        let run = Self.run(silence: 20...60)
        let flow = run.flows[0]
        run.world.run(until: 19)
        #expect(flow.estimator.bitrate > 1_500_000)
        run.world.run(until: 22)
        var statistics = flow.statistics
        #expect(statistics.feedback == .transportWide)
        run.world.run(until: 28)
        for second in 28...59 {
            run.world.run(until: Double(second))
            statistics = flow.statistics
            #expect(statistics.feedback == .stopped)
            #expect(statistics.reason == .silence)
            #expect(statistics.receivedRate == 0)
            #expect(statistics.estimate == 100_000)
            #expect(statistics.target == 100_000)
        }
        // Bases go out as far as the minimum has room for them.
        #expect(Self.sent(run, 30, 55) < 180_000)
    }

    @Test("When feedback is back, nine tenths of the path are used within a second", arguments: [23.0, 30, 45])
    func comesBack(end: Double) {
        let run = Self.run(silence: 20...end).run()
        #expect(run.timeToReach(0.9, from: end + 0.1) <= 1.6, "\(run.timeToReach(0.9, from: end + 0.1))")
        #expect(run.flows[0].statistics.feedback == .transportWide)
        #expect(run.use(end + 3, 60) > 0.9)
        #expect(run.queueDelay(0.95, end, 60) < 0.05)
    }

    @Test("A path that has narrowed in the meantime is not flooded", arguments: [0.2e6, 0.5e6])
    func narrower(capacity: Double) {
        let run = Self.run(silence: 20...30) { $0 < 21 ? 2e6 : capacity }.run()
        #expect(run.queueDelay(0.95, 31, 60) < 0.1, "\(run.queueDelay(0.95, 31, 60))")
        #expect(run.queueDelay(1, 32, 60) < 0.3, "\(run.queueDelay(1, 32, 60))")
        #expect(run.use(33, 60) > 0.6)
    }

    @Test("A source that pauses is not silent")
    func pause() {
        var settings = VideoFlow.Settings()
        settings.frameBytes = { $0 > 20 && $0 < 30 ? 0 : 60_000 }
        let run = Scenario(seconds: 40, link: .init(capacity: { _ in 2e6 }), flows: [settings])
        run.world.run(until: 29.9)
        #expect(run.flows[0].statistics.feedback == .transportWide)
        run.world.run(until: 40)
        #expect(run.use(32, 40) > 0.9)
    }

    @Test("What was awaited, has come and has stopped is told, each once")
    func news() {
        var settings = AdaptiveSender.Settings()
        settings.mode = .automatic
        var sender = AdaptiveSender(settings: settings)
        #expect(sender.feedbackNews(at: 0) == nil)
        sender.take(Self.packet, at: 0)
        #expect(sender.feedbackNews(at: 4_900_000_000) == nil)
        #expect(sender.feedbackNews(at: 5_100_000_000) == AdaptiveSender.Feedback.none)
        sender.receive([], at: 6_000_000_000)
        #expect(sender.feedbackNews(at: 6_000_000_000) == .transportWide)
        sender.settings.mode = .fixed
        #expect(sender.feedbackNews(at: 6_000_000_000) == nil)
    }

    @Test("Receiver reports that stop let the estimate fall, too, after fifteen seconds")
    func reports() {
        var estimator = BandwidthEstimator()
        var now: Int64 = 0
        func run(_ seconds: Int, reports: Bool) {
            for _ in 0..<seconds {
                for _ in 0..<25 {
                    now += 40_000_000
                    estimator.advance(to: now)
                    estimator.sent(20_000, at: now)
                }
                if reports {
                    estimator.report(ReceiverReport(fractionLost: 0, jitter: 0, roundTrip: 50_000_000), at: now)
                }
            }
        }
        run(20, reports: true)
        let before = estimator.bitrate
        #expect(before > 1_000_000)
        run(14, reports: false)
        #expect(!estimator.isSilent(at: now) && estimator.bitrate == before)
        run(10, reports: false)
        #expect(estimator.isSilent(at: now) && estimator.bitrate == 100_000)
        run(1, reports: true)
        #expect(estimator.bitrate == before / 2)
    }

    private static let packet = TailCutter.Packet(
        token: 1, rtpHeaderBytes: 12, payloadBytes: 100,
        header: PayloadHeader(priority: 0, offset: 0, baseEnd: 88, frameLength: 88, frameNumber: 0), timestamp: 0,
        sequenceNumber: 0, marker: true)
}
