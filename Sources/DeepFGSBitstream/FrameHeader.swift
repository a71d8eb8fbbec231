/// The header of a frame (specification, "Frame header").
///
/// Everything a parser, a payloader or a middlebox needs to know of a frame without the model.
public struct FrameHeader: Hashable, Sendable {
    /// The version of the bitstream that this code writes and reads.
    public static let version: UInt8 = 1
    /// `DFGS`, big endian.
    package static let magic: UInt32 = 0x4446_4753
    /// Largest width and height that the format can say.
    public static let maximumSide = 65535
    /// Most pixels that encoder and decoder accept unless told otherwise: 33.5 megapixels, 8K.
    public static let maximumPixels = 1 << 25
    /// Most chunks in a frame.
    package static let maximumChunks = 64
    /// Shortest header: fixed fields, one chunk length, two checksums.
    public static let minimumLength = fixedLength + 1 + 8
    package static let fixedLength = 22
    package static let maximumChunkLength = (1 << 28) - 1

    /// The model that made the frame.
    public var model: ModelIdentity
    /// Picture width in pixels, 1 to 65535.
    public var width: Int
    /// Picture height in pixels, 1 to 65535.
    public var height: Int
    /// Bytes of each of the 1 to 64 chunks; chunk 0 is the base, its number is its priority.
    public var chunkLengths: ChunkLengths
    /// CRC-32C of the base chunk's bytes.
    public var baseChecksum: UInt32
    /// What the optional fields say.
    public var extensions: HeaderExtensions
    /// Bytes of the header itself, magic to checksum.
    public package(set) var length: Int

    /// Bytes of the header and base together: the shortest prefix that decodes.
    public var baseEnd: Int { length + (chunkLengths.first ?? 0) }
    /// Bytes of the whole frame.
    ///
    /// `Int.max` where an `Int` of 32 bits cannot say it: more than any memory there holds.
    public var frameLength: Int { chunkLengths.reduce(length, Self.sum) }
    /// Width times height, or `Int.max` likewise.
    package var pixelCount: Int {
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow ? .max : product
    }

    /// The byte after each chunk, counted from the start of the frame; element 0 is `baseEnd`.
    public var chunkEnds: [Int] {
        var end = length
        return chunkLengths.map { size in
            end = Self.sum(end, size)
            return end
        }
    }

    private static func sum(_ first: Int, _ second: Int) -> Int {
        let (sum, overflow) = first.addingReportingOverflow(second)
        return overflow ? .max : sum
    }

    /// Whether the base is whole and matches its checksum.
    ///
    /// - Parameter frame: The bytes of the frame, the header's included.
    /// - Returns: True where all of the base is there, undamaged; costs O(base).
    public func hasIntactBase(_ frame: UnsafeRawBufferPointer) -> Bool {
        guard frame.count >= baseEnd else { return false }
        return crc32c(UnsafeRawBufferPointer(rebasing: frame[length..<baseEnd])) == baseChecksum
    }

    /// A header for a frame that is about to be written.
    package init(
        model: ModelIdentity, width: Int, height: Int, chunkLengths: ChunkLengths, baseChecksum: UInt32,
        extensions: HeaderExtensions = HeaderExtensions()
    ) {
        self.model = model
        self.width = width
        self.height = height
        self.chunkLengths = chunkLengths
        self.baseChecksum = baseChecksum
        self.extensions = extensions
        length =
            Self.fixedLength + chunkLengths.reduce(0) { $0 + Self.varintLength($1) } + extensions.encodedLength + 8
    }

    private static func varintLength(_ value: Int) -> Int {
        value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : 4
    }

    /// Appends the header's bytes.
    package func write(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.appendBigEndian(Self.magic)
        bytes.append(Self.version)
        bytes.append(0)
        bytes.appendBigEndian(UInt16(length))
        bytes.appendBigEndian(model.value)
        bytes.appendBigEndian(UInt16(width))
        bytes.appendBigEndian(UInt16(height))
        bytes.append(0)
        bytes.append(UInt8(chunkLengths.count))
        for chunk in chunkLengths {
            var rest = UInt32(chunk)
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }
        extensions.write(to: &bytes)
        bytes.appendBigEndian(baseChecksum)
        bytes.appendBigEndian(bytes[start...].withUnsafeBytes { crc32c($0) })
    }

