import DeepFGS
import DeepFGSTransport

/// What a sender is told of its packets, in any order and of any size, with true clocks or none.
///
/// The estimate stays a number within its bounds, whatever is said.
func fuzzFeedback(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    var settings = BandwidthEstimator.Settings()
    settings.packetOverhead = Int(input.byte())
    var estimator = BandwidthEstimator(settings: settings)
    var clock = FuzzClock()
    var sequence: UInt16 = 0
    while !input.isEmpty {
        let control = input.byte()
        let now = clock.next(&input, isAny: control & 8 != 0)
        switch control & 7 {
        case 0: estimator.sent(Int(input.uint16()), at: now)
        case 1: estimator.advance(to: now)
        case 2: estimator.frameInterval = control & 8 == 0 ? Int64(input.uint32()) : now
        case 3:
            estimator.report(
                ReceiverReport(
                    fractionLost: control & 16 == 0
                        ? Double(input.byte()) / 255 : Double(bitPattern: input.uint64()),
                    jitter: now, roundTrip: control & 32 == 0 ? Int64(input.uint32()) : now),
                at: now)
        default:
            var packets: [PacketFeedback] = []
            for _ in 0..<Int(input.byte() & 31) {
                packets.append(packet(&input, after: &sequence, now: now))
            }
            estimator.feedback(packets, at: now)
        }
        try expect(
            estimator.bitrate >= settings.minimum && estimator.bitrate <= settings.maximum,
            "an estimate of \(estimator.bitrate)")
        try expect(
            estimator.target >= settings.minimum && estimator.target <= estimator.bitrate,
            "a target of \(estimator.target) for an estimate of \(estimator.bitrate)")
        try expect((0...1).contains(estimator.lossFraction), "a loss of \(estimator.lossFraction)")
        try expect(estimator.queueDelay >= 0, "a queue of \(estimator.queueDelay) ns")
        try expect(estimator.receivedRate.map { $0.isFinite && $0 >= 0 } ?? true, "no rate that is received")
    }
}

/// One entry: mostly the next packet, sent a little before now and come after some delay.
private func packet(_ input: inout FuzzInput, after sequence: inout UInt16, now: Int64) -> PacketFeedback {
    let control = input.byte()
    sequence = control & 1 == 0 ? sequence &+ 1 : input.uint16()
    let sent: Int64? =
        control & 2 == 0
        ? now &- Int64(input.byte()) &* 1_000_000 : control & 4 == 0 ? nil : Int64(bitPattern: input.uint64())
    let arrived: Int64? =
        control & 8 == 0
        ? (sent ?? 0) &+ Int64(input.byte()) &* 300_000
        : control & 16 == 0 ? nil : Int64(bitPattern: input.uint64())
    let size = control & 32 == 0 ? Int(input.byte()) * 6 : Int(truncatingIfNeeded: Int64(bitPattern: input.uint64()))
    return PacketFeedback(
        sequence: sequence, sendTime: sent, arrivalTime: arrived, size: size, isLost: control & 0xC0 == 0xC0)
}

/// A clock that mostly goes on by up to a quarter of a second.
private struct FuzzClock {
    private var now: Int64 = 1 << 40

    mutating func next(_ input: inout FuzzInput, isAny: Bool) -> Int64 {
        if isAny { return Int64(bitPattern: input.uint64()) }
        now &+= Int64(input.byte()) &* 1_000_000
        return now
    }
}
