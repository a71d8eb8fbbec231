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
    private var pixel: HeaderExtensions.PixelAspectRatio?
    /// The last picture that had alpha, laid over white: R', G' and B'.
    private var opaque = UnsafeMutableRawBufferPointer(start: nil, count: 0)
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

    deinit { opaque.deallocate() }

    /// Prepares for pictures of this size, colour and shape of pixels; nil is sRGB, and square.
    func setFormat(
        width: Int, height: Int, colour: HeaderExtensions.ColourDescription?,
        pixel: HeaderExtensions.PixelAspectRatio? = nil
    ) throws(Failure) {
        self.colour = colour
        self.pixel = pixel
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
        if settings.most_bytes > 0 { kept = min(kept, max(header.baseEnd, Int(clamping: settings.most_bytes))) }
        return Sizes(size: kept, base: header.baseEnd, whole: header.frameLength)
    }

    /// A picture with alpha, not premultiplied, laid over white, as the command line does it; lasts until the next one.
    ///
    /// Each sample is (a · c + (255 − a) · 255) / 255, rounded. O(pixels).
    func overWhite(_ picture: DeepFGSRawPicture) throws(Failure) -> RawPicture {
        let (width, height) = (Int(picture.width), Int(picture.height))
        let (red, green, blue, alpha) = (
            picture.components.0, picture.components.1, picture.components.2, picture.alpha
        )
        guard width > 0, height > 0 else { throw Failure(.unsupportedSize(width: width, height: height)) }
        let last = (height - 1) * Int(alpha.stride) + (width - 1) * Int(alpha.step)
        guard [red, green, blue, alpha].allSatisfy({ last < $0.bytes.count }) else {
            throw Failure(status: DEEPFGS_ERROR_FAILED, message: "A picture is smaller than its caps say")
        }
        if opaque.count != 3 * width * height {
            opaque.deallocate()
            opaque = .allocate(byteCount: 3 * width * height, alignment: 1)
        }
        let opacity = alpha.bytes
        for (channel, component) in [red, green, blue].enumerated() {
            let samples = component.bytes
            for row in 0..<height {
                for column in 0..<width {
                    let sample = Int(samples[row * Int(component.stride) + column * Int(component.step)])
                    let a = Int(opacity[row * Int(alpha.stride) + column * Int(alpha.step)])
                    opaque[(row * width + column) * 3 + channel] = UInt8((a * sample + (255 - a) * 255 + 127) / 255)
                }
            }
        }
        let layout = PixelLayout(
            width: width, height: height, stride: 3 * width, bytesPerPixel: 3, red: 0, green: 1, blue: 2)
        do throws(CodecError) { return try RawPicture(UnsafeRawBufferPointer(opaque), layout: layout) } catch {
            throw Failure(error)
        }
    }

    /// Copies what is kept of the last frame.
    func read(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.copyBytes(from: frame[..<min(kept, frame.count, bytes.count)])
    }

    private func stamp(time: UInt64?, duration: UInt64?) -> HeaderExtensions {
        var extensions = HeaderExtensions()
        extensions.colour = colour
        extensions.pixelAspectRatio = pixel
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
