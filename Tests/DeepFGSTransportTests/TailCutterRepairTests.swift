import Testing

@testable import DeepFGSTransport

@Suite("Cutting tails behind repair packets")
struct TailCutterRepairTests {
    /// The packets of a frame whose base has four packets and so many repair packets.
    static func packets(frame: Int, repairs: Int, length: Int = 12_000) -> [TailCutter.Packet] {
        let base = 4000
        var packets: [TailCutter.Packet] = []
        func add(_ header: PayloadHeader, body: Int) {
            packets.append(
                TailCutter.Packet(
                    token: 0, rtpHeaderBytes: 12, payloadBytes: body + 12, header: header,
                    timestamp: UInt32(frame * 3600), sequenceNumber: 0, marker: false))
        }
        var header = PayloadHeader(
            priority: 0, offset: 0, baseEnd: base, frameLength: length, frameNumber: UInt16(frame))
        for offset in stride(from: 0, to: base, by: 1000) {
            header.offset = offset
            add(header, body: 1000)
        }
        for index in 0..<repairs {
            header.offset = base
            header.repair = PayloadHeader.Repair(index: UInt8(index), symbolSize: 1000)
            add(header, body: 1000)
        }
        header.repair = nil
        header.priority = 1
        for offset in stride(from: base, to: length, by: 1000) {
            header.offset = offset
            add(header, body: min(1000, length - offset))
        }
        packets[packets.count - 1].marker = true
        return packets
    }

    static let interval: Int64 = 40_000_000

    /// Sends ten frames, of each the packets that `keep` lets through to the cutter.
    func run(
        repairs: Int, length: Int = 12_000, isThrough: Bool = false, configure: (inout TailCutter) -> Void,
        keep: (Int, TailCutter.Packet) -> Bool = { _, _ in true }
    ) -> CutterRun {
        var cutter = TailCutter(target: 100_000_000, interval: Self.interval)
        configure(&cutter)
        var run = CutterRun(cutter)
        for frame in 0..<10 {
            let time = Int64(frame) * Self.interval
            for (index, packet) in Self.packets(frame: frame, repairs: repairs, length: length).enumerated()
            where keep(index, packet) {
                run.take(packet, at: time)
                if isThrough { run.run(until: time, from: time) }
            }
            run.run(until: time + Self.interval - 1, from: time)
        }
        run.cutter.finish(at: 10 * Self.interval)
        run.run(until: .max, from: 10 * Self.interval)
        return run
    }

    /// What every receiver relies on: numbers without a gap, one marker on each frame's last packet.
    func check(_ run: CutterRun) {
        for (before, after) in zip(run.sent, run.sent.dropFirst()) {
            #expect(after.sequenceNumber == before.sequenceNumber &+ 1)
            #expect(before.marker == (before.frame != after.frame))
        }
        #expect(run.sent.last?.marker == true && run.outstanding == 0)
    }

