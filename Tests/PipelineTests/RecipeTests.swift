import Foundation
import Testing

/// The recipes in `pipelines/`, run as pasted but shorter and in a folder of their own.
@Suite("Recipes for files", .serialized)
struct RecipeTests {
    /// A folder that looks like the root of the repository, to write in.
    static func workplace() throws -> Shell.Folder {
        let folder = try Shell.Folder()
        for name in [".build-plugin", "demo", "pipelines"] {
            try FileManager.default.createSymbolicLink(
                at: folder.url.appendingPathComponent(name),
                withDestinationURL: Shell.root.appendingPathComponent(name))
        }
        return folder
    }

    static func size(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    }

    @Test("The plugin is built")
    func plugin() {
        #expect(
            FileManager.default.fileExists(atPath: Shell.plugin.appendingPathComponent("libgstdeepfgs.so").path),
            "make plugin builds it")
    }

    @Test("Every recipe begins with what you should see, and has a test")
    func firstLines() throws {
        let files = FileManager.default.enumerator(
            at: Shell.root.appendingPathComponent("Tests"), includingPropertiesForKeys: nil)
        let sources = (files?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        let tests = try sources.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        let folder = Shell.root.appendingPathComponent("pipelines")
        let recipes = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!recipes.isEmpty)
        for recipe in recipes {
            let text = try String(contentsOf: recipe, encoding: .utf8)
            #expect(text.hasPrefix("# You should see: "), "\(recipe.lastPathComponent)")
            #expect(tests.contains(recipe.lastPathComponent), "\(recipe.lastPathComponent) has no test")
        }
    }

    @Test("A test picture becomes a file, and the file plays")
    func testPicture() throws {
        let folder = try Self.workplace()
        let made = try Shell.run("bash pipelines/test-picture-to-file.sh", environment: ["FRAMES": "5"], at: folder.url)
        #expect(made.status == 0, "\(made.output)")
        #expect(try Self.size(folder.path("out/test.dfgs")) > 5 * 500)
        for recipe in ["play-file.sh", "play-any-file.sh"] {
            let sink = "pngenc ! multifilesink location=\(recipe)-%d.png"
            let played = try Shell.run("bash pipelines/\(recipe)", environment: ["SINK": sink], at: folder.url)
            #expect(played.status == 0, "\(played.output)")
            #expect(try Self.size(folder.path("\(recipe)-4.png")) > 2000)
            #expect(!FileManager.default.fileExists(atPath: folder.path("\(recipe)-5.png")))
        }
    }

    @Test("A camera becomes a file")
    func camera() throws {
        let folder = try Self.workplace()
        let source = "videotestsrc is-live=true num-buffers=5 ! video/x-raw,width=64,height=48"
        let made = try Shell.run("bash pipelines/camera-to-file.sh", environment: ["SOURCE": source], at: folder.url)
        #expect(made.status == 0, "\(made.output)")
        #expect(try Self.size(folder.path("out/camera.dfgs")) > 200)
    }

    @Test("Photographs become a file, and the file becomes PNGs")
    func photographs() throws {
        let folder = try Self.workplace()
        let made = try Shell.run(
            "bash pipelines/photographs-to-file.sh",
            environment: ["PHOTOGRAPHS": "demo/photographs/canyon-wren.jpg demo/photographs/perched-osprey.jpg"],
            at: folder.url)
        #expect(made.status == 0, "\(made.output)")
        // Two pictures of 1280 by 720 at up to 0.3 bits for each pixel.
        #expect((20_000...69_120).contains(try Self.size(folder.path("out/photographs.dfgs"))))
        let pictures = try Shell.run("bash pipelines/file-to-png.sh", at: folder.url)
        #expect(pictures.status == 0, "\(pictures.output)")
        #expect(try Self.size(folder.path("out/frame-00000.png")) > 500_000)
        #expect(try Self.size(folder.path("out/frame-00001.png")) > 500_000)
        #expect(!FileManager.default.fileExists(atPath: folder.path("out/frame-00002.png")))
    }

    @Test("Cuts stand side by side")
    func cuts() throws {
        let folder = try Self.workplace()
        let made = try Shell.run("bash pipelines/compare-cuts.sh", at: folder.url)
        #expect(made.status == 0, "\(made.output)")
        #expect(try Self.size(folder.path("out/cuts.png")) > 300_000)
    }
}
