import DeepFGSBitstream

/// Finds out how long a file of frames lasts by reading headers alone, from one to the next.
///
/// Values in, values out: the caller reads what it is asked for. Total on any bytes. Exact, the rules being those of the
/// parser, for files of up to `mostFrames` frames which, where frames were cut, have up to `mostSearched` bytes; beyond that
/// the last frame's time tells, or what has been found so far is taken to go on.
struct DurationScan {
    enum Step: Equatable {
        /// Read so many bytes there, or as many as there are.
        case read(offset: UInt64, size: Int)
        /// Nanoseconds; nil where there is no frame.
        case done(UInt64?)
    }

    /// Headers that are read, and bytes in which the next header is searched for, at most.
    static let mostFrames = 50_000
    static let mostSearched: UInt64 = 1 << 26
    /// Bytes that are read for a header, in a search, and of the file's end.
    private static let headerRead = 256
    private static let searchRead = 1 << 16
    private static let endRead = 1 << 20

    private enum State {
        case header
        /// A header that began behind `base` may have cut the frame short.
        case searching(base: UInt64)
        case end
    }

    private let length: UInt64
    private let interval: UInt64
    private var state = State.header
    private var offset: UInt64 = 0
    private var timeline = ParserTimeline()
    /// When the frames so far end, and how many they are.
    private var covered: UInt64 = 0
    private var frames = 0
    private var searched: UInt64 = 0
    /// Where the search of a frame's end goes back to if there is no header where it should be.
    private var previousBase: UInt64?
    private var firstTime: UInt64?

    /// A scan of a file.
    ///
    /// - Parameters:
    ///   - length: Bytes of the file.
    ///   - interval: Nanoseconds that a frame lasts that does not say, at least 1.
    init(length: UInt64, interval: UInt64) {
        self.length = length
        self.interval = max(1, interval)
        timeline.interval = self.interval
    }

    /// What to read first.
    mutating func start() -> Step { length == 0 ? .done(nil) : .read(offset: 0, size: Self.headerRead) }

    /// Takes the bytes that were asked for.
    mutating func next(_ bytes: UnsafeRawBufferPointer) -> Step {
        switch state {
        case .header: atHeader(bytes)
        case .searching(let base): search(bytes, base: base)
        case .end: atEnd(bytes)
        }
    }

    private mutating func atHeader(_ bytes: UnsafeRawBufferPointer) -> Step {
        let header: FrameHeader
        do throws(BitstreamError) { header = try FrameHeader(parsing: bytes) } catch {
            if case .headerIncomplete(_, let need) = error, bytes.count < need, UInt64(need) <= length - offset,
                bytes.count >= Self.headerRead, need <= 1 << 16
            {
                return .read(offset: offset, size: need)
            }
            // The frame before was cut, or this is none: whatever is next begins further on.
            return beginSearch(from: previousBase ?? offset + 1)
        }
        count(header)
        previousBase = offset + UInt64(header.baseEnd)
        let next = offset + UInt64(header.frameLength)
        guard next < length else { return tail(of: header) }
        guard frames < Self.mostFrames else { return readEnd() }
        offset = next
        return .read(offset: offset, size: Self.headerRead)
    }

    /// The file's last frame, unless it was cut and others follow: its declared length reaches to the file's end or beyond.
    private mutating func tail(of header: FrameHeader) -> Step {
        let end = offset + UInt64(header.frameLength)
        let base = offset + UInt64(header.baseEnd)
        guard end > length, base < length else { return .done(covered) }
        return beginSearch(from: base)
    }

    private mutating func beginSearch(from place: UInt64) -> Step {
        guard place < length else { return done }
        state = .searching(base: place)
        offset = place
        return .read(offset: place, size: Self.searchRead)
    }

    private mutating func search(_ bytes: UnsafeRawBufferPointer, base: UInt64) -> Step {
        guard !bytes.isEmpty else { return done }
        var at = 0
        while at + 4 <= bytes.count {
            if bytes[at] == 0x44, bytes[at + 1] == 0x46, bytes[at + 2] == 0x47, bytes[at + 3] == 0x53,
                (try? FrameHeader(parsing: UnsafeRawBufferPointer(rebasing: bytes[at...]))) != nil
                    || bytes.count - at < Self.headerRead && at > 0
            {
                // A header, or the beginning of one that the next read will show.
                offset += UInt64(at)
                searched += UInt64(at)
                previousBase = offset + 1
                state = .header
                return .read(offset: offset, size: Self.headerRead)
            }
            at += 1
        }
        searched += UInt64(bytes.count)
        guard searched < Self.mostSearched else { return readEnd() }
        let step = UInt64(max(1, bytes.count - 3))
        guard offset + UInt64(bytes.count) < length else { return done }
        offset += step
        return .read(offset: offset, size: Self.searchRead)
    }

    private mutating func count(_ header: FrameHeader) {
        frames += 1
        let time = timeline.time(of: header.extensions) ?? covered
        if firstTime == nil { firstTime = header.extensions.presentationTime }
        let lasts = header.extensions.duration.map(UInt64.init) ?? interval
        covered = time.addingReportingOverflow(max(1, lasts)).partialValue
    }

    private var done: Step { .done(frames > 0 ? covered : nil) }

    /// Too much to go through: the last header near the end tells.
    private mutating func readEnd() -> Step {
        state = .end
        let size = min(UInt64(Self.endRead), length)
        return .read(offset: length - size, size: Int(size))
    }

    private func atEnd(_ bytes: UnsafeRawBufferPointer) -> Step {
        var at = bytes.count - 4
        while at >= 0 {
            if bytes[at] == 0x44, bytes[at + 1] == 0x46,
                let header = try? FrameHeader(parsing: UnsafeRawBufferPointer(rebasing: bytes[at...]))
            {
                if let firstTime, let time = header.extensions.presentationTime, time > firstTime {
                    let lasts = header.extensions.duration.map(UInt64.init) ?? interval
                    return .done((time - firstTime).addingReportingOverflow(lasts).partialValue)
                }
                break
            }
            at -= 1
        }
        // As many bytes more as there are, at the rate so far.
        let share = Double(length) / Double(max(1, offset))
        let whole = Double(covered) * share
        return .done(whole < 1e18 ? UInt64(whole) : nil)
    }
}

/// What C holds of a `DurationScan`.
final class DurationScanHandle: Handle {
    var scan: DurationScan
    var hasBegun = false

    init(length: UInt64, interval: UInt64) { scan = DurationScan(length: length, interval: interval) }

    func next(_ bytes: UnsafeRawBufferPointer) -> DurationScan.Step {
        guard hasBegun else {
            hasBegun = true
            return scan.start()
        }
        return scan.next(bytes)
    }
}
