/// Finds the frames of a stream that arrives in pieces: where each begins, and where it ends though it may have been cut.
///
/// The rule is that of the specification's clause 1. A frame ends at its declared length; or before that where the next
/// valid header begins, but not before the end of the base; or where the stream ends. A frame whose base is cut or
/// damaged gives no picture: it ends at the next valid header wherever behind its own header that begins. Bytes between
/// frames are skipped up to the next valid header.
///
/// However the stream is divided into pieces, the frames are the same. Every byte is looked at a bounded number of times
/// whatever is in the stream: the search remembers how far it has come, and checksums that are computed in vain are paid
/// for out of a credit that grows with the stream. Where the credit does not suffice, what looks like a header counts as
/// none, and a base counts as one that is not intact; streams of frames never come near that.
public struct FrameScanner: Sendable {
    /// How much of a frame's base is there, without which nothing decodes.
    public enum Base: Hashable, Sendable {
        case whole
        /// The bytes end before it does.
        case cut
        /// It does not match its checksum.
        case damaged
    }

    /// What the bytes at hand begin with.
    public enum Step: Equatable, Sendable {
        /// The first `size` bytes are a frame or a prefix of one.
        case frame(FrameHeader, size: Int, base: Base)
        /// The first `size` bytes belong to no frame; no frame begins with the first of them for this reason.
        case skip(size: Int, reason: BitstreamError)
        /// Nothing is known before there are this many bytes, or the stream has ended.
        case more(need: Int)
    }

    /// What there is at one place of the stream.
    private enum Found {
        case header(FrameHeader)
        /// A header that is valid, but says what this reader does not know or accept.
        case unreadable(BitstreamError)
        /// Right so far; this many bytes are needed to know.
        case incomplete(need: Int)
        case nothing(BitstreamError)
    }

    /// Most bytes that one step skips, so that a caller that waits for a frame stays responsive.
    private static let longestSkip = 1 << 20
    /// Bytes of checksum that each byte of the stream pays for.
    private static let creditPerByte: Int64 = 8
    /// Where the credit stops growing: no sum of what it pays for comes near the ends of it.
    private static let mostCredit: Int64 = 1 << 40

    /// Frames that declare more bytes than this are skipped.
    private let longestFrame: Int
    /// The header at the start of the bytes at hand, once it is known.
    private var header: FrameHeader?
    /// No header begins in the bytes at hand before here, their first byte apart; nil until the base was looked at.
    private var searched: Int?
    /// What is known of the base before the frame's end is; nil where it has yet to be computed.
    private var baseMatches: Bool?
    /// Bytes of checksum that may still be computed in vain.
    private var credit: Int64 = 1 << 22

    /// A scanner at the start of a stream.
    ///
    /// - Parameter longestFrame: Bytes. A frame that declares more is skipped: a limit for readers that must hold a frame
    ///   before they know where it ends. None by default.
    public init(longestFrame: Int = .max) { self.longestFrame = longestFrame }

    /// Forgets the bytes at hand: the next ones are of another place in the stream.
    public mutating func restart() {
        header = nil
        searched = nil
        baseMatches = nil
    }

    /// Whether as few bytes as these can be those of the last call that answered `more`, with others behind them.
    public func continues(with count: Int) -> Bool { searched ?? 0 <= count }

    /// Says what the bytes begin with.
    ///
    /// After `frame` and `skip` the next call must be given the bytes behind those; after `more` it must be given the same
    /// bytes with others behind them. Total on any bytes; all calls for a stream together cost O(its bytes).
    ///
    /// - Parameters:
    ///   - bytes: At least one byte.
    ///   - ended: The stream ends behind them; the answer is then never `more`.
    /// - Returns: The step.
    public mutating func next(_ bytes: UnsafeRawBufferPointer, ended: Bool) -> Step {
        let step = header.map { within($0, bytes, ended: ended) } ?? atStart(of: bytes, ended: ended)
        switch step {
        case .frame, .skip: restart()
        case .more: break
        }
        return step
    }

    /// Expects a frame at the first byte.
    private mutating func atStart(of bytes: UnsafeRawBufferPointer, ended: Bool) -> Step {
        let reason: BitstreamError
        switch look(at: 0, in: bytes) {
        case .header(let found):
            header = found
            return within(found, bytes, ended: ended)
        case .incomplete(let need):
            guard ended else { return .more(need: need) }
            reason = .headerIncomplete(have: bytes.count, need: need)
        case .unreadable(let error), .nothing(let error): reason = error
        }
        // No further than is skipped: what lies behind would be searched again.
        let limit = min(bytes.count, Self.longestSkip)
        let size = magic(in: bytes, from: 1, to: limit, ended: ended) ?? limit
        earn(size)
        return .skip(size: size, reason: reason)
    }

