/// The cumulative frequencies that the entropy coder works with (specification, "Coding tables").
struct CodingTables: Sendable {
}
