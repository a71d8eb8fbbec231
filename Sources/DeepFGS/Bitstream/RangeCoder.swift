/// Constants of the entropy coder: range asymmetric numeral systems (rANS; Duda, arXiv 1311.2540) with a 32-bit state
/// that is renormalised byte by byte (specification, "Entropy coder").
enum RangeCoder {
    /// Lower end of the state's interval [2²³, 2³¹).
    static let lowerBound: UInt32 = 1 << 23
    /// Bytes that hold the initial state at the start of a stream.
    static let stateBytes = 4
    /// Most zeros before the one in an escape's Exp-Golomb code; more are no stream that an encoder writes.
    static let escapePrefixLimit = 12
    /// The entry of one raw bit: half of the range each.
    static func rawBit(_ bit: UInt32) -> UInt32 { bit << 31 | 1 << 15 }
}

/// Writes one stream, from its last symbol to its first, as rANS asks for.
struct RangeEncoder: ~Copyable {
    private let tables: CodingTables
    private var state = RangeCoder.lowerBound
    /// The bytes, growing from the end of the buffer to its start.
    private var buffer: UnsafeMutableBufferPointer<UInt8>
    private var position: Int

    init(tables: CodingTables) {
        self.tables = tables
        buffer = .allocate(capacity: 1 << 16)
        position = buffer.count
    }

    deinit { buffer.deallocate() }

    /// Bytes written so far, without the state.
    var count: Int { buffer.count - position }

    /// Starts a new stream, keeping the buffer.
    mutating func reset() {
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
    /// Any symbol of magnitude up to `CodecNetwork.symbolLimit` can be written. Costs O(n); about 10 ns a symbol.
    ///
    /// - Parameters:
    ///   - symbols: n symbols in coding order.
    ///   - scales: n scale indices, each below the number of scale tables.
    mutating func encode(_ symbols: UnsafeBufferPointer<Int16>, scales: UnsafeBufferPointer<UInt8>) {
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
    mutating func encode(_ symbols: UnsafeBufferPointer<Int16>, hyperChannel channel: Int) {
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
    mutating func finish(into bytes: inout [UInt8]) {
        bytes.appendBigEndian(state)
        bytes.append(contentsOf: buffer[position...])
    }
}

/// Reads one stream, from its first symbol to where its bytes end.
///
/// Total on any bytes: reads nothing outside them and ends in bounded time. Bytes that no encoder wrote end the stream
/// like missing bytes do.
struct RangeDecoder {
    private let tables: CodingTables
    private var bytes: UnsafePointer<UInt8>?
    private let end: UnsafePointer<UInt8>?
    private var state: UInt32 = 0
    /// No symbol can be read any more: the bytes have run out or are not an encoder's.
    private(set) var exhausted: Bool

    /// Begins a stream.
    ///
    /// - Parameters:
    ///   - tables: The model's tables.
    ///   - bytes: The stream or a prefix of it; must outlive the decoder.
    init(tables: CodingTables, bytes: UnsafeRawBufferPointer) {
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
    var remaining: Int { bytes.flatMap { start in end.map { $0 - start } } ?? 0 }
    /// The stream is at its end as its encoder left it: every byte read and the state back where the encoder began.
    var isAtEnd: Bool { !exhausted && bytes == end && state == RangeCoder.lowerBound }

    /// Reads symbols of `y` into `symbols`; those that have not arrived become 0.
    ///
    /// - Parameters:
    ///   - symbols: Receives n symbols in coding order.
    ///   - scales: n scale indices, each below the number of scale tables.
    /// - Returns: How many symbols arrived.
    mutating func decode(_ symbols: UnsafeMutableBufferPointer<Int16>, scales: UnsafeBufferPointer<UInt8>) -> Int {
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
    mutating func decode(_ symbols: UnsafeMutableBufferPointer<Int16>, hyperChannel channel: Int) -> Int {
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
        guard abs(symbol) <= Int32(CodecNetwork.symbolLimit) else {
            exhausted = true
            return nil
        }
        return Int16(symbol)
    }
}
