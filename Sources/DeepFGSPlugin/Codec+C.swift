import CDeepFGS
import DeepFGS

@c @implementation
public func deepfgs_encoder_new(
    _ model: UnsafePointer<CChar>, _ compute: DeepFGSCompute, _ error: UnsafeMutablePointer<DeepFGSError>
) -> OpaquePointer? {
    var handle: OpaquePointer?
    _ = reporting(to: error) { () throws(Failure) in
        handle = try EncoderSession(model: String(cString: model), options: ComputeOptions(compute: compute)).handle()
    }
    return handle
}

@c @implementation
public func deepfgs_default_model(_ name: UnsafeMutablePointer<CChar>, _ length: Int) {
    copyString(ModelLibrary.defaultModel, to: UnsafeMutableRawBufferPointer(start: name, count: length))
}

@c @implementation
public func deepfgs_encoder_free(_ encoder: OpaquePointer) { EncoderSession.release(encoder) }

@c @implementation
public func deepfgs_encoder_get_model(
    _ encoder: OpaquePointer, _ identity: UnsafeMutablePointer<CChar>, _ name: UnsafeMutablePointer<CChar>,
    _ length: Int
) {
    let model = EncoderSession.borrow(encoder).model
    copyString(
        model.identity.description,
        to: UnsafeMutableRawBufferPointer(start: identity, count: Int(DEEPFGS_IDENTITY_LENGTH)))
    copyString(model.configuration.name, to: UnsafeMutableRawBufferPointer(start: name, count: length))
}

@c @implementation
public func deepfgs_encoder_set_format(
    _ encoder: OpaquePointer, _ width: UInt32, _ height: UInt32, _ colour: DeepFGSColour,
    _ pixel: DeepFGSPixelAspect, _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    reporting(to: error) { () throws(Failure) in
        try EncoderSession.borrow(encoder).setFormat(
            width: Int(width), height: Int(height), colour: HeaderExtensions.ColourDescription(colour),
            pixel: HeaderExtensions.PixelAspectRatio(pixel))
    }
}

@c @implementation
public func deepfgs_encoder_encode(
    _ encoder: OpaquePointer, _ picture: UnsafePointer<DeepFGSRawPicture>,
    _ settings: UnsafePointer<DeepFGSFrameSettings>, _ encoded: UnsafeMutablePointer<DeepFGSEncoded>,
    _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    reporting(to: error) { () throws(Failure) in
        let session = EncoderSession.borrow(encoder)
        let raw = picture.pointee
        let opaque = raw.has_alpha ? try session.overWhite(raw) : try RawPicture(raw)
        let sizes = try session.encode(opaque, settings: settings.pointee)
        encoded.pointee = DeepFGSEncoded(size: sizes.size, base: sizes.base, whole: sizes.whole)
    }
}

@c @implementation
public func deepfgs_encoder_read(_ encoder: OpaquePointer, _ bytes: UnsafeMutablePointer<UInt8>, _ size: Int) {
    EncoderSession.borrow(encoder).read(into: UnsafeMutableRawBufferPointer(start: bytes, count: size))
}

@c @implementation
public func deepfgs_decoder_new(
    _ modelPath: UnsafePointer<CChar>, _ compute: DeepFGSCompute, _ maxPixels: UInt64
) -> OpaquePointer {
    DecoderSession(
        modelPath: String(cString: modelPath), options: ComputeOptions(compute: compute),
        pixelLimit: Int(clamping: maxPixels)
    ).handle()
}

@c @implementation
public func deepfgs_decoder_free(_ decoder: OpaquePointer) { DecoderSession.release(decoder) }

@c @implementation
public func deepfgs_decoder_load_model(
    _ decoder: OpaquePointer, _ identity: UnsafePointer<CChar>, _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    reporting(to: error) { () throws(Failure) in
        let text = String(cString: identity)
        guard let identity = ModelIdentity(text) else {
            throw Failure(status: DEEPFGS_ERROR_SETTINGS, message: "\"\(text)\" in the caps identifies no model")
        }
        try DecoderSession.borrow(decoder).load(identity)
    }
}

