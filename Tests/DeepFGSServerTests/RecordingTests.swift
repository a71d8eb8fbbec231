import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSServer

/// Recordings in a folder that others use, too, and that may go.
@Suite struct RecordingTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "recordings-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func settings(_ folder: String, quota: Int = 0) -> RecordSettings {
        var settings = RecordSettings()
        settings.folder = folder
        settings.quotaBytes = quota
        settings.minFreeBytes = 0
        return settings
    }

    private func take(_ count: Int, into recorder: Recorder) {
        [UInt8](repeating: 7, count: count).withUnsafeBytes { recorder.take($0) }
    }

    @Test func onlyWholeNamesAreTheStreams() {
        for name in ["20261126T195027.765Z", "20261126T195027.765Z-2", "20261126T195027.765Z-17"] {
            #expect(Folder.isName("cam-\(name).dfgs", of: "cam", ".dfgs"), "\(name)")
            #expect(!Folder.isName("cam-\(name).dfgs", of: "cam", ".dfgs.part"), "\(name)")
        }
        for name in [
            "2-20261126T195027.765Z", "2020-notes", "20261126", "20261126T195027.765", "20261126T195027Z", "",
            "20261126T195027.765Z-", "20261126T195027.765Z-a", "20261126T195027.765Z.old", "2026112611950271765Z",
            "20261126T195027.765Z-2 (copy)", "٢٠٢٦1126T195027.765Z",
        ] {
            #expect(!Folder.isName("cam-\(name).dfgs", of: "cam", ".dfgs"), "\(name)")
        }
        #expect(!Folder.isName("cam-.dfgs", of: "cam-", ".dfgs") && !Folder.isName("cam.dfgs", of: "cam", ".dfgs"))
    }

    /// What another stream records there, and what somebody has put there, is neither renamed nor deleted.
    @Test func filesOfOthersAreLeftAlone() throws {
        try withFolder { folder in
            let foreign = [
                "cam-2-20261126T195027.765Z.dfgs", "cam-2-20261126T195028.578Z.dfgs.part", "cam-2020-notes.dfgs",
                "cam-2020-notes.dfgs.part",
            ]
            for name in foreign { try writeFile("\(folder)/\(name)", [UInt8](repeating: 1, count: 5000)) }
            try writeFile("\(folder)/cam-20200101T000000.000Z.dfgs.part", [1])
            let recorder = try Recorder(settings(folder, quota: 10_000), stream: "cam")
            for _ in 0..<50 { take(900, into: recorder) }
            recorder.finish()
            let pictures = try PictureWriter(PictureSettings(folder, quota: 2000), stream: "cam")
            try writeFile("\(folder)/cam-2021.png", [1])
            for _ in 0..<10 { [UInt8](repeating: 7, count: 900).withUnsafeBytes { pictures.take($0) } }
            let names = try listDirectory(folder).map { name(of: $0) }
            #expect(Set(foreign + ["cam-2021.png"]).subtracting(names) == [])
            // What is the stream's own is: the quota is kept, and what was cut short was named and was the first to go.
            let own = names.filter { !foreign.contains($0) && $0.hasSuffix(".dfgs") }
            #expect(own.count < 12 && !own.contains { $0.contains("20200101") })
        }
    }

    /// A folder that is deleted under a recording is made again, and what was lost is counted.
    @Test(arguments: [true, false]) func aFolderThatGoesIsMadeAgain(isDeleted: Bool) throws {
        try withFolder { above in
            let folder = above + "/recordings"
            let recorder = try Recorder(settings(folder), stream: "cam")
            for _ in 0..<10 { take(1000, into: recorder) }
            let first = try #require(recorder.status.file)
            if isDeleted {
                try FileManager.default.removeItem(atPath: folder)
            } else {
                try FileManager.default.moveItem(atPath: folder, toPath: above + "/elsewhere")
            }
            usleep(1_100_000)
            for _ in 0..<5 { take(1000, into: recorder) }
            let status = recorder.status
            #expect(status.framesDropped == 10 && status.problem == nil && status.files == 0)
            #expect(status.file != nil && status.file != first)
            recorder.finish()
            #expect(recorder.status.files == 1 && recorder.status.framesDropped == 10)
            #expect(try listDirectory(folder).map { try readFile($0).count } == [5000])
            if !isDeleted {
                #expect(try listDirectory(above + "/elsewhere").map { try readFile($0).count } == [10_000])
            }
        }
    }

    /// Another file under the recording's name is not taken for it.
    @Test func aFileInItsPlaceIsNotTakenForIt() throws {
        try withFolder { folder in
            let recorder = try Recorder(settings(folder), stream: "cam")
            for _ in 0..<3 { take(1000, into: recorder) }
            let part = try #require(recorder.status.file) + ".part"
            unlink(part)
            try writeFile(part, [1, 2, 3])
            recorder.finish()
            #expect(recorder.status.files == 0 && recorder.status.framesDropped == 3)
            #expect(try readFile(part) == [1, 2, 3])
        }
    }

    /// Where the folder cannot be made again, the reason is told.
    @Test func aFolderThatCannotBeMadeIsTold() throws {
        try withFolder { above in
            let folder = above + "/recordings"
            let recorder = try Recorder(settings(folder), stream: "cam")
            take(1000, into: recorder)
            try FileManager.default.removeItem(atPath: folder)
            try writeFile(folder, [1])
            usleep(1_100_000)
            take(1000, into: recorder)
            #expect(recorder.status.problem?.contains(folder) == true && recorder.status.framesDropped == 2)
            recorder.finish()
        }
    }

    @Test func picturesGoOnInAFolderThatIsMadeAgain() throws {
        try withFolder { above in
            let folder = above + "/pictures"
            let pictures = try PictureWriter(PictureSettings(folder, quota: 0), stream: "cam")
            for _ in 0..<2 { [7, 7].withUnsafeBytes { pictures.take($0) } }
            try FileManager.default.removeItem(atPath: folder)
            [UInt8](repeating: 7, count: 9).withUnsafeBytes { pictures.take($0) }
            #expect(pictures.status.written == 3 && pictures.status.problem == nil)
            #expect(try listDirectory(folder).count == 1)
        }
    }
}

extension PictureSettings {
    fileprivate init(_ folder: String, quota: Int) {
        self.init()
        self.folder = folder
        quotaBytes = quota
        minFreeBytes = 0
    }
}
