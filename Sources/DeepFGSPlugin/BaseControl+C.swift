import CDeepFGS
import DeepFGSTransport

/// What C holds of a `BaseControl`.
final class BaseControlHandle: Handle {
    var control = BaseControl()
}

@c @implementation
public func deepfgs_base_control_new() -> OpaquePointer { BaseControlHandle().handle() }

@c @implementation
public func deepfgs_base_control_free(_ control: OpaquePointer) { BaseControlHandle.release(control) }

@c @implementation
public func deepfgs_base_control_take(
    _ control: OpaquePointer, _ sender: UInt64, _ request: UnsafePointer<DeepFGSBaseRequest>?, _ now: Int64
) {
    let asked = request.map {
        BaseRequest(
            bitrate: $0.pointee.bitrate, packetOverhead: Int($0.pointee.packet_overhead),
            packetBytes: Int($0.pointee.packet_bytes))
    }
    BaseControlHandle.borrow(control).control.take(asked, from: sender, at: now)
}

@c @implementation
public func deepfgs_base_control_admit(
    _ control: OpaquePointer, _ time: Int64, _ interval: Int64, _ limits: DeepFGSBaseLimits, _ now: Int64
) -> UInt32 {
    let allowed = BaseControl.Limits(
        step: Int(limits.step), coarsest: Int(limits.coarsest), longestGap: limits.longest_gap)
    let step = BaseControlHandle.borrow(control).control.admit(time: time, interval: interval, limits: allowed, at: now)
    return step.map { UInt32(clamping: $0) } ?? 0
}

@c @implementation
public func deepfgs_base_control_note(_ control: OpaquePointer, _ base: Int, _ now: Int64) {
    BaseControlHandle.borrow(control).control.note(base: base, at: now)
}
