extension Depacketiser {
    /// The fields of `rtpdeepfgsdepay`'s property `frame-stats`, in their order.
    public static let statisticFields: [StatisticField<Statistics>] = [
        .init("frames", .frames, "frames of which at least one packet came: the sum of the next four") {
            $0.ends.reduce(0, +)
        },
        .init("frames-complete", .frames, "frames of which every byte that the sender had came") { $0[.complete] },
        .init("frames-cut", .frames, "frames of which all that was sent came, less than the frame: a cut on the way") {
            $0[.cut]
        },
        .init(
            "frames-tail-lost", .frames, "frames of which packets were lost; what came before the first was passed on"
        ) {
            $0[.tailLost]
        },
        .init("frames-base-lost", .frames, "frames whose base did not come whole; nothing was passed on") {
            $0[.baseLost]
        },
        .init("frames-lost", .frames, "frames of which nothing came, because packets were lost") { $0.framesLost },
        .init("frames-skipped", .frames, "frames that the sender or a middlebox left out, no packet being lost") {
            $0.framesSkipped
        },
        .init("packets", .packets, "packets that came") { $0.packets },
        .init("packets-malformed", .packets, "packets that came and are not of this format") { $0.packetsMalformed },
        .init("packets-late", .packets, "packets of frames that had ended, or that came twice") { $0.packetsLate },
        .init("packets-behind-gap", .packets, "packets behind a gap in their frame") { $0.packetsBehindGap },
        .init(
            "frames-recovered", .frames, "frames passed on whose base was lost in part and given back by repair packets"
        ) {
            $0.framesRecovered
        },
        .init("repair-packets", .packets, "repair packets that came") { $0.repairPackets },
        .init("repair-packets-used", .packets, "repair packets that took a lost packet's place") {
            $0.repairPacketsUsed
        },
        .init("bytes", .bytes, "bytes of the frames passed on") { $0.bytes },
        .init("bytes-before-cut", .bytes, "bytes that those frames had before any cut") { $0.bytesBeforeCut },
    ]
}

extension Depacketiser.Statistics {
    /// Frames that ended so.
    fileprivate subscript(_ end: Depacketiser.End) -> UInt64 { ends[Int(end.rawValue)] }
}
