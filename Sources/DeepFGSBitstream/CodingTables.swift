/// The cumulative frequencies that the entropy coder works with (specification, "Coding tables").
///
/// Frequencies are out of 2¹⁶. A table for n symbols has n + 1 entries: symbol q is entry q − offset; the last entry is
/// the escape. Tables come in two groups: one for each scale index of `y`, then one for each channel of `z`.
///
/// Immutable after `init`, hence shared between threads without a lock.
package final class CodingTables: @unchecked Sendable {
    /// Bits of a frequency: all tables sum to 2¹⁶.
    package static let precision: UInt32 = 16
    private static let total: UInt32 = 1 << precision
    /// Leading bits of a code value that `firstEntry` is indexed with.
    static let indexBits: UInt32 = 8

    /// One table's place in the arrays below.
    package struct Table {
        /// Index of the first entry in `entries`.
        package var base: Int32
        /// Entries without the escape: the number of symbols.
        package var symbols: Int32
        /// The symbol of the first entry.
        package var offset: Int32
        /// The entry of symbol 0, packed; 0 where the table has no symbol 0.
        package var zero: UInt32
    }

    /// Scale tables first, then hyper tables.
    package let tables: UnsafeMutablePointer<Table>
    /// Start << 16 | frequency of every entry of every table.
    package let entries: UnsafeMutablePointer<UInt32>
    /// For each table and each value of the leading 8 bits: the entry that holds the first such code value.
    let firstEntry: UnsafeMutablePointer<UInt16>
    /// Number of scale tables; hyper table c is table `scaleCount + c`.
    package let scaleCount: Int
    package let hyperCount: Int

    /// Builds the coder's look-ups.
    ///
    /// - Parameters:
    ///   - scale: Cumulative frequencies of each scale index: first 0, strictly increasing, last 65536.
    ///   - scaleOffsets: The symbol of each table's first entry.
    ///   - hyper: The same for each channel of `z`.
    ///   - hyperOffsets: Likewise.
    /// - Throws: If a table is malformed, or if there are not as many offsets as tables.
    package init(scale: [[UInt32]], scaleOffsets: [Int], hyper: [[UInt32]], hyperOffsets: [Int])
        throws(CodingTableError)
    {
        let all = scale + hyper
        let offsets = scaleOffsets + hyperOffsets
        func name(_ index: Int) -> String {
            index < scale.count ? "cdf.scale.\(index)" : "cdf.z.\(index - scale.count)"
        }
        guard scale.count == scaleOffsets.count, hyper.count == hyperOffsets.count else {
            throw CodingTableError(table: "cdf.*.offset", problem: "as many offsets as tables are needed")
        }
        for (index, cumulative) in all.enumerated() {
            guard (3...16384).contains(cumulative.count), cumulative.first == 0, cumulative.last == Self.total,
                zip(cumulative, cumulative.dropFirst()).allSatisfy({ $0 < $1 })
            else { throw CodingTableError(table: name(index), problem: "not cumulative frequencies out of 65536") }
            guard abs(offsets[index]) <= RangeCoder.symbolLimit,
                offsets[index] + cumulative.count - 3 <= RangeCoder.symbolLimit
            else { throw CodingTableError(table: name(index), problem: "symbols outside the format's range") }
        }
        scaleCount = scale.count
        hyperCount = hyper.count
        tables = .allocate(capacity: max(1, all.count))
        entries = .allocate(capacity: max(1, all.reduce(0) { $0 + $1.count - 1 }))
        firstEntry = .allocate(capacity: max(1, all.count << Int(Self.indexBits)))
        var base = 0
        for (index, cumulative) in all.enumerated() {
            let count = cumulative.count - 1
            for entry in 0..<count {
                entries[base + entry] = cumulative[entry] << 16 | (cumulative[entry + 1] - cumulative[entry])
            }
            var entry = 0
            for slot in 0..<(1 << Int(Self.indexBits)) {
                while cumulative[entry + 1] <= UInt32(slot) << (Self.precision - Self.indexBits) { entry += 1 }
                firstEntry[index << Int(Self.indexBits) + slot] = UInt16(entry)
            }
            let offset = offsets[index]
            let zero = (0..<(count - 1)).contains(-offset) ? entries[base - offset] : 0
            tables[index] = Table(base: Int32(base), symbols: Int32(count - 1), offset: Int32(offset), zero: zero)
            base += count
        }
    }

    deinit {
        tables.deallocate()
        entries.deallocate()
        firstEntry.deallocate()
    }
}

/// Why numbers are not coding tables.
package struct CodingTableError: Error, Equatable {
    /// The table's name in the model file.
    package let table: String
    package let problem: String
}
