/// Where the frames lie in a file or any other run of bytes that holds frames one after another, whole or cut.
///
/// `FrameScanner` says by which rule.
public struct FrameSequence: Equatable, Sendable {
    /// One frame, or a prefix of one.
    public struct Entry: Hashable, Sendable {
        /// What the frame's header says.
        public var header: FrameHeader
        /// The bytes of the frame that are there; as many as the header declares, or fewer.
        public var range: Range<Int>
        /// How much of the base is there, without which nothing decodes.
        public var base: FrameScanner.Base
        /// Whether bytes are missing at the end.
        public var isCut: Bool { range.count < header.frameLength }
    }

    /// Bytes outside of all frames.
    public struct Gap: Equatable, Sendable {
        public var range: Range<Int>
        /// Why no frame begins with the first of them.
        public var reason: BitstreamError
    }

    /// The frames, in order.
    public private(set) var frames: [Entry] = []
    /// What lies between them, before or after; in order, no two of them adjacent.
    public private(set) var gaps: [Gap] = []

    /// Finds the frames in `bytes`.
    ///
    /// Total on any bytes; costs O(bytes).
    ///
    /// - Parameters:
    ///   - bytes: The whole stream.
    ///   - longestFrame: Frames that declare more bytes are skipped; none by default.
    public init(scanning bytes: UnsafeRawBufferPointer, longestFrame: Int = .max) {
        var scanner = FrameScanner(longestFrame: longestFrame)
        var at = 0
        while at < bytes.count {
            switch scanner.next(UnsafeRawBufferPointer(rebasing: bytes[at...]), ended: true) {
            case .frame(let header, let size, let base):
                append(Entry(header: header, range: at..<(at + size), base: base))
                at += size
            case .skip(let size, let reason):
                append(gap: at..<(at + size), reason)
                at += size
            case .more: preconditionFailure("asks for more where the stream has ended")
            }
        }
    }

    /// Finds the frames in `bytes`.
    public init(scanning bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { FrameSequence(scanning: $0) }
    }

    mutating func append(_ entry: Entry) { frames.append(entry) }

    /// Adds bytes that belong to no frame, to the gap before them where there is one.
    mutating func append(gap range: Range<Int>, _ reason: BitstreamError) {
        if let last = gaps.last, last.range.upperBound == range.lowerBound {
            gaps[gaps.count - 1].range = last.range.lowerBound..<range.upperBound
        } else {
            gaps.append(Gap(range: range, reason: reason))
        }
    }
}
