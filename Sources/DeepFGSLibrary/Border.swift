import CDeepFGSLibrary
import DeepFGS

/// A class whose instances C holds as an opaque pointer: `_open` hands out a retained reference, `_close` takes it back.
protocol Handle: AnyObject {}

extension Handle {
    /// A retained pointer for C; `close` ends it.
    func handle() -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

    /// The object behind a pointer that `handle` made and `close` has not ended.
    ///
    /// - Throws: `LibraryFailure` with `DFGS_ERROR_ARGUMENT` where the pointer is NULL.
    static func borrow(_ pointer: OpaquePointer?) throws(LibraryFailure) -> Self {
        let pointer = try required(pointer, "handle")
        return Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    /// Ends C's hold; NULL is no handle.
    static func close(_ pointer: OpaquePointer?) {
        guard let pointer else { return }
        Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).release()
    }
}

/// A failure on its way to C: the code, and a sentence.
struct LibraryFailure: Error {
    var status: dfgs_status
    var message: String

    init(_ status: dfgs_status, _ message: String) {
        self.status = status
        self.message = message
    }
}

/// Runs what may fail, and reports how it went as C wants it.
func reporting(to error: UnsafeMutablePointer<dfgs_error>?, _ body: () throws(LibraryFailure) -> Void) -> dfgs_status {
    do throws(LibraryFailure) {
        try body()
        return DFGS_OK
    } catch let failure {
        if let error {
            error.pointee.status = failure.status
            withUnsafeMutableBytes(of: &error.pointee.message) { copyText(failure.message, to: $0) }
        }
        return failure.status
    }
}

/// What C must give, and may have forgotten.
///
/// - Throws: `LibraryFailure` with `DFGS_ERROR_ARGUMENT` where it is NULL; `name` is the header's name for it.
func required<Value>(_ value: Value?, _ name: String) throws(LibraryFailure) -> Value {
    guard let value else { throw LibraryFailure(DFGS_ERROR_ARGUMENT, "\(name) is NULL") }
    return value
}

/// Bytes of C's; NULL is none where the size is 0.
///
/// - Throws: `LibraryFailure` with `DFGS_ERROR_ARGUMENT` where the pointer is NULL or the size is none that memory can have.
func bytes(_ pointer: UnsafePointer<UInt8>?, _ size: Int) throws(LibraryFailure) -> UnsafeRawBufferPointer {
    guard size >= 0 else { throw LibraryFailure(DFGS_ERROR_ARGUMENT, "a size over that of the address space") }
    guard size > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(start: try required(pointer, "bytes"), count: size)
}

/// Copies `text` as UTF-8 with a final zero, shortened at a character's boundary to what fits.
func copyText(_ text: String, to buffer: UnsafeMutableRawBufferPointer) {
    var end = 0
    for character in text {
        guard end + character.utf8.count < buffer.count else { break }
        for byte in character.utf8 {
            buffer[end] = byte
            end += 1
        }
    }
    buffer[end] = 0
}

extension LibraryFailure {
    init(_ error: BitstreamError) {
        let status: dfgs_status =
            switch error {
            case .notAFrame: DFGS_ERROR_NOT_A_FRAME
            case .headerIncomplete, .baseIncomplete: DFGS_ERROR_CUT
            case .headerDamaged, .baseDamaged: DFGS_ERROR_DAMAGED
            case .unsupportedVersion, .invalidField: DFGS_ERROR_UNSUPPORTED
            case .otherModel: DFGS_ERROR_OTHER_MODEL
            case .tooManyPixels: DFGS_ERROR_TOO_LARGE
            }
        self.init(status, error.description)
    }

    init(_ error: CodecError) {
        let status: dfgs_status =
            switch error {
            case .unsupportedSize, .frameTooLarge: DFGS_ERROR_TOO_LARGE
            case .bufferTooSmall: DFGS_ERROR_BUFFER
            case .backend, .bfloat16Unsupported, .unsupportedInstructions: DFGS_ERROR_COMPUTE
            }
        self.init(status, error.description)
    }

    init(_ error: DecodingError) {
        switch error {
        case .bitstream(let error): self.init(error)
        case .codec(let error): self.init(error)
        }
    }

    init(_ error: ModelError) {
        switch error {
        case .unreadable, .noSuchName, .noSuchModel: self.init(DFGS_ERROR_NO_MODEL, error.description)
        case .malformed, .tensor, .unusable: self.init(DFGS_ERROR_BAD_MODEL, error.description)
        }
    }
}
