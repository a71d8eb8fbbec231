/// Why an RTP payload is not one of this format.
public enum MalformedPacket: Error, Hashable, Sendable {
    /// No byte of a frame follows the payload header; the payload has this many bytes.
    case tooShort(Int)
    /// The payload is of a version of the format that this code does not know.
    case unsupportedVersion(UInt8)
    /// The named field contradicts another, or the payload's length.
    case contradiction(String)
}

extension MalformedPacket: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooShort(let count): "RTP payload of \(count) bytes, \(PayloadHeader.length + 1) or more needed"
        case .unsupportedVersion(let version):
            "RTP payload of version \(version); this code knows \(PayloadHeader.version) and "
                + "\(PayloadHeader.repairVersion)"
        case .contradiction(let field): "RTP payload header whose \(field) contradicts the rest of the packet"
        }
    }
}
