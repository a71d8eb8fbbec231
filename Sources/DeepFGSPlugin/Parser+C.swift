import CDeepFGS
import DeepFGSBitstream

@c @implementation
public func deepfgs_parser_new() -> OpaquePointer { Parser().handle() }

@c @implementation
public func deepfgs_parser_free(_ parser: OpaquePointer) { Parser.release(parser) }

@c @implementation
public func deepfgs_parser_set_interval(_ parser: OpaquePointer, _ interval: UInt64) {
    Parser.borrow(parser).setInterval(interval)
}

@c @implementation
public func deepfgs_parser_next(
    _ parser: OpaquePointer, _ bytes: UnsafePointer<UInt8>, _ size: Int, _ offset: UInt64, _ ended: Bool,
    _ follows: Bool, _ step: UnsafeMutablePointer<DeepFGSParseStep>, _ error: UnsafeMutablePointer<DeepFGSError>
) {
    var result = DeepFGSParseStep()
    let buffer = UnsafeRawBufferPointer(start: bytes, count: size)
    switch Parser.borrow(parser).next(buffer, offset: offset, ended: ended, follows: follows) {
    case .frame(let header, let size, let time, let damaged):
        result.action = DEEPFGS_PARSE_FRAME
        result.size = size
        result.damaged = damaged
        result.width = UInt32(header.width)
        result.height = UInt32(header.height)
        result.pixel_width = UInt32(header.extensions.pixelAspectRatio?.width ?? 0)
        result.pixel_height = UInt32(header.extensions.pixelAspectRatio?.height ?? 0)
        withUnsafeMutableBytes(of: &result.model) { copyString(header.model.description, to: $0) }
        result.time = time ?? UInt64.max
        result.duration = header.extensions.duration.flatMap { $0 > 0 ? UInt64($0) : nil } ?? UInt64.max
    case .skip(let size):
        result.action = DEEPFGS_PARSE_SKIP
        result.size = size
    case .more(let size):
        result.action = DEEPFGS_PARSE_MORE
        result.size = size
    case .refuse(let reason):
        result.action = DEEPFGS_PARSE_REFUSE
        _ = Failure(status: DEEPFGS_ERROR_FORMAT, message: "Cannot read this stream: \(reason)").fill(error)
    }
    step.pointee = result
}

@c @implementation
public func deepfgs_parser_take_skipped(
    _ parser: OpaquePointer, _ message: UnsafeMutablePointer<CChar>, _ length: Int
) -> UInt64 {
    let parser = Parser.borrow(parser)
    let (count, reason) = parser.takeSkipped()
    guard count > 0 else { return 0 }
    let what = parser.frames > 0 ? "Skipped \(count) bytes between frames" : "No frame in \(count) bytes"
    let why = reason.map { ": \($0)" } ?? ""
    copyString(what + why, to: UnsafeMutableRawBufferPointer(start: message, count: length))
    return count
}

@c @implementation
public func deepfgs_duration_scan_new(_ length: UInt64, _ interval: UInt64) -> OpaquePointer {
    DurationScanHandle(length: length, interval: interval).handle()
}

@c @implementation
public func deepfgs_duration_scan_free(_ scan: OpaquePointer) { DurationScanHandle.release(scan) }

@c @implementation
public func deepfgs_duration_scan_next(
    _ scan: OpaquePointer, _ bytes: UnsafePointer<UInt8>, _ size: Int, _ read: UnsafeMutablePointer<DeepFGSRead>
) -> UInt64 {
    switch DurationScanHandle.borrow(scan).next(UnsafeRawBufferPointer(start: bytes, count: size)) {
    case .read(let offset, let size):
        read.pointee = DeepFGSRead(offset: offset, size: size)
        return 0
    case .done(let duration):
        read.pointee = DeepFGSRead()
        return duration ?? UInt64.max
    }
}

@c @implementation
public func deepfgs_type_match(
    _ bytes: UnsafePointer<UInt8>, _ size: Int, _ need: UnsafeMutablePointer<Int>
) -> DeepFGSTypeMatch {
    need.pointee = 0
    do throws(BitstreamError) {
        _ = try FrameHeader(parsing: UnsafeRawBufferPointer(start: bytes, count: size))
        return DEEPFGS_TYPE_CERTAIN
    } catch {
        switch error {
        case .notAFrame: return DEEPFGS_TYPE_NO
        case .headerIncomplete(let have, let wanted):
            guard have >= 4 else { return DEEPFGS_TYPE_NO }
            need.pointee = wanted
            return DEEPFGS_TYPE_LIKELY
        default: return DEEPFGS_TYPE_LIKELY
        }
    }
}
