/// Decodes frames, or prefixes of frames, of one model; follows changes of picture size by itself.
///
/// Holds the networks' buffers of the latest size: one decoder per stream, used by one thread at a time.
public final class Decoder {
    /// The model whose streams this decoder accepts.
    public let model: Model
    /// Pictures with more pixels than this are refused before anything is allocated for them.
    public let pixelLimit: Int
    private let options: ComputeOptions
    private var network: CodecNetwork?
    /// Measures the stages of the next frames where it is set.
    public var stageTimes: StageTimes?

    /// What was found in the bytes of one frame.
    public struct Report: Hashable, Sendable {
        /// Bytes of the frame that were given.
        public var bytes: Int
        /// Bytes of the frame when it was whole.
        public var frameLength: Int
        /// Channels of `y_s` whose every symbol arrived.
        public var channels: Int
        /// The scalable part is whole but does not end as its encoder left it: damaged on the way.
        public var tailDamaged: Bool
    }

    /// Prepares a decoder; the networks are set up by the first frame.
    public init(
        model: Model, options: ComputeOptions = ComputeOptions(), pixelLimit: Int = FrameHeader.maximumPixels
    ) {
        self.model = model
        self.options = options
        self.pixelLimit = pixelLimit
    }

    /// Decodes a frame or a prefix of one into memory that the caller provides.
    ///
    /// - Parameters:
    ///   - frame: The bytes; bytes after the frame's declared length are ignored.
    ///   - pixels: Receives the samples; a fourth byte per pixel becomes 255.
    ///   - layout: Where the samples go; its size must be the header's.
    /// - Returns: How much of the frame was there.
    /// - Throws: `DecodingError`; `pixels` is then as it was.
    public func decode(
        _ frame: UnsafeRawBufferPointer, into pixels: UnsafeMutableRawBufferPointer, layout: PixelLayout
    ) throws(DecodingError) -> Report {
        try decode(
            frame,
            into: try asDecodingError { () throws(CodecError) in
                try RawPicture(UnsafeRawBufferPointer(pixels), layout: layout)
            })
    }

    /// Decodes a frame or a prefix of one into a picture in memory, R'G'B' or Y'CbCr.
    ///
    /// - Parameters:
    ///   - frame: The bytes; bytes after the frame's declared length are ignored.
    ///   - picture: Receives the samples; its size must be the header's, and its memory such as may be written.
    /// - Returns: How much of the frame was there.
    /// - Throws: `DecodingError`; the picture is then as it was.
    public func decode(_ frame: UnsafeRawBufferPointer, into picture: RawPicture) throws(DecodingError) -> Report {
        let header = try checkedHeader(of: frame)
        guard picture.width == header.width, picture.height == header.height else {
            throw .codec(.unsupportedSize(width: picture.width, height: picture.height))
        }
        let (network, report) = try decodeLatents(of: frame, header)
        try asDecodingError { () throws(CodecError) in try network.synthesise(to: picture) }
        return report
    }

    /// Decodes everything of a frame but its pixels.
    ///
    /// - Returns: SHA-256 of the frame's integers (specification, "Conformance"), equal on every machine and back end,
    ///   and how much of the frame was there.
    /// - Throws: `DecodingError`.
    public func integerDigest(of frame: [UInt8]) throws(DecodingError) -> (digest: [UInt8], report: Report) {
        try frame.withBytes { bytes throws(DecodingError) in
            let (network, report) = try decodeLatents(of: bytes, try checkedHeader(of: bytes))
            return (network.integerDigest, report)
        }
    }

    /// Decodes a frame, and hashes what every decoder must agree in.
    ///
    /// - Returns: `integers` as `integerDigest` has it; `pixels`, SHA-256 of the picture's samples (R, G, B, row by row),
    ///   equal on every machine too, or nil where the model's transforms are not integers; and how much of the frame was
    ///   there.
    /// - Throws: `DecodingError`.
    public func digests(
        of frame: [UInt8]
    ) throws(DecodingError) -> (integers: [UInt8], pixels: [UInt8]?, report: Report) {
        try frame.withBytes { bytes throws(DecodingError) in
            let header = try checkedHeader(of: bytes)
            let (network, report) = try decodeLatents(of: bytes, header)
            guard model.configuration.format >= 3 else { return (network.integerDigest, nil, report) }
            var picture = Picture(width: header.width, height: header.height)
            let layout = picture.layout
            try picture.pixels.withMutableBytes { pixels throws(DecodingError) in
                try asDecodingError { () throws(CodecError) in
                    try network.synthesise(to: RawPicture(UnsafeRawBufferPointer(pixels), layout: layout))
                }
            }
            return (network.integerDigest, picture.pixels.withUnsafeBytes { SHA256.digest($0) }, report)
        }
    }

