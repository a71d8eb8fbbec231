import CDeepFGS
import DeepFGSTransport

/// Divides frames into packets for `rtpdeepfgspay`.
final class PacketiserHandle: Handle {
    private var packetiser: Packetiser
    private var packets: [Packetiser.Packet] = []

    init(frameNumber: UInt16) { packetiser = Packetiser(frameNumber: frameNumber) }

    func divide(_ frame: UnsafeRawBufferPointer, maximumPayload: Int) throws(Failure) -> Int {
        do {
            packets = try packetiser.packets(of: frame, maximumPayload: maximumPayload)
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
        out.length = UInt32(truncatingIfNeeded: packet.bytes.count)
        out.priority = packet.header.priority
        out.is_last = packet.isLast
        return out
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
    _ count: UnsafeMutablePointer<Int>, _ error: UnsafeMutablePointer<DeepFGSError>
) -> DeepFGSStatus {
    do throws(Failure) {
        count.pointee = try PacketiserHandle.borrow(packetiser).divide(
            UnsafeRawBufferPointer(start: frame, count: size), maximumPayload: maximumPayload)
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
