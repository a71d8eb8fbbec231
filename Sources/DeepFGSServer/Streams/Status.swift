import DeepFGSTools

/// What a stream does at the moment.
public enum StreamState: String, Sendable, CaseIterable {
    /// The pipeline is being built, or no frame has come yet.
    case starting
    case running
    /// Of receive and relay streams: no sender sends.
    case waiting
    /// It failed, and is started anew after a while.
    case restarting
    /// A source that does not loop has come to its end.
    case ended
    /// Switched off.
    case stopped
}

/// A stream as it was a moment ago.
public struct StreamStatus: Sendable {
    public var name: String
    public var kind: String
    public var state = StreamState.starting
    /// Why it is not running; nil where it is.
    public var reason: String?
    public var restarts = 0
    /// Seconds until the next start of a stream that is restarting.
    public var restartsIn: Double?
    /// Of the last run, by the monotonic clock.
    public var startedAt: Double?
    public var frames = 0
    public var bytes = 0
    /// When the last frame came, by the monotonic clock.
    public var lastFrameAt: Double?
    public var receivers: [ReceiverStatus] = []
    /// What `deepfgsenc` counts, by its names; nil where nothing is encoded.
    public var encoder: [String: Double]?
    /// What `deepfgsdec` counts, by its names; nil where nothing is decoded.
    public var decoder: [String: Double]?
    /// Of receive and relay streams.
    public var input: InputStatus?
    public var recording: RecordingStatus?
    /// The last few things that went wrong, oldest first.
    public var errors: [(time: Double, reason: String)] = []

    /// Seconds since the last frame; nil where none has come.
    public var frameAge: Double? { lastFrameAt.map { max(0, monotonicTime - $0) } }
}

public struct ReceiverStatus: Sendable {
    public var name: String
    public var settings: ReceiverSettings
    public var state: String
    public var reason: String?
    public var rtcpPort: Int
    /// What `deepfgsadapt` counts, by its names.
    public var numbers: [String: Double] = [:]
    public var texts: [String: String] = [:]
}

public struct InputStatus: Sendable {
    public var senders: Int
    /// Datagrams that were not let in.
    public var refused = 0
    public var feedback: String?
    /// What `rtpdeepfgsdepay` counts, by its names.
    public var numbers: [String: Double]
}

public struct RecordingStatus: Sendable {
    public var file: String?
    public var files: Int
    public var bytes: Int
    public var framesDropped: Int
    public var pictures: Int
    public var problem: String?
}
