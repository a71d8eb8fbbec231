import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

@Suite("How long a file lasts")
struct DurationTests {
    private static let second: Int64 = 1_000_000_000

    /// The duration that a player is told in PAUSED.
    private static func duration(_ bytes: [UInt8], options: String = "") -> Int64? {
        let file = TemporaryFile(bytes)
        return Harness.Pipeline("filesrc location=\(file.path) ! deepfgsparse \(options) ! fakesink").duration()
    }

    private static func frames(_ count: Int, cut: Int = 0) -> [UInt8] {
        (0..<count).flatMap { number in
            ParserTests.frame(time: UInt64(number) * 100_000_000, duration: 100_000_000).dropLast(cut)
        }
    }

    @Test("Frames with times: to the last one's end", arguments: [1, 2, 40], [0, 10, 50])
    func times(count: Int, cut: Int) {
        #expect(Self.duration(Self.frames(count, cut: cut)) == Int64(count) * Self.second / 10)
    }

    @Test("Frames without times: as many as there are, at the frame rate", arguments: [1, 7])
    func frameRate(count: Int) {
        let bytes = (0..<count).flatMap { _ in ParserTests.frame() }
        #expect(Self.duration(bytes, options: "framerate=4/1") == Int64(count) * Self.second / 4)
    }

    @Test("Recordings put together, what is no frame between them, and gaps in time")
    func odd() {
        #expect(Self.duration(Self.frames(5) + Self.frames(5)) == Self.second)
        #expect(
            Self.duration(Self.frames(5) + [UInt8](repeating: 0x44, count: 300_000) + Self.frames(5)) == Self.second)
        let late = ParserTests.frame(time: 9_000_000_000, duration: 500_000_000)
        #expect(Self.duration(Self.frames(3) + late) == 9 * Self.second + Self.second / 2)
    }

    @Test("What is found is what the parser gives", arguments: 0..<20)
    func likeTheParser(seed: UInt64) {
        var random = SplitMix(state: seed)
        var bytes: [UInt8] = []
        var time: UInt64 = 0
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            time += UInt64.random(in: 1...300_000_000, using: &random)
            if Int.random(in: 0..<8, using: &random) == 0 { time = 0 }
            let frame = ParserTests.frame(
                chunks: [Int.random(in: 20...90, using: &random), Int.random(in: 0...400, using: &random)], time: time,
                duration: 100_000_000)
            let header = try? frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
            bytes += frame.prefix(Int.random(in: (header?.baseEnd ?? 0)...frame.count, using: &random))
            if Int.random(in: 0..<6, using: &random) == 0 {
                bytes += (0..<Int.random(in: 1...400, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            }
        }
        let file = TemporaryFile(bytes)
        let last = Harness("filesrc location=\(file.path) ! deepfgsparse").outputs().last
        let end = last.flatMap { $0.time.map { Int64($0) + 100_000_000 } }
        #expect(Self.duration(bytes) == end)
    }

    /// Scans a file of which only headers can be read, as if it were `count` frames of `size` bytes.
    private static func scan(count: Int, size: Int) -> (duration: UInt64?, reads: Int, bytes: Int) {
        let body = size - ParserTests.frame(chunks: [40, 1], time: 0, duration: 1).count + 41
        func header(_ number: Int) -> [UInt8] {
            Array(
                ParserTests.frame(chunks: [40, body - 40], time: UInt64(number) * 40_000_000, duration: 40_000_000)
                    .prefix(100))
        }
        let length = ParserTests.frame(chunks: [40, body - 40], time: 0, duration: 1).count
        var scan = DurationScan(length: UInt64(count * length), interval: 1)
        var (step, reads, bytes) = (scan.start(), 0, 0)
        while case .read(let offset, let wanted) = step {
            reads += 1
            bytes += wanted
            let number = Int(offset) / length
            var block = [UInt8](repeating: 0, count: min(wanted, count * length - Int(offset)))
            for frame in number...(min(count - 1, number + block.count / length + 1)) {
                let at = frame * length - Int(offset)
                for (index, byte) in header(frame).enumerated() where (0..<block.count).contains(at + index) {
                    block[at + index] = byte
                }
            }
            step = block.withUnsafeBytes { scan.next($0) }
        }
        guard case .done(let duration) = step else { return (nil, reads, bytes) }
        return (duration, reads, bytes)
    }

    @Test("A large file costs a header a frame, and a very large one no more than 50 000")
    func cost() {
        let some = Self.scan(count: 1000, size: 20_000)
        #expect(some.duration == 40_000_000_000 && some.reads <= 1001 && some.bytes < 300_000)
        let many = Self.scan(count: 60_000, size: 20_000)
        #expect(many.duration == 60_000 * 40_000_000 && many.reads <= 50_002)
    }
}

/// Numbers that are the same in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
