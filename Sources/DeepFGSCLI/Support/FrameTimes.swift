import DeepFGS
import DeepFGSTools

/// A frame that was encoded, before it has its place in a file.
struct EncodedFrame: Sendable {
    var bytes: [UInt8]
    /// Of an animation's frame, in nanoseconds.
    var duration: UInt32?
    /// The file that it comes from.
    var source: String
}

/// Gives frames their times as they are put one behind the other.
struct FrameTimes {
    /// Where given, it says all times.
    private let rate: FrameRate?
    private var index = 0
    /// When the next frame of an animation is shown, in nanoseconds.
    private var time: UInt64 = 0

    /// The times of what comes behind the frames that are in the file already.
    init(rate: FrameRate?, after frames: [FrameSequence.Entry] = []) {
        self.rate = rate
        index = frames.count
        for extensions in frames.map(\.header.extensions) {
            guard let start = extensions.presentationTime else { continue }
            time = max(time, start &+ UInt64(extensions.duration ?? 0))
        }
    }

    /// The frame with its time in its header; as it was where it has none.
    mutating func stamp(_ frame: EncodedFrame) -> [UInt8] {
        defer { index += 1 }
        let extensions: HeaderExtensions
        if let rate {
            extensions = rate.extensions(ofFrame: index)
        } else if let duration = frame.duration {
            var timed = HeaderExtensions()
            (timed.presentationTime, timed.duration) = (time, duration)
            extensions = timed
            time &+= UInt64(duration)
        } else {
            return frame.bytes
        }
        guard let old = FrameSequence(scanning: frame.bytes).frames.first?.header else { return frame.bytes }
        var all = old.extensions
        (all.presentationTime, all.duration) = (extensions.presentationTime, extensions.duration)
        let new = FrameHeader(
            model: old.model, width: old.width, height: old.height, chunkLengths: old.chunkLengths,
            baseChecksum: old.baseChecksum, extensions: all)
        var bytes: [UInt8] = []
        new.write(to: &bytes)
        return bytes + frame.bytes[old.length...]
    }
}
