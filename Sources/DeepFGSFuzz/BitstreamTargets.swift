import DeepFGS

/// Any bytes as a frame, as they are and with right checksums: the header, then the entropy coder behind it.
func fuzzFrame(_ bytes: UnsafeRawBufferPointer) throws {
    try expect(BitstreamProbe.headerRoundTrips(bytes), "a header that does not survive writing")
    var frame = Array(bytes)
    BitstreamProbe.repair(&frame)
    try frame.withUnsafeBytes { frame in
        try expect(BitstreamProbe.headerRoundTrips(frame), "a repaired header that does not survive writing")
    }
    // The same bytes as one stream of symbols: the first says how many, and under which tables.
    var input = FuzzInput(bytes)
    let seed = input.byte()
    let scales = (0..<Int(seed & 127)).map { UInt8(truncatingIfNeeded: ($0 &* 37 &+ Int(seed)) & 63) }
    let problem = BitstreamProbe.readSymbols(
        tables: try FuzzModels.real.get().tables, scales: scales, input.remainder())
    try expect(problem == nil, problem ?? "")
}

/// A frame of a tiny model with right checksums; what decodes whole decodes cut.
///
/// Few inputs go all the way to pixels, which depend on no byte but through the latents; of the others only the integers
/// are computed.
func fuzzDecoder(_ bytes: UnsafeRawBufferPointer) throws {
    for tiny in try FuzzModels.tiny.get() { try fuzzDecoder(bytes, model: tiny.model) }
}

private func fuzzDecoder(_ bytes: UnsafeRawBufferPointer, model: Model) throws {
    let decoder = Decoder(model: model, options: ComputeOptions(backend: .reference, threads: 1), pixelLimit: 64 * 64)
    var frame = Array(bytes)
    BitstreamProbe.repair(&frame, model: model.identity)
    guard let header = frame.withUnsafeBytes({ try? FrameHeader(parsing: $0) }),
        let (_, report) = try? decoder.integerDigest(of: frame)
    else { return }
    try expect(
        report.bytes <= frame.count && report.channels <= model.configuration.scalableChannels,
        "more bytes or channels than there are")
    // The last byte of the header's checksum: as good as a hash of the input.
    guard frame[header.length - 1] == 0 else { return }
    let cut = header.baseEnd + Int(frame[frame.count / 2]) % (report.bytes - header.baseEnd + 1)
    guard let (picture, shorter) = try? decoder.decode(Array(frame.prefix(cut))) else {
        throw FuzzFinding(description: "a frame that decodes, but not when it is cut to \(cut) bytes")
    }
    try expect(shorter.channels <= report.channels, "more channels in a shorter prefix")
    try expect(picture.pixels.count == 3 * header.width * header.height, "a picture of another size")
}

/// Any bytes as a file of frames: frames and gaps cover it without overlapping.
func fuzzSequence(_ bytes: UnsafeRawBufferPointer) throws {
    try checkSequence(bytes)
    // Again with the checksums of the first frame and of one behind it put right.
    var repaired = Array(bytes)
    repairFrames(&repaired)
    try repaired.withUnsafeBytes { try checkSequence($0) }
}

/// Puts the checksums of the first frame right, and of one that begins in it.
func repairFrames(_ stream: inout [UInt8]) {
    BitstreamProbe.repair(&stream)
    guard let header = stream.withUnsafeBytes({ try? FrameHeader(parsing: $0) }), let last = stream.last else { return }
    let second = min(header.length + Int(last), stream.count)
    var rest = Array(stream[second...])
    BitstreamProbe.repair(&rest)
    stream.replaceSubrange(second..., with: rest)
}

private func checkSequence(_ bytes: UnsafeRawBufferPointer) throws {
    let sequence = FrameSequence(scanning: bytes)
    let ranges = (sequence.frames.map(\.range) + sequence.gaps.map(\.range)).sorted { $0.lowerBound < $1.lowerBound }
    var end = 0
    for range in ranges {
        try expect(range.lowerBound == end && !range.isEmpty, "frames and gaps that leave or share bytes")
        end = range.upperBound
    }
    try expect(end == bytes.count, "bytes that are in no frame or gap")
    for frame in sequence.frames {
        try expect(frame.range.count <= frame.header.frameLength, "a frame longer than it declares")
        try expect(
            (frame.base == .cut) == (frame.range.count < frame.header.baseEnd),
            "a base whose state is not what is there")
    }
}
