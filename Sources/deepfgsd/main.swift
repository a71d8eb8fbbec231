import ArgumentParser
import DeepFGSServer
import Glibc

struct DaemonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deepfgsd",
        abstract: "Streams DeepFGS: pipelines declared in a file, watched and steered over HTTP.",
        discussion: """
            The file declares streams of three kinds: send (a camera, file, folder or test picture, encoded once, to any \
            number of receivers), receive (to recordings, pictures or a display) and relay (cut and passed on, without \
            decoding). The sample states every key with its default: deploy/deepfgsd.yml of the sources, \
            share/deepfgs/deepfgsd.yml below where it is installed (/usr of the package, /usr/local of make install).

            EXAMPLES
              deepfgsd deepfgsd.yml              runs until SIGTERM or Ctrl-C; the page is at http://127.0.0.1:8700/
              deepfgsd --check deepfgsd.yml      says what is wrong with a file, and where; reads tokens and
                                                 certificate, too
              DEEPFGSD_API__PORT=9000 deepfgsd deepfgsd.yml
                                                 a variable overrides a key: __ between keys, _ for -

            SIGNALS
              HUP         reads the file again and changes what differs; a file with mistakes changes nothing
              TERM, INT   ends the streams, finishes the recordings, and exits

            EXIT STATUS
               0  all went well
               1  a stream did not end in time
              64  the command line makes no sense
              70  GStreamer does not start
              78  the configuration is refused, or its address cannot be listened at
            """,
        version: daemonVersion)

    @Flag(help: "Check the configuration and exit.")
    var check = false

    @Argument(
        help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file(extensions: ["yml", "yaml"]))
    var file = "/etc/deepfgs/deepfgsd.yml"

    func run() throws {
        var environment: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let sides = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            environment[String(sides[0])] = sides.count > 1 ? String(sides[1]) : ""
            entry += 1
        }
        if check {
            do {
                let settings = try Daemon.load(file, environment: environment)
                print("\(file): good, \(streamCount(settings.streams.count))")
            } catch {
                let text = "\(error)\n"
                _ = write(STDERR_FILENO, text, text.utf8.count)
                throw ExitCode(Daemon.Exit.configuration.rawValue)
            }
            return
        }
        throw ExitCode(Daemon(path: file, environment: environment).run().rawValue)
    }
}

DaemonCommand.main()
