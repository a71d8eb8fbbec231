import DeepFGSTools

/// The control API: what each path and method does.
///
/// api/openapi.yaml describes it; a test holds both together.
final class ControlAPI {
    let streams: StreamManager
    let previews = PreviewService()
    /// Who watches; nil where nobody can.
    var viewers: LiveHub?
    var tokens: Tokens
    /// The whole configuration that is in force.
    var configuration: () -> DaemonSettings = { DaemonSettings() }
    /// Reads the configuration file again.
    var reload: () -> Result<StreamManager.Changes, Configuration.Refused> = { .success(StreamManager.Changes()) }
    var metrics: () -> String = { "" }
    let startedAt = monotonicTime

    init(streams: StreamManager, tokens: Tokens) {
        self.streams = streams
        self.tokens = tokens
    }

    func answer(_ request: Request) -> Answer {
        if request.bodyTooLong { return .now(.problem(413, "the body is longer than max-body-bytes")) }
        if let file = WebPage.file(at: request.path) ?? BrowserFiles.file(at: request.path) {
            return only("GET", request) { .now(Response(200, file.type, file.bytes, headers: WebPage.headers)) }
        }
        switch request.path {
        case ["healthz"]: return only("GET", request) { .now(Response(200, "text/plain", Array("ok\n".utf8))) }
        case ["readyz"]: return only("GET", request) { .now(readiness) }
        case ["metrics"]:
            return only("GET", request, .read) {
                .now(Response(200, "text/plain; version=0.0.4; charset=utf-8", Array(metrics().utf8)))
            }
        default: break
        }
        guard request.path.first == "v1" else { return .now(.problem(404, "there is nothing at this path")) }
        return route(Array(request.path.dropFirst()), request)
    }

    private func route(_ path: [String], _ request: Request) -> Answer {
        switch path {
        case ["info"]: return only("GET", request, .read) { .now(Response(info(tokens.scope(of: request)))) }
        case ["config"]: return only("GET", request, .read) { .now(Response(configuration().shown())) }
        case ["events"]: return only("GET", request, .read) { .events }
        case ["reload"]: return only("POST", request, .write) { .now(reloaded()) }
        case ["streams"]:
            return only("GET", request, .read) { .now(Response(.object([("streams", list)]))) }
        default: break
        }
        if path.count == 2, path[0] == "models" {
            return only("GET", request, .read) { BrowserFiles.model(path[1]) }
        }
        guard path.count >= 2, path[0] == "streams" else { return .now(.problem(404, "there is nothing at this path")) }
        // Who may not read does not learn which streams there are.
        if let refusal = tokens.refusal(of: request, needs: .read) { return .now(refusal) }
        guard let stream = streams[path[1]] else { return .now(.problem(404, "no stream of this name")) }
        switch Array(path.dropFirst(2)) {
        case []: return only("GET", request, .read) { .now(Response(stream.status.json)) }
        case ["start"]: return command(request, stream) { $0.change { $0.enabled = true } }
        case ["stop"]: return command(request, stream) { $0.change { $0.enabled = false } }
        case ["restart"]: return command(request, stream) { $0.restart() }
        case ["preview"]:
            return only("GET", request, .read, query: ["bytes", "frame", "format"]) { preview(request, stream) }
        case ["frame"]: return only("GET", request, .read, query: ["bytes", "frame"]) { .now(frame(request, stream)) }
        case ["live"]: return only("GET", request, .read) { live(request) }
        case ["receivers"]:
            return only("GET", request, .read) {
                .now(Response(.object([("receivers", .array(stream.status.receivers.map(\.json)))])))
            }
        case let rest where rest.count == 2 && rest[0] == "receivers": return receiver(rest[1], request, stream)
        default: return .now(.problem(404, "there is nothing at this path"))
        }
    }

    // MARK: - Methods, tokens, queries

