import Glibc
import Testing

@testable import DeepFGS

/// A directory of model files that goes with its owner.
private final class Shelf {
    let path: String

    init() throws {
        var template = Array("/tmp/deepfgs-models-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        for name in names {
            unlink(path + "/" + name)
        }
        rmdir(path)
    }

    private(set) var names: Set<String> = []
    var search: ModelSearchPath { ModelSearchPath(places: [path]) }

    /// Writes a file, in place where it is there.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        names.insert(name)
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }

    func makePipe(_ name: String) throws {
        names.insert(name)
        try #require(mkfifo(path + "/" + name, 0o644) == 0)
    }
}

/// A small model of its own name, and so of its own identity.
private func model(_ name: String) -> [UInt8] {
    var builder = ModelBuilder()
    builder.metadata["name"] = "\"\(name)\""
    return builder.bytes
}

private func identity(_ bytes: [UInt8]) -> ModelIdentity { bytes.withUnsafeBytes { ModelIdentity(ofFile: $0) } }

@Suite("The models of a process")
struct ModelLibraryTests {
    private static let unknown = [ModelIdentity(value: 1), ModelIdentity(value: 2)]

    @Test("A stream that takes turns between unknown models reads each file once")
    func unknownModels() throws {
        let shelf = try Shelf()
        try shelf.write("a.safetensors", model("a"))
        try shelf.write("b.safetensors", model("b"))
        try shelf.write("text.safetensors", Array("no model at all".utf8))
        try shelf.write("readme.md", Array("no model either".utf8))
        try shelf.makePipe("pipe.safetensors")
        let library = ModelLibrary()
        for round in 0..<100 {
            #expect(throws: ModelError.self) { try library.find(Self.unknown[round % 2], searching: shelf.search) }
        }
        #expect(library.reads == 3)

        // What is there is found without another hash, and what arrives later is found.
        #expect(try library.find(identity(model("b")), searching: shelf.search).configuration.name == "b")
        #expect(library.reads == 4)
        let late = model("late")
        try shelf.write("c.safetensors", Array(late.prefix(1000)))
        #expect(throws: ModelError.self) { try library.find(identity(late), searching: shelf.search) }
        try shelf.write("c.safetensors", late)
        #expect(try library.find(identity(late), searching: shelf.search).configuration.name == "late")
        #expect(library.reads == 7)
    }

    @Test("The error names the places, the models that are there, and files that cannot be used")
    func errors() throws {
        let shelf = try Shelf()
        try shelf.write("a.safetensors", model("a"))
        try shelf.write("text.safetensors", Array("no model at all".utf8))
        let search = ModelSearchPath(places: ["/no/such/place", shelf.path])
        let error = #expect(throws: ModelError.self) {
            try ModelLibrary().find(Self.unknown[0], searching: search)
        }
        let text = try #require(error).description
        for part in [
            "made with model \(Self.unknown[0]), which is not in /no/such/place, \(shelf.path)",
            "\(identity(model("a"))) (\(shelf.path)/a.safetensors)",
            "\(shelf.path)/text.safetensors: not a DeepFGS model",
        ] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(throws: ModelError.noSuchName("b", searched: search.places)) {
            try ModelLibrary().load("b", searching: search)
        }
        #expect(throws: ModelError.unreadable(path: "/no/such.safetensors", reason: "No such file or directory")) {
            try ModelLibrary().load("/no/such.safetensors", searching: search)
        }
    }

    @Test("A model that looks sound and is not is read once")
    func unsound() throws {
        let shelf = try Shelf()
        var builder = ModelBuilder()
        builder["hb.weight"] = nil
        let bytes = builder.bytes
        try shelf.write("a.safetensors", bytes)
        let library = ModelLibrary()
        for _ in 0..<20 {
            let error = #expect(throws: ModelError.self) {
                try library.find(identity(bytes), searching: shelf.search)
            }
            #expect("\(try #require(error))".contains("hb.weight"))
        }
        #expect(library.reads == 2)
    }

    @Test("Whoever uses a model shares it, and it goes with the last of them")
    func sharing() throws {
        let shelf = try Shelf()
        let bytes = model("shared")
        try shelf.write("one.safetensors", bytes)
        try shelf.write("two.safetensors", bytes)
        let library = ModelLibrary()
        var first: Model? = try library.load("one", searching: shelf.search)
        weak let held = first
        #expect(try library.load(shelf.path + "/one.safetensors") === first)
        #expect(try library.find(identity(bytes), searching: ModelSearchPath(places: [])) === first)
        #expect(library.reads == 1)
        // Another file of the same bytes is the same model.
        #expect(try library.load("two", searching: shelf.search) === first)
        first = nil
        #expect(held == nil)
        #expect(try library.load("one", searching: shelf.search).identity == identity(bytes))
        #expect(library.reads == 3)
    }

    @Test("What is remembered is bounded")
    func bounded() throws {
        let shelf = try Shelf()
        let library = ModelLibrary()
        for size in 1...600 {
            try shelf.write("a.safetensors", [UInt8](repeating: 0, count: size))
            #expect(throws: ModelError.self) { try library.find(Self.unknown[0], searching: shelf.search) }
        }
        #expect(library.reads == 600)
        #expect(library.remembered <= 258)
    }

    @Test("A stream that takes turns between models reads each once")
    func session() throws {
        let shelf = try Shelf()
        let models = try ["a", "b", "c"].map { name in
            try shelf.write(name + ".safetensors", model(name))
            return try Model(bytes: model(name))
        }
        let picture = TestPictures.textured(20, 12)
        let frames = try models.map { try Encoder(model: $0, width: 20, height: 12).encode(picture) }
        let library = ModelLibrary()
        let session = DecodingSession(
            model: nil, searching: shelf.search, library: library, options: ComputeOptions(), pixelLimit: 1000)
        for round in 0..<9 {
            let (frame, model) = (frames[round % 3], models[round % 3])
            let header = try frame.withUnsafeBytes { try session.header(of: $0) }
            let decoded = try session.decoder(for: header.model).decode(frame).picture
            #expect(try decoded == Decoder(model: model).decode(frame).picture)
        }
        #expect(library.reads == 6)
        let end = try FrameHeader(frames[0]).baseEnd
        #expect(throws: BitstreamError.baseIncomplete(have: end - 1, need: end)) {
            try frames[0].prefix(end - 1).withUnsafeBytes { try session.header(of: $0) }
        }
        let small = DecodingSession(model: models[0], pixelLimit: 239)
        #expect(throws: BitstreamError.tooManyPixels(width: 20, height: 12, limit: 239)) {
            try frames[0].withUnsafeBytes { try small.header(of: $0) }
        }
        // A session of one model decodes with it whatever a frame says; the decoder refuses.
        #expect(throws: DecodingError.self) { try small.decoder(for: models[1].identity).decode(frames[1]) }
    }
}

