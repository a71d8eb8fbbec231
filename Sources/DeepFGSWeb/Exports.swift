// The functions of the module, as JavaScript calls them.
//
// One instance holds one decoder, used by one thread. A call that fails says why in `deepfgs_web_text`; numbers that a
// call finds lie in `deepfgs_web_numbers`. Both are valid up to the next call.

import CDeepFGSWeb
import DeepFGS

/// What the instance holds.
private struct State {
    var decoder: Decoder?
    /// The pixels of the last frame, four bytes each.
    var pixels: [UInt8] = []
    var text: [UInt8] = []
    var numbers: [UInt32] = []
}

nonisolated(unsafe) private var state = State()

/// Bytes from the host.
private func bytes(_ start: UnsafeRawPointer?, _ count: Int32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : max(0, Int(count)))
}

private func fail(_ reason: String) -> Int32 {
    state.text = [UInt8](reason.utf8)
    return 1
}

/// UTF-8 of what the last call that failed has to say, or of a model's name.
@c(deepfgs_web_text)
public func text() -> UnsafePointer<UInt8>? { state.text.withUnsafeBufferPointer { $0.baseAddress } }

/// Bytes of the text.
@c(deepfgs_web_text_length)
public func textLength() -> Int32 { Int32(state.text.count) }

/// Numbers that the last call found.
@c(deepfgs_web_numbers)
public func numbers() -> UnsafePointer<UInt32>? { state.numbers.withUnsafeBufferPointer { $0.baseAddress } }

/// Reads a model and makes its decoder, in the place of the one before.
///
/// - Parameters:
///   - start: The bytes of a model file of format 3; they may go afterwards.
///   - count: How many.
///   - pixelLimit: Pictures with more pixels than this are refused; at most 2^28 counts.
/// - Returns: 0, with the model's identity in two numbers, the higher half first, and its name as the text; or 1.
@c(deepfgs_web_open)
public func open(_ start: UnsafeRawPointer?, _ count: Int32, _ pixelLimit: Int32) -> Int32 {
    state.decoder = nil
    do throws(ModelError) {
        let model = try Model(bytes: [UInt8](bytes(start, count)))
        guard model.configuration.format >= 3 else {
            return fail(
                "a model of format \(model.configuration.format) has transforms of floats, which this decoder has not")
        }
        state.decoder = Decoder(model: model, pixelLimit: min(max(1, Int(pixelLimit)), 1 << 28))
        state.numbers = halves(model.identity.value)
        state.text = [UInt8](model.configuration.name.utf8)
        return 0
    } catch {
        return fail(error.description)
    }
}

private func halves(_ number: UInt64) -> [UInt32] {
    [UInt32(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number)]
}

/// What the numbers say of a header.
private func numbers(of header: FrameHeader) -> [UInt32] {
    let extensions = header.extensions
    return [
        UInt32(header.width), UInt32(header.height), UInt32(header.length), UInt32(header.baseEnd),
        UInt32(header.frameLength), UInt32(extensions.orientation ?? 1),
    ] + halves(header.model.value) + [extensions.presentationTime == nil ? 0 : 1]
        + halves(extensions.presentationTime ?? 0) + [extensions.duration ?? 0, UInt32(header.chunkLengths.count)]
        + header.chunkEnds.map { UInt32($0) }
}

/// Reads the header of a frame.
///
/// - Returns: 0, with the numbers width, height, bytes of the header, of header and base, and of the whole frame,
///   orientation, the model's identity in two, whether there is a presentation time, that time in nanoseconds in two,
///   duration in nanoseconds or 0, how many chunks there are, and where each of them ends; or 1.
@c(deepfgs_web_header)
public func header(_ start: UnsafeRawPointer?, _ count: Int32) -> Int32 {
    do throws(BitstreamError) {
        state.numbers = numbers(of: try FrameHeader(parsing: bytes(start, count)))
        return 0
    } catch {
        return fail(error.description)
    }
}

/// Decodes a frame or a prefix of one.
///
/// - Returns: 0, with the numbers width, height, bytes that were there, bytes of the whole frame, channels of the scalable
///   part that are whole, whether its tail is damaged, and where the pixels are, red, green, blue and 255; or 1.
@c(deepfgs_web_decode)
public func decode(_ start: UnsafeRawPointer?, _ count: Int32) -> Int32 {
    guard let decoder = state.decoder else { return fail("there is no model") }
    let frame = bytes(start, count)
    do throws(DecodingError) {
        // Nothing of the picture's size is taken before the decoder has agreed to it.
        let header = try decoder.checkedHeader(of: frame)
        let size = 4 * header.pixelCount
        if state.pixels.count != size { state.pixels = [UInt8](repeating: 0, count: size) }
        let layout = PixelLayout(width: header.width, height: header.height, bytesPerPixel: 4)
        let report = try state.pixels.withMutableBytes { pixels throws(DecodingError) in
            try decoder.decode(frame, into: pixels, layout: layout)
        }
        let place = state.pixels.withUnsafeBytes { UInt32(UInt(bitPattern: $0.baseAddress)) }
        state.numbers = [
            UInt32(header.width), UInt32(header.height), UInt32(report.bytes), UInt32(report.frameLength),
            UInt32(report.channels), report.tailDamaged ? 1 : 0, place,
        ]
        return 0
    } catch {
        return fail(error.description)
    }
}

/// Decodes everything of a frame but its pixels.
///
/// - Returns: 0, with the SHA-256 of the frame's integers in eight numbers, the highest first (specification,
///   "Conformance"); or 1.
@c(deepfgs_web_digest)
public func digest(_ start: UnsafeRawPointer?, _ count: Int32) -> Int32 {
    guard let decoder = state.decoder else { return fail("there is no model") }
    do throws(DecodingError) {
        let digest = try decoder.integerDigest(of: [UInt8](bytes(start, count))).digest
        state.numbers = stride(from: 0, to: digest.count, by: 4).map { place in
            digest[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        return 0
    } catch {
        return fail(error.description)
    }
}

/// Finds the frames in bytes that hold them one after another, whole or cut.
///
/// - Returns: How many, with three numbers for each: where it begins, how many bytes of it are there, and whether its base
///   is whole, so that it gives a picture.
@c(deepfgs_web_scan)
public func scan(_ start: UnsafeRawPointer?, _ count: Int32) -> Int32 {
    let frames = FrameSequence(scanning: bytes(start, count)).frames
    state.numbers = frames.flatMap {
        [UInt32($0.range.lowerBound), UInt32($0.range.count), $0.base == .whole ? 1 : 0]
    }
    return Int32(frames.count)
}

/// Measures the stages of the frames that follow, or stops doing so.
@c(deepfgs_web_measure)
public func measure(_ on: Int32) { state.decoder?.stageTimes = on == 0 ? nil : StageTimes() }

/// Microseconds that the stages took since `deepfgs_web_measure`, in their order, as numbers; returns how many.
@c(deepfgs_web_times)
public func times() -> Int32 {
    let seconds = state.decoder?.stageTimes?.seconds ?? [:]
    state.numbers = Stage.allCases.map { UInt32(1e6 * (seconds[$0] ?? 0)) }
    return Int32(state.numbers.count)
}
