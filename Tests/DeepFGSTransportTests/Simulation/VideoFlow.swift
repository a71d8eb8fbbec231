@testable import DeepFGSTransport

/// A sender and its receiver: a camera whose frames are cut to the estimate and paced, feedback at each frame's marker.
final class VideoFlow {
    struct Settings {
        var frameInterval: Int64 = 40_000_000
        /// When the first frame comes, in nanoseconds.
        var start: Int64 = 0
        /// Bytes of a whole frame at a time in seconds; 0: no frame.
        var frameBytes: (Double) -> Int = { _ in 60 * 1200 }
        var payload = 1200
        var baseBytes = 700
        /// Spread of the frames' times around their interval, in nanoseconds.
        var frameJitter = 0.0
        var limits = BandwidthEstimator.Settings()
        /// Off: no transport-wide feedback, receiver reports only.
        var feedback = true
    }

    /// What was measured in one bin of 200 ms.
    struct Bin {
        var sent = 0
        var received = 0
        var lost = 0
        var estimate = 0.0
        var target = 0.0
        var queue: [Int64] = []
    }

    static let bin: Int64 = 200_000_000
    let world: World
    let settings: Settings
    let flow: Int
    var forward: (SimulatedPacket) -> Void = { _ in }
    var back: (@escaping () -> Void) -> Void = { $0() }
    var estimator: BandwidthEstimator
    private(set) var bins: [Bin] = []
    private(set) var lostBase = 0
    private(set) var frames = 0
    var onFeedback: ((VideoFlow) -> Void)?
    private var budget: FrameBudget
    private var pacer = Pacer()
    private var pending: [UInt64: SimulatedPacket] = [:]
    private var token: UInt64 = 0
    private var sequence = 0
    private var frame = 0
    private var history: [Int: SimulatedPacket] = [:]
    // The receiver.
    private var arrivals: [Int: Int64] = [:]
    private var reported = -1
    private var reportHighest = -1
    private var reportReceived = 0
    private var reportExpected = 0
    var clockOffset: Int64 = 77_123_456_789

    init(world: World, flow: Int = 0, settings: Settings = Settings()) {
        self.world = world
        self.settings = settings
        self.flow = flow
        estimator = BandwidthEstimator(settings: settings.limits)
        budget = FrameBudget(interval: settings.frameInterval)
        estimator.frameInterval = settings.frameInterval
        world.events.at(settings.start) { [weak self] in self?.nextFrame() }
        if !settings.feedback { world.events.at(settings.start + 1_000_000_000) { [weak self] in self?.report() } }
    }

    private func nextFrame() {
        var next = settings.frameInterval
        if settings.frameJitter > 0 {
            next += Int64(world.random.uniform(-settings.frameJitter, settings.frameJitter))
        }
        world.after(next) { [weak self] in self?.nextFrame() }
        estimator.advance(to: world.now)
        let bin = currentBin()
        bins[bin].estimate = estimator.bitrate
        bins[bin].target = estimator.target
        let bytes = settings.frameBytes(Double(world.now) / 1e9)
        guard bytes > 0 else { return }
        let whole = max(bytes, settings.baseBytes)
        var payloads: [Int] = []
        for part in [settings.baseBytes, whole - settings.baseBytes] {
            var left = part
            while left > 0 {
                payloads.append(min(left, settings.payload))
                left -= settings.payload
            }
        }
        let basePackets = (settings.baseBytes + settings.payload - 1) / settings.payload
        let base = payloads.prefix(basePackets).reduce(0) { $0 + budget.wireBytes(payload: $1) }
        let room = budget.open(
            at: world.now, target: estimator.target, base: base, queued: pacer.queuedBytes)
        let cut = budget.cut(payloads, base: basePackets, budget: room)
        var sizes = Array(payloads.prefix(cut.packets))
        if cut.partialPayload > 0 { sizes.append(cut.partialPayload) }
        let packets = sizes.enumerated().map { index, size in
            token += 1
            let wire = budget.wireBytes(payload: size)
            pending[token] = SimulatedPacket(flow: flow, bytes: wire, frame: frame, isBase: index < basePackets)
            return Pacer.Packet(token: token, bytes: wire, isBase: index < basePackets)
        }
        frame += 1
        frames += 1
        pacer.open(packets, now: world.now, interval: budget.interval, target: estimator.target)
        pump()
    }

    private func pump() {
        while true {
            switch pacer.next(at: world.now) {
            case .idle: return
            case .wait(let time):
                world.events.at(time) { [weak self] in self?.pump() }
                return
            case .drop(let token, _): pending[token] = nil
            case .send(let token, let isLast):
                guard var packet = pending.removeValue(forKey: token) else { continue }
                packet.sequence = sequence
                packet.sent = world.now
                packet.isLast = isLast
                sequence += 1
                history[packet.sequence] = packet
                budget.sent(packet.bytes)
                estimator.sent(packet.bytes, at: world.now)
                bins[currentBin()].sent += packet.bytes
                forward(packet)
            }
        }
    }

    func receive(_ packet: SimulatedPacket) {
        let isNew = arrivals[packet.sequence] == nil
        if isNew {
            arrivals[packet.sequence] = world.now
            bins[currentBin()].received += packet.bytes
            reportReceived += 1
        }
        reportHighest = max(reportHighest, packet.sequence)
        guard settings.feedback, packet.isLast, packet.sequence > reported else { return }
        let last = reportHighest
        var list: [PacketFeedback] = []
        for number in (reported + 1)...last {
            guard let sent = history.removeValue(forKey: number) else { continue }
            let arrival = arrivals.removeValue(forKey: number)
            // Arrival times come in steps of 250 µs, on the receiver's clock.
            let time = arrival.map { (($0 + clockOffset) / 250_000) * 250_000 }
            list.append(
                PacketFeedback(
                    sequence: UInt16(truncatingIfNeeded: number), sendTime: sent.sent, arrivalTime: time,
                    size: sent.bytes - budget.packetOverhead, isLost: arrival == nil))
        }
        reported = last
        back { [weak self] in
            guard let self else { return }
            estimator.feedback(list, at: world.now)
            onFeedback?(self)
        }
    }

    func dropped(_ packet: SimulatedPacket) {
        bins[currentBin()].lost += 1
        if packet.isBase { lostBase += 1 }
    }

    func served(_ packet: SimulatedPacket, after wait: Int64) { bins[currentBin()].queue.append(wait) }

    private func report() {
        world.after(1_000_000_000) { [weak self] in self?.report() }
        guard reportHighest >= reportExpected else { return }
        let expected = reportHighest + 1 - reportExpected
        let lost = Double(max(0, expected - reportReceived)) / Double(expected)
        reportExpected = reportHighest + 1
        reportReceived = 0
        back { [weak self] in
            guard let self else { return }
            let report = ReceiverReport(fractionLost: lost, jitter: 0, roundTrip: 100_000_000)
            estimator.report(report, at: world.now)
        }
    }

    private func currentBin() -> Int {
        let index = Int(world.now / Self.bin)
        while bins.count <= index {
            var bin = Bin()
            bin.estimate = bins.last?.estimate ?? 0
            bin.target = bins.last?.target ?? 0
            bins.append(bin)
        }
        return index
    }
}
