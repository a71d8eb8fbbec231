import CDeepFGS
import DeepFGS
import Glibc

/// Finds the frames in a byte stream: where each begins, and where it ends though it may have been cut.
///
/// Files hold frames one after another, and each may be a prefix of what its header declares. A frame ends at its
/// declared length, or where another valid header begins behind its base but before that, or where the stream ends. A
/// frame whose base is not intact is of no use: it ends at the next valid header. Bytes between frames are skipped up
/// to the next magic.
///
/// Every byte is looked at a bounded number of times, however the stream is divided and whatever is in it: the search
/// remembers how far it got, and checksums that were computed in vain are paid for out of `credit`.
final class Parser: Handle {
    /// Frames that say they are longer than this are not believed: no picture that decodes needs as much.
    static let longestFrame = 1 << 28
    /// Longest run that is skipped in one step, so that the caller stays responsive.
    private static let longestSkip = 1 << 20
    /// Bytes of checksum that each byte of the stream pays for.
    private static let creditPerByte = 4

    /// Where in the stream the bytes in hand begin.
    private var offset: UInt64 = 0
    /// The header at the start of the bytes in hand, once it is known.
    private var header: FrameHeader?
    /// No header begins in the bytes in hand before here, their first byte apart; nil until the base is known.
    private var searched: Int?
    /// The base is known not to be intact.
    private var damaged = false
    /// Bytes of checksum that may still be computed in vain; grows with the stream.
    private var credit = 1 << 17
    /// Frames found so far.
    private(set) var frames = 0
    private var timeline = ParserTimeline()
    /// Bytes skipped and not yet reported, and why the first of them were.
    private var skipped: UInt64 = 0
    private var reason: BitstreamError?

    /// What there is at one place of the stream.
    private enum Found {
        case header(FrameHeader)
        /// Right so far; this many bytes are needed to know.
        case incomplete(need: Int)
        case nothing(BitstreamError)
    }

    enum Step {
        /// `damaged`: its base is cut, or known not to match its checksum.
        case frame(FrameHeader, size: Int, time: UInt64?, damaged: Bool)
        case skip(Int)
        case more(Int)
        case refuse(BitstreamError)
    }

    /// One step; `deepfgs_parser_next` says what its arguments mean.
    func next(_ bytes: UnsafeRawBufferPointer, offset: UInt64, ended: Bool, follows: Bool = false) -> Step {
        if offset != self.offset || searched ?? 0 > bytes.count {
            // The stream was left for another place in it: a seek.
            self.offset = offset
            advance(by: 0)
            timeline.interrupt()
        }
        let step = header.map { within($0, bytes, ended: ended) } ?? atStart(of: bytes, ended: ended)
        switch step {
        case .frame(_, let size, _, _):
            frames += 1
            advance(by: size)
        case .skip where follows: return .more(1)
        case .skip(let size):
            skipped &+= UInt64(size)
            earn(size)
            advance(by: size)
        case .more, .refuse: break
        }
        return step
    }

    /// How long a frame lasts that does not say, in nanoseconds.
    func setInterval(_ interval: UInt64) { timeline.interval = min(interval, 1 << 50) }

    /// Bytes skipped since the last call, and why.
    func takeSkipped() -> (count: UInt64, reason: BitstreamError?) {
        defer { (skipped, reason) = (0, nil) }
        return (skipped, reason)
    }

    /// Expects a frame at the first byte.
    private func atStart(of bytes: UnsafeRawBufferPointer, ended: Bool) -> Step {
        switch look(at: 0, in: bytes) {
        case .header(let found):
            header = found
            earn(found.length)
            return within(found, bytes, ended: ended)
        case .incomplete(let need):
            guard ended else { return .more(need) }
            reason = reason ?? .headerIncomplete(have: bytes.count, need: need)
        case .nothing(let error):
            switch error {
            case .unsupportedVersion, .invalidField:
                // A stream that begins like this is no stream with errors: every frame of it will be the same.
                if frames == 0, offset == 0 { return .refuse(error) }
            default: break
            }
            reason = reason ?? error
        }
        let next = magic(in: bytes, from: 1, to: bytes.count, ended: ended) ?? bytes.count
        return .skip(min(next, Self.longestSkip))
    }

