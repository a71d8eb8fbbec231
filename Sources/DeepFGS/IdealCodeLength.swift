/// A picture's frame, and what its prefixes would take if every symbol cost exactly what its coding table says.
///
/// The difference is what header, chunk lengths, checksums, coder states and the coder's rounding cost.
public struct IdealCodeLength: Sendable {
    /// The frame, as `Encoder` makes it.
    public let frame: [UInt8]
    /// Its header.
    public let header: FrameHeader
    private let tables: CodingTables
    /// Bits of `z` and `y_b`.
    private let base: Double
    /// Bits of the first n symbols of `y_s`.
    private let scalable: [Double]
    private let scales: [UInt8]

    /// Encodes a picture.
    ///
    /// - Parameters:
    ///   - model: The model to encode with.
    ///   - picture: The picture.
    ///   - options: Back end and threads.
    /// - Throws: What `Encoder` throws.
    public init(model: Model, picture: Picture, options: ComputeOptions = ComputeOptions()) throws(CodecError) {
        let encoder = try Encoder(model: model, width: picture.width, height: picture.height, options: options)
        frame = try encoder.encode(picture)
        do throws(BitstreamError) {
            header = try frame.withBytes { bytes throws(BitstreamError) in try FrameHeader(parsing: bytes) }
        } catch { preconditionFailure("the encoder wrote a header that does not parse: \(error)") }
        tables = model.tables
        let network = try encoder.preparedNetwork(width: picture.width, height: picture.height)
        let hyper = network.hyperSymbols
        var bits = 0.0
        for (index, symbol) in hyper.enumerated() {
            let channel = index / network.grid.hyperCount
            bits += tables.cost(of: Int(symbol), table: tables.scaleCount + channel)
        }
        var cumulative = [0.0]
        var scales: [UInt8] = []
        for slice in 0..<network.sliceCount {
            for (symbol, scale) in zip(network.symbols(of: slice), network.scales(of: slice)) {
                let cost = tables.cost(of: Int(symbol), table: Int(scale))
                if slice < network.basicSliceCount {
                    bits += cost
                } else {
                    cumulative.append((cumulative.last ?? 0) + cost)
                    scales.append(scale)
                }
            }
        }
        base = bits
        scalable = cumulative
        self.scales = scales
    }

    /// Ideal bits of the symbols that the frame's first bytes hold.
    ///
    /// Costs one pass of the entropy decoder.
    ///
    /// - Parameter length: Bytes, at least `header.baseEnd`.
    /// - Returns: Bits, from 0 to those of the whole frame.
    public func bits(ofPrefix length: Int) -> Double {
        let start = min(header.baseEnd, frame.count)
        let end = min(max(start, length), frame.count)
        var symbols = [Int16](repeating: 0, count: scales.count)
        let arrived = frame[start..<end].withUnsafeBytes { bytes in
            var decoder = RangeDecoder(tables: tables, bytes: bytes)
            return symbols.withUnsafeMutableBufferPointer { symbols in
                scales.withUnsafeBufferPointer { decoder.decode(symbols, scales: $0) }
            }
        }
        return base + scalable[arrived]
    }
}
