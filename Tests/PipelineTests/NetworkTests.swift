import Foundation
import Testing

/// The short form of `bench/network`: one adaptive flow through a real path that narrows and widens.
@Suite("Network bench") struct NetworkTests {
    /// What `run` ends with where network namespaces cannot be made.
    static let skipped: Int32 = 77

    @Test("The path falls and rises, and the stream follows")
    func short() throws {
        let run = try Shell.run("bench/network/run --short")
        if run.status == Self.skipped {
            try Test.cancel("\(run.output)")
        }
        #expect(run.status == 0, "\(run.output)")
    }
}
