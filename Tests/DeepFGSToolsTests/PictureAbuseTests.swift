import DeepFGS
import Foundation
import Testing

@testable import DeepFGSTools

/// Damaged files of every kind: whatever is in them, reading ends with a picture or a failure that names the file.
///
/// `DEEPFGS_ABUSE` says how many damaged copies are made of each file (3 if it is not set); the one that is being read
/// lies in `DEEPFGS_ABUSE_FILE`, if that is set, so that it is there after a crash.
@Suite struct PictureAbuseTests {
    @Test func damagedFilesOfEveryKind() throws {
        let environment = ProcessInfo.processInfo.environment
        let copies = environment["DEEPFGS_ABUSE"].flatMap { Int($0) } ?? 3
        let keep = environment["DEEPFGS_ABUSE_FILE"]
        var generator = SplitMix(state: UInt64(copies))
        try withPicturesOfEveryKind { folder in
            let fixtures = PictureKindsTests.repository + "/Tests/Fixtures/pictures"
            let files = try (listDirectory(folder) + listDirectory(fixtures))
                .filter { PictureFormat.isPictureName($0) && !$0.hasSuffix(".0.ppm") }
            for path in files {
                let original = try readFile(path)
                for _ in 0..<copies {
                    let damaged = generator.damaged(original)
                    if let keep { try writeFile(keep, damaged) }
                    do throws(Failure) {
                        let file = try PictureFile(
                            damaged, path: path, options: ReadingOptions(pixelLimit: 1 << 20, isStrict: false))
                        while let frame = try file.next() {
                            #expect(frame.picture.pixels.count == 3 * frame.picture.width * frame.picture.height)
                        }
                    } catch {
                        #expect(error.status == .badInput && error.file == path && !error.reason.isEmpty)
                    }
                }
            }
        }
    }
}

/// Steele and others' SplitMix64: the same numbers everywhere.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// A copy with bytes changed, numbers made extreme, pieces cut out, doubled or moved; its first four bytes, which
    /// say the format, mostly left.
    mutating func damaged(_ file: [UInt8]) -> [UInt8] {
        var file = file
        for _ in 0..<Int.random(in: 1...4, using: &self) where file.count > 8 {
            // Headers are where numbers are that matter.
            let end = Bool.random(using: &self) ? min(file.count, 128) : file.count
            let at = Int.random(in: 4..<end, using: &self)
            let length = Int.random(in: 1...min(file.count - at, 64), using: &self)
            switch Int.random(in: 0..<7, using: &self) {
            case 0: file[at] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 1: file[at] = .random(in: 0...255, using: &self)
            case 2:
                let extreme = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &self) ?? 0
                for place in at..<min(at + 4, file.count) { file[place] = UInt8(extreme) }
            case 3: file.removeSubrange(at..<(at + length))
            case 4: file.insert(contentsOf: file[at..<(at + length)], at: at)
            case 5: file.removeSubrange(at...)
            default:
                let piece = Array(file[at..<(at + length)])
                file.removeSubrange(at..<(at + length))
                file.insert(contentsOf: piece, at: Int.random(in: 0...file.count, using: &self))
            }
        }
        return file
    }
}
