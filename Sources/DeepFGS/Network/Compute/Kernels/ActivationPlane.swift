/// Activations of a whole picture, `[rows][columns][channels]`, perhaps within a border of positions that are 0.
final class ActivationPlane {
    let rows: Int, columns: Int
    let layout: ActivationLayout
    private let size: Int
    private let border: Int
    private let memory: RawBuffer

    /// Allocates a plane of zeros.
    ///
    /// - Parameters:
    ///   - rows: Rows without the border.
    ///   - columns: Columns without the border.
    ///   - channels: Room for a position's channels.
    ///   - kernels: Whose activations.
    ///   - border: Positions around it, 0 or 1.
    ///   - signed: Whether they are signed: 0 is raised in memory then, where activations are bytes.
    init(rows: Int, columns: Int, channels: Int, kernels: Kernels, border: Int = 0, signed: Bool = false) {
        self.rows = rows
        self.columns = columns
        self.border = border
        size = kernels.activationSize
        let position = channels * size
        layout = ActivationLayout(row: (columns + 2 * border) * position, position: position)
        // Kernels read whole vectors: a little beyond the last position.
        let count = (rows + 2 * border) * layout.row + 64
        memory = RawBuffer(count: count)
        // Either size: bytes of 128, or words of 0.
        memory.start.initializeMemory(
            as: UInt8.self, repeating: signed ? UInt8(kernels.offset) : 0, count: count)
    }

    /// Where a row begins.
    func row(_ row: Int) -> UnsafeMutableRawPointer {
        memory.start + (row + border) * layout.row + border * layout.position
    }

    /// Where the position above and left of a row's first begins: what a 3×3 kernel reads.
    func above(row: Int) -> UnsafeMutableRawPointer { self.row(row) - border * (layout.row + layout.position) }

    /// Stores one activation.
    @inline(__always)
    func store(_ value: Int32, row: Int, column: Int, channel: Int) {
        let target = self.row(row) + column * layout.position
        if size == 1 {
            target.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: channel, as: UInt8.self)
        } else {
            target.storeBytes(of: Int16(truncatingIfNeeded: value), toByteOffset: 2 * channel, as: Int16.self)
        }
    }

    /// One activation.
    func load(row: Int, column: Int, channel: Int) -> Int32 {
        let from = self.row(row) + column * layout.position
        return size == 1
            ? Int32(from.load(fromByteOffset: channel, as: UInt8.self))
            : Int32(from.load(fromByteOffset: 2 * channel, as: Int16.self))
    }
}
