import CDeepFGS
import DeepFGSPlugin
import Foundation
import Testing

@testable import DeepFGSTransport

/// The tables of statistics in `docs/` are those of the code.
///
/// With DEEPFGS_WRITE_DOCS in the environment they are written anew: `DEEPFGS_WRITE_DOCS=1 swift test --filter StatisticsPage`.
@Suite("Tables of statistics in docs/")
struct StatisticsPageTests {
    static let header = ["| field | type | unit | meaning |", "| --- | --- | --- | --- |"]

    static func rows<Source>(_ fields: [StatisticField<Source>], of source: Source) -> [String] {
        fields.map { field in
            let unit = field.unit == .word ? "" : field.unit.rawValue
            return "| `\(field.name)` | \(field.value(source).typeName) | \(unit) | \(field.meaning) |"
        }
    }

    /// Compares the first table behind a line of a page.
    static func check(_ page: String, after line: String = "", _ rows: [String]) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appendingPathComponent("docs/\(page)")
        var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
        let before = line.isEmpty ? 0 : try #require(lines.firstIndex(of: line), "\(page) has the line")
        let start = try #require(lines[before...].firstIndex(of: header[0]), "\(page) has the table")
        let end = lines[start...].firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
        if ProcessInfo.processInfo.environment["DEEPFGS_WRITE_DOCS"] != nil {
            lines.replaceSubrange(start..<end, with: header + rows)
            try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        } else {
            #expect(Array(lines[start..<end]) == header + rows, "DEEPFGS_WRITE_DOCS=1 writes the table anew")
        }
    }

    @Test("docs/35: stats of deepfgsadapt")
    func adaptiveSender() throws {
        var sender = AdaptiveSender()
        try Self.check(
            "35-adaptive-streaming.md", Self.rows(AdaptiveSender.statisticFields, of: sender.statistics(at: 0)))
    }

    @Test("docs/50: frame-stats of rtpdeepfgsdepay")
    func depacketiser() throws {
        try Self.check("50-loss.md", Self.rows(Depacketiser.statisticFields, of: Depacketiser().statistics))
    }

    @Test("docs/27: stats of deepfgsenc and deepfgsdec")
    func codec() throws {
        try Self.check(
            "27-live.md", after: "`stats` of `deepfgsenc`, since the element started:",
            Self.rows(CodecStatistics.encoder, of: DeepFGSEncoderCounts()))
        try Self.check(
            "27-live.md", after: "`stats` of `deepfgsdec`, since the element started:",
            Self.rows(CodecStatistics.decoder, of: DeepFGSDecoderCounts()))
    }

    @Test("Names are all different, and no more than the border has room for")
    func names() {
        let names = AdaptiveSender.statisticFields.map { "\($0.name)" }
        #expect(Set(names).count == names.count && names.count <= 64)
        for word in BandwidthEstimator.Reason.allCases.map({ "\($0.name)" }) {
            let field = AdaptiveSender.statisticFields.first { "\($0.name)" == "estimate-reason" }
            #expect("\(field?.meaning ?? "")".contains(word), "the table names every reason")
        }
    }
}
