import DeepFGS
import DeepFGSTools

/// The whole configuration: what deepfgsd.yml declares.
public struct DaemonSettings: Settings {
    public var log = LogSettings()
    public var api = APISettings()
    /// Directories to look for models in, before the standard ones.
    public var models: [String] = []
    public var defaults = DefaultSettings()
    /// By name, in the order of the names.
    public var streams: [String: StreamSettings] = [:]

    public init() {}
    public static let keys: [Key<DaemonSettings>] = [
        .group("log", \.log),
        .group("api", \.api),
        .texts("models", \.models),
        .group("defaults", \.defaults),
        Key(name: "streams") { root, node, reader in
            root.streams = reader.named(node, "streams", over: StreamSettings(), defaults: root.defaults)
        } show: { root in
            .object(root.streams.sorted { $0.key < $1.key }.map { ($0.key, $0.value.shown()) })
        },
    ]
}

public struct LogSettings: Settings {
    public enum Level: String, CaseIterable, Sendable { case debug, info, warning, error }
    public enum Format: String, CaseIterable, Sendable { case text, json }

    public var level = Level.info
    public var format = Format.text

    public init() {}
    public static let keys: [Key<LogSettings>] = [.choice("level", \.level), .choice("format", \.format)]
}

/// The control API, metrics and page.
public struct APISettings: Settings {
    /// Numeric address to listen at.
    public var address = "127.0.0.1"
    public var port = 8700
    /// PEM files; empty for none.
    public var tlsCertificate = ""
    public var tlsKey = ""
    /// Files with one bearer token a line.
    public var readTokenFiles: [String] = []
    public var writeTokenFiles: [String] = []
    public var maxConnections = 256
    public var maxBodyBytes = 65536
    public var requestSeconds = 10
    public var idleSeconds = 60
    /// Pixels of the largest picture that is decoded for a preview: what a decoder takes is some 100 bytes for each.
    public var previewMaxPixels = 4096 * 2176

    public init() {}
    public static let keys: [Key<APISettings>] = [
        .text("address", \.address),
        .integer("port", \.port, 0...65535),
        .text("tls-certificate", \.tlsCertificate),
        .text("tls-key", \.tlsKey),
        .texts("read-token-files", \.readTokenFiles),
        .texts("write-token-files", \.writeTokenFiles),
        .integer("max-connections", \.maxConnections, 4...100_000),
        .integer("max-body-bytes", \.maxBodyBytes, 1024...16_777_216, unit: "bytes"),
        .integer("request-seconds", \.requestSeconds, 1...3600, unit: "seconds"),
        .integer("idle-seconds", \.idleSeconds, 1...86400, unit: "seconds"),
        .integer("preview-max-pixels", \.previewMaxPixels, 1...FrameHeader.maximumPixels, unit: "pixels"),
    ]

    /// What only begins like an address of 127.0.0.0/8 is none at all, and refused where it would be opened.
    var isLoopback: Bool { address == "::1" || address.hasPrefix("127.") }
}

/// What streams and receivers are where they do not say otherwise.
public struct DefaultSettings: Settings {
    public var send = SendSettings()
    public var receive = ReceiveSettings()
    public var relay = RelaySettings()
    public var receiver = ReceiverSettings()

    public init() {}
    public static let keys: [Key<DefaultSettings>] = [
        .group("receiver", \.receiver), .group("send", \.send), .group("receive", \.receive), .group("relay", \.relay),
    ]
}

/// One stream: exactly one of its three kinds.
public struct StreamSettings: Settings {
    public var enabled = true
    public var send: SendSettings?
    public var receive: ReceiveSettings?
    public var relay: RelaySettings?

    public init() {}
    public static let keys: [Key<StreamSettings>] = [
        .truth("enabled", \.enabled),
        .option("send", \.send), .option("receive", \.receive), .option("relay", \.relay),
    ]

    /// `send`, `receive` or `relay`.
    public var kind: String { send != nil ? "send" : receive != nil ? "receive" : "relay" }

    /// The receivers of a send or relay stream; none of a receive stream.
    public var receivers: [String: ReceiverSettings] {
        get { send?.receivers ?? relay?.receivers ?? [:] }
        set {
            send?.receivers = newValue
            relay?.receivers = newValue
        }
    }

    /// The stream without its receivers: what makes it another stream where it differs.
    var bare: StreamSettings {
        var copy = self
        copy.receivers = [:]
        copy.enabled = true
        return copy
    }
}

/// A source, encoded once, for any number of receivers.
public struct SendSettings: Settings {
    public var source = SourceSettings()
    /// Name or path of the model; empty for the encoder's default.
    public var model = ""
    /// Processor threads of the encoder; 0: as many as there are cores.
    public var threads = 0
    public var step = 16
    public var baseStep = 16
    public var maxBPP = 0.0
    /// Repair packets made behind each base, in percent of its packets.
    public var baseProtection = 0
    public var packetBytes = 1200
    public var life = LifeSettings()
    public var receivers: [String: ReceiverSettings] = [:]

