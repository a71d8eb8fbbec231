import Glibc

/// Words to systemd, or whoever set `NOTIFY_SOCKET`: datagrams of lines (sd_notify(3)).
struct Notify {
    private let socketPath: String
    /// Half of the time within which the watchdog wants to hear; nil where there is none.
    let watchdogSeconds: Double?

    init(environment: [String: String]) {
        socketPath = environment["NOTIFY_SOCKET"] ?? ""
        let process = environment["WATCHDOG_PID"].flatMap { Int32($0) }
        let microseconds = environment["WATCHDOG_USEC"].flatMap(Double.init)
        watchdogSeconds = process == nil || process == getpid() ? microseconds.map { $0 / 2e6 } : nil
    }

    func send(_ lines: String...) {
        guard !socketPath.isEmpty else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        var bytes = Array(socketPath.utf8)
        guard bytes.count < room else { return }
        // A name that begins with @ is in the abstract namespace.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let handle = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { return }
        defer { close(handle) }
        let length = socklen_t(MemoryLayout.size(ofValue: address) - room + bytes.count)
        let text = Array(lines.joined(separator: "\n").utf8)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(handle, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