    /// Reads the header at the start of `bytes`.
    ///
    /// Total on any bytes; costs O(header length), at most 64 KiB, and allocates nothing.
    ///
    /// - Parameter bytes: A frame or the beginning of one.
    /// - Throws: `headerIncomplete` where the bytes end before the header does and are right so far; otherwise what is
    ///   wrong with them.
    public init(parsing bytes: UnsafeRawBufferPointer) throws(BitstreamError) {
        try self.init(fields: bytes, length: Self.validLength(of: bytes))
    }

    /// Reads the fields of a header that is valid.
    ///
    /// - Parameters:
    ///   - bytes: The header and whatever is behind it.
    ///   - length: What `validLength` says of them.
    /// - Throws: `invalidField` if a field has a value that this version does not allow or know.
    init(fields bytes: UnsafeRawBufferPointer, length: Int) throws(BitstreamError) {
        let fields = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        guard bytes[5] & 0x0F == 0 else { throw .invalidField(name: "flags", value: UInt64(bytes[5])) }
        model = ModelIdentity(value: fields.uint64(at: 8))
        width = Int(fields.uint16(at: 16))
        height = Int(fields.uint16(at: 18))
        guard width > 0 else { throw .invalidField(name: "width", value: 0) }
        guard height > 0 else { throw .invalidField(name: "height", value: 0) }
        guard bytes[20] == 0 else { throw .invalidField(name: "sample_format", value: UInt64(bytes[20])) }
        let count = Int(bytes[21])
        guard (1...Self.maximumChunks).contains(count) else {
            throw .invalidField(name: "chunk_count", value: UInt64(count))
        }
        let end = length - 8
        var at = Self.fixedLength
        chunkLengths = ChunkLengths()
        for _ in 0..<count {
            var value = 0
            var shift = 0
            while true {
                guard at < end, shift < 28 else { throw .invalidField(name: "chunk_length", value: UInt64(value)) }
                let byte = bytes[at]
                at += 1
                value |= Int(byte & 0x7F) << shift
                shift += 7
                if byte & 0x80 == 0 { break }
            }
            chunkLengths.append(value)
        }
        extensions = try HeaderExtensions(parsing: UnsafeRawBufferPointer(rebasing: bytes[at..<end]))
        baseChecksum = fields.uint32(at: end)
        self.length = length
    }

    /// The length of the valid header at the start of `bytes`: magic, version and checksum are right.
    ///
    /// A valid header may still have a field that this version does not know.
    ///
    /// - Parameter bytes: A frame or the beginning of one.
    /// - Returns: Bytes from the magic to the end of the header's checksum.
    /// - Throws: `headerIncomplete` if the bytes end before the header does and are right so far; otherwise what is
    ///   wrong with them.
    static func validLength(of bytes: UnsafeRawBufferPointer) throws(BitstreamError) -> Int {
        let length = try declaredLength(in: bytes)
        let checked = UnsafeRawBufferPointer(rebasing: bytes[..<(length - 4)])
        guard crc32c(checked) == ByteReader(bytes).uint32(at: length - 4) else { throw .headerDamaged }
        return length
    }

    /// The header's own length, once magic and version are right and all its bytes are there.
    private static func declaredLength(in bytes: UnsafeRawBufferPointer) throws(BitstreamError) -> Int {
        let start = ByteReader(bytes)
        guard bytes.count >= 8 else {
            let have = min(bytes.count, 4)
            for i in 0..<have where bytes[i] != UInt8(truncatingIfNeeded: magic >> (24 - 8 * UInt32(i))) {
                throw .notAFrame
            }
            throw .headerIncomplete(have: bytes.count, need: minimumLength)
        }
        guard start.uint32(at: 0) == magic else { throw .notAFrame }
        guard bytes[4] == version else { throw .unsupportedVersion(bytes[4]) }
        let length = Int(start.uint16(at: 6))
        guard length >= minimumLength else { throw .invalidField(name: "header_length", value: UInt64(length)) }
        guard bytes.count >= length else { throw .headerIncomplete(have: bytes.count, need: length) }
        return length
    }
}
