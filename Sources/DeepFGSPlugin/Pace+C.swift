import CDeepFGS

/// What C holds of a `Pace`.
final class PaceHandle: Handle {
    var pace = Pace()
}

@c @implementation
public func deepfgs_pace_new() -> OpaquePointer { PaceHandle().handle() }

@c @implementation
public func deepfgs_pace_free(_ pace: OpaquePointer) { PaceHandle.release(pace) }

@c @implementation
public func deepfgs_pace_admit(
    _ pace: OpaquePointer, _ now: UInt64, _ lateness: Int64, _ most: Int64, _ interval: UInt64
) -> Bool {
    PaceHandle.borrow(pace).pace.admits(now: now, lateness: lateness, most: most, interval: known(interval))
}

@c @implementation
public func deepfgs_pace_done(_ pace: OpaquePointer, _ now: UInt64, _ took: UInt64) -> UInt64 {
    PaceHandle.borrow(pace).pace.coded(now: now, took: took) ?? UInt64.max
}

@c @implementation
public func deepfgs_pace_report(
    _ pace: OpaquePointer, _ now: UInt64, _ overload: UnsafeMutablePointer<DeepFGSOverload>
) -> Bool {
    guard let report = PaceHandle.borrow(pace).pace.report(now: now) else { return false }
    overload.pointee = DeepFGSOverload(framerate: report.framerate, dropped: UInt64(report.dropped))
    return true
}
