import Testing

@testable import DeepFGSTransport

@Suite("How many repair packets")
struct BaseProtectionTests {
    /// The probability that fewer than `packets` of `packets` + `repairs` arrive, term by term of the binomial distribution.
    static func lossOfBase(_ packets: Int, _ repairs: Int, loss: Double) -> Double {
        let count = packets + repairs
        var sum = 0.0
        for arrived in 0..<packets {
            var term = 1.0
            for index in 0..<arrived { term *= Double(count - index) / Double(index + 1) * (1 - loss) }
            for _ in 0..<(count - arrived) { term *= loss }
            sum += term
        }
        return sum
    }

    @Test("The least number with which a base is lost no more often than accepted", arguments: [1, 2, 3, 7, 14, 40])
    func least(packets: Int) {
        for loss in [0.0002, 0.001, 0.005, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5] {
            let repairs = BaseProtection.repairPackets(for: packets, loss: loss)
            #expect(Self.lossOfBase(packets, repairs, loss: loss) <= 0.001 * 1.000001, "\(loss)")
            if repairs > 0 { #expect(Self.lossOfBase(packets, repairs - 1, loss: loss) > 0.001 * 0.999999, "\(loss)") }
        }
    }

    @Test("Known values")
    func known() {
        #expect(BaseProtection.repairPackets(for: 1, loss: 0.001) == 0)
        #expect(BaseProtection.repairPackets(for: 1, loss: 0.1) == 2)
        #expect(BaseProtection.repairPackets(for: 1, loss: 0.3) == 5)
        #expect(BaseProtection.repairPackets(for: 3, loss: 0) == 0)
    }

    @Test("Nonsense is bounded")
    func nonsense() {
        for packets in [Int.min, -1, 0, 1, 254, 255, 256, .max] {
            for loss in [-1, 0, 1e-300, 0.999, 1, 2, .infinity, .nan, -.infinity] {
                let repairs = BaseProtection.repairPackets(for: packets, loss: loss)
                #expect((0...254).contains(repairs))
            }
        }
        #expect(BaseProtection.repairPackets(for: 10, loss: 1) == 245)
        #expect(BaseProtection.all.limit(packets: 3) == 255 && BaseProtection.none.limit(packets: 3) == 0)
    }

    @Test("Loss is remembered, forgotten slowly, and not relied on at first")
    func memory() {
        let second: Int64 = 1_000_000_000
        var memory = LossMemory()
        #expect(memory.expectation(at: 0) == nil)
        memory.note(0.05, at: 0)
        #expect(memory.expectation(at: second) == nil)
        memory.note(0.1, at: 2 * second)
        #expect(memory.expectation(at: 2 * second).map { abs($0 - 0.12) < 1e-9 } == true)
        memory.note(.nan, at: 3 * second)
        memory.note(-1, at: 3 * second)
        var last = 0.13
        for time in Int64(3)...100 {
            memory.note(0, at: time * second)
            let expected = memory.expectation(at: time * second) ?? .nan
            #expect(expected < last || expected == 0)
            if time == 10 { #expect(expected > 0.06) }
            last = expected
        }
        #expect(last == 0)
        memory.note(0.02, at: 101 * second)
        #expect(memory.expectation(at: 101 * second).map { abs($0 - 0.012) < 0.0005 } == true)
        // A time before the last one counts as none, and much later the last measurement counts alone.
        memory.note(0.9, at: .min)
        #expect(memory.expectation(at: 101 * second).map { $0 < 0.013 } == true)
        memory.note(7, at: .max)
        #expect(memory.expectation(at: .max) == 1)
    }

    /// A sender that has heard of this share of loss for ten seconds.
    private func sender(_ protection: AdaptiveSender.Protection, loss: Double?) -> (AdaptiveSender, Int64) {
        var settings = AdaptiveSender.Settings()
        settings.protection = protection
        var sender = AdaptiveSender(settings: settings)
        for time in Int64(0)..<10 where loss != nil {
            sender.receive(
                ReceiverReport(fractionLost: loss ?? 0, jitter: 0, roundTrip: nil), at: time * 1_000_000_000)
        }
        return (sender, 10_000_000_000)
    }

    @Test("All, none, or what the measured loss calls for")
    func policies() {
        func limit(_ protection: AdaptiveSender.Protection, _ loss: Double?) -> Int {
            let (sender, now) = sender(protection, loss: loss)
            return sender.protection(at: now).limit(packets: 3)
        }
        #expect(limit(.all, 0) == 255 && limit(.none, 0.1) == 0)
        #expect(limit(.automatic, nil) == 255)
        #expect(limit(.automatic, 0) == 0)
        #expect(limit(.automatic, 0.1) == BaseProtection.repairPackets(for: 3, loss: 0.12))
    }
}
