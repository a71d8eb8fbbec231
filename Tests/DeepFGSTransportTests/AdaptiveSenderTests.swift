import Testing

@testable import DeepFGSTransport

/// A sender and a path of fixed capacity with a queue, in virtual time; feedback comes with each frame's last packet.
private struct Loop {
    var sender: AdaptiveSender
    var capacity: Double
    var sentBytes = 0
    private var now: Int64 = 0
    private var token: UInt64 = 0
    private var frame: UInt16 = 0
    private var number: UInt16 = 0
    private var free: Int64 = 0
    private var waiting: [(due: Int64, entries: [PacketFeedback])] = []
    private var entries: [PacketFeedback] = []
    private var packets: [UInt64: TailCutter.Packet] = [:]

    init(_ settings: AdaptiveSender.Settings, capacity: Double) {
        sender = AdaptiveSender(settings: settings)
        self.capacity = capacity
    }

    /// Frames of 60 kB, 25 a second.
    mutating func run(seconds: Double, feedback: Bool = true) {
        let end = now + Int64(seconds * 1e9)
        while now < end {
            for packet in CutterRun.packets(base: 1000, length: 60_000, frame: frame, timestamp: UInt32(frame) * 3600) {
                token += 1
                var packet = packet
                packet.token = token
                packets[token] = packet
                sender.take(packet, at: now)
            }
            frame &+= 1
            let next = now + 40_000_000
            step(until: next, feedback: feedback)
            now = next
        }
    }

    private mutating func step(until end: Int64, feedback: Bool) {
        var time = now
        while true {
            while let first = waiting.first, first.due <= time {
                waiting.removeFirst()
                if feedback { sender.receive(first.entries, at: first.due) }
            }
            switch sender.next(at: time) {
            case .idle:
                time = waiting.first?.due ?? end
            case .wait(let until): time = max(time + 1, min(until, waiting.first?.due ?? end))
            case .drop(let token, _): packets[token] = nil
            case .send(let token, let payloadBytes, let marker, _):
                packets[token] = nil
                let bytes = payloadBytes + 40
                sentBytes += bytes
                free = max(free, time) + Int64(Double(bytes) * 8e9 / capacity)
                entries.append(
                    PacketFeedback(
                        sequence: number, sendTime: time, arrivalTime: free + 20_000_000, size: payloadBytes,
                        isLost: false))
                number &+= 1
                if marker {
                    waiting.append((free + 40_000_000, entries))
                    entries = []
                }
            }
            if time >= end { return }
        }
    }
}

@Suite("Sender that adapts")
struct AdaptiveSenderTests {
    private static func settings(_ change: (inout AdaptiveSender.Settings) -> Void) -> AdaptiveSender.Settings {
        var settings = AdaptiveSender.Settings()
        settings.mode = .automatic
        change(&settings)
        return settings
    }

    @Test("Follows a path up and down")
    func follows() {
        var loop = Loop(Self.settings { $0.start = 400_000 }, capacity: 3_000_000)
        loop.run(seconds: 6)
        #expect(loop.sender.feedback(at: 6_000_000_000) == .transportWide)
        #expect((2_300_000...3_100_000).contains(loop.sender.estimator.bitrate), "\(loop.sender.estimator.bitrate)")
        loop.capacity = 800_000
        loop.run(seconds: 1.6)
        #expect((500_000...850_000).contains(loop.sender.estimator.bitrate), "\(loop.sender.estimator.bitrate)")
        loop.capacity = 2_000_000
        loop.run(seconds: 4)
        #expect((1_600_000...2_100_000).contains(loop.sender.estimator.bitrate), "\(loop.sender.estimator.bitrate)")
        let before = loop.sentBytes
        loop.run(seconds: 4)
        #expect(Double(loop.sentBytes - before) * 2 > 0.8 * 2_000_000, "what the path carries is used")
    }

    @Test("Keeps within its bounds, also when they change")
    func bounds() {
        var loop = Loop(Self.settings { $0.maximum = 1_000_000 }, capacity: 30_000_000)
        loop.run(seconds: 3)
        #expect(loop.sender.target(at: 3_000_000_000) <= 1_000_000)
        loop.sender.settings.minimum = 2_000_000
        loop.sender.settings.maximum = 2_500_000
        #expect((2_000_000...2_500_000).contains(loop.sender.target(at: 3_000_000_000)))
        let before = loop.sentBytes
        loop.run(seconds: 2)
        #expect(Double(loop.sentBytes - before) * 4 > 0.95 * 2_000_000)
    }

    @Test("Without any feedback the fixed target counts, after five seconds")
    func silent() {
        var loop = Loop(Self.settings { $0.target = 1_500_000 }, capacity: 30_000_000)
        loop.run(seconds: 4, feedback: false)
        #expect(loop.sender.target(at: 4_000_000_000) <= 500_000)
        loop.run(seconds: 4, feedback: false)
        #expect(loop.sender.target(at: 8_000_000_000) == 1_500_000)
        #expect(loop.sender.feedback(at: 8_000_000_000) == .none)
    }

    @Test("A fixed target does not listen to feedback")
    func fixed() {
        var loop = Loop(Self.settings { $0.mode = .fixed }, capacity: 500_000)
        loop.run(seconds: 3)
        #expect(abs(Double(loop.sentBytes) * 8 / 3 - 0.99 * 2_000_000) < 20_000)
    }
}
