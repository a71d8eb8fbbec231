import Testing

@testable import DeepFGSServer

/// A connection that carries so many bytes a second and keeps their order, simulated.
private struct Path {
    var bytesPerSecond: Double
    let delay: Double
    private var freeAt = 0.0

    init(bytesPerSecond: Double, delay: Double) {
        self.bytesPerSecond = bytesPerSecond
        self.delay = delay
    }

    /// When bytes that leave now have arrived.
    mutating func arrival(of bytes: Int, leaving now: Double) -> Double {
        freeAt = max(freeAt, now) + Double(bytes) / bytesPerSecond
        return freeAt + delay
    }
}

/// Numbers from 0 up to 1, the same in every run.
private struct Random {
    var state: UInt64

    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) / 0x1p53
    }
}

/// A viewer behind a path: frames of one size and rate, and what it got of them.
private struct Session {
    var cutter = LiveCutter()
    var path: Path
    /// A viewer on a busy machine acknowledges up to so many seconds late.
    var lag = 0.0
    /// Bytes of each frame when it was last worth showing, and seconds from its offer until then, by frame.
    var bytes: [Int: Int] = [:], latency: [Int: Double] = [:]
    private var now = 0.0, number = 0
    private var random = Random(state: 1)
    private var lastSeenAt = 0.0
    private var underWay: [(at: Double, total: Int, part: LiveCutter.Part)] = []
    private var offered: [Int: Double] = [:]

    init(_ path: Path) { self.path = path }

    /// Plays for a time; returns the numbers of the frames that were offered.
    mutating func play(seconds: Double, framesPerSecond: Double, size: Int, base: Int) -> ClosedRange<Int> {
        let (end, first) = (now + seconds, number + 1)
        var frameAt = now
        while now < end {
            if now >= frameAt {
                number += 1
                offered[number] = now
                cutter.offer(LiveCutter.Frame(number: number, size: size, baseEnd: base))
                frameAt += 1 / framesPerSecond
            }
            while let first = underWay.first, first.at + path.delay <= now {
                underWay.removeFirst()
                cutter.acknowledge(UInt32(truncatingIfNeeded: first.total), at: now)
                if first.part.showsNow {
                    bytes[first.part.number] = first.part.range.upperBound
                    if latency[first.part.number] == nil {
                        latency[first.part.number] = first.at - (offered[first.part.number] ?? 0)
                    }
                }
            }
            while let part = cutter.next(at: now) {
                let count = part.range.count + LiveCutter.headBytes
                let arrived = path.arrival(of: count, leaving: now)
                lastSeenAt = max(lastSeenAt, arrived + lag * random.next())
                underWay.append((lastSeenAt, cutter.sent, part))
            }
            now += 0.001
        }
        return first...number
    }

    func mean(of frames: ClosedRange<Int>) -> Double {
        let found = frames.compactMap { bytes[$0] }
        return Double(found.reduce(0, +)) / Double(max(found.count, 1))
    }
}

@Suite struct LiveCutterTests {
    @Test func aWidePathGetsWholeFrames() {
        var session = Session(Path(bytesPerSecond: 10_000_000, delay: 0.01))
        _ = session.play(seconds: 2, framesPerSecond: 25, size: 20_000, base: 4000)
        let frames = session.play(seconds: 4, framesPerSecond: 25, size: 20_000, base: 4000)
        #expect(frames.dropLast(3).allSatisfy { session.bytes[$0] == 20_000 })
        #expect(session.latency.values.allSatisfy { $0 < 0.1 })
    }

    @Test(arguments: [60_000.0, 125_000, 250_000])
    func aNarrowPathGetsShorterFramesInTime(rate: Double) {
        var session = Session(Path(bytesPerSecond: rate, delay: 0.02))
        _ = session.play(seconds: 5, framesPerSecond: 10, size: 40_000, base: 4000)
        let frames = session.play(seconds: 10, framesPerSecond: 10, size: 40_000, base: 4000)
        // Frames go on, what is sent fills the path, nothing waits long.
        #expect(frames.filter { session.bytes[$0] != nil }.count > 94)
        let sent = session.mean(of: frames) * 10
        #expect(sent > 0.6 * rate && sent < 1.05 * rate, "\(sent) of \(rate)")
        #expect(frames.compactMap { session.latency[$0] }.allSatisfy { $0 < 0.3 })
    }

    /// Decoding beside an encoder on two processors: acknowledgements come late, which is not the path's fault.
    @Test func aBusyViewerGetsWhatThePathCarries() {
        var session = Session(Path(bytesPerSecond: 250_000, delay: 0.02))
        session.lag = 0.3
        _ = session.play(seconds: 5, framesPerSecond: 7, size: 20_000, base: 4700)
        let frames = session.play(seconds: 20, framesPerSecond: 7, size: 20_000, base: 4700)
        #expect(session.mean(of: frames) > 14_000)
        #expect(frames.compactMap { session.latency[$0] }.allSatisfy { $0 < 0.6 })
    }

