import Testing

@testable import DeepFGSTransport

@Suite struct ScenarioTests {
    /// RFC 8867, 5.1: one flow, 1, 2.5, 0.6, 1 Mbit/s.
    @Test func variableCapacityOneFlow() {
        let capacity: (Double) -> Double = { $0 < 40 ? 1e6 : $0 < 60 ? 2.5e6 : $0 < 80 ? 0.6e6 : 1e6 }
        let run = Scenario(seconds: 100, link: .init(capacity: capacity), flows: [.init()]).run()
        #expect(run.use(0, 100) > 0.92)
        #expect(run.queueDelay(0.95) < 0.06)
        #expect(run.timeToReach(0.9, from: 40) <= 1.6)
        #expect(run.timeToReach(0.9, from: 80) <= 2)
        #expect(run.timeToFall(from: 60) <= 0.5)
        #expect(run.flows[0].lostBase == 0)
    }
}
