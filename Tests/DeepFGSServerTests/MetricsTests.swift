import DeepFGSPlugin
import DeepFGSTools
import DeepFGSTransport
import Foundation
import Testing

@testable import DeepFGSServer

/// Metrics are made from the one table of statistics, and the dashboard asks for what there is.
@Suite struct MetricsTests {
    /// A stream of every kind with every number that the elements give.
    private func text(unknown: Bool = false) -> String {
        func numbers(_ names: [String]) -> [String: Double] {
            Dictionary(uniqueKeysWithValues: names.map { ($0, unknown && $0 == "round-trip" ? -1 : 8e9) })
        }
        var stream = StreamStatus(name: "s", kind: "relay")
        stream.lastFrameAt = 0
        stream.receivers = [
            ReceiverStatus(
                name: "r", settings: ReceiverSettings(), state: "running", rtcpPort: 1,
                numbers: numbers(AdaptiveSender.statisticFields.map { "\($0.name)" }))
        ]
        stream.input = InputStatus(
            senders: 1, feedback: nil, numbers: numbers(Depacketiser.statisticFields.map { "\($0.name)" }))
        stream.encoder = numbers(CodecStatistics.encoder.map { "\($0.name)" })
        stream.decoder = numbers(CodecStatistics.decoder.map { "\($0.name)" })
        stream.recording = RecordingStatus(files: 1, bytes: 2, framesDropped: 3, pictures: 4)
        return Metrics.text([stream]) { _ in }
    }

    @Test func namesFollowTheTable() {
        let text = text()
        for line in [
            "deepfgsd_receiver_sent_packets_total{stream=\"s\",receiver=\"r\"} 8000000000",
            "deepfgsd_receiver_sent_repair_packets_total{stream=\"s\",receiver=\"r\"} 8000000000",
            "deepfgsd_receiver_dropped_bytes_total{stream=\"s\",receiver=\"r\",reason=\"fixed-cut\"} 8000000000",
            "deepfgsd_receiver_estimated_bytes_per_second{stream=\"s\",receiver=\"r\"} 1000000000",
            "deepfgsd_receiver_round_trip_seconds{stream=\"s\",receiver=\"r\"} 8",
            "# HELP deepfgsd_receiver_round_trip_seconds Time there and back.",
            "deepfgsd_receiver_loss_ratio{stream=\"s\",receiver=\"r\"} 8000000000",
            "deepfgsd_receiver_queued_bytes{stream=\"s\",receiver=\"r\"} 8000000000",
            "deepfgsd_input_tail_lost_frames_total{stream=\"s\"} 8000000000",
            "deepfgsd_encoder_late_frames_total{stream=\"s\"} 8000000000",
            "deepfgsd_encoder_base_step_sixteenths{stream=\"s\"} 8000000000",
            "deepfgsd_encoder_latency_seconds{stream=\"s\"} 8",
            "deepfgsd_decoder_damaged_frames_total{stream=\"s\"} 8000000000",
            "deepfgsd_decoder_bytes_total{stream=\"s\"} 8000000000",
            "deepfgsd_input_before_cut_bytes_total{stream=\"s\"} 8000000000",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(!self.text(unknown: true).contains("round_trip"), "what is not known is left out")
        // Each field that is a number is there, once.
        let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ")[0] }
        #expect(Set(samples).count == samples.count)
        let numbers =
            AdaptiveSender.statisticFields.count { $0.unit != .word }
            + Depacketiser.statisticFields.count { $0.unit != .word } + CodecStatistics.encoder.count
            + CodecStatistics.decoder.count
        let made = samples.count { $0.contains(/^deepfgsd_(receiver|input|encoder|decoder)_/) }
        #expect(made == numbers + 3, "and receiver_up, input_senders and input_refused_datagrams, the daemon's own")
    }

    @Test func dashboardAsksForWhatThereIs() throws {
        let file = try JSONSerialization.jsonObject(with: Data(try readFile("\(root)deploy/grafana.json")))
        let dashboard = try #require(file as? [String: Any])
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        #expect(panels.count == 11)
        let text = text()
        var places: [String] = []
        for panel in panels {
            #expect(panel["type"] is String && panel["title"] is String && panel["id"] is Int)
            let place = try #require(panel["gridPos"] as? [String: Int])
            #expect(Set(place.keys) == ["x", "y", "w", "h"])
            places.append("\(place["x"] ?? 0) \(place["y"] ?? 0)")
            let targets = try #require(panel["targets"] as? [[String: Any]])
            #expect(Set(targets.compactMap { $0["refId"] as? String }).count == targets.count)
            for target in targets {
                let query = try #require(target["expr"] as? String)
                let name = try #require(query.firstMatch(of: /(deepfgsd|process)_[a-z_]+/)?.output.0)
                #expect(text.contains("# TYPE \(name) "), "\(query)")
                for label in query.matches(of: /by \(([a-z, ]+)\)/).map(\.output.1) {
                    for one in label.split(separator: ", ") { #expect(text.contains("\(one)=\""), "\(query)") }
                }
            }
        }
        #expect(Set(places).count == places.count, "no panel lies on another")
    }
}
