/// Reads one stream, from its first symbol to where its bytes end.
///
/// Total on any bytes: reads nothing outside them and ends in bounded time. Bytes that no encoder wrote end the stream
/// like missing bytes do.
package struct RangeDecoder {
    private let tables: CodingTables
    private var bytes: UnsafePointer<UInt8>?
    private let end: UnsafePointer<UInt8>?
    private var state: UInt32 = 0
    /// No symbol can be read any more: the bytes have run out or are not an encoder's.
    package private(set) var exhausted: Bool

    /// Begins a stream.
    ///
    /// - Parameters:
    ///   - tables: The model's tables.
    ///   - bytes: The stream or a prefix of it; must outlive the decoder.
    package init(tables: CodingTables, bytes: UnsafeRawBufferPointer) {
        self.tables = tables
        let start = bytes.bindMemory(to: UInt8.self)
        self.bytes = start.baseAddress
        end = start.baseAddress.map { $0 + start.count }
        exhausted = bytes.count < RangeCoder.stateBytes
        guard !exhausted else { return }
        state = ByteReader(bytes).uint32(at: 0)
        self.bytes = start.baseAddress.map { $0 + RangeCoder.stateBytes }
        exhausted = !(RangeCoder.lowerBound..<(1 << 31)).contains(state)
    }

    /// Bytes that have not been read.
    package var remaining: Int { bytes.flatMap { start in end.map { $0 - start } } ?? 0 }
    /// The stream is at its end as its encoder left it: every byte read and the state back where the encoder began.
    package var isAtEnd: Bool { !exhausted && bytes == end && state == RangeCoder.lowerBound }

    /// Reads symbols of `y` into `symbols`; those that have not arrived become 0.
    ///
    /// - Parameters:
    ///   - symbols: Receives n symbols in coding order.
    ///   - scales: n scale indices, each below the number of scale tables.
    /// - Returns: How many symbols arrived.
    package mutating func decode(_ symbols: UnsafeMutableBufferPointer<Int16>, scales: UnsafeBufferPointer<UInt8>)
        -> Int
    {
        precondition(symbols.count == scales.count)
        guard !symbols.isEmpty, let out = symbols.baseAddress, let scale = scales.baseAddress else { return 0 }
        let count = symbols.count
        var cursor = self
        var arrived = 0
        while arrived < count, !cursor.exhausted {
            guard let symbol = cursor.read(table: Int(scale[arrived])) else { break }
            out[arrived] = symbol
            arrived &+= 1
        }
        self = cursor
        for index in arrived..<count { out[index] = 0 }
        return arrived
    }

    /// Reads one channel of `z`; those that have not arrived become 0.
    ///
    /// Returns how many arrived.
    package mutating func decode(_ symbols: UnsafeMutableBufferPointer<Int16>, hyperChannel channel: Int) -> Int {
        var arrived = 0
        for index in symbols.indices {
            let symbol = exhausted ? nil : read(table: tables.scaleCount + channel)
            symbols[index] = symbol ?? 0
            arrived += symbol == nil ? 0 : 1
        }
        return arrived
    }

    /// The next symbol; nil where it has not arrived.
    @inline(__always)
    private mutating func read(table index: Int) -> Int16? {
        let slot = state & 0xFFFF
        let table = tables.tables + index
        let zero = table.pointee.zero
        // Most symbols are 0: one comparison instead of a search.
        if slot &- zero >> 16 < zero & 0xFFFF {
            advance(zero, slot)
            return 0
        }
        var entry = Int32(tables.firstEntry[index << Int(CodingTables.indexBits) | Int(slot >> 8)])
        let entries = tables.entries + Int(table.pointee.base)
        while slot &- entries[Int(entry)] >> 16 >= entries[Int(entry)] & 0xFFFF { entry &+= 1 }
        advance(entries[Int(entry)], slot)
        if entry < table.pointee.symbols { return Int16(truncatingIfNeeded: entry &+ table.pointee.offset) }
        return readEscape(table.pointee)
    }

    @inline(__always)
    private mutating func advance(_ entry: UInt32, _ slot: UInt32) {
        state = (entry & 0xFFFF) &* (state >> 16) &+ slot &- entry >> 16
        while state < RangeCoder.lowerBound {
            guard bytes != end, let next = bytes else {
                exhausted = true
                return
            }
            state = state << 8 | UInt32(next.pointee)
            bytes = next + 1
        }
    }

    private mutating func rawBit() -> UInt32? {
        guard !exhausted else { return nil }
        let slot = state & 0xFFFF
        let bit = slot >> 15
        advance(RangeCoder.rawBit(bit), slot)
        return bit
    }

    /// What follows an escape entry; nil, and the end of the stream, where it is cut or not an encoder's.
    @inline(never)
    private mutating func readEscape(_ table: CodingTables.Table) -> Int16? {
        guard let below = rawBit() else { return nil }
        var bits = 0
        while true {
            guard let bit = rawBit() else { return nil }
            if bit == 1 { break }
            bits += 1
            guard bits <= RangeCoder.escapePrefixLimit else {
                exhausted = true
                return nil
            }
        }
        var value: Int32 = 1
        for _ in 0..<bits {
            guard let bit = rawBit() else { return nil }
            value = value << 1 | Int32(bit)
        }
        let symbol = below == 1 ? table.offset - value : table.offset + table.symbols + value - 1
        guard abs(symbol) <= Int32(RangeCoder.symbolLimit) else {
            exhausted = true
            return nil
        }
        return Int16(symbol)
    }
}
