import DeepFGSTools
import Glibc

/// What the daemon tells Prometheus.
///
/// It reads the streams' last statuses, and so waits for none of them.
enum Metrics {
    /// A field of an element's statistics as a metric.
    private struct Field {
        var field: String
        var metric: String
        var kind: MetricsText.Kind
        var help: String
        /// Of the metric's unit in the field's.
        var scale = 1.0
        /// A label beside stream and receiver.
        var label: (String, String)?
        /// What the field says where it is not known.
        var unknown: Double?
    }

    private static let nanoseconds = 1e-9
    private static let bits = 1.0 / 8

    /// The fields of deepfgsadapt's stats.
    private static let receiverFields: [Field] = [
        Field(
            field: "target-bitrate", metric: "target_bytes_per_second", kind: .gauge,
            help: "Bitrate that the receiver is sent at most.", scale: bits),
        Field(
            field: "estimated-bitrate", metric: "estimated_bytes_per_second", kind: .gauge,
            help: "Bitrate that the path is believed to carry.", scale: bits),
        Field(
            field: "sent-bitrate", metric: "sent_bytes_per_second", kind: .gauge,
            help: "Bitrate sent in the last two seconds, headers included.", scale: bits),
        Field(
            field: "received-bitrate", metric: "received_bytes_per_second", kind: .gauge,
            help: "Bitrate that arrived lately, by the feedback.", scale: bits),
        Field(field: "loss", metric: "loss_ratio", kind: .gauge, help: "Share of the packets lost lately."),
        Field(
            field: "queue-delay", metric: "queue_delay_seconds", kind: .gauge,
            help: "Time that packets wait in the path's queue.", scale: nanoseconds, unknown: -1),
        Field(
            field: "round-trip", metric: "round_trip_seconds", kind: .gauge, help: "Time there and back.",
            scale: nanoseconds, unknown: -1),
        Field(field: "bytes-queued", metric: "queued_bytes", kind: .gauge, help: "Bytes that wait to be sent."),
        Field(
            field: "bytes", metric: "bytes_total", kind: .counter,
            help: "Bytes on the wire that came from the encoder or sender."),
        Field(
            field: "bytes-sent", metric: "sent_bytes_total", kind: .counter, help: "Bytes on the wire that were sent."),
        Field(field: "packets-sent", metric: "sent_packets_total", kind: .counter, help: "Packets sent."),
        Field(
            field: "repair-packets-sent", metric: "sent_repair_packets_total", kind: .counter,
            help: "Repair packets sent."),
        Field(
            field: "packets-malformed", metric: "malformed_packets_total", kind: .counter,
            help: "Packets that came and were not of the format."),
        Field(
            field: "frames-whole", metric: "frames_total", kind: .counter, help: "Frames by what was sent of them.",
            label: ("sent", "whole")),
        Field(
            field: "frames-cut", metric: "frames_total", kind: .counter, help: "Frames by what was sent of them.",
            label: ("sent", "cut")),
        Field(
            field: "frames-skipped", metric: "frames_total", kind: .counter, help: "Frames by what was sent of them.",
            label: ("sent", "nothing")),
    ]

    /// The fields of rtpdeepfgsdepay's frame-stats.
    private static let inputFields: [Field] =
        ["complete", "cut", "tail-lost", "base-lost", "lost", "skipped"].map {
            Field(
                field: "frames-\($0)", metric: "frames_total", kind: .counter, help: "Frames by how they arrived.",
                label: ("arrived", $0))
        } + [
            Field(
                field: "frames-recovered", metric: "recovered_frames_total", kind: .counter,
                help: "Frames whose base repair packets gave back."),
            Field(field: "packets", metric: "packets_total", kind: .counter, help: "Packets received."),
            Field(
                field: "packets-malformed", metric: "malformed_packets_total", kind: .counter,
                help: "Packets received that were not of the format."),
            Field(
                field: "packets-late", metric: "late_packets_total", kind: .counter,
                help: "Packets that came too late or twice."),
            Field(field: "bytes", metric: "frame_bytes_total", kind: .counter, help: "Bytes of the frames passed on."),
            Field(
                field: "bytes-before-cut", metric: "uncut_frame_bytes_total", kind: .counter,
                help: "Bytes that the frames passed on had before any cut."),
        ]

