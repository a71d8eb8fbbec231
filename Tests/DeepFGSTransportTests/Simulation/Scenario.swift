@testable import DeepFGSTransport

/// Flows over one bottleneck, and what is measured of them.
final class Scenario {
    let world: World
    let link: Link
    private(set) var flows: [VideoFlow] = []
    private(set) var rival: TCPFlow?
    let seconds: Double

    init(
        seconds: Double, link settings: Link.Settings, flows flowSettings: [VideoFlow.Settings],
        rivalStart: Int64? = nil, rivalEnd: Int64 = .max,
        feedbackDelay: @escaping (Double) -> Int64 = { _ in 50_000_000 }, seed: UInt64 = 1
    ) {
        let world = World(seed: seed)
        self.world = world
        self.seconds = seconds
        let router = Router()
        link = Link(world: world, settings: settings) { router.deliver?($0) }
        flows = flowSettings.enumerated().map { VideoFlow(world: world, flow: $0.offset, settings: $0.element) }
        if let rivalStart { rival = TCPFlow(world: world, flow: flows.count, start: rivalStart, end: rivalEnd) }
        for flow in flows {
            flow.forward = { [link] in link.send($0) }
            flow.back = { action in world.after(feedbackDelay(Double(world.now) / 1e9), action) }
        }
        rival?.forward = { [link] in link.send($0) }
        router.deliver = { [flows, rival] packet in
            if packet.flow < flows.count { flows[packet.flow].receive(packet) } else { rival?.receive(packet) }
        }
        link.onDrop = { [flows, rival] packet in
            if packet.flow < flows.count { flows[packet.flow].dropped(packet) } else { rival?.dropped(packet) }
        }
        link.onService = { [flows] packet, wait in
            if packet.flow < flows.count { flows[packet.flow].served(packet, after: wait) }
        }
    }

    private final class Router { var deliver: ((SimulatedPacket) -> Void)? }

    func run() -> Scenario {
        world.run(until: seconds)
        return self
    }

    private func range(_ from: Double, _ to: Double) -> Range<Int> {
        let count = flows.map(\.bins.count).max() ?? 0
        return min(Int(from * 5), count)..<min(Int(to * 5), count)
    }

    /// Share of the capacity that arrived, in a span of seconds; of one flow or of all.
    func use(_ from: Double = 0, _ to: Double, flow: Int? = nil) -> Double {
        var received = 0.0
        var capacity = 0.0
        for bin in range(from, to) {
            capacity += link.settings.capacity(Double(bin) * 0.2) * 0.2 / 8
            for one in flows where (flow ?? one.flow) == one.flow && bin < one.bins.count {
                received += Double(one.bins[bin].received)
            }
        }
        return capacity > 0 ? received / capacity : 0
    }

    /// Bit/s received by a flow in a span of seconds.
    func rate(_ flow: Int, _ from: Double, _ to: Double) -> Double {
        let bins = flows[flow].bins
        return Double(range(from, to).reduce(0) { $0 + ($1 < bins.count ? bins[$1].received : 0) }) * 8 / (to - from)
    }

    /// Seconds that packets waited in the bottleneck, at a quantile.
    func queueDelay(_ quantile: Double, _ from: Double = 0, _ to: Double = .greatestFiniteMagnitude) -> Double {
        let all = flows.flatMap { flow in
            flow.bins.indices.filter { Double($0) * 0.2 >= from && Double($0) * 0.2 < to }
                .flatMap { flow.bins[$0].queue }
        }.sorted()
        guard !all.isEmpty else { return 0 }
        return Double(all[min(all.count - 1, Int(quantile * Double(all.count)))]) / 1e9
    }

    /// Jain's fairness of the flows' rates in a span of seconds.
    func fairness(_ from: Double, _ to: Double) -> Double {
        let rates = flows.indices.map { rate($0, from, to) }
        let sum = rates.reduce(0, +)
        let squares = rates.reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? sum * sum / (Double(rates.count) * squares) : 0
    }

    /// Seconds from a change of capacity until the bytes received in 200 ms reach a share of it.
    func timeToReach(_ share: Double, from start: Double, flow: Int = 0) -> Double {
        let bins = flows[flow].bins
        for bin in Int(start * 5)..<bins.count {
            let capacity = link.settings.capacity(Double(bin) * 0.2)
            if Double(bins[bin].received) * 8 / 0.2 >= share * capacity { return Double(bin + 1) * 0.2 - start }
        }
        return .infinity
    }

    /// Seconds from a fall of capacity until the bytes sent in 200 ms stay under it for a second.
    func timeToFall(from start: Double, flow: Int = 0) -> Double {
        let bins = flows[flow].bins
        var since: Int?
        for bin in Int(start * 5)..<bins.count {
            let capacity = link.settings.capacity(Double(bin) * 0.2)
            if Double(bins[bin].sent) * 8 / 0.2 <= capacity {
                let first = since ?? bin
                since = first
                if bin - first >= 4 { return Double(first) * 0.2 - start }
            } else {
                since = nil
            }
        }
        return .infinity
    }
}
