import Testing

@testable import DeepFGSTransport

@Suite struct PacerTests {
    private let interval: Int64 = 40_000_000

    private func packets(_ count: Int, bytes: Int = 1000, base: Int = 1, from token: UInt64 = 0) -> [Pacer.Packet] {
        (0..<count).map { Pacer.Packet(token: token + UInt64($0), bytes: bytes, isBase: $0 < base) }
    }

    /// Every step until the time, asking exactly when the pacer says.
    private func run(_ pacer: inout Pacer, from start: Int64, to end: Int64) -> [(time: Int64, step: Pacer.Step)] {
        var now = start
        var steps: [(time: Int64, step: Pacer.Step)] = []
        while now <= end {
            switch pacer.next(at: now) {
            case .idle: return steps
            case .wait(let until): now = until
            case let step: steps.append((now, step))
            }
        }
        return steps
    }

    @Test(arguments: [1, 2, 4, 60, 300], [Pacer.Spacing.train, .even])
    func spreadsAFrame(count: Int, spacing: Pacer.Spacing) {
        let sizes = Array(repeating: 1248, count: count)
        let target = Double(count) * 1248 * 8 / 0.04
        let latency = Pacer.latency(interval: interval, spacing: spacing)
        #expect(latency == (spacing == .train ? 26_666_666 : 30_000_000))
        let times = Pacer.sendTimes(sizes, start: 7, interval: interval, target: target, spacing: spacing)
        #expect(times[0] == 7)
        #expect(times.last.map { $0 < 7 + latency } == true)
        for index in times.indices.dropFirst(Pacer.burst) {
            #expect(times[index] > times[index - Pacer.burst])
        }
        if count >= 4, let last = times.last {
            // Apart from the burst, the rate is the frame's over the latency.
            let rate = Double((count - Pacer.burst) * 1248) * 8e9 / Double(last - 7)
            #expect(rate < 1.07 * target * Double(interval) / Double(latency))
            #expect(Double(last) > 0.7 * Double(count - 1) / Double(count) * Double(latency))
        }
    }

    @Test func aLargeBaseStillEndsInTime() {
        let times = Pacer.sendTimes(Array(repeating: 1000, count: 50), start: 0, interval: interval, target: 1e5)
        #expect(times[49] < Pacer.latency(interval: interval))
    }

    @Test func sendsAllInOrderAndMarksTheLast() {
        var pacer = Pacer()
        pacer.open(packets(10), now: 0, interval: interval, target: 2e6)
        let steps = run(&pacer, from: 0, to: interval)
        #expect(steps.map(\.step) == (0..<10).map { .send(token: $0, isLast: $0 == 9) })
        #expect(pacer.queuedBytes == 0 && pacer.queuedPackets == 0)
    }

    @Test func aLateTailIsDroppedAndABaseIsNot() {
        var pacer = Pacer()
        pacer.open(packets(10, base: 3), now: 0, interval: interval, target: 2e6)
        #expect(pacer.next(at: 0) == .send(token: 0, isLast: false))
        let steps = run(&pacer, from: 2 * interval, to: 4 * interval).map(\.step)
        #expect(steps.filter { if case .send = $0 { true } else { false } }.count == 2)
        #expect(steps.filter { if case .drop(_, .deadline) = $0 { true } else { false } }.count == 7)
        #expect(steps.contains(.send(token: 2, isLast: true)))
    }

    @Test func theNextFrameDoesNotWaitBehindAnOldTail() {
        var pacer = Pacer()
        pacer.open(packets(10), now: 0, interval: interval, target: 2e6)
        _ = run(&pacer, from: 0, to: 10_000_000)
        let waiting = pacer.queuedPackets
        #expect(waiting > 0)
        pacer.open(packets(2, from: 100), now: 11_000_000, interval: interval, target: 2e6)
        let steps = run(&pacer, from: 11_000_000, to: 11_000_000).map(\.step)
        #expect(steps.filter { if case .drop(_, .queue) = $0 { true } else { false } }.count == waiting - 1)
        // One packet of the old tail goes first: the marker must follow what was sent without it.
        let sent = steps.filter { if case .send = $0 { true } else { false } }
        #expect(sent.first == .send(token: UInt64(10 - waiting), isLast: true))
        #expect(sent.dropFirst().first == .send(token: 100, isLast: false))
        #expect(pacer.queuedPackets <= 1)
    }

    @Test func noBurstAfterAStall() {
        var pacer = Pacer()
        pacer.open(packets(60), now: 0, interval: interval, target: 12e6)
        _ = run(&pacer, from: 0, to: 5_000_000)
        // The thread slept for 10 ms: what was due meanwhile does not leave at once.
        let steps = run(&pacer, from: 15_000_000, to: 15_100_000)
        #expect(steps.count <= 2 * Pacer.burst)
        #expect(
            run(&pacer, from: 15_100_000, to: 2 * interval).contains { _, step in
                if case .send(_, isLast: true) = step { true } else { false }
            })
    }

    @Test func theMarkerGoesWithTheLastPacketThatCanBeInTime() {
        var pacer = Pacer()
        pacer.open(packets(60), now: 0, interval: interval, target: 12e6)
        _ = run(&pacer, from: 0, to: 5_000_000)
        let steps = run(&pacer, from: 36_000_000, to: 2 * interval).map(\.step)
        let sent = steps.filter { if case .send = $0 { true } else { false } }
        let lasts = sent.filter { if case .send(_, isLast: true) = $0 { true } else { false } }
        #expect(lasts.count == 1 && sent.last == lasts.first)
        #expect(steps.contains { if case .drop(_, .deadline) = $0 { true } else { false } })
    }

    @Test func aBlockedSocketKeepsFewBases() {
        var pacer = Pacer()
        for frame in 0..<10 {
            pacer.open(
                packets(5, base: 2, from: UInt64(frame) * 10), now: Int64(frame) * interval, interval: interval,
                target: 1e6)
        }
        #expect(pacer.queuedPackets == 2 * 2 + 5)
        #expect(pacer.queuedBytes == 9000)
        pacer.flush()
        #expect(pacer.queuedBytes == 0)
        var drops = 0
        while case .drop = pacer.next(at: 0) { drops += 1 }
        #expect(drops == 50)
        #expect(pacer.next(at: 0) == .idle)
    }
}
