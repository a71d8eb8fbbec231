/// The erasure code over the packets of a frame's base (docs/30-rtp-payload.md, "Repair packets").
///
/// The base is divided into K symbols of S bytes, the last one filled up with zeros; repair symbol r is the sum over i of
/// c(r, i) times symbol i, with c(r, i) = (255 ⊕ i) / (255 ⊕ r ⊕ i) in GF(2⁸). That is a Cauchy matrix whose columns are
/// scaled so that row 0 is all ones (repair symbol 0 is plain parity): every square part of it can be inverted, so that any
/// K of the K + R symbols give back the others. Neither K nor R is in it: whoever leaves repair symbols out changes none.
///
/// Source: J. Blömer et al., An XOR-Based Erasure-Resilient Coding Scheme, ICSI TR-95-048, 1995.
public enum RepairCode {
    /// Most symbols of a frame, K + R.
    public static let maximumSymbols = 255

    /// One repair symbol.
    struct Symbol: Sendable {
        /// r, below `maximumSymbols` − K.
        var index: Int
        var bytes: [UInt8]
    }

    /// K: how many symbols a base of so many bytes has; 0 where there are no bytes or no symbol size.
    public static func symbols(in baseEnd: Int, of symbolSize: Int) -> Int {
        guard baseEnd > 0, symbolSize > 0 else { return 0 }
        return (baseEnd - 1) / symbolSize + 1
    }

    /// What symbol i of the base counts in repair symbol r: c(r, i).
    ///
    /// Source symbols are numbered from 0 up, repair symbols from 255 down, so that no divisor is 0.
    static func coefficient(repair: Int, symbol: Int) -> UInt8 {
        let column = UInt8(truncatingIfNeeded: 255 ^ symbol)
        return GaloisField.product(column, GaloisField.inverse(column ^ UInt8(truncatingIfNeeded: repair)))
    }

    /// The first repair symbols of a base.
    ///
    /// - Parameters:
    ///   - base: header and base of a frame.
    ///   - symbolSize: S, bytes.
    ///   - count: how many; K and this are at most `maximumSymbols` together, else there are none.
    /// - Returns: `count` symbols of S bytes. Cost: O(count × base).
    public static func repairSymbols(
        of base: UnsafeRawBufferPointer, symbolSize: Int, count: Int
    ) -> [[UInt8]] {
        let symbols = symbols(in: base.count, of: symbolSize)
        guard symbols > 0, count > 0, symbols + count <= maximumSymbols else { return [] }
        return (0..<count).map { repair in
            var bytes = [UInt8](repeating: 0, count: symbolSize)
            bytes.withUnsafeMutableBytes { target in
                for symbol in 0..<symbols {
                    let source = base[(symbol * symbolSize)..<min(base.count, (symbol + 1) * symbolSize)]
                    GaloisField.add(
                        coefficient(repair: repair, symbol: symbol), times: UnsafeRawBufferPointer(rebasing: source),
                        to: target)
                }
            }
            return bytes
        }
    }

    /// Fills the missing symbols in.
    ///
    /// - Parameters:
    ///   - symbols: K symbols of S bytes, one after the other, zeros where one is missing.
    ///   - isKnown: K values, whether the symbol is there.
    ///   - repairs: repair symbols of S bytes with different indices, each below `maximumSymbols` − K.
    /// - Returns: whether there were as many repair symbols as symbols are missing; else nothing has changed.
    ///   Cost: O(missing × symbols).
    static func recover(_ symbols: inout [UInt8], isKnown: [Bool], repairs: [Symbol]) -> Bool {
        let missing = isKnown.indices.filter { !isKnown[$0] }
        guard !missing.isEmpty else { return true }
        let size = symbols.count / isKnown.count
        guard repairs.count >= missing.count, symbols.count == size * isKnown.count,
            repairs.allSatisfy({ $0.bytes.count == size && $0.index + isKnown.count < maximumSymbols })
        else { return false }
        var rows = Array(repairs.prefix(missing.count))
        // What is known is taken off the repair symbols: what is left of them is made of the missing ones alone.
        symbols.withUnsafeBytes { source in
            for row in rows.indices {
                for symbol in isKnown.indices where isKnown[symbol] {
                    add(
                        coefficient(repair: rows[row].index, symbol: symbol),
                        times: UnsafeRawBufferPointer(rebasing: source[(symbol * size)..<((symbol + 1) * size)]),
                        to: &rows[row].bytes)
                }
            }
        }
        var matrix = rows.map { row in missing.map { coefficient(repair: row.index, symbol: $0) } }
        guard solve(&matrix, &rows) else { return false }
        for (row, symbol) in zip(rows, missing) {
            symbols.replaceSubrange((symbol * size)..<((symbol + 1) * size), with: row.bytes)
        }
        return true
    }

    /// Gauss and Jordan: turns the square matrix into the identity, and the rows into the solution.
    private static func solve(_ matrix: inout [[UInt8]], _ rows: inout [Symbol]) -> Bool {
        for column in matrix.indices {
            // Every square part of a Cauchy matrix is regular; two equal indices would not be.
            guard let pivot = matrix[column...].firstIndex(where: { $0[column] != 0 }) else { return false }
            matrix.swapAt(column, pivot)
            rows.swapAt(column, pivot)
            let scale = GaloisField.inverse(matrix[column][column])
            matrix[column].withUnsafeMutableBytes { GaloisField.multiply($0, by: scale) }
            rows[column].bytes.withUnsafeMutableBytes { GaloisField.multiply($0, by: scale) }
            let (coefficients, bytes) = (matrix[column], rows[column].bytes)
            for other in matrix.indices where other != column {
                let factor = matrix[other][column]
                coefficients.withUnsafeBytes { add(factor, times: $0, to: &matrix[other]) }
                bytes.withUnsafeBytes { add(factor, times: $0, to: &rows[other].bytes) }
            }
        }
        return true
    }

    private static func add(_ factor: UInt8, times source: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { GaloisField.add(factor, times: source, to: $0) }
    }
}
