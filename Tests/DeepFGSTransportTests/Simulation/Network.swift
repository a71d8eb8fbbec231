@testable import DeepFGSTransport

/// The world of one simulation: clock, random numbers, what is due.
final class World {
    var events = EventQueue()
    var random: TestRandom
    var now: Int64 { events.now }

    init(seed: UInt64 = 1) { random = TestRandom(seed: seed) }

    func after(_ delay: Int64, _ action: @escaping () -> Void) { events.at(now + delay, action) }

    func run(until seconds: Double) {
        let end = Int64(seconds * 1e9)
        while let action = events.next(until: end) { action() }
    }
}

/// A packet on the simulated path.
struct SimulatedPacket {
    var flow = 0
    var sequence = 0
    /// Bytes on the wire.
    var bytes = 0
    var sent: Int64 = 0
    var frame = 0
    var isBase = false
    var isLast = false
}

/// A bottleneck: a drop-tail queue before a rate that changes, then a delay, random loss, reordering.
final class Link {
    struct Settings {
        /// Bit/s at a time in seconds.
        var capacity: (Double) -> Double
        /// The queue holds what the capacity carries in this time; nanoseconds.
        var queueTime: Int64 = 300_000_000
        var delay: Int64 = 50_000_000
        /// Share of packets lost at random, before the queue.
        var loss = 0.0
        /// Share of packets that arrive late by up to 15 ms.
        var reorder = 0.0
        /// Share of packets that arrive twice.
        var duplicate = 0.0
        /// Spread of the random delay after the queue, in nanoseconds; order is kept.
        var jitter = 0.0
        /// Bytes that pass at once after a rest, as the burst of `tc tbf`.
        var burst = 0.0
        /// Drops what exceeds the rate instead of queueing it, with a bucket of this many bytes.
        var policerBucket: Double?
    }

    let world: World
    var settings: Settings
    let deliver: (SimulatedPacket) -> Void
    /// Called with each packet when it leaves the queue, and the time it spent in it.
    var onService: ((SimulatedPacket, Int64) -> Void)?
    var onDrop: ((SimulatedPacket) -> Void)?
    private var waiting: [(packet: SimulatedPacket, since: Int64)] = []
    private var head = 0
    private var waitingBytes = 0
    private var busy = false
    private var lastArrival: Int64 = 0
    private var tokens = 0.0
    private var lastToken: Int64 = 0

    init(world: World, settings: Settings, deliver: @escaping (SimulatedPacket) -> Void) {
        self.world = world
        self.settings = settings
        self.deliver = deliver
    }

    var capacity: Double { settings.capacity(Double(world.now) / 1e9) }

    func send(_ packet: SimulatedPacket) {
        if settings.loss > 0, world.random.uniform() < settings.loss {
            onDrop?(packet)
            return
        }
        if let bucket = settings.policerBucket {
            tokens = min(bucket, tokens + capacity * Double(world.now - lastToken) / 8e9)
            lastToken = world.now
            guard tokens >= Double(packet.bytes) else {
                onDrop?(packet)
                return
            }
            tokens -= Double(packet.bytes)
            onService?(packet, 0)
            propagate(packet)
            return
        }
        let room = capacity * Double(settings.queueTime) / 8e9
        guard Double(waitingBytes + packet.bytes) <= max(room, 3000) else {
            onDrop?(packet)
            return
        }
        waiting.append((packet, world.now))
        waitingBytes += packet.bytes
        if !busy { serve() }
    }

    private func serve() {
        guard head < waiting.count else {
            waiting.removeAll(keepingCapacity: true)
            head = 0
            busy = false
            return
        }
        busy = true
        let (packet, since) = waiting[head]
        head += 1
        tokens = min(settings.burst, tokens + capacity * Double(world.now - lastToken) / 8e9)
        lastToken = world.now
        tokens -= Double(packet.bytes)
        world.after(Int64(max(0, -tokens) * 8e9 / capacity)) { [self] in
            waitingBytes -= packet.bytes
            onService?(packet, world.now - since)
            propagate(packet)
            serve()
        }
    }

    private func propagate(_ packet: SimulatedPacket) {
        var arrival = world.now + settings.delay
        if settings.jitter > 0 { arrival += Int64(settings.jitter * world.random.uniform()) }
        if settings.reorder > 0, world.random.uniform() < settings.reorder {
            arrival += Int64(world.random.uniform(1e6, 15e6))
        } else {
            arrival = max(arrival, lastArrival)
            lastArrival = arrival
        }
        world.events.at(arrival) { [self] in deliver(packet) }
        if settings.duplicate > 0, world.random.uniform() < settings.duplicate {
            world.events.at(arrival + 1_000_000) { [self] in deliver(packet) }
        }
    }
}