@c @implementation
public func deepfgs_decoder_begin(
    _ decoder: OpaquePointer, _ bytes: UnsafePointer<UInt8>, _ size: Int,
    _ picture: UnsafeMutablePointer<DeepFGSPicture>,
    _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    reporting(to: error) { () throws(Failure) in
        let header = try DecoderSession.borrow(decoder).begin(UnsafeRawBufferPointer(start: bytes, count: size))
        let pixel = header.extensions.pixelAspectRatio
        picture.pointee = DeepFGSPicture(
            width: UInt32(header.width), height: UInt32(header.height), colour: DeepFGSColour(header.extensions.colour),
            pixel: DeepFGSPixelAspect(width: UInt32(pixel?.width ?? 0), height: UInt32(pixel?.height ?? 0)))
    }
}

@c @implementation
public func deepfgs_decoder_decode(
    _ decoder: OpaquePointer, _ bytes: UnsafePointer<UInt8>, _ size: Int,
    _ picture: UnsafePointer<DeepFGSRawPicture>, _ decoded: UnsafeMutablePointer<DeepFGSDecoded>,
    _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    reporting(to: error) { () throws(Failure) in
        let report = try DecoderSession.borrow(decoder).decode(
            UnsafeRawBufferPointer(start: bytes, count: size), into: try RawPicture(picture.pointee))
        decoded.pointee = DeepFGSDecoded(
            size: report.bytes, whole: report.frameLength, tail_damaged: report.tailDamaged)
    }
}

/// nil for no time.
func known(_ time: UInt64) -> UInt64? { time == UInt64.max ? nil : time }

extension RawPicture {
    /// A picture as C describes it.
    fileprivate init(_ picture: DeepFGSRawPicture) throws(Failure) {
        let (first, second, third) = picture.components
        let (width, height) = (Int(picture.width), Int(picture.height))
        do throws(CodecError) {
            guard picture.is_yuv else {
                try self.init(
                    UnsafeRawBufferPointer(start: first.samples, count: first.size),
                    layout: PixelLayout(
                        width: width, height: height, stride: Int(first.stride), bytesPerPixel: Int(first.step),
                        red: Int(first.offset), green: Int(second.offset), blue: Int(third.offset)))
                return
            }
            var layout = YUVLayout(
                width: width, height: height, luma: .init(first), chroma: .init(second),
                halvesRows: picture.halves_rows, isCosited: picture.is_cosited, matrix: .init(picture.matrix),
                fullRange: picture.full_range)
            layout.red = .init(third)
            try self.init(luma: first.bytes, blue: second.bytes, red: third.bytes, layout: layout)
        } catch {
            throw Failure(error)
        }
    }
}

extension YUVLayout.Component {
    fileprivate init(_ component: DeepFGSComponent) {
        self.init(stride: Int(component.stride), step: Int(component.step))
    }
}

extension YUVLayout.Matrix {
    /// The matrix of a code point of ITU-T H.273.
    fileprivate init(_ number: UInt8) { self = number == 5 ? .bt601 : Self(rawValue: Int(number)) ?? .bt709 }
}

extension DeepFGSComponent {
    /// The memory from the first sample on.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: samples + min(Int(offset), size), count: max(size - Int(offset), 0))
    }
}

extension HeaderExtensions.ColourDescription {
    fileprivate init?(_ colour: DeepFGSColour) {
        guard colour.known else { return nil }
        self.init(
            primaries: colour.primaries, transfer: colour.transfer, matrix: colour.matrix,
            fullRange: colour.full_range)
    }
}

extension DeepFGSColour {
    fileprivate init(_ colour: HeaderExtensions.ColourDescription?) {
        self.init()
        guard let colour else { return }
        known = true
        full_range = colour.fullRange
        primaries = colour.primaries
        transfer = colour.transfer
        matrix = colour.matrix
    }
}

extension HeaderExtensions.PixelAspectRatio {
    /// Square pixels need not be said.
    fileprivate init?(_ pixel: DeepFGSPixelAspect) {
        guard pixel.width != pixel.height, let width = UInt16(exactly: pixel.width),
            let height = UInt16(exactly: pixel.height)
        else { return nil }
        self.init(width: width, height: height)
    }
}

extension ComputeOptions {
    fileprivate init(compute: DeepFGSCompute) {
        let precision: Precision =
            switch compute.precision {
            case DEEPFGS_PRECISION_FLOAT32: .float32
            case DEEPFGS_PRECISION_BFLOAT16: .bfloat16
            default: .automatic
            }
        self.init(precision: precision, threads: Int(compute.threads))
    }
}
