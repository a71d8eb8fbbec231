import DeepFGSTools
import Glibc

/// What the daemon tells Prometheus.
///
/// It reads the streams' last statuses, and so waits for none of them.
enum Metrics {
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
        add(StatisticMetric.encoder, "deepfgsd_encoder_", stream.encoder ?? [:], labels, &out)
        add(StatisticMetric.decoder, "deepfgsd_decoder_", stream.decoder ?? [:], labels, &out)
        if let input = stream.input {
            out.add("deepfgsd_input_senders", .gauge, "Senders that send to the stream.", Double(input.senders), labels)
            out.add(
                "deepfgsd_input_refused_datagrams_total", .counter, "RTP and RTCP of strangers, or not valid.",
                Double(input.refused), labels)
            add(StatisticMetric.input, "deepfgsd_input_", input.numbers, labels, &out)
        }
        if let recording = stream.recording {
            out.add("deepfgsd_recording_bytes_total", .counter, "Bytes recorded.", Double(recording.bytes), labels)
            out.add("deepfgsd_recording_files_total", .counter, "Recordings finished.", Double(recording.files), labels)
            out.add(
                "deepfgsd_recording_pictures_total", .counter, "Pictures written.", Double(recording.pictures), labels)
            out.add(
                "deepfgsd_recording_dropped_frames_total", .counter,
                "Frames not recorded: disk full or gone, or their file deleted.",
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
            add(StatisticMetric.receiver, "deepfgsd_receiver_", receiver.numbers, labels, &out)
        }
    }

    private static func add(
        _ metrics: [StatisticMetric], _ prefix: String, _ numbers: [String: Double], _ labels: [(String, String)],
        _ out: inout MetricsText
    ) {
        for metric in metrics {
            guard let value = metric.value(in: numbers) else { continue }
            out.add(
                prefix + metric.name, metric.kind, metric.help, value, labels + (metric.label.map { [$0] } ?? []))
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
