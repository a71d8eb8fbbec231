/// The cumulative frequencies that the entropy coder works with (specification, "Coding tables").
struct CodingTables: Sendable {
    init(scale: [[UInt32]], scaleOffsets: [Int], hyper: [[UInt32]], hyperOffsets: [Int]) throws(ModelError) {
    }
}
