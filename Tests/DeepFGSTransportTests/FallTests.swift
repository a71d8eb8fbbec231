import Testing

@testable import DeepFGSTransport

/// Bases when the path falls: RFC 8867's 5.1 with the source of the network bench.
@Suite struct FallTests {
    /// Ten runs whose frames come at other moments of the fall.
    private static func runs(holdsTails: Bool) -> [Scenario] {
        (0..<10).map { number in
            var settings = VideoFlow.Settings()
            settings.start = Int64(number) * 4_000_000
            settings.frameBytes = { _ in 18_000 }
            settings.baseBytes = 1900
            settings.payload = 1000
            settings.holdsTails = holdsTails
            let capacity: (Double) -> Double = { $0 < 20 ? 2.5e6 : $0 < 40 ? 0.6e6 : 1e6 }
            return Scenario(
                seconds: 50, link: .init(capacity: capacity, jitter: 1e6), flows: [settings], seed: UInt64(number + 1)
            ).run()
        }
    }

    @Test("Where the path falls more repair packets go out than the loss calls for, and no more when it has settled")
    func protection() {
        let run = Scenario(
            seconds: 40, link: .init(capacity: { $0 < 20 ? 2.5e6 : 0.6e6 }, queueTime: 1_000_000_000),
            flows: [VideoFlow.Settings()])
        func isPrepared(_ from: Double, _ to: Double) -> Double {
            var times = 0.0
            for step in 0..<100 {
                run.world.run(until: from + (to - from) * Double(step) / 100)
                if case .against(let loss) = run.flows[0].protection, loss >= 0.05 { times += 0.01 }
            }
            return times
        }
        #expect(isPrepared(10, 20) < 0.1)
        #expect(isPrepared(20.4, 22) > 0.9)
        #expect(isPrepared(30, 40) < 0.1)
    }

    @Test("Tails that wait for feedback which is late leave room for bases, and cost nothing")
    func tailsWait() {
        func lost(_ runs: [Scenario]) -> Int { runs.reduce(0) { $0 + $1.flows[0].lostBase } }
        func use(_ runs: [Scenario]) -> Double { runs.reduce(0) { $0 + $1.use(5, 50) } / Double(runs.count) }
        let (with, without) = (Self.runs(holdsTails: true), Self.runs(holdsTails: false))
        #expect(3 * lost(with) <= 2 * lost(without), "\(lost(with)) of \(lost(without))")
        #expect(use(with) > use(without) - 0.01, "\(use(with)), \(use(without))")
    }
}
