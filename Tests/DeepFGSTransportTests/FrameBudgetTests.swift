import Testing

@testable import DeepFGSTransport

@Suite struct FrameBudgetTests {
    /// A source that always has more than the budget: what each frame sent, with its time in nanoseconds.
    private func send(
        gaps: [Int64], target: (Int64) -> Double, base: Int = 200, nominal: Int64 = 40_000_000
    ) -> [(time: Int64, bytes: Int)] {
        var budget = FrameBudget(interval: nominal)
        var time: Int64 = 1_000_000_000
        return gaps.map { gap in
            time += gap
            let bytes = budget.open(at: time, target: target(time), base: base)
            budget.sent(bytes)
            return (time, bytes)
        }
    }

    /// Checks every window of at least two seconds from one frame to another.
    private func checkWindows(_ frames: [(time: Int64, bytes: Int)], target: (Int64) -> Double) {
        for start in stride(from: 10, to: frames.count, by: 7) {
            var due = 0.0
            var sum = 0
            for index in start..<frames.count {
                let gap = frames[index].time - frames[index - 1].time
                due += target(frames[index].time) * Double(gap) / 8e9
                sum += frames[index].bytes
                guard frames[index].time - frames[start - 1].time >= 2_000_000_000 else { continue }
                #expect(Double(sum) < due, "frame \(start) to \(index)")
                #expect(Double(sum) > 0.98 * due, "frame \(start) to \(index)")
                break
            }
        }
    }

    @Test(arguments: [100_000.0, 1e6, 20e6]) func usesAFixedTarget(target: Double) {
        let frames = send(gaps: Array(repeating: 40_000_000, count: 500), target: { _ in target })
        checkWindows(frames, target: { _ in target })
    }

    @Test func usesTheTargetWithIrregularFrames() {
        var random = TestRandom(seed: 3)
        let gaps = (0..<1000).map { _ in Int64(random.uniform(15e6, 65e6)) }
        checkWindows(send(gaps: gaps, target: { _ in 1e6 }), target: { _ in 1e6 })
    }

    @Test func followsAChangedTarget() {
        let target: (Int64) -> Double = { $0 < 9_000_000_000 ? 2e6 : $0 < 15_000_000_000 ? 3e5 : 4e6 }
        checkWindows(send(gaps: Array(repeating: 33_333_333, count: 600), target: target), target: target)
    }

    @Test func learnsTheIntervalWhereTheNominalIsWrong() {
        let frames = send(gaps: Array(repeating: 200_000_000, count: 200), target: { _ in 1e6 }, nominal: 33_000_000)
        checkWindows(Array(frames.dropFirst(30)), target: { _ in 1e6 })
    }

    @Test func noBurstAfterIdleTime() {
        var budget = FrameBudget()
        for frame in 0..<50 { budget.sent(budget.open(at: Int64(frame) * 40_000_000, target: 1e6, base: 0)) }
        let after = budget.open(at: 3_600_000_000_000, target: 1e6, base: 0)
        #expect(after <= 3 * 5000)
        // A poor time is idle too: small frames leave no more than the carry.
        for frame in 1..<100 {
            _ = budget.open(at: 3_600_000_000_000 + Int64(frame) * 40_000_000, target: 1e6, base: 0)
            budget.sent(100)
        }
        #expect(budget.open(at: 3_604_000_000_000, target: 1e6, base: 0) <= 5000 + 2500)
    }

    @Test func aLargeBaseIsSentAndRepaid() {
        var budget = FrameBudget()
        var sum = 0
        for frame in 0..<100 {
            let base = frame == 50 ? 15_000 : 100
            let bytes = budget.open(at: Int64(frame) * 40_000_000, target: 1e6, base: base)
            #expect(bytes >= base)
            if frame == 51 || frame == 52 { #expect(bytes == 100) }
            sum += bytes
            budget.sent(bytes)
        }
        #expect(sum < 100 * 5000 && sum > 98 * 5000)
    }

    @Test func aDebtIsForgivenAfterASecond() {
        var budget = FrameBudget()
        for frame in 0..<200 { budget.sent(budget.open(at: Int64(frame) * 40_000_000, target: 1e5, base: 5000)) }
        #expect(budget.balance >= -12_500 - 5000)
        var frame: Int64 = 200
        while budget.open(at: frame * 40_000_000, target: 1e6, base: 100) == 100 && frame < 300 {
            budget.sent(100)
            frame += 1
        }
        #expect(frame < 206)
    }

    @Test func whatIsQueuedIsNotGrantedTwice() {
        var budget = FrameBudget()
        let first = budget.open(at: 0, target: 1e6, base: 100)
        let second = budget.open(at: 40_000_000, target: 1e6, base: 100, queued: first)
        #expect(second <= 5000)
        // Dropped unsent: only the carry comes back.
        let third = budget.open(at: 80_000_000, target: 1e6, base: 100)
        #expect(third > 5000 && third <= 7500)
    }

    @Test func nonsenseIsHarmless() {
        var budget = FrameBudget(interval: .min)
        for (time, target) in [(Int64.min, Double.nan), (.max, .infinity), (0, -1), (-1, 1e300), (.max, 1e6)] {
            #expect(budget.open(at: time, target: target, base: 7, queued: -3) >= 7)
            budget.sent(.max)
        }
    }
}