    @Test func aPathThatFallsAndRises() {
        var session = Session(Path(bytesPerSecond: 2_000_000, delay: 0.02))
        let wide = session.play(seconds: 5, framesPerSecond: 20, size: 20_000, base: 4000)
        session.path.bytesPerSecond = 100_000
        _ = session.play(seconds: 3, framesPerSecond: 20, size: 20_000, base: 4000)
        let narrow = session.play(seconds: 7, framesPerSecond: 20, size: 20_000, base: 4000)
        session.path.bytesPerSecond = 2_000_000
        _ = session.play(seconds: 5, framesPerSecond: 20, size: 20_000, base: 4000)
        let again = session.play(seconds: 5, framesPerSecond: 20, size: 20_000, base: 4000)
        #expect(session.mean(of: wide) > 19_000)
        #expect(session.mean(of: narrow) < 7000)
        #expect(narrow.compactMap { session.latency[$0] }.allSatisfy { $0 < 1 })
        #expect(narrow.filter { session.bytes[$0] != nil }.count > 125)
        #expect(session.mean(of: again) > 19_000)
    }

    @Test func aPathBelowTheBasesLeavesFramesOut() {
        var session = Session(Path(bytesPerSecond: 12_000, delay: 0.05))
        _ = session.play(seconds: 10, framesPerSecond: 20, size: 20_000, base: 4000)
        let frames = session.play(seconds: 10, framesPerSecond: 20, size: 20_000, base: 4000)
        let shown = frames.filter { session.bytes[$0] != nil }
        #expect(shown.count > 20 && shown.count < 40)
        #expect(shown.compactMap { session.latency[$0] }.allSatisfy { $0 < 1.5 })
    }

    @Test func aNewerFrameTakesThePlaceOfAnOlderTail() {
        var cutter = LiveCutter()
        cutter.offer(LiveCutter.Frame(number: 1, size: 100_000, baseEnd: 5000))
        #expect(cutter.next(at: 0)?.range == 0..<5000)
        while let part = cutter.next(at: 0) { #expect(part.number == 1 && part.range.count <= LiveCutter.partBytes) }
        // Its tail has left room for another base; then the connection is full.
        cutter.offer(LiveCutter.Frame(number: 2, size: 100_000, baseEnd: 8000))
        #expect(cutter.next(at: 0.01) == LiveCutter.Part(number: 2, range: 0..<8000, showsNow: true))
        #expect(cutter.next(at: 0.01) == nil)
        cutter.offer(LiveCutter.Frame(number: 3, size: 100_000, baseEnd: 8000))
        #expect(cutter.next(at: 0.01) == nil)
        cutter.offer(LiveCutter.Frame(number: 4, size: 100_000, baseEnd: 8000))
        #expect(cutter.next(at: 0.01) == nil)
        cutter.acknowledge(UInt32(cutter.sent), at: 0.02)
        #expect(cutter.next(at: 0.02) == LiveCutter.Part(number: 4, range: 0..<8000, showsNow: false))
    }

    /// Who neither reads nor acknowledges does not keep its place; who waits for frames, or reads slowly, does.
    @Test func aViewerThatStopsReadingIsForsaken() {
        var cutter = LiveCutter()
        #expect(!cutter.isForsaken(at: 1000))
        cutter.offer(LiveCutter.Frame(number: 1, size: 9000, baseEnd: 4000))
        while cutter.next(at: 1000) != nil {}
        #expect(!cutter.isForsaken(at: 1019) && cutter.isForsaken(at: 1021))
        // What cannot be acknowledged, or is less than a message, is no sign of life.
        cutter.acknowledge(1, at: 1015)
        cutter.acknowledge(1_000_000, at: 1015)
        #expect(cutter.isForsaken(at: 1021))
        cutter.acknowledge(UInt32(4000 + LiveCutter.headBytes), at: 1022)
        #expect(cutter.inFlight > 0 && cutter.isForsaken(at: 1022))
        cutter.acknowledge(UInt32(cutter.sent), at: 1022)
        #expect(cutter.inFlight == 0 && !cutter.isForsaken(at: 5000))
        cutter.offer(LiveCutter.Frame(number: 2, size: 9000, baseEnd: 4000))
        while cutter.next(at: 5000) != nil {}
        #expect(!cutter.isForsaken(at: 5019))
    }

    @Test func anyAcknowledgementsAreTaken() {
        var numbers = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var cutter = LiveCutter()
            for step in 0..<200 {
                let at = Double(step) * 0.01
                if step % 3 == 0 {
                    let size = Int.random(in: 1...200_000, using: &numbers)
                    cutter.offer(
                        LiveCutter.Frame(number: step, size: size, baseEnd: Int.random(in: 0...size, using: &numbers)))
                }
                while cutter.next(at: at) != nil {}
                let random = UInt32.random(in: 0...UInt32.max, using: &numbers)
                cutter.acknowledge(Bool.random(using: &numbers) ? UInt32(cutter.sent) : random, at: at)
                #expect(cutter.inFlight >= 0 && cutter.window >= 2048 && cutter.window <= 4_194_304)
            }
        }
    }
}
