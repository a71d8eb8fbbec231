/// Decodes frames, or prefixes of frames, of one model; follows changes of picture size by itself.
///
/// Holds the networks' buffers of the latest size: one decoder per stream, used by one thread at a time.
public final class Decoder {
    /// The model whose streams this decoder accepts.
    public let model: Model
    /// Pictures with more pixels than this are refused before anything is allocated for them.
    public let pixelLimit: Int

    /// What was found in the bytes of one frame.
    public struct Report: Hashable, Sendable {
        /// Bytes that were given.
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
        throw .bitstream(.notAFrame)
    }

    /// Decodes a frame or a prefix of one; a convenience for tools and tests.
    public func decode(_ frame: [UInt8]) throws(DecodingError) -> (picture: Picture, report: Report) {
        throw .bitstream(.notAFrame)
    }
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