    /// Runs the networks up to the latents of every slice.
    private func decodeLatents(
        of frame: UnsafeRawBufferPointer, _ header: FrameHeader
    ) throws(DecodingError) -> (network: CodecNetwork, report: Report) {
        let (network, tail) = try decodeBase(of: frame, header)
        let (channels, atEnd) = try decodeScalable(tail, network)
        let end = header.baseEnd + tail.count
        let report = Report(
            bytes: end, frameLength: header.frameLength, channels: channels,
            tailDamaged: end == header.frameLength && !atEnd)
        return (network, report)
    }

    /// How long a prefix of a frame must be to hold its first channels of `y_s`.
    ///
    /// Costs a decoding without the synthesis of the picture.
    ///
    /// - Parameter frame: A frame or a prefix of one.
    /// - Returns: The lengths in bytes from the start of the frame, ascending: element k for the first k channels, up to
    ///   the last one that is whole. Up to 2 bytes more than the shortest such prefix.
    /// - Throws: `DecodingError`.
    public func channelEnds(of frame: UnsafeRawBufferPointer) throws(DecodingError) -> [Int] {
        let header = try checkedHeader(of: frame)
        let (network, tail) = try decodeBase(of: frame, header)
        return try asDecodingError { () throws(CodecError) in
            var coder = RangeDecoder(tables: model.tables, bytes: tail)
            var ends = [header.baseEnd]
            let count = network.grid.latentCount
            for slice in model.configuration.basicSlices..<model.configuration.slices.count {
                try network.predict(slice: slice, pass: .all)
                for channel in 0..<model.configuration.slices[slice] {
                    let range = (channel * count)..<((channel + 1) * count)
                    let arrived = coder.decode(
                        UnsafeMutableBufferPointer(rebasing: network.symbols(of: slice)[range]),
                        scales: UnsafeBufferPointer(rebasing: network.scales(of: slice)[range]))
                    guard arrived == count else { return ends }
                    ends.append(header.baseEnd + tail.count - coder.remaining)
                }
                try network.reconstruct(slice: slice)
            }
            return ends
        }
    }

    /// Decodes a frame or a prefix of one; a convenience for tools and tests.
    public func decode(_ frame: [UInt8]) throws(DecodingError) -> (picture: Picture, report: Report) {
        try frame.withBytes { bytes throws(DecodingError) in
            let header = try checkedHeader(of: bytes)
            var picture = Picture(width: header.width, height: header.height)
            let layout = picture.layout
            let report = try picture.pixels.withMutableBytes { pixels throws(DecodingError) in
                try decode(bytes, into: pixels, layout: layout)
            }
            return (picture, report)
        }
    }

    /// As `channelEnds(of:)` of bytes in memory; a convenience for tools and tests.
    public func channelEnds(of frame: [UInt8]) throws(DecodingError) -> [Int] {
        try frame.withBytes { bytes throws(DecodingError) in try channelEnds(of: bytes) }
    }

    /// The header, once everything that can be known without the networks is right.
    ///
    /// - Throws: `DecodingError`; who allocates memory for a picture does it afterwards.
    package func checkedHeader(of frame: UnsafeRawBufferPointer) throws(DecodingError) -> FrameHeader {
        do throws(BitstreamError) {
            let header = try FrameHeader(parsing: frame)
            guard header.model == model.identity else {
                throw .otherModel(stream: header.model, loaded: model.identity)
            }
            let configuration = model.configuration
            guard header.chunkLengths.count == 1 + configuration.slices.count - configuration.basicSlices else {
                throw .invalidField(name: "chunk_count", value: UInt64(header.chunkLengths.count))
            }
            guard header.pixelCount <= pixelLimit else {
                throw .tooManyPixels(width: header.width, height: header.height, limit: pixelLimit)
            }
            // Work and memory grow with the picture's size: a few bytes must not ask for much of either.
            let least = LatentGrid(width: header.width, height: header.height).minimumBaseLength
            guard header.chunkLengths[0] >= least else {
                throw .invalidField(name: "chunk_length", value: UInt64(header.chunkLengths[0]))
            }
            guard frame.count >= header.baseEnd else {
                throw .baseIncomplete(have: frame.count, need: header.baseEnd)
            }
            let base = UnsafeRawBufferPointer(rebasing: frame[header.length..<header.baseEnd])
            guard crc32c(base) == header.baseChecksum else { throw .baseDamaged }
            return header
        } catch {
            throw .bitstream(error)
        }
    }

