import CGStreamer
import DeepFGS
import Synchronization

/// The latest frame of a stream, and those that somebody is looking at: what previews are made of.
///
/// Each call costs a copy of a frame at most; none waits for the stream.
final class FrameStore: Sendable {
    struct Frame: Sendable {
        /// The store that it is of.
        var store: Int
        /// Counts the stream's frames from 1.
        var number: Int
        var bytes: [UInt8]
    }

    private struct State {
        var number = 0
        var time: Double?
        var bytes: [UInt8] = []
        var held: [Frame] = []
        var total = 0
    }

    /// How many frames are held for viewers: one that is asked for by number stays as long as it is among the last so many.
    private static let heldLimit = 16

    private let state = Mutex(State())
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)
    private static let made = Atomic(0)
    /// Tells one store from every other of the process.
    private let identity = FrameStore.made.add(1, ordering: .relaxed).newValue

    /// Takes the latest frame.
    func take(_ bytes: UnsafeRawBufferPointer) {
        let copy = Array(bytes)
        let now = monotonicTime
        state.withLock {
            $0.number += 1
            $0.time = now
            $0.bytes = copy
            $0.total += copy.count
        }
        listener.withLock { $0 }?()
    }

    /// Calls `body` after each frame, on the stream's thread; nil ends it.
    func onFrame(_ body: (@Sendable () -> Void)?) { listener.withLock { $0 = body } }

    /// The latest frame, which is not held; nil where none has come.
    var latest: Frame? {
        state.withLock { $0.number > 0 ? Frame(store: identity, number: $0.number, bytes: $0.bytes) : nil }
    }

    /// Frames since the stream was declared, bytes in them, and when the last one came by the monotonic clock.
    var counts: (frames: Int, bytes: Int, last: Double?) { state.withLock { ($0.number, $0.total, $0.time) } }

    /// The latest frame, or one that is held.
    ///
    /// - Parameter number: Which; nil for the latest.
    /// - Returns: The frame; nil where it is gone, or none has come.
    func frame(_ number: Int?) -> Frame? {
        state.withLock { state in
            var frame: Frame
            if let index = state.held.firstIndex(where: { $0.number == number ?? state.number }) {
                frame = state.held.remove(at: index)
            } else if state.number > 0, number == nil || number == state.number {
                frame = Frame(store: identity, number: state.number, bytes: state.bytes)
            } else {
                return nil
            }
            state.held.append(frame)
            if state.held.count > Self.heldLimit { state.held.removeFirst() }
            return frame
        }
    }
}