    static func text(_ streams: [StreamStatus], daemon: (inout MetricsText) -> Void) -> String {
        var out = MetricsText()
        out.add("deepfgsd_build_info", .gauge, "The version that runs.", 1, [("version", daemonVersion)])
        daemon(&out)
        process(&out)
        for stream in streams { add(stream, &out) }
        return out.text
    }

    private static func add(_ stream: StreamStatus, _ out: inout MetricsText) {
        let labels = [("stream", stream.name)]
        for state in StreamState.allCases {
            out.add(
                "deepfgsd_stream_state", .gauge, "1 for the state that the stream is in.",
                stream.state == state ? 1 : 0,
                labels + [("state", state.rawValue)])
        }
        out.add("deepfgsd_stream_restarts_total", .counter, "Restarts after failures.", Double(stream.restarts), labels)
        out.add("deepfgsd_stream_frames_total", .counter, "Frames encoded or received.", Double(stream.frames), labels)
        out.add("deepfgsd_stream_frame_bytes_total", .counter, "Bytes of those frames.", Double(stream.bytes), labels)
        if let age = stream.frameAge {
            out.add("deepfgsd_stream_frame_age_seconds", .gauge, "Time since the last frame.", age, labels)
        }
        if let input = stream.input {
            out.add("deepfgsd_input_senders", .gauge, "Senders that send to the stream.", Double(input.senders), labels)
            add(inputFields, "deepfgsd_input_", input.numbers, labels, &out)
        }
        if let recording = stream.recording {
            out.add("deepfgsd_recording_bytes_total", .counter, "Bytes recorded.", Double(recording.bytes), labels)
            out.add("deepfgsd_recording_files_total", .counter, "Recordings finished.", Double(recording.files), labels)
            out.add(
                "deepfgsd_recording_pictures_total", .counter, "Pictures written.", Double(recording.pictures), labels)
            out.add(
                "deepfgsd_recording_dropped_frames_total", .counter, "Frames not recorded: disk full or gone.",
                Double(recording.framesDropped), labels)
            out.add(
                "deepfgsd_recording_stopped", .gauge, "1 while nothing can be written.",
                recording.problem == nil ? 0 : 1,
                labels)
        }
        for receiver in stream.receivers {
            let labels = labels + [("receiver", receiver.name)]
            out.add(
                "deepfgsd_receiver_up", .gauge, "1 while the receiver is sent to.", receiver.state == "running" ? 1 : 0,
                labels)
            add(receiverFields, "deepfgsd_receiver_", receiver.numbers, labels, &out)
            for (field, value) in receiver.numbers.sorted(by: { $0.key < $1.key }) {
                for (unit, before) in [("packets", "packets-dropped-"), ("bytes", "bytes-dropped-")]
                where field.hasPrefix(before) {
                    out.add(
                        "deepfgsd_receiver_dropped_\(unit)_total", .counter, "Left out, by the reason why.", value,
                        labels + [("reason", String(field.dropFirst(before.count)))])
                }
            }
        }
    }

    private static func add(
        _ fields: [Field], _ prefix: String, _ numbers: [String: Double], _ labels: [(String, String)],
        _ out: inout MetricsText
    ) {
        for field in fields {
            guard let value = numbers[field.field], value != field.unknown else { continue }
            out.add(
                prefix + field.metric, field.kind, field.help, value * field.scale,
                labels + (field.label.map { [$0] } ?? []))
        }
    }

    /// What every program tells of itself.
    private static func process(_ out: inout MetricsText) {
        if let memory = residentBytes {
            out.add("process_resident_memory_bytes", .gauge, "Resident memory.", Double(memory))
        }
        out.add("process_open_fds", .gauge, "Open file descriptors.", Double(openDescriptors))
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        out.add(
            "process_cpu_seconds_total", .counter, "Processor time taken.",
            seconds(usage.ru_utime) + seconds(usage.ru_stime))
    }

    static var residentBytes: Int? {
        guard let file = try? readFile("/proc/self/statm", limit: 4096) else { return nil }
        let fields = file.split(separator: 32)
        guard fields.count > 1 else { return nil }
        return Int(String(decoding: fields[1], as: UTF8.self)).map { $0 * sysconf(Int32(_SC_PAGESIZE)) }
    }

    /// The directory that is read is open too: it does not count.
    static var openDescriptors: Int { max(0, ((try? listDirectory("/proc/self/fd")) ?? []).count - 1) }
}