    /// The networks for pictures of this size, kept from the frame before where that had the same size.
    private func preparedNetwork(width: Int, height: Int) throws(DecodingError) -> CodecNetwork {
        if let network, network.grid == LatentGrid(width: width, height: height) { return network }
        network = nil
        return try asDecodingError { () throws(CodecError) in
            let fresh = try CodecNetwork(model: model, width: width, height: height, options: options)
            network = fresh
            return fresh
        }
    }

    /// Decodes the base of a frame whose header was checked.
    ///
    /// Returns the networks, ready for the scalable part, and what there is of its bytes.
    private func decodeBase(
        of frame: UnsafeRawBufferPointer, _ header: FrameHeader
    ) throws(DecodingError) -> (CodecNetwork, tail: UnsafeRawBufferPointer) {
        let network = try preparedNetwork(width: header.width, height: header.height)
        network.begin(.decoding, quantiser: header.extensions.quantiser ?? .unit, times: stageTimes)
        let base = UnsafeRawBufferPointer(rebasing: frame[header.length..<header.baseEnd])
        guard try decodeBase(base, network) else { throw .bitstream(.baseDamaged) }
        let end = min(frame.count, header.frameLength)
        return (network, UnsafeRawBufferPointer(rebasing: frame[header.baseEnd..<end]))
    }

    /// Decodes `z` and `y_b`; false where the bytes are not what an encoder writes.
    private func decodeBase(
        _ bytes: UnsafeRawBufferPointer, _ network: CodecNetwork
    ) throws(DecodingError) -> Bool {
        var coder = RangeDecoder(tables: model.tables, bytes: bytes)
        let count = network.grid.hyperCount
        let limit = Int16(model.configuration.hyperLimit)
        for channel in 0..<model.configuration.hyperChannels {
            let plane = UnsafeMutableBufferPointer(
                rebasing: network.hyperSymbols[(channel * count)..<((channel + 1) * count)])
            guard coder.decode(plane, hyperChannel: channel) == count,
                plane.allSatisfy({ (-limit...limit).contains($0) })
            else { return false }
        }
        return try asDecodingError { () throws(CodecError) in
            try network.expandHyper()
            for slice in 0..<model.configuration.basicSlices {
                guard try decodeSlice(slice, from: &coder, network) == network.symbols(of: slice).count else {
                    return false
                }
            }
            return true
        }
    }

    /// Decodes what there is of `y_s`.
    ///
    /// Returns the number of channels that are whole, and whether the stream ends as its encoder left it.
    private func decodeScalable(
        _ bytes: UnsafeRawBufferPointer, _ network: CodecNetwork
    ) throws(DecodingError) -> (channels: Int, atEnd: Bool) {
        var coder = RangeDecoder(tables: model.tables, bytes: bytes)
        var channels = 0
        let configuration = model.configuration
        try asDecodingError { () throws(CodecError) in
            for slice in configuration.basicSlices..<configuration.slices.count {
                channels += try decodeSlice(slice, from: &coder, network) / network.grid.latentCount
            }
        }
        return (channels, coder.isAtEnd)
    }

    /// Predicts, reads and reconstructs one slice.
    ///
    /// Returns how many of its symbols arrived.
    private func decodeSlice(
        _ slice: Int, from coder: inout RangeDecoder, _ network: CodecNetwork
    ) throws(CodecError) -> Int {
        var arrived = 0
        for pass in network.passes(of: slice) {
            try network.predict(slice: slice, pass: pass)
            arrived += measured(.coder, by: stageTimes) {
                network.withSymbols(of: slice, in: pass) { coder.decode($0, scales: $1) }
            }
        }
        try network.reconstruct(slice: slice)
        return arrived
    }
}

/// Runs `body`, giving its error the type that a decoder throws.
private func asDecodingError<Result>(
    _ body: () throws(CodecError) -> Result
) throws(DecodingError) -> Result {
    do throws(CodecError) { return try body() } catch { throw .codec(error) }
}

/// Why a frame could not be decoded: the bytes, or the machine.
public enum DecodingError: Error, Equatable, Sendable, CustomStringConvertible {
    case bitstream(BitstreamError)
    case codec(CodecError)

    public var description: String {
        switch self {
        case .bitstream(let error): error.description
        case .codec(let error): error.description
        }
    }
}
