/// Encodes pictures with one model; follows changes of picture size by itself.
///
/// Holds the networks' buffers of the latest size and reuses them from frame to frame: one encoder per stream, used by
/// one thread at a time. Every frame decodes on its own.
public final class Encoder {
    /// The model that the frames are made with.
    public let model: Model
    /// The size of the latest picture, or the one that was prepared for, in pixels.
    public private(set) var width: Int, height: Int
    /// How coarsely the next frames are quantised.
    public var quantiser: Quantiser = .unit
    /// Measures the stages of the next frames where it is set.
    public var stageTimes: StageTimes?
    /// The networks for pictures of this size; nil after they could not be had for another.
    private var network: CodecNetwork?
    private let options: ComputeOptions
    private var coder: RangeEncoder
    /// The chunks of the frame at hand, and how long each is.
    private var scratch: [UInt8] = []
    private var lengths = ChunkLengths()

    /// Prepares the networks for pictures of a size.
    ///
    /// - Parameters:
    ///   - model: The trained model.
    ///   - width: Pixels across, 1 to `FrameHeader.maximumSide`.
    ///   - height: Pixels down, 1 to `FrameHeader.maximumSide`; width × height at most `FrameHeader.maximumPixels`.
    ///   - options: Back end, precision and threads.
    /// - Throws: `CodecError.unsupportedSize`, `.unsupportedInstructions` or `.backend`.
    public init(
        model: Model, width: Int, height: Int, options: ComputeOptions = ComputeOptions()
    ) throws(CodecError) {
        self.model = model
        self.options = options
        self.width = width
        self.height = height
        network = try CodecNetwork(model: model, width: width, height: height, options: options)
        coder = RangeEncoder(tables: model.tables)
    }

    /// Prepares for pictures of another size, as the first of them would.
    ///
    /// Costs as much as a new encoder, unless the size is the latest one.
    ///
    /// - Parameters:
    ///   - width: As for `init`.
    ///   - height: As for `init`.
    /// - Throws: As `init`.
    public func prepare(width: Int, height: Int) throws(CodecError) {
        _ = try preparedNetwork(width: width, height: height)
    }

    /// The networks for pictures of this size, kept from the picture before where that had the same size.
    func preparedNetwork(width: Int, height: Int) throws(CodecError) -> CodecNetwork {
        if let network, width == self.width, height == self.height { return network }
        // The old networks' memory goes before the new ones' comes.
        network = nil
        let fresh = try CodecNetwork(model: model, width: width, height: height, options: options)
        network = fresh
        self.width = width
        self.height = height
        return fresh
    }

    /// Encodes one picture and appends the frame to `frame`.
    ///
    /// - Parameters:
    ///   - pixels: The samples.
    ///   - layout: Where they lie; another size than that of the picture before costs new networks.
    ///   - extensions: Optional header fields to write.
    ///   - frame: Receives the bytes, header first; any prefix of at least `FrameHeader.baseEnd` bytes decodes.
    /// - Returns: The header.
    /// - Throws: `CodecError`; `frame` is then as it was.
    @discardableResult
    public func encode(
        pixels: UnsafeRawBufferPointer, layout: PixelLayout, extensions: HeaderExtensions = HeaderExtensions(),
        into frame: inout [UInt8]
    ) throws(CodecError) -> FrameHeader {
        try encode(try RawPicture(pixels, layout: layout), extensions: extensions, into: &frame)
    }