    /// Looks for the end of the frame whose header is at the first byte.
    private func within(_ header: FrameHeader, _ bytes: UnsafeRawBufferPointer, ended: Bool) -> Step {
        guard bytes.count >= header.baseEnd || ended else { return .more(header.baseEnd) }
        let length = header.frameLength
        let known = min(length, bytes.count)
        var at = searched ?? searchStart(header, bytes)
        defer { searched = at }
        while let place = magic(in: bytes, from: at, to: known, ended: ended) {
            earn(place - at)
            at = place
            switch look(at: place, in: bytes) {
            case .header: return frame(header, size: place)
            case .incomplete(let need):
                if !ended { return .more(place + need) }
            case .nothing: break
            }
            at += 1
        }
        earn(known - at)
        at = known
        guard known < length, !ended else { return frame(header, size: known) }
        // Twice as much each time: linear work, and a frame that was cut does not wait for all that was cut from it.
        return .more(min(length, max(header.baseEnd, 2 * bytes.count)))
    }

    private func frame(_ header: FrameHeader, size: Int) -> Step {
        .frame(
            header, size: size, time: timeline.time(of: header.extensions), damaged: damaged || size < header.baseEnd)
    }

    /// Where a next header may begin: behind an intact base, but anywhere behind the header of a useless frame.
    private func searchStart(_ header: FrameHeader, _ bytes: UnsafeRawBufferPointer) -> Int {
        // An intact base is paid for by the bytes that it takes out of the stream.
        guard credit > 0, bytes.count >= header.baseEnd else { return header.length }
        if header.hasIntactBase(bytes) {
            earn(header.baseEnd - header.length)
            return header.baseEnd
        }
        damaged = true
        credit -= header.baseEnd - header.length
        return header.length
    }

    /// The header at one place, if there is one and it can be afforded.
    private func look(at place: Int, in bytes: UnsafeRawBufferPointer) -> Found {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
        if rest.count >= 8 {
            // The checksum runs over as many bytes as the header says it has.
            let cost = Int(rest[6]) << 8 | Int(rest[7])
            guard cost <= credit else { return .nothing(.headerDamaged) }
            if cost <= rest.count { credit -= cost }
        }
        do throws(BitstreamError) {
            let header = try FrameHeader(parsing: rest)
            guard header.frameLength <= Self.longestFrame else {
                return .nothing(.invalidField(name: "chunk_length", value: UInt64(header.frameLength)))
            }
            return .header(header)
        } catch {
            if case .headerIncomplete(_, let need) = error { return .incomplete(need: need) }
            return .nothing(error)
        }
    }

    /// The first place from `start` on, before `end`, where the magic begins; or where all that is left of the bytes
    /// could be its beginning, unless the stream has ended.
    private func magic(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int, ended: Bool) -> Int? {
        var place = start
        while place < end {
            guard let start = bytes.baseAddress,
                let first = memchr(start + place, Int32(Self.magic[0]), end - place)
            else { return nil }
            place = UnsafeRawPointer(first) - start
            let have = min(4, bytes.count - place)
            let matches = (1..<have).allSatisfy { bytes[place + $0] == Self.magic[$0] }
            if matches, have == 4 || !ended { return place }
            place += 1
        }
        return nil
    }

    private static let magic = Array("DFGS".utf8)

    private func advance(by size: Int) {
        offset &+= UInt64(size)
        header = nil
        searched = nil
        damaged = false
    }

    private func earn(_ bytes: Int) { credit = min(credit + bytes * Self.creditPerByte, 1 << 40) }
}
