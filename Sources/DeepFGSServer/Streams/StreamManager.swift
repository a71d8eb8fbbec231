import Glibc
import Synchronization

/// All streams of the process, by name: those of the configuration, and what was changed since through the API.
public final class StreamManager: Sendable {
    private struct State {
        var streams: [String: Stream] = [:]
        /// What the file said last: a reload changes what differs from it.
        var declared: [String: StreamSettings] = [:]
        /// Streams that are ending.
        var leaving: [Stream] = []
    }
    private let state = Mutex(State())
    private let changed: @Sendable (StreamStatus) -> Void

    /// - Parameter changed: Called when a stream's state changes, on that stream's thread.
    public init(changed: @escaping @Sendable (StreamStatus) -> Void = { _ in }) { self.changed = changed }

    /// In the order of their names.
    public var all: [Stream] { state.withLock { $0.streams.values.sorted { $0.name < $1.name } } }

    public subscript(name: String) -> Stream? { state.withLock { $0.streams[name] } }

    /// What a reload changed.
    public struct Changes: Sendable, Equatable {
        public var added: [String] = []
        public var removed: [String] = []
        public var changed: [String] = []
    }

    /// Makes the streams what the file says, where it says something else than before: what is as it was, and what was
    /// changed through the API meanwhile, is left alone.
    @discardableResult
    public func apply(_ declared: [String: StreamSettings]) -> Changes {
        state.withLock { state in
            var changes = Changes()
            for name in state.declared.keys where declared[name] == nil {
                if let stream = state.streams.removeValue(forKey: name) { leave(stream, &state) }
                changes.removed.append(name)
            }
            for (name, settings) in declared where state.declared[name] != settings {
                if let stream = state.streams[name], let before = state.declared[name] {
                    stream.change { $0 = Self.merged(settings, over: $0, before: before) }
                    changes.changed.append(name)
                } else {
                    if let stream = state.streams.removeValue(forKey: name) { leave(stream, &state) }
                    state.streams[name] = Stream(name: name, settings: settings, changed: changed)
                    changes.added.append(name)
                }
            }
            state.declared = declared
            changes.added.sort()
            changes.removed.sort()
            changes.changed.sort()
            return changes
        }
    }

    /// The new settings, with what the API had changed in receivers that the file leaves alone.
    private static func merged(
        _ new: StreamSettings, over live: StreamSettings, before: StreamSettings
    ) -> StreamSettings {
        var result = new
        if new.enabled == before.enabled { result.enabled = live.enabled }
        var receivers = live.receivers
        for name in before.receivers.keys where new.receivers[name] == nil { receivers[name] = nil }
        for (name, settings) in new.receivers where before.receivers[name] != settings { receivers[name] = settings }
        result.receivers = receivers
        return result
    }

    private func leave(_ stream: Stream, _ state: inout State) {
        stream.end()
        state.leaving.removeAll(where: \.isGone)
        state.leaving.append(stream)
    }

    /// Ends all streams; each drains.
    ///
    /// - Parameter seconds: How long to wait for them.
    /// - Returns: The names of those that did not end in time.
    public func end(within seconds: Double) -> [String] {
        let streams = state.withLock { state in
            for stream in state.streams.values { leave(stream, &state) }
            state.streams = [:]
            return state.leaving
        }
        let until = monotonicTime + seconds
        while monotonicTime < until, streams.contains(where: { !$0.isGone }) { usleep(20_000) }
        return streams.filter { !$0.isGone }.map(\.name)
    }

    /// Streams whose thread hangs: it has not come by for so many seconds.
    func silent(for seconds: Double) -> [String] { all.filter { $0.silence > seconds }.map(\.name) }
}