extension FrameHeader {
    fileprivate init(_ frame: [UInt8]) throws { self = try frame.withUnsafeBytes { try FrameHeader(parsing: $0) } }
}

@Suite("Where models are looked for")
struct ModelSearchPathTests {
    private func places(
        first: [String] = [], working: Bool = false, image: String? = nil, _ environment: [String: String] = [:]
    ) -> [String] {
        ModelSearchPath(first: first, inWorkingDirectory: working, image: image) { environment[$0] }.places
    }

    private let system = ["/usr/local/share/deepfgs/models", "/usr/share/deepfgs/models"]

    @Test("The order of the places")
    func order() {
        #expect(
            places(
                first: ["/given", "/one.safetensors"], working: true, image: "/opt/x/bin/deepfgs",
                ["DEEPFGS_MODEL_PATH": "/a::/b", "HOME": "/home/me", "XDG_DATA_DIRS": "/nix/share/:/usr/share"])
                == [
                    "/given", "/one.safetensors", "/a", "/b", "models", "/opt/x/share/deepfgs/models",
                    "/home/me/.local/share/deepfgs/models", "/nix/share/deepfgs/models", "/usr/share/deepfgs/models",
                    "/usr/local/share/deepfgs/models",
                ])
        #expect(places(["XDG_DATA_HOME": "/data", "HOME": "/home/me"]) == ["/data/deepfgs/models"] + system)
        // Relative paths are to be ignored, says the specification.
        #expect(
            places(["XDG_DATA_HOME": "data", "XDG_DATA_DIRS": "x:", "HOME": "/h"])
                == ["/h/.local/share/deepfgs/models"] + system)
        #expect(places() == system)
    }

    @Test(
        "Beside a program, plugin or library: its source tree's or its prefix's",
        arguments: [
            ("/src/deepfgs/.build/x86_64-unknown-linux-gnu/release/deepfgs", "/src/deepfgs/models"),
            ("/src/deepfgs/.build-plugin/release/libgstdeepfgs.so", "/src/deepfgs/models"),
            ("/usr/local/bin/deepfgs", "/usr/local/share/deepfgs/models"),
            ("/opt/a/lib/x86_64-linux-gnu/gstreamer-1.0/libgstdeepfgs.so", "/opt/a/share/deepfgs/models"),
            ("/opt/lib/a/lib64/libdeepfgs.so.0", "/opt/lib/a/share/deepfgs/models"),
            ("/opt/a/programs/deepfgs", "/opt/a/share/deepfgs/models"),
            ("/deepfgs", "/share/deepfgs/models"),
        ])
    func image(image: String, models: String) { #expect(places(image: image).first == models) }

    @Test("A name is looked for in directories and among files, a path is itself")
    func locate() throws {
        let models = TestModel.root + "/models"
        let path = ModelSearchPath(places: ["/nowhere", models + "/live-v1.safetensors", models, models])
        #expect(path.places.count == 3)
        #expect(try path.locate("live-v1") == models + "/live-v1.safetensors")
        #expect(try path.locate("live-v0") == models + "/live-v0.safetensors")
        #expect(try path.locate("no/such") == "no/such")
        #expect(try path.locate("such.safetensors") == "such.safetensors")
        #expect(throws: ModelError.noSuchName("no-such", searched: path.places)) { try path.locate("no-such") }
        #expect(path.files.first == models + "/live-v1.safetensors")
        #expect(path.files.contains(models + "/live-v2.safetensors"))
        // The model that encodes where none is named ships.
        #expect(try ModelSearchPath().locate(ModelLibrary.defaultModel).hasPrefix(models))
    }
}
