import ArgumentParser
import DeepFGS
import DeepFGSTools

/// What became of the frames of one transmission.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare what was encoded with what was sent and what arrived, frame by frame.",
        discussion: """
            Reads stream files recorded before and after the network-adaptive element and at the receiver, matches \
            their frames by presentation time, and prints a row a frame: bytes made, sent and received, and the PSNR of \
            the received prefix against the source picture. The sources are given in the order in which they were \
            encoded; where there are more frames than sources, they are taken to repeat.

            EXAMPLES
              deepfgs report --made made.dfgs --sent sent.dfgs --received received.dfgs --target 700000 pictures/*.png
            """)

    @Option(help: ArgumentHelp("Frames as the encoder made them.", valueName: "file"))
    var made: String

    @Option(help: ArgumentHelp("Frames as they were cut for the network.", valueName: "file"))
    var sent: String

    @Option(help: ArgumentHelp("Frames as they arrived.", valueName: "file"))
    var received: String

    @Option(help: ArgumentHelp("The target bitrate that the sender was given.", valueName: "bit/s"))
    var target: Int?

    @Argument(help: ArgumentHelp("The source pictures, in order.", valueName: "picture"))
    var sources: [String]

    @OptionGroup var model: ModelOptions

    /// One frame on its way.
    private struct Row {
        var index: Int
        var time: UInt64
        var made: Int
        var sent: Int?
        var received: Int?
        var bitsPerPixel: Double?
        var psnr: Double?
    }

    func run() throws {
        let batch = Batch()
        batch.attempt { () throws(Failure) in
            let made = try StreamFile(made, console: batch.console)
            let sent = try StreamFile(sent, console: batch.console)
            let received = try StreamFile(received, console: batch.console)
            var pictures: [Picture] = []
            for path in sources {
                pictures.append(try decodePicture(try readFile(path), path: path).picture)
            }
            try writeOutput(try table(try rows(made, sent, received, pictures, batch.console)) + "\n")
        }
        try batch.finish()
    }

    private func rows(
        _ made: StreamFile, _ sent: StreamFile, _ received: StreamFile, _ pictures: [Picture], _ console: Console
    ) throws(Failure) -> [Row] {
        let sentAt = try byTime(sent)
        let receivedAt = try byTime(received)
        let decoder = StreamDecoder(model)
        var rows: [Row] = []
        console.begin("decoding", total: made.sequence.frames.count)
        for (index, frame) in made.sequence.frames.enumerated() {
            let time = try self.time(of: frame, in: made)
            var row = Row(index: index + 1, time: time, made: frame.range.count)
            row.sent = sentAt[time].map { sent.sequence.frames[$0].range.count }
            if let other = receivedAt[time] {
                let bytes = received.sequence.frames[other].range.count
                row.received = bytes
                row.bitsPerPixel = frame.header.bitsPerPixel(of: bytes)
                let picture = try decoder.picture(other, of: received, console: console)
                row.psnr = psnr(pictures[index % pictures.count], picture)
            }
            rows.append(row)
            console.advance()
        }
        console.end()
        return rows
    }

    private func time(of frame: FrameSequence.Entry, in file: StreamFile) throws(Failure) -> UInt64 {
        guard let time = frame.header.extensions.presentationTime else {
            throw Failure(.badInput, file.path, "a frame has no presentation time to match it by")
        }
        return time
    }

    private func byTime(_ file: StreamFile) throws(Failure) -> [UInt64: Int] {
        var places: [UInt64: Int] = [:]
        for (index, frame) in file.sequence.frames.enumerated() { places[try time(of: frame, in: file)] = index }
        return places
    }

    private func table(_ rows: [Row]) throws(Failure) -> String {
        guard let first = rows.first, let last = rows.last, rows.count > 1 else {
            throw Failure(.badInput, made, "fewer than two frames")
        }
        var lines = [" frame   time s  made bytes  sent bytes  received bytes     bpp  PSNR dB"]
        for row in rows {
            let time = decimal(Double(row.time - first.time) / 1e9, 2, width: 7)
            lines.append(
                padded("\(row.index)", 6) + "  " + time + padded("\(row.made)", 12)
                    + padded(row.sent.map(String.init) ?? "–", 12) + padded(row.received.map(String.init) ?? "lost", 16)
                    + padded(row.bitsPerPixel.map { decimal($0, 3) } ?? "", 8)
                    + padded(row.psnr.map { decimal($0, 2) } ?? "", 9))
        }
        let seconds = Double(last.time - first.time) / 1e9 * Double(rows.count) / Double(rows.count - 1)
        let rate = { (bytes: Int) in decimal(Double(8 * bytes) / seconds / 1000, 0) + " kbit/s" }
        let arrived = rows.compactMap(\.psnr)
        lines.append("")
        lines.append(
            "\(rows.count) frames in \(decimal(seconds, 1)) s: made \(rate(rows.reduce(0) { $0 + $1.made })), "
                + "sent \(rate(rows.reduce(0) { $0 + ($1.sent ?? 0) })), "
                + "received \(rate(rows.reduce(0) { $0 + ($1.received ?? 0) }))"
                + (target.map { ", target \(decimal(Double($0) / 1000, 0)) kbit/s with all packet headers" } ?? "")
                + "; \(rows.count - arrived.count) frames lost"
                + (arrived.isEmpty ? "" : "; mean PSNR \(decimal(arrived.reduce(0, +) / Double(arrived.count), 2)) dB"))
        return lines.joined(separator: "\n")
    }
}
