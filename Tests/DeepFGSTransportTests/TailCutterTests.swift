import Testing

@testable import DeepFGSTransport

/// A sender in virtual time: frames come at their times, packets leave when the cutter says so.
struct CutterRun {
    struct Sent {
        var time: Int64
        var bytes: Int
        var frame: UInt16
        var marker: Bool
        var sequenceNumber: UInt16
        var end: Int
        var isBase: Bool
    }

    var cutter: TailCutter
    var sent: [Sent] = []
    var drops: [DropReason: Int] = [:]
    var reports: [TailCutter.Report] = []
    private var packets: [UInt64: TailCutter.Packet] = [:]
    private var token: UInt64 = 0
    private var sequenceNumber: UInt16 = 65000
    private var frame: UInt16 = 65530
    var outstanding: Int { packets.count }

    init(_ cutter: TailCutter) { self.cutter = cutter }

    mutating func run(until end: Int64, from start: Int64) {
        var now = start
        while true {
            switch cutter.next(at: now) {
            case .idle: return drain()
            case .wait(let until):
                guard until <= end else { return drain() }
                now = until
            case .send(let token, let payloadBytes, let marker, let sequenceNumber):
                guard let packet = packets.removeValue(forKey: token) else {
                    Issue.record("token \(token) sent twice")
                    return
                }
                sent.append(
                    Sent(
                        time: now, bytes: payloadBytes + 12 + 28, frame: packet.header.frameNumber, marker: marker,
                        sequenceNumber: sequenceNumber, end: packet.header.offset + payloadBytes - 12,
                        isBase: packet.header.isBase))
            case .drop(let token, let reason):
                #expect(packets.removeValue(forKey: token) != nil)
                drops[reason, default: 0] += 1
            }
        }
    }

    mutating func drain() {
        while let report = cutter.report() { reports.append(report) }
    }

    mutating func frame(at time: Int64, base: Int, length: Int, room: Int = 1176) {
        var offset = 0
        while offset < length {
            let stop = min(offset + room, offset < base ? base : length)
            token += 1
            let packet = TailCutter.Packet(
                token: token, rtpHeaderBytes: 12, payloadBytes: stop - offset + 12,
                header: PayloadHeader(
                    priority: offset < base ? 0 : 1, offset: offset, baseEnd: base, frameLength: length,
                    frameNumber: frame), timestamp: UInt32(truncatingIfNeeded: time / 11_111),
                sequenceNumber: sequenceNumber, marker: stop == length)
            packets[token] = packet
            cutter.take(packet, at: time)
            sequenceNumber &+= 1
            offset = stop
        }
        frame &+= 1
    }

    /// Bytes in every window of two seconds that begins with a packet, as a share of the target's, after `warmup`.
    func windowShares(target: Double, warmup: Int64, end: Int64) -> (least: Double, most: Double) {
        var least = Double.infinity
        var most = 0.0
        var last = 0
        var bytes = 0
        for first in sent.indices {
            while last < sent.count, sent[last].time < sent[first].time + 2_000_000_000 {
                bytes += sent[last].bytes
                last += 1
            }
            if sent[first].time >= warmup, sent[first].time + 2_000_000_000 <= end {
                least = min(least, Double(bytes) * 8 / (2 * target))
                most = max(most, Double(bytes) * 8 / (2 * target))
            }
            bytes -= sent[first].bytes
        }
        return (least, most)
    }
}

@Suite("Cutting tails to a bitrate")
struct TailCutterTests {
    static let second: Int64 = 1_000_000_000

    func run(
        fps: Double, target: Double, base: Int = 1500, length: Int, seconds: Int64 = 12, jitter: Int64 = 0,
        paces: Bool = true, nominal: Bool = true
    ) -> CutterRun {
        let interval = Int64(1e9 / fps)
        var cutter = TailCutter(target: target, interval: nominal ? interval : nil)
        cutter.paces = paces
        var run = CutterRun(cutter)
        var generator = SeededGenerator(seed: 5)
        let times = (0..<(seconds * Self.second / interval)).map {
            Self.second + $0 * interval + (jitter > 0 ? Int64.random(in: 0...jitter, using: &generator) : 0)
        }
        for (index, time) in times.enumerated() {
            run.frame(at: time, base: base, length: length)
            run.run(until: index + 1 < times.count ? times[index + 1] - 1 : .max, from: time)
        }
        return run
    }

    @Test(
        "Any two seconds hold 98 to 100 % of the target; at 300 kbit/s, where a packet is 1.6 % of them, to 102.5 %",
        arguments: [30, 25, 15, 7, 4, 3, 2.25, 1.3], [300_000.0, 1_000_000, 4_000_000])
    func window(fps: Double, target: Double) {
        for isSteady in [true, false] {
            let length = Int(target / 8 / fps * 2) + 3000
            let run = run(
                fps: fps, target: target, base: min(1500, length / 4), length: length, seconds: 8,
                jitter: isSteady ? 0 : 4_000_000, nominal: isSteady)
            let shares = run.windowShares(target: target, warmup: 3 * Self.second, end: 8 * Self.second)
            #expect(shares.least >= 0.98 && shares.most <= (target < 500_000 ? 1.025 : 1), "\(shares)")
            #expect(run.outstanding == 0)
        }
    }

    @Test("Numbers have no gap, each frame's last packet alone has the marker, sent bytes are a prefix")
    func numbers() {
        let run = run(fps: 30, target: 2_000_000, length: 20_000)
        for (before, after) in zip(run.sent, run.sent.dropFirst()) {
            #expect(after.sequenceNumber == before.sequenceNumber &+ 1)
            #expect(before.marker == (before.frame != after.frame))
            if before.frame == after.frame { #expect(after.end > before.end) }
        }
        #expect(run.sent.last?.marker == true)
        #expect(run.reports.count == 360 && run.cutter.statistics.framesCut == 360)
        #expect(run.reports.map(\.wireBytes).reduce(0, +) == run.sent.map(\.bytes).reduce(0, +))
        #expect(run.reports.allSatisfy { $0.reason == .budget && $0.bytes == 20_000 })
    }

    @Test("Small frames pass whole and untouched")
    func small() {
        let run = run(fps: 30, target: 10_000_000, length: 9_000)
        #expect(run.drops.isEmpty && run.cutter.statistics.framesWhole == 360)
        #expect(run.reports.allSatisfy { $0.reason == nil && $0.bytesSent == 9_000 })
    }

    @Test("Without pacing each frame leaves at once, under the same budget")
    func unpaced() {
        let run = run(fps: 25, target: 1_000_000, length: 20_000, paces: false)
        #expect(run.sent.allSatisfy { ($0.time - Self.second) % 40_000_000 == 0 })
        for start in stride(from: Self.second, to: 10 * Self.second, by: 40_000_000) {
            let bytes = run.sent.filter { $0.time >= start && $0.time < start + 2 * Self.second }.map(\.bytes).reduce(
                0, +)
            #expect((245_000...250_000).contains(bytes))
        }
    }

    @Test("Where the bases alone exceed the target whole frames are left out, and the target holds")
    func bases() {
        let run = run(fps: 20, target: 400_000, base: 4_000, length: 9_000, seconds: 20)
        let rate = Double(run.sent.map(\.bytes).reduce(0, +)) * 8 / 20
        #expect(rate < 400_000 * 1.02 && rate > 400_000 * 0.9)
        #expect(run.cutter.statistics.framesSkipped > 100)
        for report in run.reports where report.packetsSent > 0 { #expect(report.bytesSent >= 4_000) }
    }
}
