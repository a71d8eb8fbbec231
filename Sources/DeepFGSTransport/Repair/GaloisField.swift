/// Arithmetic in GF(2⁸) with the polynomial x⁸ + x⁴ + x³ + x² + 1 (0x11D), in which 2 generates all but 0.
///
/// Addition is exclusive or. Total: every function takes every byte.
enum GaloisField {
    static let polynomial = 0x11D

    /// Powers of 2, twice over so that a sum of two logarithms needs no remainder, and logarithms; that of 0 is unused.
    private static let tables: (powers: [UInt8], logarithms: [UInt8]) = {
        var powers = [UInt8](repeating: 0, count: 510)
        var logarithms = [UInt8](repeating: 0, count: 256)
        var value = 1
        for exponent in 0..<255 {
            powers[exponent] = UInt8(value)
            powers[exponent + 255] = UInt8(value)
            logarithms[value] = UInt8(exponent)
            value <<= 1
            if value > 255 { value ^= polynomial }
        }
        return (powers, logarithms)
    }()

    static func product(_ one: UInt8, _ other: UInt8) -> UInt8 {
        guard one != 0, other != 0 else { return 0 }
        return tables.powers[Int(tables.logarithms[Int(one)]) + Int(tables.logarithms[Int(other)])]
    }

    /// What gives 1 when multiplied with the value; 0 for 0, which has none.
    static func inverse(_ value: UInt8) -> UInt8 {
        value == 0 ? 0 : tables.powers[255 - Int(tables.logarithms[Int(value)])]
    }

    /// Adds a multiple of some bytes to as many bytes; the longer of the two keeps its rest.
    ///
    /// Costs O(bytes); many bytes are looked up in a table of the 256 multiples.
    static func add(_ factor: UInt8, times source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
        let count = min(source.count, target.count)
        guard factor != 0 else { return }
        guard factor != 1 else {
            for index in 0..<count { target[index] ^= source[index] }
            return
        }
        guard count >= 128 else {
            for index in 0..<count { target[index] ^= product(factor, source[index]) }
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { products in
            for value in 0..<256 { products.initializeElement(at: value, to: product(factor, UInt8(value))) }
            for index in 0..<count { target[index] ^= products[Int(source[index])] }
        }
    }

    /// Multiplies bytes in place.
    static func multiply(_ bytes: UnsafeMutableRawBufferPointer, by factor: UInt8) {
        for index in bytes.indices { bytes[index] = product(factor, bytes[index]) }
    }
}
