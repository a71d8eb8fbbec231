/// Uninitialised memory that is freed with its owner; a cache line's alignment.
final class RawBuffer {
    let count: Int
    let start: UnsafeMutableRawPointer

    /// Allocates `count` bytes, at least one.
    init(count: Int) {
        self.count = count
        start = .allocate(byteCount: max(count, 1), alignment: 64)
    }

    deinit { start.deallocate() }
}

/// A buffer of numbers that is freed with its owner; zeros at first.
final class Buffer<Number: BitwiseCopyable & ExpressibleByIntegerLiteral> {
    let count: Int
    let start: UnsafeMutablePointer<Number>
    private let memory: RawBuffer

    init(count: Int) {
        self.count = count
        memory = RawBuffer(count: count * MemoryLayout<Number>.stride)
        start = memory.start.bindMemory(to: Number.self, capacity: count)
        start.initialize(repeating: 0, count: count)
    }

    convenience init(_ values: [Number]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { start[index] = value }
    }
}
