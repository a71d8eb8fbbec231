/// Checks of the bitstream's code on any bytes, for the fuzz targets: what must hold whatever the bytes are.
package enum BitstreamProbe {
    /// Reads the bytes as a header and writes it back; whether what was written reads as the same header.
    ///
    /// True also where the bytes are no header. Extensions that this code does not know are not written.
    package static func headerRoundTrips(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard var header = try? FrameHeader(parsing: bytes) else { return true }
        let length = header.length
        header = FrameHeader(
            model: header.model, width: header.width, height: header.height, chunkLengths: header.chunkLengths,
            baseChecksum: header.baseChecksum, extensions: header.extensions)
        guard header.length <= length else { return false }
        var written: [UInt8] = []
        header.write(to: &written)
        return written.withUnsafeBytes { try? FrameHeader(parsing: $0) } == header
    }

    /// Puts the right model and checksums into bytes that may be a frame, so that what lies behind them is reached.
    package static func repair(_ frame: inout [UInt8], model: ModelIdentity? = nil) {
        guard frame.count >= FrameHeader.minimumLength else { return }
        let length = min(max(Int(frame[6]) << 8 | Int(frame[7]), FrameHeader.minimumLength), frame.count)
        func put(_ value: some FixedWidthInteger, at offset: Int) {
            withUnsafeBytes(of: value.bigEndian) {
                for (index, byte) in $0.enumerated() { frame[offset + index] = byte }
            }
        }
        put(FrameHeader.magic, at: 0)
        put(FrameHeader.version, at: 4)
        put(UInt16(length), at: 6)
        if let model { put(model.value, at: 8) }
        func repairHeader() {
            put(frame[..<(length - 4)].withUnsafeBytes { crc32c($0) }, at: length - 4)
        }
        repairHeader()
        guard let header = frame.withUnsafeBytes({ try? FrameHeader(parsing: $0) }), header.baseEnd <= frame.count
        else { return }
        put(frame[length..<header.baseEnd].withUnsafeBytes { crc32c($0) }, at: length - 8)
        repairHeader()
    }

    /// Reads the bytes as a stream of symbols, and writes back what was read whole.
    ///
    /// - Parameters:
    ///   - tables: The coding tables.
    ///   - scales: Scale index of each symbol; those over the tables' count as its highest.
    ///   - bytes: The stream.
    /// - Returns: What is wrong, or nil.
    package static func readSymbols(
        tables: CodingTables, scales: [UInt8], _ bytes: UnsafeRawBufferPointer
    ) -> String? {
        let scales = scales.map { min($0, UInt8(clamping: tables.scaleCount - 1)) }
        var decoder = RangeDecoder(tables: tables, bytes: bytes)
        // One symbol of every channel of z, then those of y.
        var hyper = [Int16](repeating: 1, count: tables.hyperCount)
        let hyperArrived = hyper.withUnsafeMutableBufferPointer { hyper in
            hyper.indices.reduce(0) {
                $0 + decoder.decode(UnsafeMutableBufferPointer(rebasing: hyper[$1...$1]), hyperChannel: $1)
            }
        }
        let complete = hyperArrived == hyper.count
        var symbols = [Int16](repeating: 1, count: scales.count)
        let arrived = symbols.withUnsafeMutableBufferPointer { symbols in
            scales.withUnsafeBufferPointer { decoder.decode(symbols, scales: $0) }
        }
        guard (0...symbols.count).contains(arrived), symbols[arrived...].allSatisfy({ $0 == 0 }) else {
            return "a symbol that has not arrived is not 0"
        }
        guard symbols.allSatisfy({ abs(Int($0)) <= RangeCoder.symbolLimit }) else { return "a symbol out of range" }
        guard complete || arrived == 0 else { return "a symbol after the end of the stream" }
        guard complete, arrived == symbols.count, decoder.isAtEnd else { return nil }
        var encoder = RangeEncoder(tables: tables)
        symbols.withUnsafeBufferPointer { symbols in
            scales.withUnsafeBufferPointer { encoder.encode(symbols, scales: $0) }
        }
        hyper.withUnsafeBufferPointer { hyper in
            for channel in hyper.indices.reversed() {
                encoder.encode(UnsafeBufferPointer(rebasing: hyper[channel...channel]), hyperChannel: channel)
            }
        }
        var written: [UInt8] = []
        encoder.finish(into: &written)
        return written.elementsEqual(bytes) ? nil : "a whole stream that its symbols do not encode to"
    }
}
