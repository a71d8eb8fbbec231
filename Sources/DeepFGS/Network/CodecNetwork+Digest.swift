extension CodecNetwork {
    /// SHA-256 of `z`, then of `q`, `M` and the scale indices of all slices, each a big-endian 16-bit integer.
    ///
    /// What every encoder and decoder must agree in, bit for bit (specification, "Conformance"). Costs O(latents).
    var integerDigest: [UInt8] {
        let slices = 0..<sliceCount
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * (hyperSymbols.count + 3 * slices.reduce(0) { $0 + symbols(of: $1).count }))
        for value in hyperSymbols { bytes.appendBigEndian(value) }
        for slice in slices { for value in symbols(of: slice) { bytes.appendBigEndian(value) } }
        for slice in slices { for value in means(of: slice) { bytes.appendBigEndian(value) } }
        for slice in slices { for value in scales(of: slice) { bytes.appendBigEndian(UInt16(value)) } }
        return bytes.withUnsafeBytes { SHA256.digest($0) }
    }
}
