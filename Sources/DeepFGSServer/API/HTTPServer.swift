import CDeepFGSServer
import DeepFGSTools

/// A request, as the handlers see it.
struct Request {
    var method: String
    /// The parts of the path, percent-decoded.
    var path: [String]
    var query: [(name: String, value: String)]
    var body: [UInt8]
    var bodyTooLong: Bool
    let header: (String) -> String?
}

/// An answer.
struct Response: Sendable {
    var status: Int
    var type: String
    var body: [UInt8]
    var headers: [(String, String)] = []

    init(_ status: Int, _ type: String, _ body: [UInt8], headers: [(String, String)] = []) {
        self.status = status
        self.type = type
        self.body = body
        self.headers = headers
    }

    init(_ json: JSON, status: Int = 200) {
        self.init(status, "application/json", Array((json.line + "\n").utf8))
    }

    static let noContent = Response(204, "", [])

    /// What went wrong (RFC 9457).
    static func problem(_ status: Int, _ detail: String, headers: [(String, String)] = []) -> Response {
        let title = titles[status] ?? "Error"
        let json = JSON.object([("title", .string(title)), ("status", .integer(status)), ("detail", .string(detail))])
        return Response(status, "application/problem+json", Array((json.line + "\n").utf8), headers: headers)
    }

    private static let titles = [
        400: "Bad request", 401: "Unauthorised", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
        409: "Conflict", 413: "Too large", 415: "Unsupported media type", 422: "Refused", 426: "Upgrade required",
        503: "Not available now",
    ]
}

/// What a handler does with a request.
enum Answer {
    case now(Response)
    /// Later, from any thread, by the closure that `later`'s is given.
    case later((@escaping @Sendable (Response) -> Void) -> Void)
    /// Server-sent events.
    case events
    /// A WebSocket, of which `LiveHub` is told.
    case viewer
}

/// The HTTP server: parses what libsoup hands on, and sends what the handler answers.
///
/// On the main thread alone.
final class HTTPServer {
    private let server: OpaquePointer
    private let handler: Handler

    private final class Handler {
        let answer: (Request) -> Answer
        var subscribers: [OpaquePointer] = []
        init(_ answer: @escaping (Request) -> Answer) { self.answer = answer }
    }

    /// Listens.
    ///
    /// - Throws: `StreamError` with the reason where it cannot: the port is in use, the certificate is none.
    init(_ settings: APISettings, answer: @escaping (Request) -> Answer) throws(StreamError) {
        let handler = Handler(answer)
        var problem: UnsafeMutablePointer<CChar>?
        let certificate = settings.tlsCertificate.isEmpty ? nil : settings.tlsCertificate
        let server = dgs_server_new(
            settings.address, guint(settings.port), certificate, certificate == nil ? nil : settings.tlsKey,
            DGSLimits(settings),
            { request, user in
                guard let request, let user else { return }
                HTTPServer.handle(request, Unmanaged<Handler>.fromOpaque(user).takeUnretainedValue())
            }, Unmanaged.passRetained(handler).toOpaque(), &problem)
        guard let server else {
            let words = problem.map { String(cString: $0) } ?? "the API cannot listen"
            g_free(problem)
            throw StreamError(words)
        }
        self.server = server
        self.handler = handler
    }

    /// What is wrong with the settings, as far as that can be told without listening, by the key that says it.
    static func problems(of settings: APISettings) -> [(key: String, reason: String)] {
        let certificate = settings.tlsCertificate.isEmpty ? nil : settings.tlsCertificate
        guard
            let words = dgs_server_refusal(
                settings.address, guint(settings.port), certificate, certificate == nil ? nil : settings.tlsKey)
        else { return [] }
        defer { g_free(words) }
        let reason = String(cString: words)
        return [(reason.hasPrefix("TLS") ? "tls-certificate" : "address", reason)]
    }

    var port: Int { Int(dgs_server_port(server)) }
    var connections: Int { Int(dgs_server_connections(server)) }
    var refused: Int { Int(dgs_server_refused(server)) }
    func setLimits(_ settings: APISettings) { dgs_server_set_limits(server, DGSLimits(settings)) }
    func close() { dgs_server_close(server) }

    /// Reads the certificate and key again, which may be others or have been renewed; connections that there are go on.
    ///
    /// - Throws: `StreamError` with the reason; everything is then as it was.
    func renew(_ settings: APISettings) throws(StreamError) {
        let certificate = settings.tlsCertificate.isEmpty ? nil : settings.tlsCertificate
        var problem: UnsafeMutablePointer<CChar>?
        let key = certificate == nil ? nil : settings.tlsKey
        guard dgs_server_renew(server, certificate, key, &problem) != 0 else {
            defer { g_free(problem) }
            throw StreamError(problem.map { String(cString: $0) } ?? "TLS: the certificate cannot be used")
        }
    }

