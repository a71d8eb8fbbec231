import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSServer

/// What may stand on the disk, at any moment.
@Suite struct RecorderTests {
    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "recorder-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func recorder(in folder: String, quota: Int) throws -> Recorder {
        var settings = RecordSettings()
        settings.folder = folder
        settings.quotaBytes = quota
        settings.minFreeBytes = 0
        return try Recorder(settings, stream: "a")
    }

    private func bytes(in folder: String) throws -> Int {
        try listDirectory(folder).reduce(0) { try $0 + readFile($1).count }
    }

    @Test(arguments: [7_000, 29_000, 120_000]) func recordingsStayUnderTheirQuota(frame: Int) throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let recorder = try recorder(in: path, quota: 300_000)
        let bytes = [UInt8](repeating: 7, count: frame)
        for count in 1...100 {
            bytes.withUnsafeBytes { recorder.take($0) }
            let there = try self.bytes(in: path)
            #expect(there <= 300_000, "after \(count) frames")
            // What is deleted is no more than needed: two thirds of the quota are used.
            if count * frame > 300_000 { #expect(there > 180_000, "after \(count) frames") }
        }
        recorder.finish()
        #expect(recorder.status.framesDropped == 0 && recorder.status.problem == nil)
    }

    @Test func aFrameBeyondTheQuotaIsNotWritten() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let recorder = try recorder(in: path, quota: 1000)
        [UInt8](repeating: 7, count: 900).withUnsafeBytes { recorder.take($0) }
        [UInt8](repeating: 7, count: 1001).withUnsafeBytes { recorder.take($0) }
        recorder.finish()
        #expect(recorder.status.problem == "1001 bytes at once are more than quota-bytes 1000")
        #expect(try bytes(in: path) == 900)
    }

    @Test func picturesStayUnderTheirQuotaWhateverTheirSize() throws {
        let path = try folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        var settings = PictureSettings()
        settings.folder = path
        settings.quotaBytes = 100_000
        settings.minFreeBytes = 0
        let writer = try PictureWriter(settings, stream: "a")
        for count in 1...100 {
            [UInt8](repeating: 7, count: count % 30 < 15 ? 1000 : 20_000).withUnsafeBytes { writer.take($0) }
            #expect(try bytes(in: path) <= 100_000, "after \(count) pictures")
        }
        #expect(writer.status.written == 100)
    }

    @Test func anOutageIsToldOnceAndTriedEverMoreRarely() {
        var outage = Outage("recording", stream: "a")
        #expect(outage.mayTry(100) && outage.problem == nil)
        var (now, waits) = (100.0, [Double]())
        for _ in 0..<6 {
            outage.failed("full", now)
            let failed = now
            while !outage.mayTry(now) { now += 0.5 }
            waits.append(now - failed)
        }
        #expect(waits == [2, 4, 8, 16, 16, 16] && outage.problem == "full")
        // A frame that finds room is no end of it yet; a minute of them is.
        outage.succeeded(now)
        #expect(outage.problem == nil)
        outage.failed("full", now + 1)
        #expect(!outage.mayTry(now + 16) && outage.mayTry(now + 17))
        outage.succeeded(now + 17)
        outage.failed("full", now + 100)
        #expect(!outage.mayTry(now + 101) && outage.mayTry(now + 102))
    }
}