    /// Answers a request of one method, with a token of the scope where the path needs one.
    private func only(
        _ method: String, _ request: Request, _ scope: Tokens.Scope? = nil, query: [String] = [], _ body: () -> Answer
    ) -> Answer {
        guard request.method == method || (method == "GET" && request.method == "HEAD") else {
            return .now(notAllowed(method == "GET" ? ["GET", "HEAD"] : [method]))
        }
        if let scope, let refusal = tokens.refusal(of: request, needs: scope) { return .now(refusal) }
        if let unknown = request.query.first(where: { !query.contains($0.name) }) {
            return .now(.problem(400, "unknown parameter \(unknown.name)"))
        }
        return body()
    }

    private func notAllowed(_ methods: [String]) -> Response {
        .problem(
            405, "only \(methods.joined(separator: ", "))", headers: [("Allow", methods.joined(separator: ", "))])
    }

    private func command(_ request: Request, _ stream: Stream, _ body: (Stream) -> Int) -> Answer {
        only("POST", request, .write) {
            later(stream, body(stream)) { Response(stream.status.json) }
        }
    }

    /// Answers when a stream has followed what was asked for, so that the answer shows it; where that takes long, such as
    /// to drain a sink, with what is so then.
    private func later(_ stream: Stream, _ wish: Int, _ answer: @escaping @Sendable () -> Response) -> Answer {
        .later { respond in
            onMain(when: { stream.hasFollowed(wish) }, within: Self.followSeconds) { respond(answer()) }
        }
    }

    private static let followSeconds = 2.0

    /// A whole number of the query.
    private func number(_ name: String, _ request: Request) throws(StreamError) -> Int? {
        let values = request.query.filter { $0.name == name }
        guard let text = values.first?.value else { return nil }
        guard values.count == 1, let value = Int(text), value >= 0, !text.hasPrefix("+") else {
            throw StreamError("\(name) must be one whole number of at least 0")
        }
        return value
    }

    // MARK: - Receivers

    private func receiver(_ name: String, _ request: Request, _ stream: Stream) -> Answer {
        guard Configuration.isName(name) else { return .now(.problem(404, Configuration.nameRule)) }
        switch request.method {
        case "GET", "HEAD":
            return only("GET", request, .read) {
                guard let status = stream.status.receivers.first(where: { $0.name == name }) else {
                    return .now(.problem(404, "no receiver of this name"))
                }
                return .now(Response(status.json))
            }
        case "PUT": return only("PUT", request, .write) { put(name, request, stream, over: nil) }
        case "PATCH":
            return only("PATCH", request, .write) {
                guard let present = stream.settings.receivers[name] else {
                    return .now(.problem(404, "no receiver of this name"))
                }
                return put(name, request, stream, over: present)
            }
        case "DELETE":
            return only("DELETE", request, .write) {
                guard stream.settings.receivers[name] != nil else {
                    return .now(.problem(404, "no receiver of this name"))
                }
                stream.change { $0.receivers[name] = nil }
                Log.info("removed through the API", stream: stream.name, receiver: name)
                return .now(.noContent)
            }
        default: return .now(notAllowed(["GET", "HEAD", "PUT", "PATCH", "DELETE"]))
        }
    }

    /// Adds a receiver, or changes what the body mentions of one that there is.
    private func put(
        _ name: String, _ request: Request, _ stream: Stream, over present: ReceiverSettings?
    ) -> Answer {
        guard stream.settings.receive == nil else { return .now(.problem(409, "a receive stream sends to nobody")) }
        let type = request.header("Content-Type")?.prefix { $0 != ";" } ?? ""
        guard type.lowercased() == "application/json" else {
            return .now(.problem(415, "the body must be application/json"))
        }
        var reader = Reader()
        let settings: ReceiverSettings
        do throws(Problem) {
            let node = try Node(yaml: request.body, source: "body")
            guard case .mapping = node.value else { return .now(.problem(422, "the body must be an object")) }
            settings = reader.settings(node, over: present ?? configuration().defaults.receiver, "the receiver")
        } catch {
            return .now(.problem(400, error.description))
        }
        let problems = reader.problems.map(\.description) + Configuration.problems(of: settings)
        guard problems.isEmpty else { return .now(.problem(422, problems.joined(separator: "; "))) }
        let isNew = stream.settings.receivers[name] == nil
        let wish = stream.change { $0.receivers[name] = settings }
        Log.info(isNew ? "added through the API" : "changed through the API", stream: stream.name, receiver: name)
        return later(stream, wish) {
            guard let receiver = stream.status.receivers.first(where: { $0.name == name }) else {
                return .problem(409, "the receiver was removed meanwhile")
            }
            return Response(receiver.json, status: isNew ? 201 : 200)
        }
    }

