import DeepFGS
import DeepFGSTransport

/// Packets of a small frame, of which only some arrive, in an order of the input's.
struct LossyFrame {
    private(set) var frame: [UInt8] = []
    /// Payloads that arrive.
    private(set) var payloads: [[UInt8]] = []
    /// Whether they are enough for the base.
    private(set) var isEnough = false

    /// A frame whose sizes, packets and losses the input says.
    init(_ input: inout FuzzInput, timestamp: UInt32) {
        let (base, tail) = (input.byte() & 127, input.byte() & 127)
        // Magic, version, flags, header length, model, 16 by 16 pixels, sample format, two chunks; checksums come after.
        frame = [0x44, 0x46, 0x47, 0x53, 1, 0, 0, 32] + [UInt8](repeating: 7, count: 8)
        frame += [0, 16, 0, 16, 0, 2, base, tail]
        frame += [UInt8](repeating: 0, count: 8)
        for index in 0..<(Int(base) + Int(tail)) { frame.append(UInt8(truncatingIfNeeded: index &* 37) ^ base) }
        BitstreamProbe.repair(&frame)
        var packetiser = Packetiser(frameNumber: UInt16(truncatingIfNeeded: timestamp))
        packetiser.baseProtection = Int(input.byte()) * 2
        let room = PayloadHeader.length + 6 + Int(input.byte() & 63)
        guard let packets = try? frame.withUnsafeBytes({ try packetiser.packets(of: $0, maximumPayload: room) }) else {
            return
        }
        let baseEnd = packets[0].header.baseEnd
        let size = packets.first { $0.header.repair != nil }?.header.repair?.symbolSize ?? room - PayloadHeader.length
        let repairs = frame.withUnsafeBytes { Packetiser.repairSymbols(of: $0, for: packets) }
        var arrived = 0
        for packet in packets where input.byte() & 3 != 3 {
            var payload = [UInt8](repeating: 0, count: PayloadHeader.length)
            payload.withUnsafeMutableBytes { packet.header.write(to: $0) }
            payload += packet.header.repair.map { repairs[Int($0.index)] } ?? Array(frame[packet.bytes])
            if packet.header.isBase { arrived += 1 }
            // Disorder within base and repair packets.
            if packet.header.isBase, input.byte() & 7 == 7 {
                payloads.insert(payload, at: 0)
            } else {
                payloads.append(payload)
            }
        }
        isEnough = arrived >= RepairCode.symbols(in: baseEnd, of: size)
    }

    /// What a receiver makes of them.
    func received(by depacketiser: inout Depacketiser, from sequenceNumber: UInt16, timestamp: UInt32)
        -> [Depacketiser.Frame]
    {
        var ended: [Depacketiser.Frame] = []
        for (index, payload) in payloads.enumerated() {
            ended += payload.withUnsafeBytes {
                depacketiser.receive(
                    $0, sequenceNumber: sequenceNumber &+ UInt16(truncatingIfNeeded: index), timestamp: timestamp,
                    marker: index == payloads.count - 1)
            }
        }
        return ended
    }

    /// A receiver of its own gets the base if and only if enough arrives, and no wrong bytes.
    func check() throws {
        var depacketiser = Depacketiser()
        let ended = received(by: &depacketiser, from: 1, timestamp: 1)
        guard let only = ended.first else { return try expect(payloads.isEmpty, "a frame that does not end") }
        try expect(ended.count == 1, "two frames of one")
        try expect((only.end != .baseLost) == isEnough, "a base of enough packets lost, or one of too few there")
        try expect(frame.starts(with: only.bytes), "wrong bytes")
    }
}
