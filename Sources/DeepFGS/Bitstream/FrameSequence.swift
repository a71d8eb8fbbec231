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
    /// Total on any bytes; costs O(bytes): what looks like a header or base and is none is looked at only as far as the
    /// bytes around it have paid for, and counts as none beyond that.
    public init(scanning bytes: UnsafeRawBufferPointer) {
        var scan = Scan(bytes: bytes)
        var at = 0
        while at < bytes.count {
            do throws(BitstreamError) {
                let header = try scan.header(at: at)
                let declared = min(bytes.count, at + header.frameLength)
                // An intact base is never searched: what looks like a header in it is part of it.
                let intact = scan.baseIsIntact(header, at: at)
                let end = scan.nextHeader(from: at + (intact ? header.baseEnd : header.length), before: declared)
                let base: Base =
                    end - at < header.baseEnd ? .cut : intact || scan.baseIsWhole(header, at: at) ? .whole : .damaged
                frames.append(Entry(header: header, range: at..<end, base: base))
                at = end
            } catch {
                let end = scan.nextHeader(from: at + 1, before: bytes.count)
                gaps.append(Gap(range: at..<end, reason: error))
                at = end
            }
        }
    }

    /// Finds the frames in `bytes`.
    public init(scanning bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { FrameSequence(scanning: $0) }
    }
}

/// One pass over the bytes, with an account of the checksums that may still be computed.
private struct Scan {
    let bytes: UnsafeRawBufferPointer
    /// Bytes of checksum in hand, beyond what a stream of sound frames needs.
    private var credit = 1 << 20
    /// How far the pass has come: every byte of it earns once.
    private var reached = 0

    /// Bytes of checksum that each byte of the stream pays for.
    private static let creditPerByte = 8

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func pay(_ cost: Int, at place: Int) -> Bool {
        if place > reached {
            credit += (place - reached) * Self.creditPerByte
            reached = place
        }
        guard cost <= credit else { return false }
        credit -= cost
        return true
    }

    /// The header at one place, if there is one and it can be afforded.
    mutating func header(at place: Int) throws(BitstreamError) -> FrameHeader {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
        if rest.count >= 8 {
            // The checksum runs over as many bytes as the header says it has.
            let cost = Int(rest[6]) << 8 | Int(rest[7])
            guard cost > rest.count || pay(cost, at: place) else { throw .headerDamaged }
        }
        return try FrameHeader(parsing: rest)
    }

    /// Whether the base after a header is there and right, if that can be afforded before it is known where the frame ends.
    mutating func baseIsIntact(_ header: FrameHeader, at place: Int) -> Bool {
        bytes.count - place >= header.baseEnd && pay(header.baseEnd - header.length, at: place)
            && baseIsWhole(header, at: place)
    }

    /// Whether the base after a header matches its checksum; it must be there.
    func baseIsWhole(_ header: FrameHeader, at place: Int) -> Bool {
        let base = bytes[(place + header.length)..<(place + header.baseEnd)]
        return crc32c(UnsafeRawBufferPointer(rebasing: base)) == header.baseChecksum
    }

    /// Where the first whole and undamaged header that starts in `start..<limit` begins; `limit` where there is none.
    mutating func nextHeader(from start: Int, before limit: Int) -> Int {
        var at = start
        while at < limit {
            guard let found = bytes[at..<limit].firstIndex(of: UInt8(FrameHeader.magic >> 24)) else { return limit }
            if (try? header(at: found)) != nil { return found }
            at = found + 1
        }
        return limit
    }
}
