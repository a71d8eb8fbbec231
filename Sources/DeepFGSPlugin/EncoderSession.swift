import CDeepFGS
import DeepFGS

/// What deepfgsenc asks of the codec, from its start to its stop.
final class EncoderSession: Handle {
    /// How much a frame is cut, and from what.
    struct Sizes {
        var size: Int
        var base: Int
        var whole: Int
    }

    let model: Model
    private let options: ComputeOptions
    private var encoder: Encoder?
    private var colour: HeaderExtensions.ColourDescription?
    /// The time of the first frame: what the frames carry counts from here.
    private var origin: UInt64?
    /// The last frame, whole, and how much of it is kept.
    private var frame: [UInt8] = []
    private var kept = 0

    init(model: String, options: ComputeOptions) throws(Failure) {
        do throws(ModelError) { self.model = try ModelLibrary.shared.load(model) } catch {
            throw Failure(error, property: "model")
        }
        self.options = options
    }

    /// Prepares for pictures of this size and colour; nil is sRGB.
    func setFormat(width: Int, height: Int, colour: HeaderExtensions.ColourDescription?) throws(Failure) {
        self.colour = colour
        do throws(CodecError) {
            if let encoder { return try encoder.prepare(width: width, height: height) }
            encoder = try Encoder(model: model, width: width, height: height, options: options)
        } catch {
            throw Failure(error)
        }
    }

    /// Encodes one picture; `deepfgs_encoder_encode` says what the arguments mean.
    func encode(
        _ picture: RawPicture, settings: DeepFGSFrameSettings
    ) throws(Failure) -> Sizes {
        guard let encoder else {
            throw Failure(status: DEEPFGS_ERROR_FAILED, message: "The size of the pictures is not known yet")
        }
        frame.removeAll(keepingCapacity: true)
        kept = 0
        encoder.quantiser =
            Quantiser(
                basicStep: Int(settings.base_step), scalableStep: Int(settings.step),
                configuration: model.configuration) ?? .unit
        let header: FrameHeader
        do throws(CodecError) {
            header = try encoder.encode(
                picture, extensions: stamp(time: known(settings.time), duration: known(settings.duration)),
                into: &frame)
        } catch {
            throw Failure(error)
        }
        kept =
            settings.bits_per_pixel > 0
            ? header.prefixLength(bitsPerPixel: settings.bits_per_pixel) : header.frameLength
        return Sizes(size: kept, base: header.baseEnd, whole: header.frameLength)
    }

    /// Copies what is kept of the last frame.
    func read(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.copyBytes(from: frame[..<min(kept, frame.count, bytes.count)])
    }

    private func stamp(time: UInt64?, duration: UInt64?) -> HeaderExtensions {
        var extensions = HeaderExtensions()
        extensions.colour = colour
        if let time {
            let zero = origin ?? time
            origin = zero
            extensions.presentationTime = time > zero ? time - zero : 0
        }
        extensions.duration = duration.flatMap { $0 > 0 ? UInt32(exactly: $0) : nil }
        return extensions
    }
}

extension Failure {
    /// A model that is not to be had, and the property that says where it is.
    init(_ error: ModelError, property: String) {
        let reason = if case .noSuchModel = error { "The stream was \(error)" } else { "\(error)" }
        self.init(
            status: DEEPFGS_ERROR_NOT_FOUND,
            message: "\(reason). Set the property \(property), or DEEPFGS_MODEL_PATH to the directory of the model")
    }

    init(_ error: CodecError) {
        switch error {
        case .unsupportedSize: self.init(status: DEEPFGS_ERROR_FORMAT, message: "\(error)")
        case .bufferTooSmall, .backend, .bfloat16Unsupported, .unsupportedInstructions, .frameTooLarge:
            self.init(status: DEEPFGS_ERROR_FAILED, message: "\(error)")
        }
    }

    init(_ error: BitstreamError) {
        switch error {
        case .notAFrame, .headerIncomplete, .headerDamaged, .baseIncomplete, .baseDamaged:
            self.init(status: DEEPFGS_ERROR_DAMAGED, message: "\(error)")
        case .unsupportedVersion, .invalidField, .otherModel, .tooManyPixels:
            self.init(status: DEEPFGS_ERROR_FORMAT, message: "\(error)")
        }
    }

    init(_ error: DecodingError) {
        switch error {
        case .bitstream(let error): self.init(error)
        case .codec(let error): self.init(error)
        }
    }
}
