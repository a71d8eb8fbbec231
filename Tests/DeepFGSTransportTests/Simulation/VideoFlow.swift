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
        /// The encoder makes bases that fit: `baseBytes` are those of its own step, 16.
        var fitsBases = false
        var networkOverhead = 28
        /// Tails wait where feedback is late.
        var holdsTails = true
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
    private(set) var sender: AdaptiveSender
    var estimator: BandwidthEstimator { sender.estimator }
    var protection: BaseProtection { sender.protection(at: world.now) }
    var statistics: AdaptiveSender.Statistics { sender.statistics(at: world.now) }
    private(set) var bins: [Bin] = []
    private(set) var lostBase = 0
    private(set) var frames = 0
    /// When frames were shown, their bases being whole; and how many packets of the others' bases are missing.
    private(set) var shown: [Int64] = []
    private var missing: [Int: Int] = [:]
    private var control = BaseControl()
    var onFeedback: ((VideoFlow) -> Void)?
    private var pending: [UInt64: SimulatedPacket] = [:]
    private var token: UInt64 = 0
    /// When the sender is next asked what to do: earlier requests are out of date.
    private var wake = 0
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
        var wanted = AdaptiveSender.Settings()
        wanted.mode = .automatic
        wanted.minimum = settings.limits.minimum
        wanted.maximum = settings.limits.maximum
        wanted.start = settings.limits.start
        // As in the estimator's own tests: 48 bytes a packet beside the payload.
        wanted.networkOverhead = settings.networkOverhead
        wanted.holdsTails = settings.holdsTails
        sender = AdaptiveSender(settings: wanted)
        sender.setInterval(settings.frameInterval)
        world.events.at(settings.start) { [weak self] in self?.nextFrame() }
        if !settings.feedback { world.events.at(settings.start + 1_000_000_000) { [weak self] in self?.report() } }
    }

    private func nextFrame() {
        var next = settings.frameInterval
        if settings.frameJitter > 0 {
            next += Int64(world.random.uniform(-settings.frameJitter, settings.frameJitter))
        }
        world.after(next) { [weak self] in self?.nextFrame() }
        let bin = currentBin()
        bins[bin].estimate = estimator.bitrate
        bins[bin].target = estimator.target
        let bytes = settings.frameBytes(Double(world.now) / 1e9)
        guard bytes > 0 else { return }
        guard let baseBytes = fittingBase() else { return }
        let whole = max(bytes, baseBytes)
        var offset = 0
        while offset < whole {
            let stop = min(offset + settings.payload, offset < baseBytes ? baseBytes : whole)
            token += 1
            let isBase = offset < baseBytes
            let header = PayloadHeader(
                priority: isBase ? 0 : 1, offset: offset, baseEnd: baseBytes, frameLength: whole,
                frameNumber: UInt16(truncatingIfNeeded: frame))
            pending[token] = SimulatedPacket(flow: flow, bytes: 0, frame: frame, isBase: isBase)
            if isBase { missing[frame, default: 0] += 1 }
            sender.take(
                TailCutter.Packet(
                    token: token, rtpHeaderBytes: 20, payloadBytes: stop - offset + PayloadHeader.length,
                    header: header, timestamp: UInt32(truncatingIfNeeded: world.now / 100_000 * 9),
                    sequenceNumber: 0, marker: stop == whole), at: world.now)
            offset = stop
        }
        frame += 1
        frames += 1
        pump()
    }

    /// Bytes of the next frame's base; nil where the encoder leaves it out.
    private func fittingBase() -> Int? {
        guard settings.fitsBases else { return settings.baseBytes }
        if let request = sender.baseRequest(at: world.now) { control.take(request, from: 1, at: world.now) }
        let limits = BaseControl.Limits(step: 16, coarsest: 32, longestGap: 1_000_000_000)
        let step = control.admit(time: world.now, interval: settings.frameInterval, limits: limits, at: world.now)
        guard let step else { return nil }
        // As colour bars go: two thirds at twice the step.
        let base = Int(Double(settings.baseBytes) * (1 - Double(step - 16) / 48))
        control.note(base: base, at: world.now)
        return base
    }

    private func pump() {
        wake += 1
        while true {
            switch sender.next(at: world.now) {
            case .idle: return
            case .wait(let time):
                let request = wake
                world.events.at(max(time, world.now + 1)) { [weak self] in
                    if self?.wake == request { self?.pump() }
                }
                return
            case .drop(let token, _): pending[token] = nil
            case .send(let token, let payloadBytes, let marker, _):
                guard var packet = pending.removeValue(forKey: token) else { continue }
                packet.bytes = payloadBytes + 48
                packet.sequence = sequence
                packet.sent = world.now
                packet.isLast = marker
                sequence += 1
                history[packet.sequence] = packet
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
            if packet.isBase { arrived(packet) }
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
                    size: sent.bytes - 48, isLost: arrival == nil))
        }
        reported = last
        back { [weak self] in
            guard let self else { return }
            sender.receive(list, at: world.now)
            onFeedback?(self)
        }
    }

    private func arrived(_ packet: SimulatedPacket) {
        missing[packet.frame, default: 0] -= 1
        if missing[packet.frame] == 0 {
            missing[packet.frame] = nil
            shown.append(world.now)
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
            sender.receive(report, at: world.now)
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
