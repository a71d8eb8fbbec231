import DeepFGS
import Glibc
import Testing

@testable import DeepFGSFuzz

@Suite("Fuzz corpora")
struct CorpusTests {
    /// The inputs in `Tests/Fixtures/fuzz/TARGET`.
    static func inputs(of target: FuzzTarget) -> [String] {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let folder = root + "/Tests/Fixtures/fuzz/" + target.rawValue
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(folder + "/" + name) }
        }
        return names.sorted()
    }

    @Test("Every input of the corpus, past crashers among them, passes", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let inputs = Self.inputs(of: target)
        #expect(inputs.count >= 5)
        for path in inputs {
            let bytes = try contents(ofFile: path)
            #expect(throws: Never.self, "\(path)") { try bytes.withUnsafeBytes { try target.run($0) } }
        }
    }
}
