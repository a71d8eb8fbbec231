import DeepFGS
import DeepFGSTools

/// How long a recording is, how fast, and where frames are missing, by the times in its frames' headers.
///
/// Total on any times. Costs O(frames · log frames).
struct RecordingTimes {
    /// Where more time lies between two frames than usual.
    struct Gap {
        /// The frame before it, from 1.
        var frame: Int
        /// When that frame is shown, in seconds since the first of its piece.
        var start: Double
        /// Seconds from that frame to the next.
        var length: Double
        /// How many frames of the usual interval would have been between them.
        var missing: Int
    }

    /// Seconds that the pieces last together; a last frame that does not say how long it is shown lasts as long as usual.
    private(set) var seconds = 0.0
    /// Frames that say their time.
    private(set) var frames = 0
    /// Runs of frames whose times grow: more than one where recordings were put one behind the other.
    private(set) var pieces = 1
    private(set) var gaps: [Gap] = []
    /// Bit/s of the bytes that are there, of the frames that say their time.
    let bitrate: Double

    var framesPerSecond: Double { Double(frames) / seconds }

    /// Text says no more gaps than this; JSON says all.
    private static let shownGaps = 20

    /// Nil where fewer than two frames say when they are shown.
    init?(_ sequence: FrameSequence) {
        let timed = sequence.frames.enumerated().compactMap { index, entry in
            entry.header.extensions.presentationTime.map { (frame: index + 1, entry: entry, time: $0) }
        }
        let steps = zip(timed, timed.dropFirst()).map { before, after in
            after.time > before.time ? Double(after.time - before.time) * 1e-9 : nil
        }
        let intervals = steps.compactMap { $0 }.sorted()
        guard !intervals.isEmpty, let last = timed.last else { return nil }
        let usual = intervals[intervals.count / 2]
        func duration(_ entry: FrameSequence.Entry) -> Double {
            entry.header.extensions.duration.map { Double($0) * 1e-9 } ?? usual
        }
        frames = timed.count
        var start = 0.0
        for (frame, step) in zip(timed, steps) {
            guard let step else {
                seconds += start + duration(frame.entry)
                start = 0
                pieces += 1
                continue
            }
            if step >= 1.5 * usual {
                let missing = Int(min((step / usual).rounded() - 1, 1e15))
                gaps.append(Gap(frame: frame.frame, start: start, length: step, missing: max(1, missing)))
            }
            start += step
        }
        seconds += start + duration(last.entry)
        bitrate = Double(8 * timed.reduce(0) { $0 + $1.entry.range.count }) / seconds
    }

    /// A line of length, rate and bitrate, then one for each gap.
    var text: String {
        var lines = [
            "  \(decimal(seconds, 3)) s, \(decimal(framesPerSecond, 3)) frames per second, \(decimal(bitrate / 1000, 1)) kbit/s"
                + (pieces > 1 ? ", in \(pieces) pieces whose times begin anew" : "")
        ]
        if gaps.isEmpty { lines.append("  no gaps") }
        for gap in gaps.prefix(Self.shownGaps) {
            lines.append(
                "  gap: \(decimal(gap.length, 3)) s behind frame \(gap.frame), at \(decimal(gap.start, 3)) s; "
                    + (gap.missing == 1 ? "1 frame is missing" : "\(gap.missing) frames are missing"))
        }
        if gaps.count > Self.shownGaps { lines.append("  and \(gaps.count - Self.shownGaps) more gaps") }
        return lines.joined(separator: "\n")
    }

    var object: JSON {
        .object([
            ("seconds", .number(seconds, digits: 6)), ("frames_per_second", .number(framesPerSecond, digits: 4)),
            ("bits_per_second", .number(bitrate, digits: 1)), ("pieces", .integer(pieces)),
            (
                "gaps",
                .array(
                    gaps.map {
                        .object([
                            ("behind_frame", .integer($0.frame)), ("at_seconds", .number($0.start, digits: 6)),
                            ("seconds", .number($0.length, digits: 6)), ("frames_missing", .integer($0.missing)),
                        ])
                    })
            ),
        ])
    }
}
