import DeepFGS

/// Any bytes as a model file.
func fuzzModel(_ bytes: UnsafeRawBufferPointer) {
    _ = try? Model(bytes: Array(bytes))
}

/// A tiny model's file with changes: each four bytes of the input are a place and a value for it.
///
/// Whatever is accepted as a model must decode a frame without a trap.
func fuzzWeights(_ bytes: UnsafeRawBufferPointer) throws {
    for tiny in try FuzzModels.tiny.get() { fuzzWeights(bytes, of: tiny) }
}

private func fuzzWeights(_ bytes: UnsafeRawBufferPointer, of tiny: FuzzModels.TinyModel) {
    var file = tiny.file
    var input = FuzzInput(bytes)
    while !input.isEmpty {
        let place = Int(input.uint16()) % file.count
        let value = input.uint16()
        file[place] = UInt8(value >> 8)
        if place + 1 < file.count { file[place + 1] = UInt8(value & 0xFF) }
    }
    guard let model = try? Model(bytes: file) else { return }
    var frame = tiny.frame
    BitstreamProbe.repair(&frame, model: model.identity)
    let decoder = Decoder(model: model, options: ComputeOptions(backend: .reference, threads: 1))
    // The identity is a hash of the file.
    if model.identity.value & 15 == 0 {
        _ = try? decoder.decode(frame)
    } else {
        _ = try? decoder.integerDigest(of: frame)
    }
}
