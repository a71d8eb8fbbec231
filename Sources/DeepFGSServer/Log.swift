import DeepFGSTools
import Glibc
import Synchronization

/// The daemon's log: one line for each event on the standard error, as text or JSON, from any thread.
public enum Log {
    private static let settings = Mutex(LogSettings())

    public static func configure(_ new: LogSettings) { settings.withLock { $0 = new } }

    public static func debug(_ words: String, stream: String? = nil, receiver: String? = nil) {
        write(.debug, words, stream, receiver)
    }

    public static func info(_ words: String, stream: String? = nil, receiver: String? = nil) {
        write(.info, words, stream, receiver)
    }

    public static func warning(_ words: String, stream: String? = nil, receiver: String? = nil) {
        write(.warning, words, stream, receiver)
    }

    public static func error(_ words: String, stream: String? = nil, receiver: String? = nil) {
        write(.error, words, stream, receiver)
    }

    private static func write(_ level: LogSettings.Level, _ words: String, _ stream: String?, _ receiver: String?) {
        let settings = settings.withLock { $0 }
        let all = LogSettings.Level.allCases
        guard (all.firstIndex(of: level) ?? 0) >= (all.firstIndex(of: settings.level) ?? 0) else { return }
        // What others say reaches here too: one event stays one line, and no terminal is steered by it.
        let plain = String(
            String.UnicodeScalarView(words.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
        var line: String
        switch settings.format {
        case .json:
            var members: [(String, JSON)] = [
                ("time", .string(utc(realTime))), ("level", .string(level.rawValue)), ("message", .string(plain)),
            ]
            if let stream { members.append(("stream", .string(stream))) }
            if let receiver { members.append(("receiver", .string(receiver))) }
            line = JSON.object(members).line
        case .text:
            let subject = [stream, receiver].compactMap { $0 }.joined(separator: "/")
            line = "\(utc(realTime)) \(level.rawValue) " + (subject.isEmpty ? "" : "[\(subject)] ") + plain
        }
        line += "\n"
        // One call, so that lines of several threads do not mix.
        _ = line.withUTF8 { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Seconds since 1970.
var realTime: Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// Seconds of a clock that nobody sets.
var monotonicTime: Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// A time as `2026-11-26T12:34:56.789Z`.
func utc(_ seconds: Double) -> String {
    let milliseconds = Int(seconds * 1000)
    return stamp(milliseconds / 1000, "%Y-%m-%dT%H:%M:%S") + "."
        + String(String(milliseconds % 1000 + 1000).dropFirst()) + "Z"
}

/// A time by a format of `strftime`, UTC.
func stamp(_ seconds: Int, _ format: String) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, format, &parts)
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
