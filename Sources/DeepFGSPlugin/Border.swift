import CDeepFGS

/// A class whose instances the C side holds as an opaque pointer of its own type.
///
/// `_new` hands out a retained reference, `_free` takes it back, everything between borrows it:
///
///     @c @implementation public func deepfgs_thing_new() -> OpaquePointer { Thing().handle() }
///     @c @implementation public func deepfgs_thing_free(_ thing: OpaquePointer) { Thing.release(thing) }
///     @c @implementation public func deepfgs_thing_act(_ thing: OpaquePointer) { Thing.borrow(thing).act() }
protocol Handle: AnyObject {}

extension Handle {
    /// A retained pointer for the C side; `release` ends it.
    func handle() -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

    /// The object behind a pointer that `handle` made and `release` has not ended.
    static func borrow(_ pointer: OpaquePointer) -> Self {
        Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    /// Ends the C side's hold.
    static func release(_ pointer: OpaquePointer) {
        Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).release()
    }
}

/// A failure on its way to the C side.
struct Failure: Error {
    var status: DeepFGSStatus
    var message: String

    /// Copies code and words into the caller's struct; the words are shortened at a character's boundary to fit.
    func fill(_ error: UnsafeMutablePointer<DeepFGSError>?) -> DeepFGSStatus {
        guard let error else { return status }
        error.pointee.status = status
        withUnsafeMutableBytes(of: &error.pointee.message) { copyString(message, to: $0) }
        return status
    }
}

/// Runs what may fail, and reports how it went as the C side wants it.
func reporting(
    to error: UnsafeMutablePointer<DeepFGSError>?, _ body: () throws(Failure) -> Void
) -> DeepFGSStatus {
    do throws(Failure) {
        try body()
        return DEEPFGS_OK
    } catch let failure {
        return failure.fill(error)
    }
}

/// Copies `text` as UTF-8 with a final zero, shortened at a character's boundary to what fits.
func copyString(_ text: String, to buffer: UnsafeMutableRawBufferPointer) {
    guard !buffer.isEmpty else { return }
    var end = 0
    for character in text {
        let bytes = character.utf8
        guard end + bytes.count < buffer.count else { break }
        for byte in bytes {
            buffer[end] = byte
            end += 1
        }
    }
    buffer[end] = 0
}
