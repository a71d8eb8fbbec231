import DeepFGS
import Foundation
import Testing

@testable import DeepFGSTools

@Suite struct FileSystemTests {
    @Test func writesWholeFilesOnly() throws {
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = joined(folder, "x.bin")
        try writeFile(path, [1, 2, 3])
        try writeFile(path, [4, 5])
        #expect(try readFile(path) == [4, 5])
        #expect(try listDirectory(folder) == [path])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x.bin"])
    }

    @Test func aLinkStaysALink() throws {
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try writeFile(joined(folder, "target"), [1])
        try FileManager.default.createSymbolicLink(atPath: joined(folder, "link"), withDestinationPath: "target")
        try writeFile(joined(folder, "link"), [2])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: joined(folder, "link")) == "target")
        #expect(try readFile(joined(folder, "target")) == [2])
    }

    @Test func devicesAreWrittenInPlace() throws {
        try writeFile("/dev/null", [1, 2, 3])
        #expect(fileKind("/dev/null") == .special)
        let failure = #expect(throws: Failure.self) { try writeFile("/dev/full", [1]) }
        #expect(failure?.status == .inputOutput)
    }

    @Test func failuresNameTheFile() throws {
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let missing = joined(folder, "no/such/file")
        #expect(throws: Failure(.noInput, missing, "No such file or directory")) { _ = try readFile(missing) }
        #expect(throws: Failure(.cannotCreate, missing, "No such file or directory")) { try writeFile(missing, []) }
        #expect(throws: Failure(.noInput, folder, "Is a directory")) { _ = try readFile(folder) }
        #expect(throws: Failure(.cannotCreate, folder, "Is a directory")) { try writeFile(folder, []) }
        try writeFile(joined(folder, "file"), [0, 0])
        #expect(throws: Failure.self) { try makeDirectory(joined(folder, "file/below")) }
        let failure = #expect(throws: Failure.self) { _ = try readFile(joined(folder, "file"), limit: 1) }
        #expect(failure?.status == .badInput)
    }

    @Test func readsAsManyBytesAsAreWanted() throws {
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = joined(folder, "file")
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try writeFile(path, bytes)
        let file = open(path, O_RDONLY)
        defer { close(file) }
        #expect(try contents(of: file, first: 8, limit: 100) == Array(bytes[..<8]))
        #expect(try contents(of: file, first: 0, limit: 100).isEmpty)
        #expect(try contents(of: file, limit: 199_992) == Array(bytes[8...]), "from where it stands, up to the limit")
        lseek(file, 0, SEEK_SET)
        #expect(throws: SystemError(code: EFBIG)) { _ = try contents(of: file, limit: 199_999) }
        #expect(throws: SystemError(code: EBADF)) { _ = try contents(of: -1, limit: 1) }
        // A pipe does not say how long it is.
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        #expect(bytes[..<1000].withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) } == 1000)
        close(ends[1])
        #expect(try contents(of: ends[0], limit: .max) == Array(bytes[..<1000]))
        close(ends[0])
    }

    @Test func makesDirectories() throws {
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try makeDirectory(joined(folder, "a/b/c/"))
        try makeDirectory(joined(folder, "a/b/c"))
        #expect(fileKind(joined(folder, "a/b/c")) == .directory)
    }

    private func temporaryDirectory() throws -> String {
        let path = joined(NSTemporaryDirectory(), "deepfgs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}
