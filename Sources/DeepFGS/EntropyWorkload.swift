/// The symbols and scale indices of one real frame's scalable part, to measure or check the entropy coder alone.
public final class EntropyWorkload {
    private let tables: CodingTables
    private var symbols: [Int16] = []
    private var scales: [UInt8] = []
    private var bytes: [UInt8] = []
    private var coder: RangeEncoder
    private var read: [Int16]

    /// Takes the symbols of a picture.
    ///
    /// - Parameters:
    ///   - model: The model whose tables are used.
    ///   - picture: The picture that is encoded to get them.
    ///   - options: Back end and threads for that.
    /// - Throws: What `Encoder` throws.
    public init(model: Model, picture: Picture, options: ComputeOptions = ComputeOptions()) throws(CodecError) {
        tables = model.tables
        coder = RangeEncoder(tables: model.tables)
        let encoder = try Encoder(model: model, width: picture.width, height: picture.height, options: options)
        _ = try encoder.encode(picture)
        let network = try encoder.preparedNetwork(width: picture.width, height: picture.height)
        for slice in model.configuration.basicSlices..<model.configuration.slices.count {
            symbols.append(contentsOf: network.symbols(of: slice))
            scales.append(contentsOf: network.scales(of: slice))
        }
        read = [Int16](repeating: 0, count: symbols.count)
        encode()
    }

    /// Symbols that one `encode` writes and one `decode` reads.
    public var symbolCount: Int { symbols.count }
    /// Bytes of the stream.
    public var byteCount: Int { bytes.count }

    /// Length of the stream if every symbol cost exactly what its table says, in bits.
    public var idealBits: Double {
        var bits = 0.0
        for (symbol, scale) in zip(symbols, scales) { bits += tables.cost(of: Int(symbol), table: Int(scale)) }
        return bits
    }

    /// Writes the stream once.
    public func encode() {
        coder.reset()
        symbols.withUnsafeBufferPointer { symbols in
            scales.withUnsafeBufferPointer { coder.encode(symbols, scales: $0) }
        }
        bytes.removeAll(keepingCapacity: true)
        coder.finish(into: &bytes)
    }

    /// Reads the stream once; false where it does not give the symbols back.
    public func decode() -> Bool {
        let arrived = bytes.withUnsafeBytes { bytes in
            var decoder = RangeDecoder(tables: tables, bytes: bytes)
            return read.withUnsafeMutableBufferPointer { read in
                scales.withUnsafeBufferPointer { decoder.decode(read, scales: $0) }
            }
        }
        return arrived == symbols.count && read == symbols
    }
}

#if canImport(Glibc)
    import Glibc
#endif

extension CodingTables {
    /// Bits that a symbol costs under a table by its frequency alone, escapes with their raw bits.
    func cost(of symbol: Int, table index: Int) -> Double {
        let table = tables[index]
        let entry = symbol - Int(table.offset)
        let count = Int(table.symbols)
        let inside = (0..<count).contains(entry)
        let frequency = entries[Int(table.base) + (inside ? entry : count)] & 0xFFFF
        let bits = Double(Self.precision) - log2(Double(frequency))
        guard !inside else { return bits }
        let beyond = entry < 0 ? -entry : entry - count + 1
        return bits + 2 * log2(Double(beyond)).rounded(.down) + 2
    }
}
