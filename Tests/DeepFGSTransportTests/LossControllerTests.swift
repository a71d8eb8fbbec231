import Testing

@testable import DeepFGSTransport

@Suite struct LossControllerTests {
    /// Feeds a second of packets at a time; `loss` says their share lost at a rate relative to the first.
    private func verdicts(
        seconds: Int, hasQueue: Bool = false, loss: (Double) -> Double
    ) -> (list: [LossController.Verdict], controller: LossController) {
        var controller = LossController()
        var list: [LossController.Verdict] = []
        var rate = 1.0
        var before = 1.0
        for tick in 0..<(seconds * 10) {
            let now = Int64(tick) * 100_000_000
            let lost = Int((100 * loss(rate)).rounded())
            controller.count(received: 100 - lost, lost: lost)
            let verdict = controller.verdict(hasQueue: hasQueue, newestSent: now, at: now)
            switch verdict {
            case .test(let factor):
                before = rate
                rate *= factor
            case .decrease(let factor), .policed(let factor): rate *= factor
            case .restore: rate = before
            case .free, .hold: break
            }
            if verdict != .free, verdict != .hold { list.append(verdict) }
        }
        return (list, controller)
    }

    @Test func littleLossIsFree() {
        let (list, _) = verdicts(seconds: 20) { _ in 0.01 }
        #expect(list.isEmpty)
    }

    @Test(arguments: [0.05, 0.1, 0.3]) func randomLossIsTestedOnceAndBecomesTheFloor(loss: Double) {
        let (list, controller) = verdicts(seconds: 30) { _ in loss }
        #expect(list.count == 2)
        if case .test = list.first {} else { Issue.record("no test") }
        #expect(list.last == .restore)
        #expect(abs(controller.floor - loss) < 0.01)
    }

    @Test func aPolicerIsRecognised() {
        // 0.8 of the first rate gets through.
        let (list, controller) = verdicts(seconds: 10) { max(0, 1 - 0.8 / $0) }
        #expect(list.contains { if case .policed = $0 { true } else { false } })
        #expect(!list.contains(.restore))
        #expect(controller.floor == 0)
    }

    @Test func lossWithAQueueIsCongestion() {
        let (list, controller) = verdicts(seconds: 3, hasQueue: true) { _ in 0.2 }
        #expect(list.first == .decrease(0.9))
        #expect(controller.floor == 0)
    }

    @Test func theFloorFallsWhenTheLossDoes() {
        var first = true
        var count = 0
        let (_, controller) = verdicts(seconds: 60) { _ in
            count += 1
            first = count < 300
            return first ? 0.2 : 0
        }
        #expect(controller.floor < 0.02)
    }
}
