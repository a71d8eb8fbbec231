/// Encodes pictures of one size with one model.
///
/// Holds the networks' buffers and reuses them from frame to frame: one encoder per stream, used by one thread at a
/// time. Every frame decodes on its own.
public final class Encoder {
    /// The model that the frames are made with.
    public let model: Model
    /// The pictures' size in pixels.
    public let width: Int, height: Int

    /// Prepares the networks for pictures of one size.
    ///
    /// - Parameters:
    ///   - model: The trained model.
    ///   - width: Pixels across, 1 to `FrameHeader.maximumSide`.
    ///   - height: Pixels down, 1 to `FrameHeader.maximumSide`; width × height at most `FrameHeader.maximumPixels`.
    ///   - options: Back end, precision and threads.
    /// - Throws: `CodecError.unsupportedSize` or `.backend`.
    public init(
        model: Model, width: Int, height: Int, options: ComputeOptions = ComputeOptions()
    ) throws(CodecError) {
        self.model = model
        self.width = width
        self.height = height
    }

    /// Encodes one picture and appends the frame to `frame`.
    ///
    /// - Parameters:
    ///   - pixels: The samples.
    ///   - layout: Where they lie; its size must be the encoder's.
    ///   - extensions: Optional header fields to write.
    ///   - frame: Receives the bytes, header first; any prefix of at least `FrameHeader.baseEnd` bytes decodes.
    /// - Throws: `CodecError`; `frame` is then as it was.
    public func encode(
        pixels: UnsafeRawBufferPointer, layout: PixelLayout, extensions: HeaderExtensions = HeaderExtensions(),
        into frame: inout [UInt8]
    ) throws(CodecError) {
    }

    /// Encodes one picture; a convenience for tools and tests.
    public func encode(_ picture: Picture, extensions: HeaderExtensions = HeaderExtensions()) throws(CodecError)
        -> [UInt8]
    {
        var frame: [UInt8] = []
        try picture.pixels.withBytes { bytes throws(CodecError) in
            try encode(pixels: bytes, layout: picture.layout, extensions: extensions, into: &frame)
        }
        return frame
    }
}
