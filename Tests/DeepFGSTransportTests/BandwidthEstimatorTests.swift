import Testing

@testable import DeepFGSTransport

@Suite struct BandwidthEstimatorTests {
    @Test func startsWithinItsBounds() {
        var settings = BandwidthEstimator.Settings()
        settings.start = 5
        #expect(BandwidthEstimator(settings: settings).bitrate == settings.minimum)
        settings.start = .nan
        settings.minimum = .nan
        settings.maximum = -3
        let estimator = BandwidthEstimator(settings: settings)
        #expect(estimator.bitrate.isFinite && estimator.target.isFinite && estimator.bitrate > 0)
    }

    @Test func newBoundsTakeEffectAtOnce() {
        var estimator = BandwidthEstimator()
        estimator.settings.minimum = 2e6
        #expect(estimator.bitrate == 2e6)
        estimator.settings.minimum = 1e5
        estimator.settings.maximum = 3e5
        #expect(estimator.bitrate == 3e5)
    }

    /// Whatever the far end and the clocks say: no trap, and the target within the bounds.
    @Test(arguments: 0..<20) func anyFeedback(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var estimator = BandwidthEstimator()
        var now: Int64 = 0
        var number = Int(random.uniform(0, 65_536))
        for _ in 0..<2000 {
            now = random.uniform() < 0.01 ? Int64(bitPattern: random.next()) : now &+ Int64(random.uniform(0, 5e7))
            estimator.frameInterval = random.uniform() < 0.01 ? Int64(bitPattern: random.next()) : 40_000_000
            estimator.advance(to: now)
            estimator.sent(random.uniform() < 0.01 ? Int.max : Int(random.uniform(0, 5000)), at: now)
            let packets = (0..<Int(random.uniform(0, 12))).map { _ in
                number += random.uniform() < 0.05 ? Int(random.uniform(-40_000, 40_000)) : 1
                let wild = random.uniform() < 0.05
                return PacketFeedback(
                    sequence: UInt16(truncatingIfNeeded: number),
                    sendTime: wild ? Int64(bitPattern: random.next()) : random.uniform() < 0.05 ? nil : now,
                    arrivalTime: random.uniform() < 0.05
                        ? Int64(bitPattern: random.next()) : random.uniform() < 0.05 ? nil : now &+ 1_000_000,
                    size: wild ? Int(truncatingIfNeeded: random.next()) : 1000, isLost: random.uniform() < 0.1)
            }
            estimator.feedback(packets, at: now)
            if random.uniform() < 0.05 {
                let lost = random.uniform() < 0.2 ? Double.nan : random.uniform(-2, 2)
                estimator.report(
                    ReceiverReport(fractionLost: lost, jitter: .max, roundTrip: Int64(bitPattern: random.next())),
                    at: now)
            }
            let isBounded = estimator.target >= 100_000 && estimator.target <= 20_000_000
            guard isBounded, estimator.bitrate >= estimator.target else {
                Issue.record("target \(estimator.target) of \(estimator.bitrate)")
                return
            }
        }
    }

    @Test func silenceLowersTheTargetAndNotTheEstimate() {
        let world = World()
        let flow = VideoFlow(world: world)
        var isOpen = true
        let link = Link(world: world, settings: .init(capacity: { _ in 2e6 })) { flow.receive($0) }
        flow.forward = { link.send($0) }
        flow.back = { action in if isOpen { world.after(50_000_000, action) } }
        world.run(until: 5)
        let before = flow.estimator.bitrate
        #expect(flow.estimator.target == before)
        isOpen = false
        world.run(until: 5.6)
        #expect(flow.estimator.bitrate > 0.9 * before)
        #expect(flow.estimator.target < 0.3 * before)
        isOpen = true
        world.run(until: 6.5)
        #expect(flow.estimator.target > 0.8 * before)
    }

    @Test func theFarClockMayJump() {
        let world = World()
        let flow = VideoFlow(world: world)
        let link = Link(world: world, settings: .init(capacity: { _ in 2e6 })) { flow.receive($0) }
        flow.forward = { link.send($0) }
        flow.back = { action in world.after(50_000_000, action) }
        // The reference time of transport-wide feedback wraps after 2²⁴ × 64 ms.
        world.after(5_000_000_000) { flow.clockOffset -= (1 << 24) * 64_000_000 }
        world.run(until: 5)
        let before = flow.estimator.bitrate
        world.run(until: 8)
        #expect(flow.estimator.bitrate > 0.9 * before)
        #expect(flow.estimator.queueDelay < 20_000_000)
    }

    @Test func withoutTransportWideFeedbackReportsDecide() {
        var estimator = BandwidthEstimator()
        var now: Int64 = 0
        func second(_ report: ReceiverReport) {
            for _ in 0..<25 {
                now += 40_000_000
                estimator.advance(to: now)
                estimator.sent(Int(estimator.target / 200), at: now)
            }
            estimator.report(report, at: now)
        }
        for _ in 0..<20 { second(ReceiverReport(fractionLost: 0, jitter: 0, roundTrip: 50_000_000)) }
        let grown = estimator.bitrate
        #expect(grown > 1.5e6 && grown < 5e6)
        second(ReceiverReport(fractionLost: 0.05, jitter: 0, roundTrip: 50_000_000))
        #expect(estimator.bitrate == grown)
        second(ReceiverReport(fractionLost: 0.4, jitter: 0, roundTrip: 50_000_000))
        #expect(abs(estimator.bitrate - 0.8 * grown) < 1)
        second(ReceiverReport(fractionLost: 0, jitter: 0, roundTrip: 400_000_000))
        #expect(abs(estimator.bitrate - 0.68 * grown) < 1)
        #expect(estimator.state == .decrease && estimator.reason == .report)
    }
}
