import Testing

@testable import DeepFGS

/// A small deterministic generator (SplitMix64; Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

@Suite("Entropy coder")
struct RangeCoderTests {
    /// Two scale tables, narrow and wide, and one hyper table that begins above zero.
    static func tables() throws -> CodingTables {
        try CodingTables(
            scale: [[0, 100, 65000, 65500, 65536], [0, 5000, 12000, 30000, 50000, 60000, 65535, 65536]],
            scaleOffsets: [-1, -3], hyper: [[0, 30000, 65000, 65536]], hyperOffsets: [4])
    }

    /// Symbols and scales, now and then far outside the tables.
    static func symbols(_ count: Int, seed: UInt64) -> (symbols: [Int16], scales: [UInt8]) {
        var random = SplitMix64(state: seed)
        let scales = (0..<count).map { _ in UInt8.random(in: 0...1, using: &random) }
        let symbols = scales.map { scale -> Int16 in
            if Int.random(in: 0..<50, using: &random) == 0 { return Int16.random(in: -2047...2047, using: &random) }
            return Int16.random(in: scale == 0 ? 0...0 : -3...2, using: &random)
        }
        return (symbols, scales)
    }

    static func encode(_ symbols: [Int16], _ scales: [UInt8], _ tables: CodingTables) -> [UInt8] {
        var encoder = RangeEncoder(tables: tables)
        symbols.withUnsafeBufferPointer { symbols in
            scales.withUnsafeBufferPointer { encoder.encode(symbols, scales: $0) }
        }
        var bytes: [UInt8] = []
        encoder.finish(into: &bytes)
        return bytes
    }

    static func decode(
        _ bytes: [UInt8], _ scales: [UInt8], _ tables: CodingTables
    ) -> (symbols: [Int16], arrived: Int, atEnd: Bool) {
        var symbols = [Int16](repeating: 99, count: scales.count)
        let (arrived, atEnd) = bytes.withUnsafeBytes { bytes in
            var decoder = RangeDecoder(tables: tables, bytes: bytes)
            let arrived = symbols.withUnsafeMutableBufferPointer { symbols in
                scales.withUnsafeBufferPointer { decoder.decode(symbols, scales: $0) }
            }
            return (arrived, decoder.isAtEnd)
        }
        return (symbols, arrived, atEnd)
    }

    @Test("What is written is read, escapes included", arguments: [0, 1, 2, 1000, 30000])
    func roundTrip(count: Int) throws {
        let tables = try Self.tables()
        let (symbols, scales) = Self.symbols(count, seed: UInt64(count))
        let bytes = Self.encode(symbols, scales, tables)
        let read = Self.decode(bytes, scales, tables)
        #expect(read.symbols == symbols)
        #expect(read.arrived == count)
        #expect(read.atEnd)
    }

    @Test("Every prefix gives a prefix of the symbols, then zeros, and more bytes never give fewer symbols")
    func prefixes() throws {
        let tables = try Self.tables()
        let (symbols, scales) = Self.symbols(700, seed: 7)
        let bytes = Self.encode(symbols, scales, tables)
        var before = 0
        for length in 0...bytes.count {
            let read = Self.decode(Array(bytes.prefix(length)), scales, tables)
            #expect(read.symbols.prefix(read.arrived).elementsEqual(symbols.prefix(read.arrived)))
            #expect(read.symbols.dropFirst(read.arrived).allSatisfy { $0 == 0 })
            #expect(read.arrived >= before)
            #expect(read.atEnd == (length == bytes.count))
            before = read.arrived
        }
        #expect(before == symbols.count)
    }

    @Test("Symbols cost what their frequencies say, within the state and one part in a thousand")
    func cost() throws {
        let tables = try Self.tables()
        var random = SplitMix64(state: 3)
        let frequencies = [5000.0, 7000, 18000, 20000, 10000, 5535]
        let symbols = (0..<50000).map { _ in Int16.random(in: -3...2, using: &random) }
        let bits = symbols.reduce(0.0) { $0 + 16 - frequencies[Int($1) + 3].logarithm }
        let bytes = Self.encode(symbols, [UInt8](repeating: 1, count: symbols.count), tables)
        #expect(Double(bytes.count) < bits / 8 * 1.001 + 4)
    }

    @Test("Random bytes are read without a trap")
    func noise() throws {
        let tables = try Self.tables()
        var random = SplitMix64(state: 11)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let scales = (0..<200).map { _ in UInt8.random(in: 0...1, using: &random) }
            let read = Self.decode(bytes, scales, tables)
            #expect(read.symbols.allSatisfy { abs(Int($0)) <= RangeCoder.symbolLimit })
        }
    }

    @Test("Tables that are none are refused")
    func badTables() {
        for bad: [UInt32] in [[], [0, 65536], [0, 9, 9, 65536], [1, 9, 65536], [0, 9, 65535], [0, 70000, 65536]] {
            #expect(throws: CodingTableError.self) {
                _ = try CodingTables(scale: [bad], scaleOffsets: [0], hyper: [], hyperOffsets: [])
            }
        }
        #expect(throws: CodingTableError.self) {
            _ = try CodingTables(scale: [[0, 9, 65536]], scaleOffsets: [3000], hyper: [], hyperOffsets: [])
        }
    }
}

extension Double {
    /// Logarithm to base 2, from the exponent and a series: tests do without Foundation.
    fileprivate var logarithm: Double {
        let fraction = (significand - 1) / (significand + 1)
        let square = fraction * fraction
        var term = fraction
        var sum = 0.0
        for power in stride(from: 1.0, through: 41, by: 2) {
            sum += term / power
            term *= square
        }
        return Double(exponent) + 2 * sum / 0.693_147_180_559_945_3
    }
}
