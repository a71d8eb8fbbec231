import CDeepFGS
import DeepFGSTransport

/// Divides frames into packets for `rtpdeepfgspay`.
final class PacketiserHandle: Handle {
    private var packetiser: Packetiser
    private var packets: [Packetiser.Packet] = []
    private var repairs: [[UInt8]] = []

    init(frameNumber: UInt16) { packetiser = Packetiser(frameNumber: frameNumber) }

    func divide(
        _ frame: UnsafeRawBufferPointer, maximumPayload: Int, baseProtection: Int
    ) throws(Failure) -> Int {
        repairs = []
        packetiser.baseProtection = baseProtection
        do {
            packets = try packetiser.packets(of: frame, maximumPayload: maximumPayload)
            repairs = Packetiser.repairSymbols(of: frame, for: packets)
            return packets.count
        } catch {
            packets = []
            throw Failure(status: error.status, message: "\(error)")
        }
    }

    func packet(at index: Int) -> DeepFGSPacket {
        guard packets.indices.contains(index) else { return DeepFGSPacket() }
        let packet = packets[index]
        var out = DeepFGSPacket()
        withUnsafeMutableBytes(of: &out.header) { packet.header.write(to: $0) }
        out.offset = UInt32(truncatingIfNeeded: packet.bytes.lowerBound)
        out.length = UInt32(truncatingIfNeeded: packet.header.repair?.symbolSize ?? packet.bytes.count)
        out.is_repair = packet.header.repair != nil
        out.priority = packet.header.priority
        out.is_last = packet.isLast
        return out
    }

    func readRepair(at index: Int, into bytes: UnsafeMutableRawBufferPointer) {
        guard packets.indices.contains(index), let repair = packets[index].header.repair,
            repairs.indices.contains(Int(repair.index))
        else { return }
        bytes.copyBytes(from: repairs[Int(repair.index)].prefix(bytes.count))
    }
}

extension Packetiser.Failure {
    fileprivate var status: DeepFGSStatus {
        switch self {
        case .notDecodable(.unsupportedVersion), .baseTooLong: DEEPFGS_ERROR_FORMAT
        case .notDecodable: DEEPFGS_ERROR_DAMAGED
        case .noRoom: DEEPFGS_ERROR_SETTINGS
        }
    }
}

@c @implementation
public func deepfgs_packetiser_new(_ frameNumber: UInt16) -> OpaquePointer {
    PacketiserHandle(frameNumber: frameNumber).handle()
}

@c @implementation
public func deepfgs_packetiser_free(_ packetiser: OpaquePointer) { PacketiserHandle.release(packetiser) }

@c @implementation
public func deepfgs_packetiser_divide(
    _ packetiser: OpaquePointer, _ frame: UnsafePointer<UInt8>, _ size: Int, _ maximumPayload: Int,
    _ baseProtection: UInt32, _ count: UnsafeMutablePointer<Int>, _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    do throws(Failure) {
        count.pointee = try PacketiserHandle.borrow(packetiser).divide(
            UnsafeRawBufferPointer(start: frame, count: size), maximumPayload: maximumPayload,
            baseProtection: Int(baseProtection))
        return DEEPFGS_OK
    } catch let failure {
        count.pointee = 0
        return failure.fill(error)
    }
}

@c @implementation
public func deepfgs_packetiser_packet(_ packetiser: OpaquePointer, _ index: Int) -> DeepFGSPacket {
    PacketiserHandle.borrow(packetiser).packet(at: index)
}

@c @implementation
public func deepfgs_packetiser_read_repair(
    _ packetiser: OpaquePointer, _ index: Int, _ bytes: UnsafeMutablePointer<UInt8>, _ size: Int
) {
    PacketiserHandle.borrow(packetiser).readRepair(
        at: index, into: UnsafeMutableRawBufferPointer(start: bytes, count: size))
}
