/// A greedy rival: CUBIC's window on a packet each, acknowledgements at once, fast retransmit, no time-outs.
final class TCPFlow {
    let world: World
    let flow: Int
    var forward: (SimulatedPacket) -> Void = { _ in }
    let backDelay: Int64
    private let end: Int64
    private(set) var received = 0
    /// Bytes received in each 200 ms.
    private(set) var bins: [Int] = []
    private let packetBytes = 1500
    private var window = 10.0
    private var threshold = Double.infinity
    private var next = 0
    private var acknowledged = 0
    private var outstanding = 0
    private var recoverUntil = 0
    private var maximum = 0.0
    private var epoch: Int64 = 0

    init(world: World, flow: Int, start: Int64, end: Int64 = .max, backDelay: Int64 = 50_000_000) {
        self.end = end
        self.world = world
        self.flow = flow
        self.backDelay = backDelay
        world.events.at(start) { [weak self] in self?.pump() }
    }

    private func pump() {
        while Double(outstanding) < window, world.now < end {
            outstanding += 1
            forward(SimulatedPacket(flow: flow, sequence: next, bytes: packetBytes, sent: world.now))
            next += 1
        }
    }

    func receive(_ packet: SimulatedPacket) {
        received += packet.bytes
        let index = Int(world.now / VideoFlow.bin)
        while bins.count <= index { bins.append(0) }
        bins[index] += packet.bytes
        world.after(backDelay) { [weak self] in self?.acknowledge() }
    }

    /// A loss is seen a round trip after it would have been acknowledged.
    func dropped(_ packet: SimulatedPacket) {
        world.after(backDelay + 150_000_000) { [weak self] in self?.lost(packet.sequence) }
    }

    private func acknowledge() {
        outstanding -= 1
        if window < threshold {
            window += 1
        } else {
            // CUBIC: W(t) = 0.4 (t - K)³ + W_max, never slower than Reno's packet a round trip.
            let t = Double(world.now - epoch) / 1e9
            let k = (maximum * 0.3 / 0.4).cubeRoot
            let cubic = 0.4 * (t - k) * (t - k) * (t - k) + maximum
            window += max((min(cubic, window * 1.5) - window) / window, 0.5 / window)
        }
        pump()
    }

    private func lost(_ sequence: Int) {
        outstanding -= 1
        if sequence >= recoverUntil {
            maximum = window
            window = max(2, window * 0.7)
            threshold = window
            epoch = world.now
            recoverUntil = next
        }
        pump()
    }
}

extension Double {
    fileprivate var cubeRoot: Double {
        guard self > 0 else { return 0 }
        var root = max(1, self / 3)
        for _ in 0..<40 { root -= (root * root * root - self) / (3 * root * root) }
        return root
    }
}
