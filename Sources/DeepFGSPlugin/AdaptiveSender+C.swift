import CDeepFGS
import DeepFGSTransport

/// Decides for `deepfgsadapt` what of each frame is sent, and when.
final class AdaptiveSenderHandle: Handle {
    var sender = AdaptiveSender()
    /// How long frames are held here.
    private var latency = MeasuredLatency()

    /// What is announced: what frames take and a quarter more, but no more than an interval unless they do; one interval until
    /// some were sent.
    var announced: Int64 {
        guard sender.settings.paces else { return 0 }
        guard let measured = latency.announced.map({ Int64(clamping: $0) }) else { return sender.cutter.interval }
        return max(min(measured, sender.cutter.interval), measured / 5 * 4)
    }

    func report() -> FrameReport? {
        guard let report = sender.report() else { return nil }
        if report.packetsSent > 0 { _ = latency.took(UInt64(report.took)) }
        return report
    }

    func set(_ settings: DeepFGSAdaptiveSenderSettings) {
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
            sender.countMalformed()
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
public func deepfgs_adaptive_sender_new() -> OpaquePointer { AdaptiveSenderHandle().handle() }

@c @implementation
public func deepfgs_adaptive_sender_free(_ sender: OpaquePointer) { AdaptiveSenderHandle.release(sender) }

@c @implementation
public func deepfgs_adaptive_sender_set(
    _ sender: OpaquePointer, _ settings: UnsafePointer<DeepFGSAdaptiveSenderSettings>
) {
    AdaptiveSenderHandle.borrow(sender).set(settings.pointee)
}

@c @implementation
public func deepfgs_adaptive_sender_set_interval(_ sender: OpaquePointer, _ interval: Int64) {
    AdaptiveSenderHandle.borrow(sender).sender.setInterval(interval)
}

@c @implementation
public func deepfgs_adaptive_sender_take(
    _ sender: OpaquePointer, _ packet: UnsafePointer<DeepFGSIncomingPacket>, _ now: Int64
) -> Bool { AdaptiveSenderHandle.borrow(sender).take(packet.pointee, at: now) }

@c @implementation
public func deepfgs_adaptive_sender_next(_ sender: OpaquePointer, _ now: Int64) -> DeepFGSStep {
    AdaptiveSenderHandle.borrow(sender).next(at: now)
}

@c @implementation
public func deepfgs_adaptive_sender_finish(_ sender: OpaquePointer, _ now: Int64) {
    AdaptiveSenderHandle.borrow(sender).sender.finish(at: now)
}

@c @implementation
public func deepfgs_adaptive_sender_flush(_ sender: OpaquePointer) {
    AdaptiveSenderHandle.borrow(sender).sender.flush()
}

@c @implementation
public func deepfgs_adaptive_sender_report(
    _ sender: OpaquePointer, _ report: UnsafeMutablePointer<DeepFGSFrameReport>
) -> Bool {
    guard let next = AdaptiveSenderHandle.borrow(sender).report() else { return false }
    report.pointee = next.asC
    return true
}

@c @implementation
public func deepfgs_drop_reason_name(_ reason: DeepFGSDropReason) -> UnsafePointer<CChar> {
    let name = UInt8(exactly: reason.rawValue).flatMap { DropReason(rawValue: $0) }?.name
    return constant(name ?? "none")
}

@c @implementation
public func deepfgs_adaptive_sender_target_bitrate(_ sender: OpaquePointer, _ now: Int64) -> Double {
    AdaptiveSenderHandle.borrow(sender).sender.target(at: now)
}

@c @implementation
public func deepfgs_adaptive_sender_estimated_bitrate(_ sender: OpaquePointer) -> Double {
    AdaptiveSenderHandle.borrow(sender).sender.estimator.bitrate
}

@c @implementation
public func deepfgs_adaptive_sender_feedback_state(_ sender: OpaquePointer, _ now: Int64) -> DeepFGSFeedbackState {
    let news = AdaptiveSenderHandle.borrow(sender).sender.feedbackNews(at: now)
    return news.map { DeepFGSFeedbackState(rawValue: Int32($0.rawValue)) } ?? DEEPFGS_FEEDBACK_AWAITED
}

@c @implementation
public func deepfgs_adaptive_sender_base_request(
    _ sender: OpaquePointer, _ now: Int64, _ request: UnsafeMutablePointer<DeepFGSBaseRequest>
) -> Bool {
    guard let asked = AdaptiveSenderHandle.borrow(sender).sender.baseRequest(at: now) else { return false }
    request.pointee = DeepFGSBaseRequest(
        bitrate: asked.bitrate, packet_overhead: UInt32(asked.packetOverhead), packet_bytes: UInt32(asked.packetBytes))
    return true
}

@c @implementation
public func deepfgs_feedback_state_name(_ state: DeepFGSFeedbackState) -> UnsafePointer<CChar> {
    let feedback = UInt8(exactly: state.rawValue).flatMap { AdaptiveSender.Feedback(rawValue: $0) } ?? .none
    return constant(feedback.name)
}

@c @implementation
public func deepfgs_adaptive_sender_latency(_ sender: OpaquePointer) -> Int64 {
    AdaptiveSenderHandle.borrow(sender).announced
}

@c @implementation
public func deepfgs_adaptive_sender_statistics(
    _ sender: OpaquePointer, _ now: Int64, _ fields: UnsafeMutablePointer<DeepFGSStatistic>, _ capacity: Int
) -> Int {
    fill(
        UnsafeMutableBufferPointer(start: fields, count: capacity), with: AdaptiveSender.statisticFields,
        of: AdaptiveSenderHandle.borrow(sender).sender.statistics(at: now))
}

@c @implementation
public func deepfgs_adaptive_sender_feedback(
    _ sender: OpaquePointer, _ packets: UnsafePointer<DeepFGSFeedback>, _ count: Int, _ now: Int64
) {
    let entries = UnsafeBufferPointer(start: packets, count: count).map { packet in
        PacketFeedback(
            sequence: packet.sequence_number, sendTime: packet.sent < 0 ? nil : packet.sent,
            arrivalTime: packet.arrived < 0 ? nil : packet.arrived, size: Int(packet.size), isLost: packet.is_lost)
    }
    AdaptiveSenderHandle.borrow(sender).sender.receive(entries, at: now)
}

@c @implementation
public func deepfgs_adaptive_sender_receiver_report(
    _ sender: OpaquePointer, _ lost: Double, _ jitter: Int64, _ roundTrip: Int64, _ now: Int64
) {
    let report = ReceiverReport(
        fractionLost: lost, jitter: max(0, jitter), roundTrip: roundTrip < 0 ? nil : roundTrip)
    AdaptiveSenderHandle.borrow(sender).sender.receive(report, at: now)
}