    /// Encodes one picture and appends the frame to `frame`.
    ///
    /// - Parameters:
    ///   - picture: The picture, R'G'B' or Y'CbCr; another size than that of the picture before costs new networks.
    ///   - extensions: Optional header fields to write.
    ///   - frame: Receives the bytes, header first; any prefix of at least `FrameHeader.baseEnd` bytes decodes.
    /// - Returns: The header.
    /// - Throws: `CodecError`; `frame` is then as it was.
    @discardableResult
    public func encode(
        _ picture: RawPicture, extensions: HeaderExtensions = HeaderExtensions(), into frame: inout [UInt8]
    ) throws(CodecError) -> FrameHeader {
        let network = try preparedNetwork(width: picture.width, height: picture.height)
        network.begin(.encoding, quantiser: quantiser, times: stageTimes)
        try findSymbols(picture, network)
        scratch.removeAll(keepingCapacity: true)
        lengths = ChunkLengths()
        measured(.coder, by: stageTimes) {
            writeBase(network)
            lengths.append(scratch.count)
            writeScalable(network)
        }
        for chunk in 0..<lengths.count {
            guard lengths[chunk] <= FrameHeader.maximumChunkLength else { throw .frameTooLarge }
        }
        let checksum = scratch.withUnsafeBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[..<lengths[0]])) }
        var extensions = extensions
        extensions.quantiser = quantiser == .unit ? nil : quantiser
        let header = FrameHeader(
            model: model.identity, width: width, height: height, chunkLengths: lengths, baseChecksum: checksum,
            extensions: extensions)
        header.write(to: &frame)
        frame.append(contentsOf: scratch)
        return header
    }

    /// Runs the networks: afterwards `network` holds `z`, and the symbols and scale indices of every slice.
    private func findSymbols(_ picture: RawPicture, _ network: CodecNetwork) throws(CodecError) {
        try network.analyse(picture)
        try network.expandHyper()
        let slices = model.configuration.slices.count
        for slice in 0..<slices {
            if slice == model.configuration.basicSlices { try network.analyseScalable() }
            try network.findSymbols(slice: slice)
            if slice < slices - 1 { try network.reconstruct(slice: slice) }
        }
    }

    /// Appends the base chunk to `scratch`: `z`, then `y_b`, in one stream, padded to the least length.
    private func writeBase(_ network: CodecNetwork) {
        coder.reset()
        for slice in (0..<model.configuration.basicSlices).reversed() {
            for pass in network.passes(of: slice).reversed() {
                network.withSymbols(of: slice, in: pass) { coder.encode(UnsafeBufferPointer($0), scales: $1) }
            }
        }
        let count = network.grid.hyperCount
        for channel in (0..<model.configuration.hyperChannels).reversed() {
            let plane = network.hyperSymbols[(channel * count)..<((channel + 1) * count)]
            coder.encode(UnsafeBufferPointer(rebasing: plane), hyperChannel: channel)
        }
        coder.finish(into: &scratch)
        while scratch.count < network.grid.minimumBaseLength { scratch.append(0) }
    }

    /// Appends the scalable part to `scratch`: the slices of `y_s` in one stream; and the length of each chunk.
    private func writeScalable(_ network: CodecNetwork) {
        coder.reset()
        let first = model.configuration.basicSlices
        let slices = first..<model.configuration.slices.count
        for _ in slices { lengths.append(0) }
        for slice in slices.reversed() {
            // For now, the bytes behind it: the stream grows towards its start.
            lengths[1 + slice - first] = coder.count
            coder.encode(
                UnsafeBufferPointer(network.symbols(of: slice)), scales: UnsafeBufferPointer(network.scales(of: slice)))
        }
        let start = scratch.count
        coder.finish(into: &scratch)
        var begin = start
        for index in 1..<lengths.count {
            let end = scratch.count - lengths[index]
            lengths[index] = end - begin
            begin = end
        }
    }

    /// Encodes one picture; a convenience for tools and tests.
    public func encode(_ picture: Picture, extensions: HeaderExtensions = HeaderExtensions()) throws(CodecError)
        -> [UInt8]
    {
        var frame: [UInt8] = []
        _ = try picture.pixels.withBytes { bytes throws(CodecError) in
            try encode(pixels: bytes, layout: picture.layout, extensions: extensions, into: &frame)
        }
        return frame
    }
}
