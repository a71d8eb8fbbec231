/// Why a packet, or a part of one, was not sent.
public enum DropReason: UInt8, CaseIterable, Sendable {
    /// The frame's budget was used up.
    case budget
    /// Its frame's time had passed before its turn came.
    case deadline
    /// It still waited when a newer frame came, or too many frames waited.
    case queue
    /// The user's fixed cut of each frame.
    case fixedCut
    /// It was not the next bytes of its frame: packets before it were lost on the way here, or it came twice.
    case gap
}

/// When to send which packet: spreads each frame over its interval and lets old tails give way.
///
/// A frame's packets leave at the target or faster, as `spacing` says; at most `burst` leave back to back. A tail packet
/// is dropped when its frame's deadline (one interval after its start) has passed or when the next frame comes, but for
/// one that closes the frame with the RTP marker: a base never waits behind an old tail. Base packets are dropped only
/// when more than `maximumFrames` frames wait, as behind a blocked socket.
///
/// The caller holds the packets; the pacer sees their tokens and sizes. Values in, values out: no clock, no thread.
/// Ask `next` until it says `wait` or `idle`. Cost: O(1) a packet.
public struct Pacer: Sendable {
    /// One packet, as the pacer sees it.
    public struct Packet: Hashable, Sendable {
        /// The caller's name for it.
        public var token: UInt64
        /// Bytes on the wire.
        public var bytes: Int
        /// Whether it carries bytes of the base, which must be sent.
        public var isBase: Bool

        /// A packet of `bytes` bytes on the wire.
        public init(token: UInt64, bytes: Int, isBase: Bool) {
            self.token = token
            self.bytes = bytes
            self.isBase = isBase
        }
    }

    /// What to do now.
    public enum Step: Hashable, Sendable {
        /// Nothing waits.
        case idle
        /// Nothing is due before this time, in nanoseconds.
        case wait(until: Int64)
        /// Send this packet; `isLast`: no more of its frame follows, so it carries the RTP marker.
        case send(token: UInt64, isLast: Bool)
        /// Free this packet unsent.
        case drop(token: UInt64, reason: DropReason)
    }

    private struct Entry: Sendable {
        var packet: Packet
        var time: Int64
        var deadline: Int64
        var frame: Int
    }

    /// How a frame is laid into its interval.
    public enum Spacing: Sendable {
        /// At `headroom` times the target: a train whose dispersion tells the estimator what the path carries.
        case train
        /// Over the whole interval less 10 ms, or a third of a short one: no queue builds up before a path of just
        /// the target, and any two seconds hold their share of it however long the interval is.
        case even
    }

    /// How much faster than the target a train leaves; the rest of the interval lets the path's queue drain.
    public static let headroom = 1.5
    /// Longest part of an interval, in nanoseconds, that even spacing leaves free.
    static let longestSlack: Int64 = 10_000_000
    /// Most packets that leave back to back.
    public static let burst = 3
    /// Shortest time between bursts, in nanoseconds: finer than this a thread does not wake reliably.
    static let shortestGap: Int64 = 1_000_000
    /// How far behind its plan the pacer catches up in one go, in nanoseconds; the rest moves the plan.
    static let catchUp: Int64 = 2_000_000
    /// Most frames of which packets may wait.
    public static let maximumFrames = 3

    private var entries: [Entry] = []
    private var head = 0
    private var dropped: [(token: UInt64, reason: DropReason)] = []
    private var dropHead = 0
    private var frame = 0
    private var shift: Int64 = 0
    /// The frame of which something was sent, but not yet its last packet.
    private var unclosed: Int?
    /// Bytes on the wire that wait to be sent.
    public private(set) var queuedBytes = 0
    /// How many packets wait to be sent.
    public var queuedPackets: Int { entries.count - head }

    /// How the frames that come are laid into their intervals.
    public var spacing: Spacing

    /// An empty pacer.
    public init(spacing: Spacing = .train) { self.spacing = spacing }

    /// Longest time that a packet waits here: what an element adds to the pipeline's latency.
    ///
    /// - Parameters:
    ///   - interval: the time between frames, in nanoseconds.
    ///   - spacing: how frames are laid into it.
    /// - Returns: nanoseconds.
    public static func latency(interval: Int64, spacing: Spacing = .train) -> Int64 {
        let interval = max(0, interval)
        return switch spacing {
        case .train: Int64(Double(interval) / headroom)
        case .even: interval - min(interval / 3, longestSlack)
        }
    }

