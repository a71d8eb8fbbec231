import ArgumentParser
import DeepFGS
import DeepFGSTools
import Glibc

/// What several streams cost in one process.
struct BenchStreams: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams",
        abstract: "Several streams in one process: threads, memory, frames per second.",
        discussion: """
            Encodes, then decodes, with 1, 2 and 4 encoders or decoders of one model at once, each on a thread of its \
            own, and shows for each case the threads of the process, its resident memory, and the frames of all \
            streams in a second. Each case runs in a process of its own, so that no case sees what another left.

            EXAMPLES
              deepfgs bench streams --size 640x360
              deepfgs bench streams --streams 8 --model live-v1 --json
            """)

    @Option(help: ArgumentHelp("How many streams, separated by commas.", valueName: "list"))
    var streams: StreamCounts = StreamCounts(values: [1, 2, 4])

    @Option(help: ArgumentHelp("Size of the made-up picture.", valueName: "WIDTHxHEIGHT"))
    var size = PictureSize(width: 640, height: 360)

    @Option(help: ArgumentHelp("Frames of each stream.", valueName: "count"))
    var frames = 30

    @Flag(help: "Write JSON.")
    var json = false

    /// The one case that this process measures; the processes that the command starts have it.
    @Option(help: .hidden)
    var side: StreamsMeasurement.Side?

    @OptionGroup var model: ModelOptions

    func validate() throws {
        guard (1...100_000).contains(frames) else { throw ValidationError("--frames goes from 1 to 100000") }
    }

    func run() throws {
        let batch = Batch()
        batch.attempt { () throws(Failure) in
            if let side { return print(try row(side)) }
            var rows: [Row] = []
            for side in StreamsMeasurement.Side.allCases {
                for count in streams.values { rows.append(Row(side, count, try inProcess(side, count))) }
            }
            let loaded = try model.load()
            print(json ? jsonText(rows, loaded) : text(rows, loaded))
        }
        try batch.finish()
    }

    /// One line of the result.
    private struct Row {
        let side: StreamsMeasurement.Side
        let streams: Int
        let threads: Int, memory: Int
        let framesPerSecond: Double

        init(_ side: StreamsMeasurement.Side, _ streams: Int, _ numbers: [Double]) {
            self.side = side
            self.streams = streams
            (threads, memory, framesPerSecond) = (Int(numbers[0]), Int(numbers[1]), numbers[2])
        }
    }

    /// Measures one case here: threads, bytes and frames per second, as `inProcess` reads them.
    private func row(_ side: StreamsMeasurement.Side) throws(Failure) -> String {
        let loaded = try model.load()
        do throws(DecodingError) {
            let measured = try StreamsMeasurement(
                side, streams: streams.values[0], picture: size.madeUpPicture, model: loaded, options: model.compute,
                rounds: frames)
            return "\(measured.threads) \(measured.memory) \(measured.framesPerSecond)"
        } catch { throw Failure(.software, nil, error.description) }
    }

    /// Measures one case in a process of its own.
    private func inProcess(_ side: StreamsMeasurement.Side, _ count: Int) throws(Failure) -> [Double] {
        let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--json" }
        let output = try Self.output(
            of: ["deepfgs"] + arguments + ["--side", side.rawValue, "--streams", "\(count)"])
        let numbers = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard numbers.count == 3 else { throw Failure(.software, nil, "a measuring process failed") }
        return numbers
    }

    /// What this program writes when it is run with other arguments.
    private static func output(of arguments: [String]) throws(Failure) -> String {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(.software, nil, "no pipe for a measuring process") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let strings = arguments.map { strdup($0) }
        defer { for string in strings { free(string) } }
        var process = pid_t()
        let failure = posix_spawn(&process, "/proc/self/exe", &actions, nil, strings + [nil], environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard failure == 0 else { throw Failure(.software, nil, "no measuring process") }
        var bytes = [UInt8](repeating: 0, count: 4096)
        var text: [UInt8] = []
        while true {
            let count = read(ends[0], &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text += bytes[..<count]
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return String(decoding: text, as: UTF8.self)
    }

    private func text(_ rows: [Row], _ model: Model) -> String {
        var lines = [
            "\(size.width)×\(size.height) pixels, \(frames) frames of each stream, \(model.configuration.name)",
            padded("", 8) + "  streams  threads       MB      fps",
        ]
        for row in rows {
            lines.append(
                padded(row.side.rawValue, 8)
                    + [Double(row.streams), Double(row.threads)].map { decimal($0, 0, width: 9) }.joined()
                    + decimal(Double(row.memory) / 1e6, 0, width: 9) + decimal(row.framesPerSecond, 1, width: 9))
        }
        return lines.joined(separator: "\n")
    }

    private func jsonText(_ rows: [Row], _ model: Model) -> String {
        JSON.object([
            ("model", .string(model.configuration.name)), ("identity", .string("\(model.identity)")),
            ("width", .integer(size.width)), ("height", .integer(size.height)), ("frames", .integer(frames)),
            (
                "results",
                .array(
                    rows.map { row in
                        .object([
                            ("side", .string(row.side.rawValue)), ("streams", .integer(row.streams)),
                            ("threads", .integer(row.threads)), ("memory_bytes", .integer(row.memory)),
                            ("fps", .number(row.framesPerSecond, digits: 2)),
                        ])
                    })
            ),
        ]).text()
    }
}

extension StreamsMeasurement.Side: ExpressibleByArgument {}

/// Numbers of streams as an option has them: `1,2,4`.
struct StreamCounts: ExpressibleByArgument {
    let values: [Int]

    init(values: [Int]) { self.values = values }

    init?(argument: String) {
        let values = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard !values.isEmpty, values.allSatisfy({ (1...64).contains($0) }) else { return nil }
        self.values = values
    }

    var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}
