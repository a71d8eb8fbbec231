import DeepFGSTools

/// What the API says of streams: the schemas Stream and Receiver of openapi.yaml.
extension StreamStatus {
    var json: JSON {
        // In pieces, each with its type said: as one expression it takes the compiler too long.
        let state: [(String, JSON)] = [
            ("name", .string(name)), ("kind", .string(kind)), ("state", .string(state.rawValue)),
            ("reason", reason.map { .string($0) } ?? .null), ("restarts", .integer(restarts)),
            ("restarts-in-seconds", restartsIn.map { .number($0, digits: 1) } ?? .null),
            ("running-seconds", startedAt.map { .number(monotonicTime - $0, digits: 1) } ?? .null),
            ("frames", .integer(frames)), ("bytes", .integer(bytes)),
            ("frame-age-seconds", frameAge.map { .number($0, digits: 3) } ?? .null),
        ]
        let parts: [(String, JSON)] = [
            ("encoder", encoder.map { statistics($0, [:]) } ?? .null),
            ("decoder", decoder.map { statistics($0, [:]) } ?? .null),
            ("input", input?.json ?? .null), ("recording", recording?.json ?? .null),
            ("receivers", .array(receivers.map(\.json))),
        ]
        let failures = errors.map { JSON.object([("time", .string(utc($0.time))), ("reason", .string($0.reason))]) }
        return .object(state + parts + [("errors", .array(failures))])
    }
}

extension ReceiverStatus {
    var json: JSON {
        .object([
            ("name", .string(name)), ("state", .string(state)), ("reason", reason.map { .string($0) } ?? .null),
            ("rtcp-port", .integer(rtcpPort)), ("settings", settings.shown()), ("stats", statistics(numbers, texts)),
        ])
    }
}

extension InputStatus {
    var json: JSON {
        .object([
            ("senders", .integer(senders)), ("datagrams-refused", .integer(refused)),
            ("feedback", feedback.map { .string($0) } ?? .null),
            ("stats", statistics(numbers, [:])),
        ])
    }
}

extension RecordingStatus {
    var json: JSON {
        .object([
            ("file", file.map { .string($0) } ?? .null), ("files", .integer(files)), ("bytes", .integer(bytes)),
            ("frames-dropped", .integer(framesDropped)), ("pictures", .integer(pictures)),
            ("problem", problem.map { .string($0) } ?? .null),
        ])
    }
}

/// The statistics of an element, by its own names, in the order of the names.
private func statistics(_ numbers: [String: Double], _ texts: [String: String]) -> JSON {
    let members: [(String, JSON)] =
        numbers.map { ($0.key, .number($0.value, digits: 6)) } + texts.map { ($0.key, .string($0.value)) }
    return .object(members.sorted { $0.0 < $1.0 })
}
