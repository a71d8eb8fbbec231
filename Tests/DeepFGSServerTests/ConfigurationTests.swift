import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSServer

/// The root of the package.
let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .path(percentEncoded: false)

private func read(_ yaml: String, _ environment: [String: String] = [:]) throws -> DaemonSettings {
    try Configuration.read(Array(yaml.utf8), source: "x.yml", environment: environment)
}

private func problems(_ yaml: String, _ environment: [String: String] = [:]) -> [String] {
    do {
        _ = try read(yaml, environment)
        return []
    } catch {
        return (error as? Configuration.Refused)?.problems.map(\.description) ?? ["\(error)"]
    }
}

/// The paths of all keys that are said.
private func paths(_ node: Node, _ above: String = "") -> [String] {
    guard case .mapping(let members) = node.value, !members.isEmpty else { return [above] }
    return members.flatMap { paths($0.value, above + "/" + ($0.key.text ?? "")) }
}

private func paths(_ json: JSON, _ above: String = "") -> [String] {
    guard case .object(let members) = json, !members.isEmpty else { return [above] }
    return members.flatMap { paths($0.1, above + "/" + $0.0) }
}

@Suite struct ConfigurationTests {
    @Test func sampleStatesEveryKeyWithItsDefault() throws {
        let file = "\(root)deploy/deepfgsd.yml"
        #expect(try Configuration.load(file, environment: [:]) == DaemonSettings())
        let said = paths(try Node(yaml: try readFile(file), source: file))
        let known = paths(DaemonSettings().shown())
        #expect(Set(said) == Set(known))
        #expect(said.count == Set(said).count && said.count > 70)
    }

    @Test func sampleInItsCommentIsGoodToo() throws {
        let lines = String(decoding: try readFile("\(root)deploy/deepfgsd.yml"), as: UTF8.self).split(separator: "\n")
        let example = lines.drop { !$0.hasPrefix("#   streams:") }.prefix { $0.hasPrefix("#   ") }.map {
            $0.dropFirst(4)
        }
        let settings = try read(example.joined(separator: "\n"))
        #expect(settings.streams["camera"]?.receivers["ship"]?.maxBitrate == 500_000)
        #expect(settings.streams["archive"]?.receive?.record.folder == "/var/lib/deepfgs/recordings")
    }

    @Test func whatIsShownIsReadAgain() throws {
        let settings = try read(
            """
            streams:
              a: {send: {source: {test: "b\\"a"}, receivers: {r: {address: "h:5600", base-protection: none}}}}
              b: {enabled: false, relay: {input: {listen: "[::1]:7000"}}}
            """)
        #expect(try read(settings.shown().text()) == settings)
        #expect(try read(settings.shown().line) == settings)
    }

    @Test(arguments: [
        ("api: {prot: 1}", "x.yml:1:7: unknown key prot in api; did you mean port?"),
        ("api:\n  port: 99999", "x.yml:2:9: port is 99999, but must be from 0 to 65535"),
        ("api:\n  port: '8700'", "x.yml:2:9: port must be a whole number, 0 to 65535"),
        ("log: {level: loud}", "x.yml:1:14: level must be one of: debug, info, warning, error"),
        ("log: 3", "x.yml:1:6: log must be a mapping of keys"),
        ("a: 1\na: 2", "x.yml:2:1: a stands here for the second time"),
        ("a: &x 1\nb: *x", "x.yml:2:4: aliases (*name) are not supported"),
        ("api: [", "x.yml:2:1: did not find expected node content"),
        ("api: {address: 0.0.0.0}", "x.yml:1:16: an address other than loopback needs tls-certificate and tls-key"),
        ("streams: {'a b': {}}", "x.yml:1:11: a b: a name is 1 to 64 letters, digits, - and _"),
        ("streams: {a: {}}", "x.yml:1:14: stream a: must have exactly one of send, receive and relay"),
        (
            "streams: {a: {send: {source: {test: ball, file: x}}}}",
            "x.yml:1:14: stream a: source must have exactly one of camera, test, file, pictures, rtsp and launch, not "
                + "test and file"
        ),
        (
            "streams: {a: {relay: {receivers: {r: {}}}}}",
            "x.yml:1:14: stream a: receiver r: address is missing; it must be host:port, such as 192.0.2.1:5600 or "
                + "[2001:db8::1]:5600"
        ),
        (
            "streams: {a: {relay: {receivers: {r: {address: 'h:1', min-bitrate: 9000, max-bitrate: 8000}}}}}",
            "x.yml:1:14: stream a: receiver r: min-bitrate 9000 is above max-bitrate 8000"
        ),
        (
            "streams: {a: {receive: {input: {listen: '0.0.0.0:5600'}}}, b: {relay: {input: {listen: '0.0.0.0:5601'}}}}",
            "x.yml:1:63: stream b: port 5601 is that of stream a (RTCP takes the port above RTP's)"
        ),
        (
            "streams:\n  a:\n    send:\n      source: {file: x.dfgs,\n        width: 64, height: 64}",
            "x.yml:5:16: stream a: width and height cannot be changed of a .dfgs file, whose frames are sent as they are"
        ),
    ])
    func badConfigurationsAreRefused(yaml: String, message: String) {
        #expect(problems(yaml).first == message)
    }

