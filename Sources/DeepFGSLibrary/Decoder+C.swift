import CDeepFGSLibrary
import DeepFGS

@c @implementation
public func dfgs_decoder_open(
    _ model: OpaquePointer?, _ compute: UnsafePointer<dfgs_compute>?, _ maxPixels: UInt64,
    _ decoder: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let result = try required(decoder, "decoder")
        let session = DecodingSession(
            model: model == nil ? nil : try ModelHandle.borrow(model).model,
            options: try ComputeOptions(compute?.pointee),
            pixelLimit: maxPixels == 0 ? FrameHeader.maximumPixels : Int(clamping: maxPixels))
        result.pointee = DecoderHandle(session).handle()
    }
}

@c @implementation
public func dfgs_decoder_decode(
    _ decoder: OpaquePointer?, _ start: UnsafePointer<UInt8>?, _ size: Int, _ pixels: UnsafeMutablePointer<UInt8>?,
    _ pixelsSize: Int, _ layout: UnsafePointer<dfgs_layout>?, _ decoded: UnsafeMutablePointer<dfgs_decoded>?,
    _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let handle = try DecoderHandle.borrow(decoder)
        let frame = try bytes(start, size)
        let pixels = UnsafeMutableRawBufferPointer(mutating: try bytes(pixels, pixelsSize))
        let report = try handle.decode(frame, into: pixels, layout: layout?.pointee)
        decoded?.pointee = dfgs_decoded(
            size: report.bytes, frame_size: report.frameLength, tail_damaged: report.tailDamaged ? 1 : 0)
    }
}

@c @implementation
public func dfgs_decoder_close(_ decoder: OpaquePointer?) { DecoderHandle.close(decoder) }

/// A decoder as C holds it: of one model, or of whichever model the frames name.
final class DecoderHandle: Handle {
    private let session: DecodingSession

    init(_ session: DecodingSession) { self.session = session }

    func decode(
        _ frame: UnsafeRawBufferPointer, into pixels: UnsafeMutableRawBufferPointer, layout: dfgs_layout?
    ) throws(LibraryFailure) -> Decoder.Report {
        // Before anything is looked for or made: what the header alone decides.
        let header: FrameHeader
        do throws(BitstreamError) { header = try session.header(of: frame) } catch { throw LibraryFailure(error) }
        let layout = PixelLayout(layout, width: header.width, height: header.height)
        guard let need = layout.byteCount, layout.width == header.width, layout.height == header.height else {
            throw LibraryFailure(DFGS_ERROR_BUFFER, "the layout is not one of \(header.width)×\(header.height) pixels")
        }
        guard pixels.count >= need else {
            throw LibraryFailure(CodecError.bufferTooSmall(have: pixels.count, need: need))
        }
        let decoder: Decoder
        do throws(ModelError) { decoder = try session.decoder(for: header.model) } catch { throw LibraryFailure(error) }
        do throws(DecodingError) { return try decoder.decode(frame, into: pixels, layout: layout) } catch {
            throw LibraryFailure(error)
        }
    }
}