    /// Looks for the end of the frame whose header is at the first byte.
    private mutating func within(_ header: FrameHeader, _ bytes: UnsafeRawBufferPointer, ended: Bool) -> Step {
        guard bytes.count >= header.baseEnd || ended else { return .more(need: header.baseEnd) }
        let length = header.frameLength
        let known = min(length, bytes.count)
        var at = searched ?? searchStart(header, bytes)
        defer { searched = at }
        while let place = magic(in: bytes, from: at, to: known, ended: ended) {
            earn(place - at)
            at = place
            switch look(at: place, in: bytes) {
            case .header, .unreadable: return frame(header, bytes, size: place)
            case .incomplete(let need):
                if !ended { return .more(need: place + need) }
            case .nothing: break
            }
            earn(1)
            at += 1
        }
        earn(known - at)
        at = known
        guard known < length, !ended else { return frame(header, bytes, size: known) }
        // Twice as much each time: linear work, and a frame that was cut does not wait for all that was cut from it.
        return .more(need: min(length, max(header.baseEnd, 2 * bytes.count)))
    }

    private func frame(_ header: FrameHeader, _ bytes: UnsafeRawBufferPointer, size: Int) -> Step {
        // A base that is computed only now is paid for by the bytes that it takes out of the stream.
        let base: Base =
            size < header.baseEnd ? .cut : baseMatches ?? header.hasIntactBase(bytes) ? .whole : .damaged
        return .frame(header, size: size, base: base)
    }

    /// Where a next header may begin: behind an intact base, but anywhere behind the header of a useless frame.
    private mutating func searchStart(_ header: FrameHeader, _ bytes: UnsafeRawBufferPointer) -> Int {
        // Earned after the base was paid for, so that there is always enough left to look at the next header.
        defer { earn(header.length) }
        let length = header.baseEnd - header.length
        guard length <= credit, bytes.count >= header.baseEnd else { return header.length }
        let matches = header.hasIntactBase(bytes)
        baseMatches = matches
        guard matches else {
            credit -= Int64(length)
            return header.length
        }
        // An intact base pays for itself: it is never searched.
        earn(length)
        return header.baseEnd
    }

    /// The header at one place, if there is one and it can be afforded.
    private mutating func look(at place: Int, in bytes: UnsafeRawBufferPointer) -> Found {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
        do throws(BitstreamError) {
            if rest.count >= 8, ByteReader(rest).uint32(at: 0) == FrameHeader.magic {
                // The checksum runs over as many bytes as the header says it has.
                let cost = Int(ByteReader(rest).uint16(at: 6))
                guard cost <= credit else { return .nothing(.headerDamaged) }
                if cost <= rest.count { credit -= Int64(cost) }
            }
            let length = try FrameHeader.validLength(of: rest)
            do throws(BitstreamError) {
                let header = try FrameHeader(fields: rest, length: length)
                guard header.frameLength <= longestFrame else {
                    return .unreadable(.invalidField(name: "chunk_length", value: UInt64(header.frameLength)))
                }
                return .header(header)
            } catch { return .unreadable(error) }
        } catch {
            if case .headerIncomplete(_, let need) = error { return .incomplete(need: need) }
            return .nothing(error)
        }
    }

    /// The first place from `start` on, before `end`, where the magic begins; or where all that is left of the bytes could
    /// be its beginning, unless the stream has ended.
    private func magic(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int, ended: Bool) -> Int? {
        let first = UInt8(truncatingIfNeeded: FrameHeader.magic >> 24)
        var place = start
        while place < end {
            if bytes[place] == first {
                let have = min(4, bytes.count - place)
                if have == 4 {
                    if ByteReader(bytes).uint32(at: place) == FrameHeader.magic { return place }
                } else if !ended, (1..<have).allSatisfy({ bytes[place + $0] == Self.magicByte($0) }) {
                    return place
                }
            }
            place += 1
        }
        return nil
    }

    private static func magicByte(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: FrameHeader.magic >> UInt32(24 - 8 * index))
    }

    private mutating func earn(_ bytes: Int) {
        credit = min(credit + Int64(bytes) * Self.creditPerByte, Self.mostCredit)
    }
}
