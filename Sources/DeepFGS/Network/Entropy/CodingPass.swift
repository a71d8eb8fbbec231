import CKernels

/// Which latent positions of a slice are coded together.
///
/// Slices of two passes are a checkerboard (D. He and others, "Checkerboard Context Model for Efficient Learned Image
/// Compression", CVPR 2021; specification, clause 7): the anchors first, then the others, whose prediction sees them.
enum CodingPass {
    case all, anchors, others

    static let one: [CodingPass] = [.all]
    static let two: [CodingPass] = [.anchors, .others]

    /// Which columns of a row belong to the pass: anchors are where row + column is even.
    func columns(row: Int) -> DeepFGSColumns {
        switch self {
        case .all: DeepFGSColumns(first: 0, step: 1)
        case .anchors: DeepFGSColumns(first: Int32(row & 1), step: 2)
        case .others: DeepFGSColumns(first: Int32(1 - row & 1), step: 2)
        }
    }

    /// Calls `body` with each position of a pass over half of the grid, row by row, and its index among them.
    @inline(__always)
    func forEachPosition(_ grid: LatentGrid, _ body: (_ position: Int, _ index: Int) -> Void) {
        let half = grid.latentWidth / 2
        var index = 0
        for row in 0..<grid.latentHeight {
            var position = row &* grid.latentWidth &+ (row & 1 ^ (self == .others ? 1 : 0))
            for _ in 0..<half {
                body(position, index)
                index &+= 1
                position &+= 2
            }
        }
    }
}