    @Test func everyProblemIsToldAtOnce() {
        #expect(problems("log: {level: loud, format: x}\napi: {port: a}").count == 3)
    }

    @Test func defaultsHoldWhereverTheyStand() throws {
        let settings = try read(
            """
            streams: {a: {send: {source: {test: ball}, receivers: {r: {address: "h:1"}, s: {address: "h:3", max-bitrate: 9000}}}}}
            defaults: {receiver: {max-bitrate: 7_000, min-bitrate: 2000}, send: {threads: 1}}
            """)
        #expect(settings.streams["a"]?.send?.threads == 1)
        #expect(settings.streams["a"]?.receivers["r"]?.maxBitrate == 7000)
        #expect(settings.streams["a"]?.receivers["s"]?.maxBitrate == 9000)
    }

    @Test func variablesOverrideKeys() throws {
        let yaml = "streams: {Cam_1: {relay: {receivers: {r: {address: 'h:1'}}}}}"
        let settings = try read(
            yaml,
            [
                "DEEPFGSD_API__PORT": "9", "DEEPFGSD_API__READ_TOKEN_FILES": "[a, b]", "OTHER": "x",
                "DEEPFGSD_STREAMS__CAM_1__RELAY__RECEIVERS__R__MAX_BITRATE": "123456",
            ])
        #expect(settings.api.port == 9)
        #expect(settings.api.readTokenFiles == ["a", "b"])
        #expect(settings.streams["Cam_1"]?.receivers["r"]?.maxBitrate == 123_456)
        #expect(problems(yaml, ["DEEPFGSD_API__PROT": "9"]).first?.contains("unknown key prot in api") == true)
        #expect(
            problems(yaml, ["DEEPFGSD_API__PORT": "x"]).first?.hasPrefix("DEEPFGSD_API__PORT:1:1: port must") == true)
    }

    /// Whatever the bytes: an answer, never a trap.
    @Test func randomBytesAreRefusedOrRead() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("{}[]:,-\n \"'ab1streamendciv*&!|>%@\0\u{fe}".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            _ = try? Configuration.read(bytes, source: "x")
        }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: Configuration.Refused.self) { try Configuration.read(deep, source: "x") }
    }

    /// A pipe would keep a reload waiting, and the API with it.
    @Test func aPipeIsNoConfiguration() {
        let path = NSTemporaryDirectory() + "deepfgsd-pipe-\(getpid())"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        do throws(Configuration.Refused) {
            _ = try Configuration.load(path, environment: [:])
            Issue.record("it was read")
        } catch { #expect(error.description.contains("is a pipe or device, not a file")) }
    }

    @Test func endpoints() {
        for (text, host, port) in [
            ("192.0.2.1:5600", "192.0.2.1", 5600), ("[2001:db8::1]:1", "2001:db8::1", 1),
            ("[fe80::1%eth0]:65534", "fe80::1%eth0", 65534), ("a_b-c.example:80", "a_b-c.example", 80),
        ] {
            let endpoint = Endpoint(text)
            #expect(endpoint?.host == host && endpoint?.port == port, "\(text)")
        }
        for text in [
            "", "host", "host:", ":80", "host:0", "host:65535", "host:+80", "host:1x", "host:080", "host:123456",
            "a b:80", "::1:80",
            "[]:80", "[::1]80", "[::1", "host:80 ", "höst:80", "host/x:80", "h:٣", "h:80\n",
        ] { #expect(Endpoint(text) == nil, "\(text)") }
    }

    @Test func tokensAreComparedWhole() {
        #expect(sameInConstantTime(Array("abc".utf8), Array("abc".utf8)))
        #expect(!sameInConstantTime(Array("abc".utf8), Array("abd".utf8)))
        #expect(!sameInConstantTime(Array("abcabc".utf8), Array("abc".utf8)))
        #expect(!sameInConstantTime([], Array("abc".utf8)))
        #expect(!sameInConstantTime([], []))
    }
}
