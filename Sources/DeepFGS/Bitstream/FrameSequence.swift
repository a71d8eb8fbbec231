/// Where the frames lie in a file or any other run of bytes that holds frames one after another, whole or cut.
///
/// A frame ends at the length that its header declares, or before that where the next whole and undamaged header begins
/// (so frames that were cut may stand in one file), or where the bytes end. Bytes that belong to no frame are skipped.
/// A frame whose base is cut or damaged, of no use to a decoder, ends at the next header wherever that begins.
public struct FrameSequence: Equatable, Sendable {
    /// One frame, or a prefix of one.
    public struct Entry: Hashable, Sendable {
        /// What the frame's header says.
        public var header: FrameHeader
        /// The bytes of the frame that are there; as many as the header declares, or fewer.
        public var range: Range<Int>
        /// How much of the base is there, without which nothing decodes.
        public var base: Base
        /// Whether bytes are missing at the end.
        public var isCut: Bool { range.count < header.frameLength }
    }

    /// The state of a frame's base.
    public enum Base: Hashable, Sendable {
        case whole
        /// The bytes end before it does.
        case cut
        /// It does not match its checksum.
        case damaged
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
    /// Total on any bytes; costs O(bytes), and at most 64 KiB of checksumming for each occurrence of the magic.
    public init(scanning bytes: UnsafeRawBufferPointer) {
        var at = 0
        while at < bytes.count {
            do throws(BitstreamError) {
                let header = try FrameHeader(parsing: UnsafeRawBufferPointer(rebasing: bytes[at...]))
                let declared = at..<min(bytes.count, at + header.frameLength)
                // An intact base is never searched: what looks like a header in it is part of it.
                let intact = Self.base(of: header, in: bytes[declared]) == .whole
                let end = Self.nextHeader(
                    in: bytes, from: at + (intact ? header.baseEnd : header.length), before: declared.upperBound)
                frames.append(Entry(header: header, range: at..<end, base: Self.base(of: header, in: bytes[at..<end])))
                at = end
            } catch {
                let end = Self.nextHeader(in: bytes, from: at + 1, before: bytes.count)
                gaps.append(Gap(range: at..<end, reason: error))
                at = end
            }
        }
    }

    /// Finds the frames in `bytes`.
    public init(scanning bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { FrameSequence(scanning: $0) }
    }

    private static func base(of header: FrameHeader, in frame: Slice<UnsafeRawBufferPointer>) -> Base {
        guard frame.count >= header.baseEnd else { return .cut }
        let base = frame.dropFirst(header.length).prefix(header.baseEnd - header.length)
        return crc32c(UnsafeRawBufferPointer(rebasing: base)) == header.baseChecksum ? .whole : .damaged
    }

    /// Where the first whole and undamaged header that starts in `start..<limit` begins; `limit` where there is none.
    private static func nextHeader(in bytes: UnsafeRawBufferPointer, from start: Int, before limit: Int) -> Int {
        var at = start
        while at < limit {
            guard let found = bytes[at..<limit].firstIndex(of: UInt8(FrameHeader.magic >> 24)) else { return limit }
            if (try? FrameHeader(parsing: UnsafeRawBufferPointer(rebasing: bytes[found...]))) != nil { return found }
            at = found + 1
        }
        return limit
    }
}