    /// The times at which a frame's packets leave.
    ///
    /// - Parameters:
    ///   - sizes: bytes on the wire of each packet.
    ///   - start: when the first may leave, in nanoseconds.
    ///   - interval: the time until the next frame, in nanoseconds.
    ///   - target: bit/s.
    ///   - spacing: how the frame is laid into the interval.
    /// - Returns: one time for each packet, rising, in nanoseconds; the last before `start + latency`.
    public static func sendTimes(
        _ sizes: [Int], start: Int64, interval: Int64, target: Double, spacing: Spacing = .train
    ) -> [Int64] {
        let interval = interval.clamped(to: FrameBudget.intervals)
        let total = sizes.reduce(0) { $0 + max(0, $1) }
        let needed = Double(total) * 8e9 / Double(latency(interval: interval, spacing: spacing))
        let wanted = spacing == .train ? headroom * target : target
        let rate = wanted.isFinite ? max(needed, wanted) : needed
        var times: [Int64] = []
        times.reserveCapacity(sizes.count)
        var due = 0.0
        var group = (time: Int64(0), packets: 0)
        for size in sizes {
            let time = Int64(due)
            // A packet due less than a thread's tick after its group joins it, while the group is small.
            if group.packets == 0 || group.packets >= burst || time - group.time >= shortestGap {
                group = (time, 0)
            }
            group.packets += 1
            times.append(start.addingSaturated(group.time))
            due += rate > 0 ? Double(max(0, size)) * 8e9 / rate : 0
        }
        return times
    }

    /// Takes a new frame: what is left of older tails is dropped, the frame's packets are planned from `now`.
    ///
    /// - Parameters:
    ///   - packets: the frame's packets, cut to its budget, base first.
    ///   - now: the time in nanoseconds.
    ///   - interval: the time until the next frame, in nanoseconds.
    ///   - target: bit/s.
    public mutating func open(_ packets: [Packet], now: Int64, interval: Int64, target: Double) {
        let oldest = frame - Self.maximumFrames + 2
        var kept: [Entry] = []
        for var entry in entries[head...] {
            if entry.packet.isBase && entry.frame >= oldest {
                // What is late goes first, in order; the new frame is planned on its own.
                kept.append(entry)
            } else if entry.frame == unclosed, kept.last?.frame != unclosed {
                // One more, at once, to carry the marker.
                entry.time = now
                entry.deadline = .max
                kept.append(entry)
            } else {
                drop(entry, .queue)
            }
        }
        entries = kept
        head = 0
        frame += 1
        shift = 0
        let deadline = now.addingSaturated(interval.clamped(to: FrameBudget.intervals))
        let times = Self.sendTimes(
            packets.map(\.bytes), start: now, interval: interval, target: target, spacing: spacing)
        for (packet, time) in zip(packets, times) {
            entries.append(Entry(packet: packet, time: time, deadline: deadline, frame: frame))
            queuedBytes += max(0, packet.bytes)
        }
    }

    /// What to do at this time.
    ///
    /// - Parameter now: the time in nanoseconds, on the clock of `open`.
    /// - Returns: one step; ask again after `send` and `drop`.
    public mutating func next(at now: Int64) -> Step {
        if dropHead < dropped.count {
            let (token, reason) = dropped[dropHead]
            dropHead += 1
            return .drop(token: token, reason: reason)
        }
        dropped.removeAll(keepingCapacity: true)
        dropHead = 0
        guard head < entries.count else { return .idle }
        let entry = entries[head]
        let time = entry.time.addingSaturated(entry.frame == frame ? shift : 0)
        guard now >= time else { return .wait(until: time) }
        if now > entry.deadline && !entry.packet.isBase && entry.frame != unclosed {
            take()
            queuedBytes -= max(0, entry.packet.bytes)
            return .drop(token: entry.packet.token, reason: .deadline)
        }
        if entry.frame == frame {
            shift += max(0, now.subtractingSaturated(time) - Self.catchUp)
        }
        take()
        queuedBytes -= max(0, entry.packet.bytes)
        let isLast = closes(entry)
        unclosed = isLast ? nil : entry.frame
        return .send(token: entry.packet.token, isLast: isLast)
    }

    /// Drops all that waits, as on a flush; `next` hands the packets back.
    public mutating func flush() {
        for entry in entries[head...] { drop(entry, .queue) }
        entries.removeAll(keepingCapacity: true)
        head = 0
        unclosed = nil
    }

    /// Whether nothing of the entry's frame follows: either it was the last, or the next would be too late.
    private mutating func closes(_ entry: Entry) -> Bool {
        guard head < entries.count, entries[head].frame == entry.frame else { return true }
        let following = entries[head]
        guard !following.packet.isBase, following.time.addingSaturated(shift) > following.deadline else { return false }
        // The marker is about to go out: what the plan would still send after it must not.
        while head < entries.count, entries[head].frame == entry.frame {
            drop(entries[head], .deadline)
            head += 1
        }
        return true
    }

    private mutating func take() {
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        }
    }

    private mutating func drop(_ entry: Entry, _ reason: DropReason) {
        queuedBytes -= max(0, entry.packet.bytes)
        dropped.append((entry.packet.token, reason))
    }
}
