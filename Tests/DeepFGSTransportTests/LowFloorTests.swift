import Testing

@testable import DeepFGSTransport

/// Paths that have no room for the bases as they are: the encoder makes coarser ones, and fewer.
@Suite struct LowFloorTests {
    /// Colour bars of 640 by 360, 15 a second: bases of 2.7 kB, frames of 18 kB.
    private static func bars(_ edit: (inout VideoFlow.Settings) -> Void = { _ in }) -> VideoFlow.Settings {
        var settings = VideoFlow.Settings()
        settings.frameInterval = 66_666_667
        settings.frameBytes = { _ in 18_000 }
        settings.baseBytes = 2700
        settings.payload = 1150
        settings.fitsBases = true
        settings.limits.minimum = 50_000
        edit(&settings)
        return settings
    }

    private static func shown(_ flow: VideoFlow, _ from: Double, _ to: Double) -> Double {
        let range = Int64(from * 1e9)..<Int64(to * 1e9)
        return Double(flow.shown.filter { range.contains($0) }.count) / (to - from)
    }

    @Test(
        "100, 200, 300 kbit/s show a moving picture",
        arguments: [(100e3, 3.0), (200e3, 6), (300e3, 10), (600e3, 14), (20e6, 14.9)])
    func moves(capacity: Double, frames: Double) {
        let run = Scenario(seconds: 60, link: .init(capacity: { _ in capacity }, burst: 1600), flows: [Self.bars()])
            .run()
        let flow = run.flows[0]
        let rate = Self.shown(flow, 5, 60)
        #expect(rate >= frames, "\(rate) frames a second")
        #expect(run.queueDelay(0.95) < 0.1, "\(run.queueDelay(0.95))")
        #expect(run.queueDelay(0.95, 5, 60) < 0.1, "\(run.queueDelay(0.95, 5, 60))")
        let gaps = zip(flow.shown, flow.shown.dropFirst()).map { $1 - $0 }.filter { $0 > 0 }.sorted()
        // Twice as long as on average, but for one in twenty.
        #expect(Double(gaps[gaps.count * 19 / 20]) < 2e9 / rate)
    }

    @Test("A path that falls and rises: bases follow, and are what they were afterwards")
    func follows() {
        let run = Scenario(
            seconds: 60, link: .init(capacity: { $0 < 20 ? 2e6 : $0 < 40 ? 0.2e6 : 2e6 }, burst: 1600),
            flows: [Self.bars()]
        ).run()
        let flow = run.flows[0]
        #expect(Self.shown(flow, 10, 20) > 14.5)
        #expect(Self.shown(flow, 22, 40) > 6)
        #expect(Self.shown(flow, 43, 60) > 14.5)
    }
}
