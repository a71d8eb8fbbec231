import CDeepFGS
import DeepFGSTransport

/// Decides for `deepfgsadapt` what of each frame is sent, and when.
final class CutterHandle: Handle {
    var sender = AdaptiveSender()
    var malformed: UInt64 = 0

    func set(_ settings: DeepFGSCutterSettings) {
        var wanted = AdaptiveSender.Settings()
        wanted.mode = settings.is_automatic ? .automatic : .fixed
        wanted.target = settings.target_bitrate
        wanted.minimum = settings.min_bitrate
        wanted.maximum = settings.max_bitrate
        wanted.start = settings.start_bitrate
        wanted.networkOverhead = Int(settings.network_overhead)
        wanted.maximumFrameBytes = Int(settings.max_frame_bytes)
        wanted.paces = settings.pacing
        switch settings.base_protection {
        case DEEPFGS_PROTECTION_ALL: wanted.protection = .all
        case DEEPFGS_PROTECTION_NONE: wanted.protection = .none
        default: wanted.protection = .automatic
        }
        sender.settings = wanted
    }

    func take(_ packet: DeepFGSIncomingPacket, at now: Int64) -> Bool {
        let payload = UnsafeRawBufferPointer(start: packet.payload, count: packet.payload_size)
        guard let header = try? PayloadHeader(parsing: payload) else {
            malformed += 1
            return false
        }
        sender.take(
            TailCutter.Packet(
                token: packet.token, rtpHeaderBytes: Int(packet.rtp_header_size), payloadBytes: packet.payload_size,
                header: header, timestamp: packet.timestamp, sequenceNumber: packet.sequence_number,
                marker: packet.marker), at: now)
        return true
    }

    func next(at now: Int64) -> DeepFGSStep {
        var step = DeepFGSStep()
        switch sender.next(at: now) {
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
        step.is_empty = sender.cutter.isEmpty
        return step
    }

    func statistics(at now: Int64) -> DeepFGSCutterStatistics {
        let cutter = sender.cutter
        let counts = cutter.statistics
        var out = DeepFGSCutterStatistics()
        out.frames = counts.frames
        out.frames_whole = counts.framesWhole
        out.frames_cut = counts.framesCut
        out.frames_skipped = counts.framesSkipped
        out.packets = counts.packets + malformed
        out.packets_sent = counts.packetsSent
        out.packets_malformed = malformed
        out.repair_packets = counts.repairPackets
        out.repair_packets_sent = counts.repairPacketsSent
        out.bytes = counts.bytes
        out.bytes_sent = counts.bytesSent
        out.bytes_queued = UInt64(clamping: cutter.queuedBytes)
        withUnsafeMutableBytes(of: &out.packets_dropped) { copy(counts.packetsDropped, to: $0) }
        withUnsafeMutableBytes(of: &out.bytes_dropped) { copy(counts.bytesDropped, to: $0) }
        out.sent_bitrate = sender.sentRate(at: now)
        out.target_bitrate = sender.target(at: now)
        out.interval = cutter.interval
        return out
    }
}

extension CutterHandle {
    var path: DeepFGSPath {
        let estimator = sender.estimator
        return DeepFGSPath(
            estimated_bitrate: estimator.bitrate, received_bitrate: estimator.receivedRate ?? 0,
            loss: estimator.lossFraction, queue_delay: estimator.queueDelay, round_trip: estimator.roundTrip ?? -1,
            feedback: sender.feedback.name, state: estimator.state.name, reason: estimator.reason.name)
    }
}

extension AdaptiveSender.Feedback {
    /// For C, which keeps the pointer: literals live as long as the program.
    fileprivate var name: UnsafePointer<CChar> {
        switch self {
        case .none: constant("none")
        case .transportWide: constant("transport-wide")
        case .receiverReports: constant("receiver-reports")
        }
    }
}

extension BandwidthEstimator.State {
    fileprivate var name: UnsafePointer<CChar> {
        switch self {
        case .hold: constant("hold")
        case .increase: constant("increase")
        case .decrease: constant("decrease")
        }
    }
}

extension BandwidthEstimator.Reason {
    fileprivate var name: UnsafePointer<CChar> {
        switch self {
        case .start: constant("start")
        case .proved: constant("proved")
        case .additive: constant("additive")
        case .limit: constant("limit")
        case .settling: constant("settling")
        case .delay: constant("delay")
        case .queue: constant("queue")
        case .dispersion: constant("dispersion")
        case .loss: constant("loss")
        case .idle: constant("idle")
        case .report: constant("report")
        }
    }
}

private func constant(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// Copies as many numbers as fit.
private func copy(_ numbers: [UInt64], to bytes: UnsafeMutableRawBufferPointer) {
    numbers.withUnsafeBytes { bytes.copyBytes(from: $0.prefix(bytes.count)) }
}

extension FrameReport {
    fileprivate var asC: DeepFGSFrameReport {
        DeepFGSFrameReport(
            frame_number: frameNumber, timestamp: timestamp, bytes: UInt64(clamping: bytes),
            bytes_sent: UInt64(clamping: bytesSent), packets_sent: UInt64(clamping: packetsSent),
            wire_bytes: UInt64(clamping: wireBytes), repair_packets_sent: UInt64(clamping: repairPacketsSent),
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
    CutterHandle.borrow(cutter).sender.setInterval(interval)
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
    CutterHandle.borrow(cutter).sender.finish(at: now)
}

@c @implementation
public func deepfgs_cutter_flush(_ cutter: OpaquePointer) { CutterHandle.borrow(cutter).sender.flush() }

@c @implementation
public func deepfgs_cutter_report(
    _ cutter: OpaquePointer, _ report: UnsafeMutablePointer<DeepFGSFrameReport>
) -> Bool {
    guard let next = CutterHandle.borrow(cutter).sender.report() else { return false }
    report.pointee = next.asC
    return true
}

@c @implementation
public func deepfgs_cutter_statistics(_ cutter: OpaquePointer, _ now: Int64) -> DeepFGSCutterStatistics {
    CutterHandle.borrow(cutter).statistics(at: now)
}

@c @implementation
public func deepfgs_cutter_feedback(
    _ cutter: OpaquePointer, _ packets: UnsafePointer<DeepFGSFeedback>, _ count: Int, _ now: Int64
) {
    let entries = UnsafeBufferPointer(start: packets, count: count).map { packet in
        PacketFeedback(
            sequence: packet.sequence_number, sendTime: packet.sent < 0 ? nil : packet.sent,
            arrivalTime: packet.arrived < 0 ? nil : packet.arrived, size: Int(packet.size), isLost: packet.is_lost)
    }
    CutterHandle.borrow(cutter).sender.receive(entries, at: now)
}

@c @implementation
public func deepfgs_cutter_receiver_report(
    _ cutter: OpaquePointer, _ lost: Double, _ jitter: Int64, _ roundTrip: Int64, _ now: Int64
) {
    let report = ReceiverReport(
        fractionLost: lost, jitter: max(0, jitter), roundTrip: roundTrip < 0 ? nil : roundTrip)
    CutterHandle.borrow(cutter).sender.receive(report, at: now)
}

@c @implementation
public func deepfgs_cutter_path(_ cutter: OpaquePointer) -> DeepFGSPath { CutterHandle.borrow(cutter).path }
