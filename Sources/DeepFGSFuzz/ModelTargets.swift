import DeepFGS

/// Any bytes as a model file.
func fuzzModel(_ bytes: UnsafeRawBufferPointer) {
    _ = try? Model(bytes: Array(bytes))
}

/// The tiny model's file with changes: each four bytes of the input are a place and a value for it.
///
/// Whatever is accepted as a model must decode a frame without a trap.
func fuzzWeights(_ bytes: UnsafeRawBufferPointer) throws {
    var file = try WeightsSeed.file.get()
    var input = FuzzInput(bytes)
    while !input.isEmpty {
        let place = Int(input.uint16()) % file.count
        let value = input.uint16()
        file[place] = UInt8(value >> 8)
        if place + 1 < file.count { file[place + 1] = UInt8(value & 0xFF) }
    }
    guard let model = try? Model(bytes: file) else { return }
    var frame = try WeightsSeed.frame.get()
    BitstreamProbe.repair(&frame, model: model.identity)
    let decoder = Decoder(model: model, options: ComputeOptions(backend: .reference, threads: 1))
    // The identity is a hash of the file.
    if model.identity.value & 15 == 0 {
        _ = try? decoder.decode(frame)
    } else {
        _ = try? decoder.integerDigest(of: frame)
    }
}

/// The tiny model's file and a frame that was made with it.
private enum WeightsSeed {
    static let file = Result { try readWhole(FuzzModels.tinyPath) }
    static let frame = Result { () throws -> [UInt8] in
        let picture = Picture(width: 20, height: 30, pixels: (0..<1800).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let encoder = try Encoder(
            model: FuzzModels.tiny.get(), width: 20, height: 30,
            options: ComputeOptions(backend: .reference, threads: 1))
        return try encoder.encode(picture)
    }
}
