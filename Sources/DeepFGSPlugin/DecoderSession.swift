import CDeepFGS
import DeepFGS

/// What deepfgsdec asks of the codec, from its start to its stop.
final class DecoderSession: Handle {
    private let modelPath: String
    private let options: ComputeOptions
    private let pixelLimit: Int
    private var decoder: Decoder?
    /// A model that was looked for in vain, so that it is not looked for again with every frame.
    private var missing: (identity: ModelIdentity, failure: Failure)?

    init(modelPath: String, options: ComputeOptions, pixelLimit: Int) {
        self.modelPath = modelPath
        self.options = options
        self.pixelLimit = pixelLimit
    }

    /// Makes the decoder that of a model, unless it is already.
    func load(_ identity: ModelIdentity) throws(Failure) {
        if decoder?.model.identity == identity { return }
        if let missing, missing.identity == identity { throw missing.failure }
        do throws(Failure) {
            let model = try ModelLibrary.find(identity, first: modelPath)
            decoder = Decoder(model: model, options: options, pixelLimit: pixelLimit)
        } catch {
            missing = (identity, error)
            throw error
        }
    }

    /// Reads a frame's header and makes ready for it.
    func begin(_ frame: UnsafeRawBufferPointer) throws(Failure) -> FrameHeader {
        let header: FrameHeader
        do throws(BitstreamError) {
            header = try FrameHeader(parsing: frame)
            guard header.width * header.height <= pixelLimit else {
                throw .tooManyPixels(width: header.width, height: header.height, limit: pixelLimit)
            }
            guard frame.count >= header.baseEnd else {
                throw .baseIncomplete(have: frame.count, need: header.baseEnd)
            }
        } catch {
            throw Failure(error)
        }
        try load(header.model)
        return header
    }

    /// Decodes a frame that `begin` accepted.
    func decode(
        _ frame: UnsafeRawBufferPointer, into picture: RawPicture
    ) throws(Failure) -> Decoder.Report {
        guard let decoder else { throw Failure(status: DEEPFGS_ERROR_FAILED, message: "No model is loaded") }
        do throws(DecodingError) { return try decoder.decode(frame, into: picture) } catch {
            throw Failure(error)
        }
    }
}
