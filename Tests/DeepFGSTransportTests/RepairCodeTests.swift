import Testing

@testable import DeepFGSTransport

@Suite("Repair code")
struct RepairCodeTests {
    @Test("Every value but 0 has an inverse, and products are those of the polynomial")
    func field() {
        #expect((1...255).allSatisfy { GaloisField.product(UInt8($0), GaloisField.inverse(UInt8($0))) == 1 })
        #expect(GaloisField.inverse(0) == 0 && GaloisField.product(0, 7) == 0)
        /// Long multiplication, bit by bit.
        func product(_ one: Int, _ other: Int) -> Int {
            var (sum, shifted) = (0, one)
            for bit in 0..<8 {
                if other >> bit & 1 == 1 { sum ^= shifted }
                shifted <<= 1
                if shifted > 255 { shifted ^= GaloisField.polynomial }
            }
            return sum
        }
        for one in 0..<256 {
            let matches = (0..<256).allSatisfy {
                Int(GaloisField.product(UInt8(one), UInt8($0))) == product(one, $0)
            }
            #expect(matches)
        }
    }

    @Test("Multiples of few bytes and of many are the same")
    func multiples() {
        let source = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 73) }
        for factor: UInt8 in [0, 1, 2, 0x7F, 0xFF] {
            for count in [0, 1, 127, 128, 300] {
                var target = [UInt8](repeating: 0x5A, count: 300)
                source.prefix(count).withUnsafeBytes { source in
                    target.withUnsafeMutableBytes { GaloisField.add(factor, times: source, to: $0) }
                }
                let expected = (0..<300).map { $0 < count ? 0x5A ^ GaloisField.product(factor, source[$0]) : 0x5A }
                #expect(target == expected)
            }
        }
    }

    @Test("Row 0 is all ones, and no coefficient is 0")
    func coefficients() {
        #expect((0..<254).allSatisfy { RepairCode.coefficient(repair: 0, symbol: $0) == 1 })
        for repair in 0..<254 {
            let areRegular = (0..<(255 - repair)).allSatisfy {
                RepairCode.coefficient(repair: repair, symbol: $0) != 0
            }
            #expect(areRegular)
        }
    }

    /// Loses some symbols of a base and gives it back from some repair symbols; nil where there are too few.
    func recovered(_ base: [UInt8], size: Int, lost: Set<Int>, repairs: [Int]) -> [UInt8]? {
        let count = RepairCode.symbols(in: base.count, of: size)
        let all = base.withUnsafeBytes {
            RepairCode.repairSymbols(of: $0, symbolSize: size, count: (repairs.max() ?? 0) + 1)
        }
        var symbols = base + [UInt8](repeating: 0, count: count * size - base.count)
        for symbol in lost { for index in 0..<size { symbols[symbol * size + index] = 0 } }
        let isKnown = (0..<count).map { !lost.contains($0) }
        guard
            RepairCode.recover(
                &symbols, isKnown: isKnown, repairs: repairs.map { RepairCode.Symbol(index: $0, bytes: all[$0]) })
        else { return nil }
        return Array(symbols.prefix(base.count))
    }

    @Test("Any K of K + R symbols give the base back", arguments: [1, 2, 3, 7, 14, 60, 127, 200, 254])
    func anySubset(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let size = 5
        let most = min(count, RepairCode.maximumSymbols - count)
        for round in 0..<8 {
            let base = (0..<(count * size - round % size)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let missing = round == 0 ? most : Int.random(in: 1...most, using: &generator)
            let lost = Set((0..<count).shuffled(using: &generator).prefix(missing))
            let indices = (0..<(RepairCode.maximumSymbols - count)).shuffled(using: &generator)
            #expect(recovered(base, size: size, lost: lost, repairs: Array(indices.prefix(missing))) == base)
            #expect(recovered(base, size: size, lost: lost, repairs: Array(indices.prefix(missing - 1))) == nil)
        }
    }

    @Test("Sizes and counts that make no sense give nothing")
    func nonsense() {
        let base = [UInt8](repeating: 7, count: 300)
        for (size, count) in [(0, 1), (-1, 1), (1, 1), (100, 0), (100, -4), (100, 253), (2, 150)] {
            let repairs = base.withUnsafeBytes { RepairCode.repairSymbols(of: $0, symbolSize: size, count: count) }
            #expect(repairs.isEmpty)
        }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        #expect(RepairCode.repairSymbols(of: none, symbolSize: 10, count: 2).isEmpty)
        var symbols = [UInt8](repeating: 1, count: 20)
        let twice = RepairCode.Symbol(index: 1, bytes: Array(repeating: 3, count: 10))
        #expect(!RepairCode.recover(&symbols, isKnown: [false, false], repairs: [twice, twice]))
        #expect(!RepairCode.recover(&symbols, isKnown: [true, false, false], repairs: [twice, twice]))
        #expect(
            !RepairCode.recover(
                &symbols, isKnown: [true, false], repairs: [RepairCode.Symbol(index: 253, bytes: twice.bytes)]))
        #expect(symbols == [UInt8](repeating: 1, count: 20))
    }
}
