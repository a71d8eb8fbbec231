import ArgumentParser
import DeepFGS

/// Frames per second as a fraction.
struct FrameRate: ExpressibleByArgument {
    let numerator: Int
    let denominator: Int

    /// Reads `25` or `30000/1001`; at least one frame in four seconds, so that a frame's duration fits its field.
    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(parts.count), let numerator = parts[0],
            let denominator = parts.count == 2 ? parts[1] : 1,
            (1...1_000_000).contains(numerator), (1...1_000_000).contains(denominator), denominator <= 4 * numerator
        else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Presentation time and duration of frame `index`, counted from 0, in whole nanoseconds without drift.
    func extensions(ofFrame index: Int) -> HeaderExtensions {
        let start = nanoseconds(index)
        var extensions = HeaderExtensions()
        extensions.presentationTime = start
        extensions.duration = UInt32(truncatingIfNeeded: nanoseconds(index + 1) &- start)
        return extensions
    }

    private func nanoseconds(_ frames: Int) -> UInt64 {
        let units = UInt64(frames) * UInt64(denominator)
        let (seconds, rest) = units.quotientAndRemainder(dividingBy: UInt64(numerator))
        return seconds * 1_000_000_000 + rest * 1_000_000_000 / UInt64(numerator)
    }
}