    // MARK: - Pictures

    private func preview(_ request: Request, _ stream: Stream) -> Answer {
        do throws(StreamError) {
            let bytes = try number("bytes", request)
            let number = try number("frame", request)
            let formats = request.query.filter { $0.name == "format" }
            let format = PreviewService.Format(rawValue: formats.first?.value ?? "jpeg")
            guard let format, formats.count < 2 else { throw StreamError("format must be jpeg or png") }
            guard let frame = stream.frames.frame(number) else { return .now(noFrame(number)) }
            let limit = configuration().api.previewMaxPixels
            return .later { [previews] answer in
                previews.take(
                    PreviewService.Job(frame: frame, bytes: bytes, format: format, pixelLimit: limit, answer: answer))
            }
        } catch {
            return .now(.problem(400, error.reason))
        }
    }

    private func frame(_ request: Request, _ stream: Stream) -> Response {
        do throws(StreamError) {
            let bytes = try number("bytes", request)
            let number = try number("frame", request)
            guard let frame = stream.frames.frame(number) else { return noFrame(number) }
            return Response(
                200, "application/octet-stream", Array(frame.bytes.prefix(bytes ?? frame.bytes.count)),
                headers: [
                    ("DeepFGS-Frame", "\(frame.number)"),
                    ("Content-Disposition", "attachment; filename=\"\(stream.name)-\(frame.number).dfgs\""),
                ])
        } catch {
            return .problem(400, error.reason)
        }
    }

    /// Lets a viewer in; libsoup does the rest.
    private func live(_ request: Request) -> Answer {
        guard request.header("Upgrade")?.lowercased() == "websocket" else {
            return .now(.problem(426, "a WebSocket is needed", headers: [("Upgrade", "websocket")]))
        }
        guard let viewers, viewers.count < viewers.limit else {
            return .now(.problem(503, "as many viewers as max-connections allows", headers: [("Retry-After", "5")]))
        }
        return .viewer
    }

    private func noFrame(_ number: Int?) -> Response {
        number == nil
            ? .problem(503, "the stream has had no frame yet", headers: [("Retry-After", "1")])
            : .problem(404, "this frame is not held any more")
    }

    // MARK: - The daemon

    var list: JSON { .array(streams.all.map { $0.status.json }) }

    private func info(_ scope: Tokens.Scope) -> JSON {
        .object([
            ("version", .string(daemonVersion)), ("uptime-seconds", .number(monotonicTime - startedAt, digits: 1)),
            ("streams", .integer(streams.all.count)), ("scope", .string(scope == .write ? "write" : "read")),
        ])
    }

    /// Ready when every stream that shall run does, or waits for its sender.
    private var readiness: Response {
        let late = streams.all.map(\.status).filter {
            ![.running, .waiting, .stopped, .ended].contains($0.state)
        }
        guard !late.isEmpty else { return Response(200, "text/plain", Array("ready\n".utf8)) }
        let lines = late.map { "\($0.name): \($0.state.rawValue)" + ($0.reason.map { ", \($0)" } ?? "") }
        return Response(503, "text/plain", Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    private func reloaded() -> Response {
        switch reload() {
        case .success(let changes):
            let names = { (list: [String]) in JSON.array(list.map { .string($0) }) }
            return Response(
                .object([
                    ("added", names(changes.added)), ("removed", names(changes.removed)),
                    ("changed", names(changes.changed)),
                ]))
        case .failure(let refused): return .problem(422, refused.description)
        }
    }
}
