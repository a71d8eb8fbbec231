import CDeepFGS
import DeepFGS

/// Finds the frames in a byte stream.
final class Parser: Handle {}

@c @implementation
public func deepfgs_parser_new() -> OpaquePointer { Parser().handle() }

@c @implementation
public func deepfgs_parser_free(_ parser: OpaquePointer) { Parser.release(parser) }

@c @implementation
public func deepfgs_type_match(
    _ bytes: UnsafePointer<UInt8>, _ size: Int, _ need: UnsafeMutablePointer<Int>
) -> DeepFGSTypeMatch {
    need.pointee = 0
    do {
        _ = try FrameHeader(parsing: UnsafeRawBufferPointer(start: bytes, count: size))
        return DEEPFGS_TYPE_CERTAIN
    } catch {
        switch error {
        case .notAFrame: return DEEPFGS_TYPE_NO
        case .headerIncomplete(let have, let wanted):
            guard have >= 5 else { return DEEPFGS_TYPE_NO }
            need.pointee = wanted
            return DEEPFGS_TYPE_LIKELY
        default: return DEEPFGS_TYPE_LIKELY
        }
    }
}
