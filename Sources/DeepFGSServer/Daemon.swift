import CDeepFGSServer
import DeepFGS
import DeepFGSTools
import Glibc

/// The daemon's version.
public let daemonVersion = Release.version

/// A number of streams, in words.
public func streamCount(_ count: Int) -> String { "\(count) \(count == 1 ? "stream" : "streams")" }

/// The daemon: configuration, streams, API, signals, on one main loop.
///
/// There is one in a process.
public final class Daemon {
    /// How it ended, for the shell.
    public enum Exit: Int32 {
        case good = 0
        /// A stream did not end in time.
        case unclean = 1
        /// The configuration is refused, or the API cannot listen.
        case configuration = 78
        /// GStreamer does not start.
        case software = 70
    }

    private let path: String
    private let environment: [String: String]
    private let notify: Notify
    private let loop: OpaquePointer?
    private let streams: StreamManager
    private var settings = DaemonSettings()
    private var server: HTTPServer?
    private var api: ControlAPI?
    private var ending = false
    private var reloads = (good: 0, refused: 0)

    private static let drainSeconds = 8.0

    public init(path: String, environment: [String: String]) {
        self.path = path
        self.environment = environment
        notify = Notify(environment: environment)
        loop = g_main_loop_new(nil, 0)
        streams = StreamManager { status in onMain { Daemon.current?.tell(status) } }
    }

    /// The one of this process, for callbacks on the main thread.
    nonisolated(unsafe) private static var current: Daemon?

    /// Reads a configuration, and the files that its API needs.
    ///
    /// - Throws: `Refused`, with every problem and its place: all that would keep a daemon from starting with it but a port
    ///   in use.
    public static func load(
        _ path: String, environment: [String: String]
    ) throws(Configuration.Refused) -> DaemonSettings {
        try Configuration.load(path, environment: environment) {
            HTTPServer.problems(of: $0) + Tokens.problems(of: $0)
        }
    }

