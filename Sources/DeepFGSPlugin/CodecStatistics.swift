import CDeepFGS
import DeepFGSTransport

/// The fields of the property `stats` of encoder and decoder.
public enum CodecStatistics {
    /// Those of `deepfgsenc`, in their order.
    public static let encoder: [StatisticField<DeepFGSEncoderCounts>] = [
        .init("encoded", .frames, "frames encoded") { $0.encoded },
        .init("late", .frames, "frames that were dropped, because they would have come too late") { $0.late },
        .init("skipped", .frames, "frames that were left out, because a sender has no room for their bases") {
            $0.skipped
        },
        .init("bytes", .bytes, "bytes of the frames encoded") { $0.bytes },
        .init("base-step", .gauge, .sixteenths, "quantiser step of the last base") { .uint64($0.base_step) },
        .init("latency", .gauge, .nanoseconds, "what the element announces; 0 before the first frames") {
            .uint64($0.latency)
        },
    ]

    /// Those of `deepfgsdec`, in their order.
    public static let decoder: [StatisticField<DeepFGSDecoderCounts>] = [
        .init("decoded", .frames, "frames decoded, cut ones included") { $0.decoded },
        .init("cut", .frames, "those of them that were shorter than they had been made") { $0.cut },
        .init("damaged", .frames, "frames whose base was incomplete or damaged") { $0.damaged },
        .init("repeated", .frames, "pictures shown again in place of damaged frames or of gaps") { $0.repeated },
        .init("late", .frames, "frames that were dropped, because they would have come too late") { $0.late },
        .init("bytes", .bytes, "bytes of the frames decoded") { $0.bytes },
        .init("latency", .gauge, .nanoseconds, "what the element announces; 0 before the first frames") {
            .uint64($0.latency)
        },
    ]
}

@c @implementation
public func deepfgs_encoder_statistics(
    _ counts: UnsafePointer<DeepFGSEncoderCounts>, _ fields: UnsafeMutablePointer<DeepFGSStatistic>, _ capacity: Int
) -> Int {
    fill(
        UnsafeMutableBufferPointer(start: fields, count: capacity), with: CodecStatistics.encoder, of: counts.pointee)
}

@c @implementation
public func deepfgs_decoder_statistics(
    _ counts: UnsafePointer<DeepFGSDecoderCounts>, _ fields: UnsafeMutablePointer<DeepFGSStatistic>, _ capacity: Int
) -> Int {
    fill(
        UnsafeMutableBufferPointer(start: fields, count: capacity), with: CodecStatistics.decoder, of: counts.pointee)
}
