/// Writes one stream, from its last symbol to its first, as rANS asks for.
package struct RangeEncoder: ~Copyable {
    private let tables: CodingTables
    private var state = RangeCoder.lowerBound
    /// The bytes, growing from the end of the buffer to its start.
    private var buffer: UnsafeMutableBufferPointer<UInt8>
    private var position: Int

    package init(tables: CodingTables) {
        self.tables = tables
        buffer = .allocate(capacity: 1 << 16)
        position = buffer.count
    }

    deinit { buffer.deallocate() }

    /// Bytes written so far, without the state.
    package var count: Int { buffer.count - position }

    /// Starts a new stream, keeping the buffer.
    package mutating func reset() {
        state = RangeCoder.lowerBound
        position = buffer.count
    }

    /// Room for `bytes` more.
    private mutating func reserve(_ bytes: Int) {
        guard position < bytes else { return }
        let used = count
        let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(buffer.count * 2, used + bytes))
        let start = larger.count - used
        for index in 0..<used { larger[start + index] = buffer[position + index] }
        buffer.deallocate()
        buffer = larger
        position = start
    }

    /// Writes symbols of `y`, the last one first.
    ///
    /// Any symbol of magnitude up to `RangeCoder.symbolLimit` can be written. Costs O(n); about 10 ns a symbol.
    ///
    /// - Parameters:
    ///   - symbols: n symbols in coding order.
    ///   - scales: n scale indices, each below the number of scale tables.
    package mutating func encode(_ symbols: UnsafeBufferPointer<Int16>, scales: UnsafeBufferPointer<UInt8>) {
        precondition(symbols.count == scales.count)
        // In blocks, so that the room for the worst case (6 bytes a symbol) stays small.
        var end = symbols.count
        while end > 0 {
            let start = max(0, end - 4096)
            reserve(6 * (end - start))
            for index in stride(from: end - 1, through: start, by: -1) {
                write(Int32(symbols[index]), table: Int(scales[index]))
            }
            end = start
        }
    }

    /// Writes one channel of `z`, the last symbol first.
    package mutating func encode(_ symbols: UnsafeBufferPointer<Int16>, hyperChannel channel: Int) {
        reserve(6 * symbols.count)
        for symbol in symbols.reversed() { write(Int32(symbol), table: tables.scaleCount + channel) }
    }

    @inline(__always)
    private mutating func write(_ symbol: Int32, table index: Int) {
        let table = tables.tables[index]
        let entry = symbol &- table.offset
        if UInt32(bitPattern: entry) < UInt32(bitPattern: table.symbols) {
            put(tables.entries[Int(table.base &+ entry)])
        } else {
            writeEscape(entry, table)
        }
    }

    /// The escape entry, a sign, and the distance beyond the table in Exp-Golomb code of order 0, all backwards.
    @inline(never)
    private mutating func writeEscape(_ entry: Int32, _ table: CodingTables.Table) {
        let below = entry < 0
        let value = UInt32(below ? -entry : entry - table.symbols + 1)
        let bits = 31 - value.leadingZeroBitCount
        for bit in 0..<bits { put(RangeCoder.rawBit(value >> UInt32(bit) & 1)) }
        put(RangeCoder.rawBit(1))
        for _ in 0..<bits { put(RangeCoder.rawBit(0)) }
        put(RangeCoder.rawBit(below ? 1 : 0))
        put(tables.entries[Int(table.base + table.symbols)])
    }

    @inline(__always)
    private mutating func put(_ entry: UInt32) {
        let frequency = entry & 0xFFFF
        while state >= frequency << 15 {
            position &-= 1
            buffer[position] = UInt8(truncatingIfNeeded: state)
            state >>= 8
        }
        let quotient = state / frequency
        state = quotient << 16 &+ (state &- quotient &* frequency) &+ entry >> 16
    }

    /// Ends the stream and appends its bytes, state first.
    package mutating func finish(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(state)
        bytes.append(contentsOf: buffer[position...])
    }
}