    /// Runs until a signal ends it.
    ///
    /// - Parameter ready: Called with the API's port when it listens.
    /// - Returns: How it ended.
    public func run(ready: (Int) -> Void = { _ in }) -> Exit {
        dgs_keep_memory_small()
        do throws(Configuration.Refused) { settings = try Self.load(path, environment: environment) } catch {
            for problem in error.problems { Log.error(problem.description) }
            return .configuration
        }
        Log.configure(settings.log)
        setModelPath(settings.models)
        signal(SIGPIPE, SIG_IGN)
        // Who starts this program may have blocked them.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        dgs_take_logs { level, domain, words in
            let text = "\(domain.map { String(cString: $0) } ?? ""): \(words.map { String(cString: $0) } ?? "")"
            if level == 0 { Log.error(text) } else if level == 1 { Log.warning(text) } else { Log.debug(text) }
        }
        var problem: UnsafeMutablePointer<CChar>?
        guard dgs_gst_start(&problem) != 0 else {
            Log.error(problem.map { String(cString: $0) } ?? "GStreamer does not start")
            return .software
        }
        do throws(StreamError) {
            let api = ControlAPI(streams: streams, tokens: try Tokens(settings.api))
            let server = try HTTPServer(settings.api) { api.answer($0) }
            let viewers = LiveHub(streams: streams, limit: settings.api.maxConnections / 2)
            server.serve(viewers)
            api.viewers = viewers
            self.server = server
            self.api = api
        } catch {
            Log.error(error.reason)
            return .configuration
        }
        Daemon.current = self
        connect()
        streams.apply(settings.streams)
        let port = server?.port ?? 0
        let scheme = settings.api.tlsCertificate.isEmpty ? "http" : "https"
        Log.info(
            "deepfgsd \(daemonVersion): \(streamCount(settings.streams.count)); page and API at \(scheme)://\(settings.api.address):\(port)/"
        )
        notify.send("READY=1", "STATUS=\(streamCount(settings.streams.count))")
        ready(port)
        g_main_loop_run(loop)
        return end()
    }

    private func setModelPath(_ models: [String]) {
        guard !models.isEmpty else { return }
        let present = environment["DEEPFGS_MODEL_PATH"].map { [$0] } ?? []
        setenv("DEEPFGS_MODEL_PATH", (models + present).joined(separator: ":"), 1)
    }

    private func connect() {
        api?.configuration = { [unowned self] in settings }
        api?.reload = { [unowned self] in reload() }
        api?.metrics = { [unowned self] in metrics() }
        for number in [SIGTERM, SIGINT] { dgs_on_signal(number, { _ in Daemon.current?.quit() }, nil) }
        dgs_on_signal(SIGHUP, { _ in _ = Daemon.current?.reload() }, nil)
        dgs_main_every(1000, { _ in Daemon.current?.everySecond() }, nil)
        // Of what many threads take and give back pieces stay behind: over months they would add up.
        dgs_main_every(60_000, { _ in dgs_return_memory() }, nil)
        if let seconds = notify.watchdogSeconds {
            dgs_main_every(guint(max(100, seconds * 1000)), { _ in Daemon.current?.feedWatchdog() }, nil)
        }
    }

    private func quit() {
        guard !ending else { return }
        ending = true
        Log.info("ending: streams drain")
        notify.send("STOPPING=1")
        server?.close()
        g_main_loop_quit(loop)
    }

    private func end() -> Exit {
        let late = streams.end(within: Self.drainSeconds)
        for name in late { Log.error("did not end in \(Int(Self.drainSeconds)) s", stream: name) }
        Log.info("ended")
        return late.isEmpty ? .good : .unclean
    }

    // MARK: - Now and then

    private func everySecond() {
        api?.viewers?.sweep()
        guard let server, server.hasSubscribers, let api else { return }
        server.publish("status", .object([("streams", api.list)]))
    }

    private func tell(_ status: StreamStatus) {
        server?.publish(
            "state",
            .object([
                ("stream", .string(status.name)), ("state", .string(status.state.rawValue)),
                ("reason", status.reason.map { .string($0) } ?? .null),
            ]))
    }

    /// Fed as long as this loop turns and every stream's thread comes by: a stream without frames is restarted by that
    /// thread, so one that does not come by is beyond help from inside.
    private func feedWatchdog() {
        let silent = streams.silent(for: Stream.hangSeconds)
        if silent.isEmpty {
            notify.send("WATCHDOG=1")
        } else {
            Log.error("hangs: \(silent.joined(separator: ", ")); the watchdog is not fed")
        }
    }

    private func metrics() -> String {
        Metrics.text(streams.all.map(\.status)) { out in
            out.add(
                "deepfgsd_http_connections", .gauge, "Connections to the API.", Double(server?.connections ?? 0))
            out.add(
                "deepfgsd_http_refused_connections_total", .counter,
                "Connections closed because there were too many, or because they asked nothing in time.",
                Double(server?.refused ?? 0))
            for (result, count) in [("applied", reloads.good), ("refused", reloads.refused)] {
                out.add(
                    "deepfgsd_reloads_total", .counter, "Reloads of the configuration.", Double(count),
                    [("result", result)])
            }
        }
    }

    // MARK: - Reload

    /// Reads the file again and changes what differs; a file with anything wrong changes nothing.
    private func reload() -> Result<StreamManager.Changes, Configuration.Refused> {
        notify.send("RELOADING=1", "MONOTONIC_USEC=\(Int(monotonicTime * 1e6))")
        defer { notify.send("READY=1") }
        do throws(Configuration.Refused) {
            let new = try Self.load(path, environment: environment)
            try apply(new.api)
            Log.configure(new.log)
            if new.models != settings.models { Log.warning("models take effect when the daemon starts anew") }
            let changes = streams.apply(new.streams)
            settings = new
            reloads.good += 1
            Log.info(
                "reloaded: \(changes.added.count) added, \(changes.removed.count) removed, \(changes.changed.count) changed"
            )
            return .success(changes)
        } catch {
            reloads.refused += 1
            for problem in error.problems { Log.error("reload refused: \(problem)") }
            return .failure(error)
        }
    }

    /// Tokens, limits and a renewed certificate at once; another address where it can be listened at.
    private func apply(_ new: APISettings) throws(Configuration.Refused) {
        do throws(StreamError) {
            let tokens = try Tokens(new)
            let old = settings.api
            if (new.address, new.port) != (old.address, old.port), let api {
                let fresh = try HTTPServer(new) { api.answer($0) }
                if let viewers = api.viewers { fresh.serve(viewers) }
                server?.close()
                if let server { fresh.adopt(server) }
                server = fresh
            } else {
                try server?.renew(new)
            }
            server?.setLimits(new)
            api?.viewers?.limit = new.maxConnections / 2
            api?.tokens = tokens
        } catch {
            throw Configuration.Refused(
                problems: [Problem(place: Place(source: path, line: 0, column: 0), reason: "api: \(error.reason)")])
        }
    }
}
