import Foundation
import Testing

/// The built plugin inside GStreamer's own tools.
@Suite("The built plugin", .serialized)
struct PluginTests {
    @Test("The plugin exports its entry points and nothing of Swift's")
    func exports() throws {
        let symbols = try Shell.run("nm -D --defined-only .build-plugin/release/libgstdeepfgs.so | grep ' T '")
        let names = symbols.output.split(separator: "\n").compactMap { $0.split(separator: " ").last }
        #expect(names.map(String.init).sorted() == ["gst_plugin_deepfgs_get_desc", "gst_plugin_deepfgs_register"])
    }

    @Test("The plugin's version is that of the repository")
    func version() throws {
        let version = try String(contentsOf: Shell.root.appendingPathComponent("VERSION"), encoding: .utf8)
        let text = try Shell.run("gst-inspect-1.0 deepfgs").output
        let line = try Regex("\n  Version +\(version.trimmingCharacters(in: .newlines))\n")
        #expect(text.firstMatch(of: line) != nil, "\(text)")
    }

    @Test("gst-inspect describes an element, its pads, and its properties with when they may change")
    func inspect() throws {
        let properties = [
            "deepfgsenc": ["model", "max-bpp", "threads", "precision", "qos", "max-lateness"],
            "deepfgsdec": ["model-path", "on-loss", "max-pixels", "threads", "precision", "max-lateness"],
            "deepfgsparse": ["framerate"],
        ]
        for (element, names) in properties {
            let text = try Shell.run("gst-inspect-1.0 \(element)").output
            #expect(text.contains("Rank                     primary (256)"))
            #expect(text.contains("Klass                    Codec/"))
            #expect(text.contains("SINK template: 'sink'") && text.contains("SRC template: 'src'"))
            for name in names {
                let property = try Regex("\n  \(name) +: .{20,}\n +flags: readable, writable, changeable")
                #expect(text.firstMatch(of: property) != nil, "\(element) \(name)")
            }
        }
    }

    @Test("Encoder and decoder allocate nothing for a frame, once the first ones are through")
    func allocations() throws {
        let run = try Shell.run("bench/latency/allocations --size 320x192 --frames 40")
        #expect(run.status == 0, "\(run.output)")
        for element in ["deepfgsenc", "deepfgsdec"] {
            let line = try Regex("\(element): 0 allocations a frame")
            #expect(run.output.firstMatch(of: line) != nil, "\(run.output)")
        }
    }

    /// Red, green and blue of a picture that a pipeline writes.
    static func pixels(of pipeline: String, in folder: Shell.Folder) throws -> Data {
        let path = folder.path("pixels")
        let run = try Shell.run(
            "gst-launch-1.0 -q \(pipeline) ! videoconvert ! video/x-raw,format=RGB ! filesink location=\(path)")
        #expect(run.status == 0, "\(run.output)")
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    static func psnr(_ left: Data, _ right: Data) -> Double {
        guard left.count == right.count, !left.isEmpty else { return 0 }
        let sum = zip(left, right).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        return 10 * log10(255 * 255 * Double(left.count) / max(sum, 1e-9))
    }

    @Test("A photograph comes back, better with every bit")
    func photograph() throws {
        let folder = try Shell.Folder()
        let source = "filesrc location=demo/photographs/perched-osprey.jpg ! jpegdec ! videoconvert"
        let original = try Self.pixels(of: source, in: folder)
        #expect(original.count == 1280 * 720 * 3)
        var last = 25.0
        for bits in ["0.1", "0.3", "0"] {
            let decoded = try Self.pixels(of: "\(source) ! deepfgsenc max-bpp=\(bits) ! deepfgsdec", in: folder)
            let psnr = Self.psnr(original, decoded)
            #expect(psnr > last + 1, "at \(bits) bits for each pixel")
            last = psnr
        }
        #expect(last > 33)
    }

    @Test("An encoder too slow for a live source says so on the bus, and ends when the source does")
    func overload() throws {
        let began = Date()
        let run = try Shell.run(
            "gst-launch-1.0 -m videotestsrc is-live=true num-buffers=180 ! "
                + "video/x-raw,format=I420,width=1920,height=1080,framerate=60/1 ! queue max-size-time=0 "
                + "max-size-bytes=0 max-size-buffers=200 ! deepfgsenc threads=1 ! fakesink")
        #expect(run.status == 0, "\(run.output)")
        let reports = run.output.split(separator: "\n").filter { $0.contains("deepfgs-overload, framerate=(double)") }
        #expect(!reports.isEmpty && reports.allSatisfy { $0.contains("dropped=(guint64)") }, "\(run.output)")
        // Once a second at most, over no more than the time it ran.
        #expect(Double(reports.count) <= Date().timeIntervalSince(began))
    }

    @Test("Nothing of GStreamer's is left over when a pipeline ends")
    func leaks() throws {
        let folder = try Shell.Folder()
        let file = folder.path("x.dfgs")
        for pipeline in [
            "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! videoconvert ! deepfgsenc"
                + " ! filesink location=\(file)",
            "filesrc location=\(file) ! deepfgsparse ! deepfgsdec ! videoconvert ! fakesink",
            "filesrc location=\(file) blocksize=100 ! queue ! deepfgsparse ! deepfgsdec max-pixels=5 ! fakesink",
        ] {
            let run = try Shell.run(
                "gst-launch-1.0 \(pipeline) 2>&1 | grep 'object-alive,'",
                environment: ["GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7"])
            // The first line of all describes the format of the others.
            let alive = run.output.split(separator: "\n").filter { !$0.contains("new format string") }
            #expect(alive.isEmpty, "\(run.output)")
        }
    }

    @Test("Memory stays as it is over hundreds of frames")
    func flatMemory() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "gst-launch-1.0", "-q", "videotestsrc", "num-buffers=400", "pattern=ball", "!",
            "video/x-raw,width=128,height=96", "!", "videoconvert", "!", "deepfgsenc", "threads=1", "!",
            "deepfgsdec", "threads=1", "!", "fakesink",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging([
            "GST_PLUGIN_PATH": Shell.plugin.path, "GST_REGISTRY": Shell.registry.path,
        ]) { $1 }
        try process.run()
        var sizes: [Int] = []
        while process.isRunning {
            if let size = residentKilobytes(of: process.processIdentifier) { sizes.append(size) }
            usleep(100_000)
        }
        #expect(process.terminationStatus == 0)
        try #require(sizes.count >= 8)
        let middle = sizes[sizes.count / 2]
        let end = sizes.suffix(sizes.count / 4).max() ?? 0
        #expect(end < middle + 4096, "\(sizes)")
    }

    private func residentKilobytes(of process: Int32) -> Int? {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return nil }
        return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
    }
}
