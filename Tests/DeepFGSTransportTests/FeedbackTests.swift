import Testing

@testable import DeepFGSTransport

@Suite struct FeedbackTests {
    private func packet(
        _ sequence: Int, sent: Int64? = 1, arrived: Int64? = 2, size: Int = 100, lost: Bool = false
    ) -> PacketFeedback {
        PacketFeedback(
            sequence: UInt16(truncatingIfNeeded: sequence), sendTime: sent, arrivalTime: arrived, size: size,
            isLost: lost)
    }

    @Test func numbersAreUnwrappedInBothDirections() {
        var history = FeedbackHistory()
        let outcomes = history.accept([packet(65_534), packet(1), packet(65_535), packet(0)], overhead: 48)
        #expect(outcomes.map(\.sequence) == [65_534, 65_535, 65_536, 65_537])
        #expect(outcomes.allSatisfy { $0.bytes == 148 })
    }

    @Test func everyPacketIsNewsOnce() {
        var history = FeedbackHistory()
        #expect(history.accept([packet(7), packet(7), packet(8, lost: true)], overhead: 0).count == 2)
        #expect(history.accept([packet(7), packet(8, lost: true)], overhead: 0).isEmpty)
        // Said to be lost, and came after all.
        let late = history.accept([packet(8)], overhead: 0)
        #expect(late.count == 1 && late[0].isCorrection && !late[0].isLost)
        #expect(history.accept([packet(8), packet(8, lost: true)], overhead: 0).isEmpty)
    }

    @Test func whatMatchesNoPacketIsSkipped() {
        var history = FeedbackHistory()
        let nonsense = [
            packet(1, sent: nil, size: 0), packet(2, sent: -5), packet(3, size: -1), packet(4, size: 1 << 40),
        ]
        #expect(history.accept(nonsense, overhead: 0).isEmpty)
        #expect(history.accept([packet(5, arrived: nil)], overhead: 0).first?.arrived == nil)
    }

    @Test func aNewNumberingIsTakenUp() {
        var history = FeedbackHistory()
        _ = history.accept([packet(40_000)], overhead: 0)
        var accepted = 0
        for number in 20_000..<20_020 { accepted += history.accept([packet(number)], overhead: 0).count }
        #expect(accepted >= 14)
    }

    @Test func framesAreTrains() {
        var trains = FeedbackTrains()
        var found: [PacketTrain] = []
        let interval: Int64 = 40_000_000
        for frame in 0..<5 {
            for (index, size) in [748, 1248, 1248, 600].enumerated() {
                let sent = Int64(frame) * interval + [0, 5_200_000, 13_800_000, 22_400_000][index]
                let outcome = PacketOutcome(
                    sequence: 0, sent: sent, arrived: sent + 9_000_000 + Int64(index) * 1_000_000, bytes: size,
                    isLost: false)
                if let train = trains.add(outcome, frameInterval: interval) { found.append(train) }
            }
        }
        if let train = trains.close() { found.append(train) }
        #expect(found.count == 5)
        #expect(found.allSatisfy { $0.packets == 4 && $0.arrivedBytes == 3844 })
        #expect(found.allSatisfy { $0.largestDelay - $0.leastDelay == 3_000_000 })
        // 3244 bytes left in 22.4 ms; the 3096 after the first arrived in 25.4 ms.
        #expect(
            found.allSatisfy { abs(($0.sendRate ?? 0) - 1.1586e6) < 1e3 && abs(($0.arrivalRate ?? 0) - 0.9751e6) < 1e3 }
        )
    }

    @Test func theTrendlineSeesAQueueGrowAndDrain() {
        var trendline = Trendline()
        var seen: Set<Trendline.Usage> = []
        var delay = 0.0
        for group in 0..<400 {
            // Ten groups of 10 ms at rest, then the path is short of a tenth, then it drains.
            delay = max(0, delay + (group < 200 ? 0 : group < 260 ? 1 : -2))
            let sent = Int64(group) * 10_000_000
            trendline.add(sent: sent, arrived: sent + Int64(delay * 1e6))
            if group == 199 { #expect(seen.isEmpty && trendline.usage == .normal) }
            if group >= 200, trendline.usage != .normal { seen.insert(trendline.usage) }
            if group == 225 { #expect(seen == [.over]) }
        }
        #expect(seen == [.over, .under])
    }

    @Test func theThresholdFollowsSlowlyAndWithinItsBounds() {
        var trendline = Trendline()
        for group in 0..<2000 {
            let sent = Int64(group) * 10_000_000
            trendline.add(sent: sent, arrived: sent)
        }
        #expect(trendline.threshold == Trendline.thresholdRange.lowerBound)
    }

    @Test func theLeastDelayIsForgotten() {
        var minimum = WindowMinimum(nanoseconds: 10_000)
        minimum.add(5, at: 0)
        for time in stride(from: Int64(100), to: 9000, by: 100) { minimum.add(9, at: time) }
        #expect(minimum.value == 5)
        for time in stride(from: Int64(9000), to: 20_000, by: 100) { minimum.add(9, at: time) }
        #expect(minimum.value == 9)
        minimum.add(3, at: -50)
        #expect(minimum.value == 3)
    }
}
