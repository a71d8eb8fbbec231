/// The optional fields of a frame header (specification, "Header extensions").
///
/// Each is one byte of type, one byte of length, and so many bytes. A decoder skips types it does not know, unless the
/// type's highest bit is set: then it must refuse the frame.
public struct HeaderExtensions: Hashable, Sendable {
    /// Presentation time in nanoseconds since the start of the stream.
    public var presentationTime: UInt64?
    /// Duration of the frame in nanoseconds, 1 to 2³² − 1.
    public var duration: UInt32?
    /// Orientation as in TIFF and Exif, 1 to 8: how the decoded picture is to be turned for showing; 1 where absent.
    public var orientation: UInt8?
    /// Colour as in ITU-T H.273; absent means sRGB: primaries 1, transfer 13, matrix 0, full range.
    public var colour: ColourDescription?
    /// Width of a pixel over its height; absent means 1:1.
    public var pixelAspectRatio: PixelAspectRatio?
    /// How coarsely the latents are quantised; absent means `Quantiser.unit`.
    public var quantiser: Quantiser?

    /// Code points of ITU-T H.273.
    public struct ColourDescription: Hashable, Sendable {
        public var primaries: UInt8
        public var transfer: UInt8
        public var matrix: UInt8
        public var fullRange: Bool

        public init(primaries: UInt8, transfer: UInt8, matrix: UInt8, fullRange: Bool) {
            self.primaries = primaries
            self.transfer = transfer
            self.matrix = matrix
            self.fullRange = fullRange
        }
    }

    /// Width of a pixel over its height, each 1 to 65535.
    public struct PixelAspectRatio: Hashable, Sendable {
        public let width: UInt16
        public let height: UInt16

        /// A ratio; nil where a number is 0.
        public init?(width: UInt16, height: UInt16) {
            guard width > 0, height > 0 else { return nil }
            self.width = width
            self.height = height
        }
    }

    private enum Kind: UInt8 {
        case presentationTime = 1
        case duration = 2
        case orientation = 3
        case colour = 4
        case pixelAspectRatio = 5
        case quantiser = 0x85
    }

    public init() {}

    var encodedLength: Int {
        (presentationTime == nil ? 0 : 10) + (duration == nil ? 0 : 6) + (orientation == nil ? 0 : 3)
            + (colour == nil ? 0 : 6) + (pixelAspectRatio == nil ? 0 : 6) + (quantiser == nil ? 0 : 6)
    }

    func write(to bytes: inout [UInt8]) {
        if let presentationTime {
            Self.begin(.presentationTime, length: 8, &bytes)
            bytes.appendBigEndian(presentationTime)
        }
        if let duration {
            Self.begin(.duration, length: 4, &bytes)
            bytes.appendBigEndian(duration)
        }
        if let orientation {
            Self.begin(.orientation, length: 1, &bytes)
            bytes.append(orientation)
        }
        if let colour {
            Self.begin(.colour, length: 4, &bytes)
            bytes.append(colour.primaries)
            bytes.append(colour.transfer)
            bytes.append(colour.matrix)
            bytes.append(colour.fullRange ? 1 : 0)
        }
        if let pixelAspectRatio {
            bytes.append(contentsOf: [Kind.pixelAspectRatio.rawValue, 4])
            bytes.appendBigEndian(pixelAspectRatio.width)
            bytes.appendBigEndian(pixelAspectRatio.height)
        }
        if let quantiser {
            Self.begin(.quantiser, length: 4, &bytes)
            bytes.append(quantiser.basic.step)
            bytes.append(UInt8(bitPattern: quantiser.basic.scaleShift))
            bytes.append(quantiser.scalable.step)
            bytes.append(UInt8(bitPattern: quantiser.scalable.scaleShift))
        }
    }

    private static func begin(_ kind: Kind, length: UInt8, _ bytes: inout [UInt8]) {
        bytes.append(kind.rawValue)
        bytes.append(length)
    }

    /// Reads what stands between the chunk lengths and the checksums.
    init(parsing bytes: UnsafeRawBufferPointer) throws(BitstreamError) {
        let reader = ByteReader(bytes)
        var at = 0
        while at < bytes.count {
            let type = bytes[at]
            guard at + 1 < bytes.count, at + 2 + Int(bytes[at + 1]) <= bytes.count else {
                throw .invalidField(name: "extension_length", value: UInt64(type))
            }
            let length = Int(bytes[at + 1])
            let body = at + 2
            at = body + length
            switch (Kind(rawValue: type), length) {
            case (.presentationTime, 8): presentationTime = reader.uint64(at: body)
            case (.duration, 4): duration = reader.uint32(at: body)
            case (.orientation, 1):
                guard (1...8).contains(bytes[body]) else {
                    throw .invalidField(name: "orientation", value: UInt64(bytes[body]))
                }
                orientation = bytes[body]
            case (.colour, 4):
                colour = ColourDescription(
                    primaries: bytes[body], transfer: bytes[body + 1], matrix: bytes[body + 2],
                    fullRange: bytes[body + 3] & 1 == 1)
            case (.pixelAspectRatio, 4):
                pixelAspectRatio = PixelAspectRatio(
                    width: reader.uint16(at: body), height: reader.uint16(at: body + 2))
                guard pixelAspectRatio != nil else {
                    throw .invalidField(name: "pixel_aspect_ratio", value: UInt64(reader.uint32(at: body)))
                }
            case (.quantiser, 4):
                let basic = Quantiser.Step(step: bytes[body], scaleShift: Int8(bitPattern: bytes[body + 1]))
                let scalable = Quantiser.Step(step: bytes[body + 2], scaleShift: Int8(bitPattern: bytes[body + 3]))
                guard let basic, let scalable else {
                    throw .invalidField(name: "quantiser", value: UInt64(reader.uint32(at: body)))
                }
                quantiser = Quantiser(basic: basic, scalable: scalable)
            case (.some, _): throw .invalidField(name: "extension_length", value: UInt64(length))
            case (nil, _):
                guard type & 0x80 == 0 else { throw .invalidField(name: "extension_type", value: UInt64(type)) }
            }
        }
    }
}