    /// Takes over who listens to another server's events.
    func adopt(_ other: HTTPServer) {
        handler.subscribers += other.handler.subscribers
        other.handler.subscribers = []
    }
    func serve(_ hub: LiveHub) { hub.serve(server) }

    var hasSubscribers: Bool { !handler.subscribers.isEmpty }

    /// Sends an event to everybody who listens.
    func publish(_ event: String, _ data: JSON) {
        guard hasSubscribers else { return }
        let text = "event: \(event)\ndata: \(data.line)\n\n"
        handler.subscribers.removeAll { dgs_stream_send($0, text) == 0 }
    }

    private static func handle(_ handle: OpaquePointer, _ handler: Handler) {
        guard let request = parse(handle) else {
            return send(.problem(400, "the path or query is not UTF-8"), to: handle, later: false)
        }
        switch handler.answer(request) {
        case .now(let response): send(response, to: handle, later: false)
        case .later(let begin):
            dgs_defer(handle)
            nonisolated(unsafe) let handle = handle
            begin { response in onMain { send(response, to: handle, later: true) } }
        case .viewer: break
        case .events:
            for (name, value) in securityHeaders { dgs_response_header(handle, name, value) }
            dgs_stream_begin(handle, "text/event-stream")
            if dgs_stream_send(handle, ": events of deepfgsd\n\n") != 0 { handler.subscribers.append(handle) }
        }
    }

    private static let securityHeaders = [
        ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
    ]

    private static func send(_ response: Response, to handle: OpaquePointer, later: Bool) {
        for (name, value) in securityHeaders + [("Cache-Control", "no-store")] + response.headers {
            dgs_response_header(handle, name, value)
        }
        response.body.withUnsafeBytes {
            let (start, count) = ($0.baseAddress, gsize($0.count))
            if later {
                dgs_respond_later(handle, guint(response.status), response.type, start, count)
            } else {
                dgs_respond(handle, guint(response.status), response.type, start, count)
            }
        }
    }

    private static func parse(_ handle: OpaquePointer) -> Request? {
        let parts = String(cString: dgs_request_path(handle)).split(separator: "/").map { percentDecoded($0.utf8) }
        let query = dgs_request_query(handle).map { String(cString: $0) } ?? ""
        var values: [(name: String, value: String)] = []
        for pair in query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecoded(sides[0].utf8, form: true),
                let value = percentDecoded((sides.count > 1 ? sides[1] : "").utf8, form: true)
            else { return nil }
            values.append((name, value))
        }
        guard !parts.contains(nil) else { return nil }
        var length: gsize = 0
        var tooLong: gboolean = 0
        let start = dgs_request_body(handle, &length, &tooLong)
        let body = Array(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(length)))
        return Request(
            method: String(cString: dgs_request_method(handle)), path: parts.compactMap { $0 }, query: values,
            body: body,
            bodyTooLong: tooLong != 0, header: { name in dgs_request_header(handle, name).map { String(cString: $0) } })
    }
}

extension DGSLimits {
    init(_ settings: APISettings) {
        self.init(
            connections: guint(settings.maxConnections), request_seconds: guint(settings.requestSeconds),
            idle_seconds: guint(settings.idleSeconds), body_bytes: gsize(settings.maxBodyBytes))
    }
}

/// Runs `body` on the main thread once `done`, which is asked there every 20 ms, says yes, or so many seconds have passed.
func onMain(when done: @escaping @Sendable () -> Bool, within seconds: Double, _ body: @escaping @Sendable () -> Void) {
    final class Wait {
        let done: @Sendable () -> Bool
        let until: Double
        let body: @Sendable () -> Void
        init(_ done: @escaping @Sendable () -> Bool, _ until: Double, _ body: @escaping @Sendable () -> Void) {
            (self.done, self.until, self.body) = (done, until, body)
        }
        func look() {
            if done() || monotonicTime >= until { return body() }
            dgs_main_after(
                20, { user in user.map { Unmanaged<Wait>.fromOpaque($0).takeRetainedValue().look() } },
                Unmanaged.passRetained(self).toOpaque())
        }
    }
    let wait = Wait(done, monotonicTime + seconds, body)
    wait.look()
}

/// Runs `body` on the main thread, soon.
func onMain(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    dgs_main_call(
        { user in user.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() } },
        Unmanaged.passRetained(Box(body)).toOpaque())
}
