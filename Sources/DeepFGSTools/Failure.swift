import Glibc

/// How a command ended, as the shell sees it; the numbers are those of BSD's `sysexits.h`.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    /// The command line makes no sense.
    case usage = 64
    /// An input is not what it should be: not a picture, not a stream, damaged, too large, of another model.
    case badInput = 65
    /// An input file does not exist or cannot be opened.
    case noInput = 66
    /// No usable model was found.
    case noModel = 69
    /// The compute back end failed.
    case software = 70
    /// The output cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed midway.
    case inputOutput = 74
}

/// Why one file, or the whole command, could not be done.
public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
    public var status: ExitStatus
    /// The file that it is about; nil where it is about none.
    public var file: String?
    /// What is wrong, in words that tell what to do about it where that is not plain.
    public var reason: String

    public init(_ status: ExitStatus, _ file: String? = nil, _ reason: String) {
        self.status = status
        self.file = file
        self.reason = reason
    }

    /// `FILE: reason`, or the reason alone.
    public var description: String { file.map { "\($0): \(reason)" } ?? reason }
}

/// The system's word for the error of the last call.
func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