    public init() {}
    public static let keys: [Key<SendSettings>] = [
        .group("source", \.source),
        .text("model", \.model),
        .integer("threads", \.threads, 0...1024),
        .integer("step", \.step, 1...32),
        .integer("base-step", \.baseStep, 1...32),
        .number("max-bpp", \.maxBPP, 0...64),
        .integer("base-protection", \.baseProtection, 0...500, unit: "percent"),
        .integer("packet-bytes", \.packetBytes, 200...65000, unit: "bytes"),
        .group("life", \.life),
        .receivers(\.receivers),
    ]
}

/// Where pictures come from: exactly one of these keys.
public struct SourceSettings: Settings {
    /// A V4L2 device.
    public var camera = ""
    /// A pattern of videotestsrc.
    public var test = ""
    /// A recording (`.dfgs`), or any file that GStreamer decodes.
    public var file = ""
    /// A folder of pictures.
    public var pictures = ""
    /// The address of an RTSP camera.
    public var rtsp = ""
    /// Elements as gst-launch-1.0 takes them, which give raw video.
    public var launch = ""
    public var width = 0
    public var height = 0
    /// Frames a second; 0: as the source gives them (pictures: 1, test: 10).
    public var framerate = 0
    public var loop = true
    /// Milliseconds that an RTSP source holds packets for.
    public var latency = 200

    public init() {}
    public static let keys: [Key<SourceSettings>] = [
        .text("camera", \.camera), .text("test", \.test), .text("file", \.file), .text("pictures", \.pictures),
        .text("rtsp", \.rtsp), .text("launch", \.launch),
        .integer("width", \.width, 0...65535, unit: "pixels"), .integer("height", \.height, 0...65535, unit: "pixels"),
        .integer("framerate", \.framerate, 0...240), .truth("loop", \.loop),
        .integer("latency", \.latency, 0...60000, unit: "milliseconds"),
    ]

    /// The keys that name a source, with those of them that are set.
    var named: [(key: String, value: String)] {
        [
            ("camera", camera), ("test", test), ("file", file), ("pictures", pictures), ("rtsp", rtsp),
            ("launch", launch),
        ].filter { !$0.1.isEmpty }
    }

    /// Whether the source is a recording, whose frames are sent as they are.
    var isEncoded: Bool { pathExtension(of: file) == "dfgs" }

    /// Whether the source lies in files, and so has an end.
    var isStored: Bool { !file.isEmpty || !pictures.isEmpty }
}

/// Where a stream goes, and within what limits.
public struct ReceiverSettings: Settings {
    public enum Mode: String, CaseIterable, Sendable { case auto, fixed }
    public enum Protection: String, CaseIterable, Sendable { case auto, all, none }

    /// `host:port`; RTCP goes to the port above.
    public var address = ""
    /// Where this receiver's RTCP comes in; 0: any free port, which a receiver that answers the sender's RTCP needs not know.
    public var rtcpPort = 0
    public var mode = Mode.auto
    public var targetBitrate = 2_000_000
    public var minBitrate = 100_000
    public var maxBitrate = 20_000_000
    public var startBitrate = 500_000
    /// A fixed cut of every frame, never into its base; 0 for none.
    public var maxFrameBytes = 0
    public var baseProtection = Protection.auto

    public init() {}
    private static let bitrates = 1000...4_000_000_000
    public static let keys: [Key<ReceiverSettings>] = [
        .text("address", \.address) { $0.isEmpty || Endpoint($0) != nil ? nil : Endpoint.expected },
        .integer("rtcp-port", \.rtcpPort, 0...65535),
        .choice("mode", \.mode),
        .integer("target-bitrate", \.targetBitrate, bitrates, unit: "bit/s"),
        .integer("min-bitrate", \.minBitrate, bitrates, unit: "bit/s"),
        .integer("max-bitrate", \.maxBitrate, bitrates, unit: "bit/s"),
        .integer("start-bitrate", \.startBitrate, bitrates, unit: "bit/s"),
        .integer("max-frame-bytes", \.maxFrameBytes, 0...16_777_215, unit: "bytes"),
        .choice("base-protection", \.baseProtection),
    ]

    /// What may change without a new session.
    var limits: ReceiverSettings {
        var copy = self
        copy.address = ""
        copy.rtcpPort = 0
        copy.startBitrate = 0
        return copy
    }

    /// Whether the change to `other` needs a session of its own.
    func needsNewSession(for other: ReceiverSettings) -> Bool {
        address != other.address || rtcpPort != other.rtcpPort || startBitrate != other.startBitrate
    }
}

/// Where RTP comes in.
public struct InputSettings: Settings {
    /// `address:port` to listen at; RTCP comes to the port above.
    public var listen = "0.0.0.0:5600"
    /// `host:port` that feedback goes to; empty: where the sender's RTCP comes from.
    public var feedback = ""
    /// Milliseconds that the jitter buffer waits for packets.
    public var latency = 200
    /// Bit/s of the session, of which feedback may take 5 %.
    public var bandwidth = 4_000_000