    /// A frame's share of the target is so many packets of the base's size; the base has four.
    @Test(
        "Repair packets that have no room give way, not whole frames",
        arguments: [(3, 0), (4, 0), (5, 1), (6, 2), (9, 3)])
    func room(share: Int, expected: Int) {
        let wire = 1000 + 12 + 12 + 28
        let run = run(repairs: 3, length: 4000) {
            $0.target = Double(share * wire * 8) * 1e9 / Double(Self.interval) + 1
            $0.protectsWithinBudget = true
        }
        check(run)
        #expect(run.cutter.statistics.repairPacketsSent == UInt64(10 * expected))
        if share > 4 { #expect(run.cutter.statistics.framesSkipped == 0) }
    }

    @Test("Repair packets pass in their place, whole, and count", arguments: [false, true])
    func pass(isThrough: Bool) {
        let run = run(repairs: 3, isThrough: isThrough) { _ in }
        check(run)
        #expect(run.sent.count == 150 && run.drops.isEmpty)
        #expect(run.sent.prefix(15).map(\.isRepair) == (0..<15).map { (4..<7).contains($0) })
        #expect(run.cutter.statistics.repairPackets == 30 && run.cutter.statistics.repairPacketsSent == 30)
        #expect(run.cutter.statistics.framesWhole == 10)
        #expect(run.reports.allSatisfy { $0.repairPacketsSent == 3 && $0.bytesSent == 12_000 && $0.packetsSent == 15 })
        #expect(run.reports.map(\.wireBytes).reduce(0, +) == run.sent.map(\.bytes).reduce(0, +))
    }

    @Test("What the protection leaves out is dropped under its name, and cuts no frame", arguments: [false, true])
    func limit(isThrough: Bool) {
        for (protection, passes) in [
            (BaseProtection.none, 0), (.against(loss: 0), 0), (.against(loss: 0.01), 1), (.all, 8),
        ] {
            for length in [12_000, 4000] {
                let run = run(repairs: 8, length: length, isThrough: isThrough) { $0.protection = protection }
                check(run)
                #expect(run.sent.filter(\.isRepair).count == 10 * passes)
                #expect(run.drops == (passes == 8 ? [:] : [.protection: 10 * (8 - passes)]))
                #expect(run.cutter.statistics.framesWhole == 10)
                let dropped = run.cutter.statistics.packetsDropped[Int(DropReason.protection.rawValue)]
                #expect(dropped == UInt64(10 * (8 - passes)))
            }
        }
    }

    @Test("A fixed cut into the base leaves the repair packets, the last with the marker", arguments: [false, true])
    func fixedCut(isThrough: Bool) {
        for limit in [1, 4000, 4001, 5000, 20_000] {
            let run = run(repairs: 2, isThrough: isThrough) { $0.maximumFrameBytes = limit }
            check(run)
            #expect(run.sent.filter(\.isRepair).count == 20)
            #expect(run.reports.allSatisfy { $0.bytesSent == min(12_000, max(4000, limit)) })
            #expect(run.sent.filter(\.marker).allSatisfy { $0.isRepair == (limit <= 4000) })
        }
    }

    @Test("Under a budget for little more than the base repair packets still go out whole", arguments: [0, 1, 2])
    func budget(pacing: Int) {
        let run = run(repairs: 2) {
            $0.target = 500_000
            $0.pacing = [.even, .train, .none][pacing]
        }
        check(run)
        for report in run.reports where report.packetsSent > 0 {
            #expect(report.repairPacketsSent == 2 && report.bytesSent >= 4000)
        }
        #expect(run.sent.filter(\.isRepair).allSatisfy { $0.bytes == 1000 + 12 + 12 + 28 })
        #expect(run.cutter.statistics.framesSkipped > 0)
    }

    @Test("A relay lets a base with gaps pass where repair packets can fill them, and makes up for them")
    func gaps() {
        for protection in [BaseProtection.all, .against(loss: 0.01), .none] {
            let run = run(repairs: 6) {
                $0.protection = protection
            } keep: { index, _ in
                index != 1 && index != 3
            }
            check(run)
            // In the first frame it is not known yet that repair packets will come.
            #expect(run.reports.count == 10 && run.reports.dropFirst().allSatisfy { $0.bytesSent == 10_000 })
            let repairs = run.reports.dropFirst().map(\.repairPacketsSent)
            #expect(Set(repairs) == [protection == .all ? 6 : protection == .none ? 2 : 3])
        }
    }

    @Test("A base that nothing can fill is left out")
    func hopeless() {
        let run = run(repairs: 2) { _ in
        } keep: { index, _ in
            ![0, 1, 3].contains(index)
        }
        #expect(run.outstanding == 0 && run.cutter.statistics.framesWhole == 0)
        #expect(run.sent.allSatisfy { $0.isBase })
        #expect((run.drops[.gap] ?? 0) >= 80)
    }

    @Test("Repair packets may be missing, come twice or late", arguments: 0..<20)
    func disorder(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var cutter = TailCutter(target: 5_000_000, interval: Self.interval)
        cutter.pacing = [.even, .train, .none][Int(seed % 3)]
        cutter.maximumFrameBytes = seed % 4 == 0 ? 4000 : 0
        cutter.protection = seed % 2 == 0 ? .all : .against(loss: 0.1)
        var run = CutterRun(cutter)
        for frame in 0..<60 {
            let time = Int64(frame) * Self.interval
            var packets = Self.packets(frame: frame, repairs: 4)
            for _ in 0..<4 {
                let index = Int.random(in: packets.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: packets.remove(at: index)
                case 1: packets.append(packets[index])
                default: packets.swapAt(index, 0)
                }
            }
            for packet in packets { run.take(packet, at: time) }
            run.run(until: time + Self.interval - 1, from: time)
        }
        run.cutter.flush()
        run.run(until: .max, from: .max)
        #expect(run.outstanding == 0)
        let counts = run.cutter.statistics
        #expect(counts.frames == counts.framesWhole + counts.framesCut + counts.framesSkipped)
        #expect(counts.packets == counts.packetsSent + run.drops.values.reduce(0) { $0 + UInt64($1) })
    }
}
