import CDeepFGS
import DeepFGS

/// What deepfgsdec asks of the codec, from its start to its stop.
final class DecoderSession: Handle {
    private let session: DecodingSession
    /// Of the frame that `begin` accepted.
    private var decoder: Decoder?

    /// - Parameters:
    ///   - modelPath: Directories to search first, separated by colons; the path of a model file is that file.
    ///   - options: Precision and threads.
    ///   - pixelLimit: Pixels of the largest picture.
    init(modelPath: String, options: ComputeOptions, pixelLimit: Int) {
        session = DecodingSession(
            searching: ModelSearchPath(first: modelPath.split(separator: ":").map(String.init)), options: options,
            pixelLimit: pixelLimit)
    }

    /// Makes the decoder that of a model, unless it is already.
    func load(_ identity: ModelIdentity) throws(Failure) {
        decoder = nil
        do throws(ModelError) { decoder = try session.decoder(for: identity) } catch {
            throw Failure(error, property: "model-path")
        }
    }

    /// Reads a frame's header and makes ready for it.
    func begin(_ frame: UnsafeRawBufferPointer) throws(Failure) -> FrameHeader {
        let header: FrameHeader
        do throws(BitstreamError) { header = try session.header(of: frame) } catch { throw Failure(error) }
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
