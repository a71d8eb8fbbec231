import CDeepFGS
import DeepFGSTransport

/// Puts frames together for `rtpdeepfgsdepay`.
final class DepacketiserHandle: Handle {
    var depacketiser = Depacketiser()
    private var ended: [Depacketiser.Frame] = []
    private var current: Depacketiser.Frame?

    func took(_ frames: some Sequence<Depacketiser.Frame>) { ended.append(contentsOf: frames) }

    func next() -> Depacketiser.Frame? {
        current = ended.isEmpty ? nil : ended.removeFirst()
        return current
    }

    func read(into bytes: UnsafeMutableRawBufferPointer) {
        guard let current else { return }
        bytes.copyBytes(from: current.bytes.prefix(bytes.count))
    }

    func reset() {
        depacketiser.reset()
        ended = []
        current = nil
    }
}

@c @implementation
public func deepfgs_depacketiser_new() -> OpaquePointer { DepacketiserHandle().handle() }

@c @implementation
public func deepfgs_depacketiser_free(_ depacketiser: OpaquePointer) { DepacketiserHandle.release(depacketiser) }

@c @implementation
public func deepfgs_depacketiser_reset(_ depacketiser: OpaquePointer) {
    DepacketiserHandle.borrow(depacketiser).reset()
}

@c @implementation
public func deepfgs_depacketiser_receive(
    _ depacketiser: OpaquePointer, _ payload: UnsafePointer<UInt8>, _ size: Int, _ sequenceNumber: UInt16,
    _ timestamp: UInt32, _ marker: Bool, _ mark: UInt64
) {
    let handle = DepacketiserHandle.borrow(depacketiser)
    handle.took(
        handle.depacketiser.receive(
            UnsafeRawBufferPointer(start: payload, count: size), sequenceNumber: sequenceNumber, timestamp: timestamp,
            marker: marker, mark: mark))
}

@c @implementation
public func deepfgs_depacketiser_lost(_ depacketiser: OpaquePointer) {
    let handle = DepacketiserHandle.borrow(depacketiser)
    handle.took(CollectionOfOne(handle.depacketiser.lost()).compactMap { $0 })
}

@c @implementation
public func deepfgs_depacketiser_finish(_ depacketiser: OpaquePointer) {
    let handle = DepacketiserHandle.borrow(depacketiser)
    handle.took(CollectionOfOne(handle.depacketiser.finish()).compactMap { $0 })
}

@c @implementation
public func deepfgs_depacketiser_next(
    _ depacketiser: OpaquePointer, _ frame: UnsafeMutablePointer<DeepFGSReceivedFrame>
) -> Bool {
    guard let next = DepacketiserHandle.borrow(depacketiser).next() else { return false }
    var out = DeepFGSReceivedFrame()
    out.end = DeepFGSFrameEnd(rawValue: UInt32(next.end.rawValue))
    out.size = next.bytes.count
    out.frame_length = next.frameLength
    out.timestamp = next.timestamp
    out.frame_number = next.frameNumber
    out.recovered_packets = UInt32(truncatingIfNeeded: next.recoveredPackets)
    out.lost_before = UInt32(truncatingIfNeeded: next.lostBefore)
    out.mark = next.mark
    if let header = next.header {
        out.width = UInt16(truncatingIfNeeded: header.width)
        out.height = UInt16(truncatingIfNeeded: header.height)
        out.pixel_width = header.extensions.pixelAspectRatio?.width ?? 0
        out.pixel_height = header.extensions.pixelAspectRatio?.height ?? 0
        withUnsafeMutableBytes(of: &out.model) { copyString("\(header.model)", to: $0) }
    }
    frame.pointee = out
    return true
}

@c @implementation
public func deepfgs_depacketiser_read(_ depacketiser: OpaquePointer, _ bytes: UnsafeMutablePointer<UInt8>, _ size: Int)
{
    DepacketiserHandle.borrow(depacketiser).read(into: UnsafeMutableRawBufferPointer(start: bytes, count: size))
}

@c @implementation
public func deepfgs_depacketiser_statistics(
    _ depacketiser: OpaquePointer, _ fields: UnsafeMutablePointer<DeepFGSStatistic>, _ capacity: Int
) -> Int {
    fill(
        UnsafeMutableBufferPointer(start: fields, count: capacity), with: Depacketiser.statisticFields,
        of: DepacketiserHandle.borrow(depacketiser).depacketiser.statistics)
}
