extension AdaptiveSender {
    /// What has been sent, and what is known of the path, at one time.
    public struct Statistics: Sendable {
        public var cutter: TailCutter.Statistics
        /// Packets that came and are not of this format.
        public var packetsMalformed: UInt64
        /// Bytes on the wire that wait.
        public var queuedBytes: Int
        /// Bit/s on the wire: kept to, and sent in the last two seconds.
        public var target: Double
        public var sentRate: Double
        /// Nanoseconds between frames.
        public var interval: Int64
        public var feedback: Feedback
        public var state: BandwidthEstimator.State
        public var reason: BandwidthEstimator.Reason
        /// Bit/s: what the path is believed to carry, and what arrived lately, 0 where that is not known.
        public var estimate: Double
        public var receivedRate: Double
        /// Share of the packets lost lately, 0 to 1.
        public var loss: Double
        /// Nanoseconds in the path's queue, and there and back; −1 where that is not known.
        public var queueDelay: Int64
        public var roundTrip: Int64
    }

    /// What is known now.
    public mutating func statistics(at now: Int64) -> Statistics {
        Statistics(
            cutter: cutter.statistics, packetsMalformed: packetsMalformed, queuedBytes: cutter.queuedBytes,
            target: target(at: now), sentRate: sentRate(at: now), interval: cutter.interval,
            feedback: feedback(at: now),
            state: estimator.state, reason: estimator.reason, estimate: estimator.bitrate,
            receivedRate: estimator.isSilent(at: now) ? 0 : estimator.receivedRate ?? 0, loss: estimator.lossFraction,
            queueDelay: estimator.queueDelay,
            roundTrip: estimator.roundTrip ?? -1)
    }

    /// The fields of `deepfgsadapt`'s property `stats`, in their order.
    public static let statisticFields: [StatisticField<Statistics>] =
        [
            .init("frames", .frames, "frames that came") { $0.cutter.frames },
            .init("frames-whole", .frames, "frames sent whole") { $0.cutter.framesWhole },
            .init("frames-cut", .frames, "frames sent in part") { $0.cutter.framesCut },
            .init("frames-skipped", .frames, "frames not sent at all") { $0.cutter.framesSkipped },
            .init("packets", .packets, "packets that came") { $0.cutter.packets + $0.packetsMalformed },
            .init("packets-sent", .packets, "packets sent") { $0.cutter.packetsSent },
            .init("packets-malformed", .packets, "packets that came and are not of this format") {
                $0.packetsMalformed
            },
            .init("repair-packets", .packets, "repair packets among those that came") { $0.cutter.repairPackets },
            .init("repair-packets-sent", .packets, "repair packets among those sent") { $0.cutter.repairPacketsSent },
            .init("bytes", .bytes, "bytes on the wire, that came") { $0.cutter.bytes },
            .init("bytes-sent", .bytes, "bytes on the wire, sent") { $0.cutter.bytesSent },
            .init("bytes-queued", .gauge, .bytes, "bytes on the wire, waiting to be sent or dropped") {
                .uint64(UInt64(clamping: $0.queuedBytes))
            },
            .init("target-bitrate", .gauge, .bitsPerSecond, "bitrate that is kept to") { .bitrate($0.target) },
            .init("sent-bitrate", .gauge, .bitsPerSecond, "bitrate sent in the last two seconds") {
                .bitrate($0.sentRate)
            },
            .init("frame-interval", .gauge, .nanoseconds, "time between frames") {
                .uint64(UInt64(clamping: $0.interval))
            },
            .init(
                "feedback", .gauge, .word,
                "what the estimate follows: none, transport-wide, receiver-reports, or stopped: nothing any more"
            ) { .string($0.feedback.name) },
            .init("estimated-bitrate", .gauge, .bitsPerSecond, "bitrate that the path is believed to carry") {
                .bitrate($0.estimate)
            },
            .init("estimate-state", .gauge, .word, "what the estimate did last: hold, increase, decrease") {
                .string($0.state.name)
            },
            .init(
                "estimate-reason", .gauge, .word,
                "why: start, proved, additive, limit, settling, delay, queue, dispersion, loss, idle, report, silence"
            ) { .string($0.reason.name) },
            .init("received-bitrate", .gauge, .bitsPerSecond, "bitrate that arrived lately; 0 where that is not known")
            {
                .bitrate($0.receivedRate)
            },
            .init("loss", .gauge, .share, "share of the packets lately that were lost") { .double($0.loss) },
            .init("queue-delay", .gauge, .nanoseconds, "time that packets wait in the path's queue") {
                .int64($0.queueDelay)
            },
            .init("round-trip", .gauge, .nanoseconds, "time there and back; −1 where that is not known") {
                .int64($0.roundTrip)
            },
        ] + DropReason.allCases.flatMap(dropFields)

    private static func dropFields(_ reason: DropReason) -> [StatisticField<Statistics>] {
        let index = Int(reason.rawValue)
        let names = reason.fieldNames
        return [
            .init(names.packets, .packets, reason.meaning) { $0.cutter.packetsDropped[index] },
            .init(names.bytes, .bytes, "bytes on the wire, that this saved") { $0.cutter.bytesDropped[index] },
        ]
    }
}

extension DropReason {
    /// As messages and fields say it.
    public var name: StaticString {
        switch self {
        case .budget: "budget"
        case .deadline: "deadline"
        case .queue: "queue"
        case .fixedCut: "fixed-cut"
        case .gap: "gap"
        case .protection: "protection"
        case .blocked: "blocked"
        }
    }

    fileprivate var fieldNames: (packets: StaticString, bytes: StaticString) {
        switch self {
        case .budget: ("packets-dropped-budget", "bytes-dropped-budget")
        case .deadline: ("packets-dropped-deadline", "bytes-dropped-deadline")
        case .queue: ("packets-dropped-queue", "bytes-dropped-queue")
        case .fixedCut: ("packets-dropped-fixed-cut", "bytes-dropped-fixed-cut")
        case .gap: ("packets-dropped-gap", "bytes-dropped-gap")
        case .protection: ("packets-dropped-protection", "bytes-dropped-protection")
        case .blocked: ("packets-dropped-blocked", "bytes-dropped-blocked")
        }
    }

    fileprivate var meaning: StaticString {
        switch self {
        case .budget: "packets left out or shortened: the bitrate did not allow them before the next frame's turn"
        case .deadline: "packets left out or shortened: their frame's time was over before they left"
        case .queue: "packets left out: they waited when everything was flushed"
        case .fixedCut: "packets left out or shortened by max-frame-bytes"
        case .gap: "packets left out: packets before them in their frame had not come"
        case .protection: "repair packets left out: the loss does not call for them (base-protection)"
        case .blocked: "packets left out: downstream blocked until their frame's time was over"
        }
    }
}

extension AdaptiveSender.Feedback {
    public var name: StaticString {
        switch self {
        case .none: "none"
        case .transportWide: "transport-wide"
        case .receiverReports: "receiver-reports"
        case .stopped: "stopped"
        }
    }
}

extension BandwidthEstimator.State {
    public var name: StaticString {
        switch self {
        case .hold: "hold"
        case .increase: "increase"
        case .decrease: "decrease"
        }
    }
}

extension BandwidthEstimator.Reason {
    public var name: StaticString {
        switch self {
        case .start: "start"
        case .proved: "proved"
        case .additive: "additive"
        case .limit: "limit"
        case .settling: "settling"
        case .delay: "delay"
        case .queue: "queue"
        case .dispersion: "dispersion"
        case .loss: "loss"
        case .idle: "idle"
        case .report: "report"
        case .silence: "silence"
        }
    }
}
