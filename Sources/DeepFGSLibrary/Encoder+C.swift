import CDeepFGSLibrary
import DeepFGS

@c @implementation
public func dfgs_encoder_open(
    _ model: OpaquePointer?, _ width: UInt32, _ height: UInt32, _ compute: UnsafePointer<dfgs_compute>?,
    _ encoder: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let result = try required(encoder, "encoder")
        let model = try ModelHandle.borrow(model).model
        let options = try ComputeOptions(compute?.pointee)
        do throws(CodecError) {
            let encoder = try Encoder(model: model, width: Int(width), height: Int(height), options: options)
            result.pointee = EncoderHandle(encoder).handle()
        } catch {
            throw LibraryFailure(error)
        }
    }
}

@c @implementation
public func dfgs_encoder_encode(
    _ encoder: OpaquePointer?, _ pixels: UnsafePointer<UInt8>?, _ pixelsSize: Int,
    _ layout: UnsafePointer<dfgs_layout>?, _ settings: UnsafePointer<dfgs_settings>?,
    _ frame: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ frameSize: UnsafeMutablePointer<Int>?,
    _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let handle = try EncoderHandle.borrow(encoder)
        let (frame, frameSize) = (try required(frame, "frame"), try required(frameSize, "frame_size"))
        let result = try handle.encode(bytes(pixels, pixelsSize), layout: layout?.pointee, settings: settings?.pointee)
        frame.pointee = result.baseAddress
        frameSize.pointee = result.count
    }
}

@c @implementation
public func dfgs_encoder_close(_ encoder: OpaquePointer?) { EncoderHandle.close(encoder) }

/// An encoder as C holds it, and the memory of its last frame.
final class EncoderHandle: Handle {
    private let encoder: Encoder
    private var frame: [UInt8] = []
    /// Where C reads the last frame: an array's own address is good for no longer than a closure.
    private var memory = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    init(_ encoder: Encoder) { self.encoder = encoder }

    deinit { memory.deallocate() }

    func encode(
        _ pixels: UnsafeRawBufferPointer, layout: dfgs_layout?, settings: dfgs_settings?
    ) throws(LibraryFailure) -> UnsafeBufferPointer<UInt8> {
        let layout = PixelLayout(layout, width: encoder.width, height: encoder.height)
        guard layout.byteCount != nil, layout.width == encoder.width, layout.height == encoder.height else {
            throw LibraryFailure(
                DFGS_ERROR_BUFFER, "the layout is not one of \(encoder.width)×\(encoder.height) pixels")
        }
        var extensions = HeaderExtensions()
        if let settings {
            extensions.presentationTime = known(settings.time)
            if let duration = known(settings.duration) {
                guard let duration = UInt32(exactly: duration), duration > 0 else {
                    throw LibraryFailure(DFGS_ERROR_ARGUMENT, "duration goes from 1 to 4294967295 ns")
                }
                extensions.duration = duration
            }
        }
        let quantiser = Quantiser(
            basicStep: step(settings?.base_step), scalableStep: step(settings?.step),
            configuration: encoder.model.configuration)
        guard let quantiser else { throw LibraryFailure(DFGS_ERROR_ARGUMENT, "base_step and step go from 1 to 32") }
        encoder.quantiser = quantiser
        frame.removeAll(keepingCapacity: true)
        do throws(CodecError) {
            try encoder.encode(pixels: pixels, layout: layout, extensions: extensions, into: &frame)
        } catch {
            throw LibraryFailure(error)
        }
        if memory.count < frame.count {
            memory.deallocate()
            memory = .allocate(capacity: frame.count)
        }
        _ = memory.update(fromContentsOf: frame)
        return UnsafeBufferPointer(rebasing: memory[..<frame.count])
    }

    private func step(_ given: UInt32?) -> Int { given.map { $0 == 0 ? 16 : Int($0) } ?? 16 }

    private func known(_ time: UInt64) -> UInt64? { time == .max ? nil : time }
}

extension PixelLayout {
    /// What C says of a picture's memory; packed RGB where it says nothing.
    init(_ layout: dfgs_layout?, width: Int, height: Int) {
        guard let layout else {
            self.init(width: width, height: height)
            return
        }
        self.init(
            width: Int(layout.width), height: Int(layout.height), stride: Int(layout.stride),
            bytesPerPixel: Int(layout.pixel_stride), red: Int(layout.red), green: Int(layout.green),
            blue: Int(layout.blue))
    }
}

extension ComputeOptions {
    /// What C asks for; the defaults where it asks for nothing.
    init(_ compute: dfgs_compute?) throws(LibraryFailure) {
        self.init()
        guard let compute else { return }
        guard compute.threads <= 1024 else { throw LibraryFailure(DFGS_ERROR_ARGUMENT, "threads go from 0 to 1024") }
        threads = Int(compute.threads)
        switch compute.precision {
        case DFGS_PRECISION_AUTO: precision = .automatic
        case DFGS_PRECISION_FLOAT32: precision = .float32
        case DFGS_PRECISION_BFLOAT16: precision = .bfloat16
        default: throw LibraryFailure(DFGS_ERROR_ARGUMENT, "there is no precision \(compute.precision.rawValue)")
        }
    }
}
