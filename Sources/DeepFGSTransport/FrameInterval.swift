/// Time between frames.
enum FrameInterval {
    /// Shortest and longest that is believed, in nanoseconds: 1000 to 0.2 frames a second.
    static let believed: ClosedRange<Int64> = 1_000_000...5_000_000_000
}
