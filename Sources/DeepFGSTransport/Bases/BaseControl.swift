/// Makes an encoder's bases fit what the senders behind it ask for: coarser bases first, then fewer frames.
///
/// Values in, values out: no clock. Times are nanoseconds, rates bit/s on the wire.
public struct BaseControl: Sendable {
    /// What the user allows.
    public struct Limits: Hashable, Sendable {
        /// Quantiser steps of the base in sixteenths: what it has unless asked, and the coarsest that is allowed.
        public var step: Int
        public var coarsest: Int
        /// Longest time from one frame to the next that leaving out frames may lead to, in nanoseconds.
        public var longestGap: Int64

        public init(step: Int, coarsest: Int, longestGap: Int64) {
            self.step = step
            self.coarsest = max(step, coarsest)
            self.longestGap = longestGap
        }
    }

    /// Weight of a new base in what bases are taken to need.
    private static let weight = 0.5
    /// Share of the room that a finer step must leave free to be taken, and frames from one finer step to the next.
    private static let margin = 0.1
    private static let refining = 4
    /// Frame intervals' bytes that are saved at most.
    private static let credit = 2.0

    private var requests = BaseRequests()
    /// Bytes of a base at a step of 1, if bases went with one over the step's root, and they go down a little faster.
    private var size: Double?
    /// The step in use, in sixteenths.
    public private(set) var step = 0
    private var untilFiner = 0
    /// Bytes on the wire that bases may take now: negative while the next frame has to wait.
    private var balance = 0.0
    /// When the last frame came, and the last one that was encoded.
    private var last: Int64?
    private var encoded: Int64?

    public init() {}

    /// Takes a sender's request in place of the one before; nil: it asks for nothing any more.
    ///
    /// - Parameters:
    ///   - request: what it asks for; it holds for three seconds.
    ///   - sender: any number that is its own.
    ///   - now: the time on a steady clock.
    public mutating func take(_ request: BaseRequest?, from sender: UInt64, at now: Int64) {
        requests.take(request, from: sender, at: now)
    }

    /// Whether a frame is to be encoded, and with which base step.
    ///
    /// - Parameters:
    ///   - time: the frame's, of its own clock; one that goes back begins anew.
    ///   - interval: nanoseconds between frames of the source.
    ///   - limits: what the user allows.
    ///   - now: the time on the clock of the requests.
    /// - Returns: the step, in sixteenths; nil where the frame is to be left out.
    public mutating func admit(time: Int64, interval: Int64, limits: Limits, at now: Int64) -> Int? {
        let interval = interval.clamped(to: FrameInterval.believed)
        let passed = last.map { time.subtractingSaturated($0) } ?? interval
        last = time
        guard let request = requests.lowest(at: now) else {
            step = limits.step
            balance = 0
            encoded = time
            return step
        }
        let room = request.bitrate / 8 * Double(interval) / 1e9
        balance += request.bitrate / 8 * Double(passed.clamped(to: 0...1_000_000_000)) / 1e9
        balance = min(balance, Self.credit * room)
        // Half an interval early rather than half of one late: so the frames that are left are as many as there is room for.
        let waited = encoded.map { time.subtractingSaturated($0) } ?? .max
        let isDue = balance > -room / 2 || waited >= limits.longestGap || waited < 0
        guard isDue else { return nil }
        encoded = time
        chooseStep(room: room, request: request, limits: limits)
        return step
    }

    /// Notes the frame that was encoded last.
    ///
    /// - Parameters:
    ///   - base: bytes of its header and base.
    ///   - now: the time on the clock of the requests.
    public mutating func note(base: Int, at now: Int64) {
        let plain = Double(max(1, base)) * Double(max(1, step)).squareRoot()
        size = size.map { $0 + Self.weight * (plain - $0) } ?? plain
        guard let request = requests.lowest(at: now) else { return }
        // A debt of a second at most: a request that rises counts soon.
        balance = max(balance - Double(request.wireBytes(base)), -request.bitrate / 8)
    }

    /// The finest step with which bases fit into every frame's room, or the coarsest: coarser at once, finer one by one.
    private mutating func chooseStep(room: Double, request: BaseRequest, limits: Limits) {
        let range = limits.step...limits.coarsest
        step = step == 0 ? limits.step : step.clamped(to: range)
        guard let size else { return }
        func fits(_ step: Int, _ share: Double) -> Bool {
            Double(request.wireBytes(Int(size / Double(step).squareRoot()))) <= share * room
        }
        if !fits(step, 1) {
            while step < range.upperBound, !fits(step, 1) { step += 1 }
            untilFiner = Self.refining
        } else if step > range.lowerBound, fits(step - 1, 1 - Self.margin) {
            untilFiner -= 1
            if untilFiner <= 0 {
                step -= 1
                untilFiner = Self.refining
            }
        }
    }
}
