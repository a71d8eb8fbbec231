/// The lengths of a frame's chunks, in bytes: up to `FrameHeader.maximumChunks` of them, and no memory beside the value.
public struct ChunkLengths: RandomAccessCollection, Hashable, Sendable, ExpressibleByArrayLiteral {
    /// 0 from `count` on.
    private var lengths = SIMD64<UInt32>(repeating: 0)
    public private(set) var count = 0

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    package init() {}

    /// - Parameter lengths: At most `FrameHeader.maximumChunks`.
    package init(_ lengths: [Int]) { for length in lengths { append(length) } }

    public init(arrayLiteral lengths: Int...) { self.init(lengths) }

    /// A length; one that is set to more than 2³² − 1 becomes that, which is too much for a frame.
    public package(set) subscript(index: Int) -> Int {
        get {
            precondition(index < count, "no such chunk")
            return Int(lengths[index])
        }
        set {
            precondition(index < count, "no such chunk")
            lengths[index] = UInt32(clamping: newValue)
        }
    }

    /// Appends a length; there is room.
    package mutating func append(_ length: Int) {
        count += 1
        self[count - 1] = length
    }
}