    public init() {}
    public static let keys: [Key<InputSettings>] = [
        .text("listen", \.listen) { Endpoint($0) == nil ? Endpoint.expected : nil },
        .text("feedback", \.feedback) { $0.isEmpty || Endpoint($0) != nil ? nil : Endpoint.expected },
        .integer("latency", \.latency, 0...60000, unit: "milliseconds"),
        .integer("bandwidth", \.bandwidth, 10_000...4_000_000_000, unit: "bit/s"),
    ]
}

/// RTP in, to files or a sink.
public struct ReceiveSettings: Settings {
    public var input = InputSettings()
    public var record = RecordSettings()
    public var pictures = PictureSettings()
    /// Elements as gst-launch-1.0 takes them, which take raw video; empty for none.
    public var sink = ""
    public var life = LifeSettings()

    public init() {}
    public static let keys: [Key<ReceiveSettings>] = [
        .group("input", \.input), .group("record", \.record), .group("pictures", \.pictures), .text("sink", \.sink),
        .group("life", \.life),
    ]
}

/// RTP in, cut, to many.
public struct RelaySettings: Settings {
    public var input = {
        var input = InputSettings()
        input.latency = 50
        return input
    }()
    public var life = LifeSettings()
    public var receivers: [String: ReceiverSettings] = [:]

    public init() {}
    public static let keys: [Key<RelaySettings>] = [
        .group("input", \.input), .group("life", \.life), .receivers(\.receivers),
    ]
}

/// Recordings of frames as they came in.
public struct RecordSettings: Settings {
    /// Empty: no recordings.
    public var folder = ""
    public var rotateSeconds = 3600
    public var rotateBytes = 1_000_000_000
    /// Most bytes of this stream's recordings together: the oldest go; 0: no limit.
    public var quotaBytes = 10_000_000_000
    /// Nothing is written while the disk has less than this free.
    public var minFreeBytes = 100_000_000

    public init() {}
    public static let keys: [Key<RecordSettings>] = [
        .text("folder", \.folder),
        .integer("rotate-seconds", \.rotateSeconds, 1...31_536_000, unit: "seconds"),
        .integer("rotate-bytes", \.rotateBytes, 1000...(1 << 50), unit: "bytes"),
        .integer("quota-bytes", \.quotaBytes, 0...(1 << 60), unit: "bytes"),
        .integer("min-free-bytes", \.minFreeBytes, 0...(1 << 60), unit: "bytes"),
    ]
}

/// Pictures of what came in.
public struct PictureSettings: Settings {
    public enum Format: String, CaseIterable, Sendable { case png, jpeg }

    /// Empty: no pictures.
    public var folder = ""
    public var format = Format.png
    /// At most one picture in so many seconds; 0: each frame.
    public var everySeconds = 0.0
    public var quotaBytes = 1_000_000_000
    public var minFreeBytes = 100_000_000

    public init() {}
    public static let keys: [Key<PictureSettings>] = [
        .text("folder", \.folder), .choice("format", \.format), .number("every-seconds", \.everySeconds, 0...86400),
        .integer("quota-bytes", \.quotaBytes, 0...(1 << 60), unit: "bytes"),
        .integer("min-free-bytes", \.minFreeBytes, 0...(1 << 60), unit: "bytes"),
    ]
}

/// When a stream is restarted.
public struct LifeSettings: Settings {
    /// A source that gives no frame for so long is started anew; 0: never.
    public var stallSeconds = 15
    /// The wait before the first restart, which doubles with each that fails, up to the longest.
    public var firstRestartSeconds = 1.0
    public var longestRestartSeconds = 60.0

    public init() {}
    public static let keys: [Key<LifeSettings>] = [
        .integer("stall-seconds", \.stallSeconds, 0...86400, unit: "seconds"),
        .number("first-restart-seconds", \.firstRestartSeconds, 0.01...3600),
        .number("longest-restart-seconds", \.longestRestartSeconds, 0.01...86400),
    ]
}

/// A host and a port, as `host:port` or `[IPv6]:port`.
public struct Endpoint: Sendable, Hashable {
    public var host: String
    public var port: Int

    static let expected = "must be host:port, such as 192.0.2.1:5600 or [2001:db8::1]:5600"

    /// Nil where the text is none, or where no port above it is left for RTCP.
    public init?(_ text: String) {
        // The pattern of the API's description.
        let shape = /(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\]|([A-Za-z0-9._-]+)):([1-9][0-9]{0,4})/
        guard let parts = text.wholeMatch(of: shape)?.output, let port = Int(parts.3), (1...65534).contains(port),
            let host = parts.1 ?? parts.2
        else { return nil }
        self.host = String(host)
        self.port = port
    }
}
