import CDeepFGS
import DeepFGSTransport

/// Decides for `deepfgsadapt` what of each frame is sent, and when.
final class CutterHandle: Handle {
    var cutter = TailCutter(target: 0)
    var malformed: UInt64 = 0

    func set(_ settings: DeepFGSCutterSettings) {
        cutter.target = max(settings.min_bitrate, min(settings.max_bitrate, settings.target_bitrate))
        cutter.networkOverhead = Int(settings.network_overhead)
        cutter.pacing = settings.pacing ? .even : .none
    }

    func take(_ packet: DeepFGSIncomingPacket, at now: Int64) -> Bool {
        let payload = UnsafeRawBufferPointer(start: packet.payload, count: packet.payload_size)
        guard let header = try? PayloadHeader(parsing: payload) else {
            malformed += 1
            return false
        }
        cutter.take(
            TailCutter.Packet(
                token: packet.token, rtpHeaderBytes: Int(packet.rtp_header_size), payloadBytes: packet.payload_size,
                header: header, timestamp: packet.timestamp, sequenceNumber: packet.sequence_number,
                marker: packet.marker), at: now)
        return true
    }

    func next(at now: Int64) -> DeepFGSStep {
        var step = DeepFGSStep()
        switch cutter.next(at: now) {
        case .idle: step.kind = DEEPFGS_STEP_IDLE
        case .wait(let until):
            step.kind = DEEPFGS_STEP_WAIT
            step.until = until
        case .send(let token, let payloadBytes, let marker, let sequenceNumber):
            step.kind = DEEPFGS_STEP_SEND
            step.token = token
            step.payload_size = payloadBytes
            step.marker = marker
            step.sequence_number = sequenceNumber
        case .drop(let token, _):
            step.kind = DEEPFGS_STEP_DROP
            step.token = token
        }
        step.is_empty = cutter.isEmpty
        return step
    }

    func statistics(at now: Int64) -> DeepFGSCutterStatistics {
        let counts = cutter.statistics
        var out = DeepFGSCutterStatistics()
        out.frames = counts.frames
        out.frames_whole = counts.framesWhole
        out.frames_cut = counts.framesCut
        out.frames_skipped = counts.framesSkipped
        out.packets = counts.packets + malformed
        out.packets_sent = counts.packetsSent
        out.packets_malformed = malformed
        out.bytes = counts.bytes
        out.bytes_sent = counts.bytesSent
        out.bytes_queued = UInt64(clamping: cutter.queuedBytes)
        withUnsafeMutableBytes(of: &out.packets_dropped) { copy(counts.packetsDropped, to: $0) }
        withUnsafeMutableBytes(of: &out.bytes_dropped) { copy(counts.bytesDropped, to: $0) }
        out.sent_bitrate = cutter.sentRate(at: now)
        out.target_bitrate = cutter.target
        out.interval = cutter.interval
        return out
    }
}

/// Copies as many numbers as fit.
private func copy(_ numbers: [UInt64], to bytes: UnsafeMutableRawBufferPointer) {
    numbers.withUnsafeBytes { bytes.copyBytes(from: $0.prefix(bytes.count)) }
}

extension TailCutter.Report {
    fileprivate var asC: DeepFGSFrameReport {
        DeepFGSFrameReport(
            frame_number: frameNumber, timestamp: timestamp, bytes: UInt64(clamping: bytes),
            bytes_sent: UInt64(clamping: bytesSent), packets_sent: UInt64(clamping: packetsSent),
            wire_bytes: UInt64(clamping: wireBytes),
            reason: reason.map { DeepFGSDropReason(rawValue: Int32($0.rawValue)) } ?? DEEPFGS_DROP_NONE)
    }
}

@c @implementation
public func deepfgs_cutter_new() -> OpaquePointer { CutterHandle().handle() }

@c @implementation
public func deepfgs_cutter_free(_ cutter: OpaquePointer) { CutterHandle.release(cutter) }

@c @implementation
public func deepfgs_cutter_set(_ cutter: OpaquePointer, _ settings: UnsafePointer<DeepFGSCutterSettings>) {
    CutterHandle.borrow(cutter).set(settings.pointee)
}

@c @implementation
public func deepfgs_cutter_set_interval(_ cutter: OpaquePointer, _ interval: Int64) {
    CutterHandle.borrow(cutter).cutter.setInterval(interval)
}

@c @implementation
public func deepfgs_cutter_take(
    _ cutter: OpaquePointer, _ packet: UnsafePointer<DeepFGSIncomingPacket>, _ now: Int64
) -> Bool { CutterHandle.borrow(cutter).take(packet.pointee, at: now) }

@c @implementation
public func deepfgs_cutter_next(_ cutter: OpaquePointer, _ now: Int64) -> DeepFGSStep {
    CutterHandle.borrow(cutter).next(at: now)
}

@c @implementation
public func deepfgs_cutter_finish(_ cutter: OpaquePointer, _ now: Int64) {
    CutterHandle.borrow(cutter).cutter.finish(at: now)
}

@c @implementation
public func deepfgs_cutter_flush(_ cutter: OpaquePointer) { CutterHandle.borrow(cutter).cutter.flush() }

@c @implementation
public func deepfgs_cutter_report(
    _ cutter: OpaquePointer, _ report: UnsafeMutablePointer<DeepFGSFrameReport>
) -> Bool {
    guard let next = CutterHandle.borrow(cutter).cutter.report() else { return false }
    report.pointee = next.asC
    return true
}

@c @implementation
public func deepfgs_cutter_statistics(_ cutter: OpaquePointer, _ now: Int64) -> DeepFGSCutterStatistics {
    CutterHandle.borrow(cutter).statistics(at: now)
}
