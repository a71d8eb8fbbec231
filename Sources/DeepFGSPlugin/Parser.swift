import CDeepFGS
import DeepFGSBitstream

/// Finds the frames in a byte stream for `deepfgsparse`, and says when each is to be shown.
final class Parser: Handle {
    /// Longest frame that is believed, 256 MiB: the element holds a frame in memory before it knows where it ends.
    private static let longestFrame = 1 << 28

    private var scanner = FrameScanner(longestFrame: longestFrame)
    /// Where in the stream the bytes in hand begin.
    private var offset: UInt64 = 0
    /// Frames found so far.
    private(set) var frames = 0
    private var timeline = ParserTimeline()
    /// Bytes skipped and not yet reported, and why the first of them were.
    private var skipped: UInt64 = 0
    private var reason: BitstreamError?

    enum Step {
        /// `damaged`: its base is cut, or does not match its checksum.
        case frame(FrameHeader, size: Int, time: UInt64?, damaged: Bool)
        case skip(Int)
        case more(Int)
        case refuse(BitstreamError)
    }

    /// One step; `deepfgs_parser_next` says what its arguments mean.
    func next(_ bytes: UnsafeRawBufferPointer, offset: UInt64, ended: Bool, follows: Bool = false) -> Step {
        if offset != self.offset || !scanner.continues(with: bytes.count) {
            // The stream was left for another place in it: a seek.
            self.offset = offset
            scanner.restart()
            timeline.interrupt()
        }
        // What is skipped is looked at once more where it must wait for the frame before it.
        let before = scanner
        switch scanner.next(bytes, ended: ended) {
        case .frame(let header, let size, let base):
            frames += 1
            self.offset &+= UInt64(size)
            return .frame(header, size: size, time: timeline.time(of: header.extensions), damaged: base != .whole)
        case .skip(_, .unsupportedVersion(let version)) where isAtStart:
            return .refuse(.unsupportedVersion(version))
        case .skip(_, .invalidField(let name, let value)) where isAtStart:
            return .refuse(.invalidField(name: name, value: value))
        case .skip(let size, let why):
            if follows {
                scanner = before
                return .more(1)
            }
            skipped &+= UInt64(size)
            reason = reason ?? why
            self.offset &+= UInt64(size)
            return .skip(size)
        case .more(let need): return .more(need)
        }
    }

    /// A stream that begins like this is no stream with errors: every frame of it will be the same.
    private var isAtStart: Bool { frames == 0 && offset == 0 }

    /// How long a frame lasts that does not say, in nanoseconds.
    func setInterval(_ interval: UInt64) { timeline.interval = min(interval, 1 << 50) }

    /// Bytes skipped since the last call, and why.
    func takeSkipped() -> (count: UInt64, reason: BitstreamError?) {
        defer { (skipped, reason) = (0, nil) }
        return (skipped, reason)
    }
}
