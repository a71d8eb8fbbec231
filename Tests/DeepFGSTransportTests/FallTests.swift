import Testing

@testable import DeepFGSTransport

/// Bases when the path falls: RFC 8867's 5.1 with the source of the network bench.
@Suite struct FallTests {
    /// Ten runs whose frames come at other moments of the fall.
    private static func runs(holdsTails: Bool = true, burst: Double = 0) -> [Scenario] {
        (0..<10).map { number in
            var settings = VideoFlow.Settings()
            settings.start = Int64(number) * 4_000_000
            settings.frameBytes = { _ in 18_000 }
            settings.baseBytes = 1900
            settings.payload = 1000
            settings.holdsTails = holdsTails
            let capacity: (Double) -> Double = { $0 < 20 ? 2.5e6 : $0 < 40 ? 0.6e6 : 1e6 }
            return Scenario(
                seconds: 50, link: .init(capacity: capacity, jitter: 1e6, burst: burst), flows: [settings],
                seed: UInt64(number + 1)
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

    @Test("Once it has fallen the rate swings little, behind a shaper's bucket, too", arguments: [0, 1514])
    func steady(burst: Double) {
        let runs = Self.runs(burst: burst)
        let swings: [Double] = runs.map { run in
            let rates = run.flows[0].bins[150..<200].map(\.estimate)
            let mean = rates.reduce(0, +) / Double(rates.count)
            return (rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)).squareRoot() / mean
        }
        // It was 0.06 to 0.13, at 95 to 97 % of the capacity and with a queue of 41 to 67 ms.
        #expect(swings.allSatisfy { $0 < (burst > 0 ? 0.07 : 0.035) }, "\(swings)")
        #expect(runs.allSatisfy { $0.use(30, 40) > 0.96 }, "\(runs.map { $0.use(30, 40) })")
        #expect(runs.allSatisfy { $0.queueDelay(0.95, 30, 40) < 0.045 }, "\(runs.map { $0.queueDelay(0.95, 30, 40) })")
    }

    @Test("Tails that wait for feedback which is late leave room for bases, and cost nothing")
    func tailsWait() {
        func lost(_ runs: [Scenario]) -> Int { runs.reduce(0) { $0 + $1.flows[0].lostBase } }
        func use(_ runs: [Scenario]) -> Double { runs.reduce(0) { $0 + $1.use(5, 50) } / Double(runs.count) }
        let (with, without) = (Self.runs(holdsTails: true), Self.runs(holdsTails: false))
        #expect(3 * lost(with) <= lost(without), "\(lost(with)) of \(lost(without))")
        #expect(use(with) > use(without) - 0.01, "\(use(with)), \(use(without))")
    }
}
