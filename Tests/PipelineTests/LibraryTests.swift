import Foundation
import Testing

/// libdeepfgs.so as `make lib` built it, used from C and Python.
@Suite("The built library")
struct BuiltLibraryTests {
    private static let library = Shell.root.appendingPathComponent(".build-lib")
    private static let header = Shell.root.appendingPathComponent("Sources/CDeepFGSLibrary/include")
    private let environment = [
        "LD_LIBRARY_PATH": library.path, "DEEPFGS_MODEL_PATH": Shell.root.appendingPathComponent("models").path,
    ]

    @Test("It exports what the header declares and nothing else")
    func exports() throws {
        let symbols = try Shell.run("nm -D --defined-only .build-lib/libdeepfgs.so | sed -n 's/.* [A-Z] //p'")
        let text = try String(contentsOf: Self.header.appendingPathComponent("deepfgs.h"), encoding: .utf8)
        let declared = text.matches(
            of: try Regex("(?m)^[a-z].*?[ *](dfgs_[a-z_]+)\\(", as: (Substring, Substring).self))
        #expect(declared.count > 10)
        #expect(
            Set(symbols.output.split(separator: "\n").map(String.init)) == Set(declared.map { String($0.output.1) }))
    }

    @Test(
        "The header is C and C++, for both compilers, without a warning", arguments: ["gcc", "clang", "g++", "clang++"])
    func header(compiler: String) throws {
        guard try Shell.run("command -v \(compiler)").status == 0 else { return }
        let language = compiler.hasSuffix("++") ? "c++ -std=c++17" : "c -std=c99"
        let run = try Shell.run(
            "echo '#include <deepfgs.h>' | \(compiler) -x \(language) -Wall -Wextra -Werror -pedantic "
                + "-fsyntax-only -I\(Self.header.path) -")
        #expect(run.status == 0, "\(run.output)")
    }

    @Test("The examples: C encodes, cuts and decodes; Python decodes the same picture")
    func examples() throws {
        let folder = try Shell.Folder()
        let build = try Shell.run(
            "clang -std=c11 -O1 -Wall -Wextra -Werror -I\(Self.header.path) examples/c/roundtrip.c "
                + "-o \(folder.path("roundtrip")) -L.build-lib -ldeepfgs")
        #expect(build.status == 0, "\(build.output)")
        let photograph = try Shell.run(
            "gst-launch-1.0 -q filesrc location=demo/photographs/canyon-wren.jpg ! jpegdec ! videoconvert ! videoscale"
                + " ! video/x-raw,format=RGB,width=320,height=240 ! filesink location=\(folder.path("rgb"))")
        #expect(photograph.status == 0, "\(photograph.output)")
        let original = try Data(contentsOf: URL(fileURLWithPath: folder.path("rgb")))
        try (Data("P6\n320 240\n255\n".utf8) + original).write(to: URL(fileURLWithPath: folder.path("in.ppm")))

        let run = try Shell.run("./roundtrip in.ppm out.ppm 2000", environment: environment, at: folder.url)
        #expect(run.status == 0 && run.output.contains("kept: 2000"), "\(run.output)")
        let cut = try Data(contentsOf: URL(fileURLWithPath: folder.path("out.ppm"))).suffix(original.count)
        #expect(PluginTests.psnr(original, Data(cut)) > 24)
        let refused = try Shell.run("./roundtrip in.ppm no.ppm 60", environment: environment, at: folder.url)
        #expect(refused.status == 1 && refused.output.contains("60 bytes of"), "\(refused.output)")

        // The same frame, cut to the same size by the command line, and decoded by Python.
        let program = Shell.root.appendingPathComponent(".build/release/deepfgs").path
        let example = Shell.root.appendingPathComponent("examples/python/decode.py").path
        let python = try Shell.run(
            "/usr/bin/python3 -c 'from PIL import Image; Image.open(\"in.ppm\").save(\"in.png\")' && "
                + "\(program) encode in.png -o x.dfgs --max-bytes 2000 && /usr/bin/python3 \(example) x.dfgs x.npy && "
                + "/usr/bin/python3 -c 'import numpy; numpy.load(\"x.npy\").tofile(\"x.rgb\")'",
            environment: environment, at: folder.url)
        #expect(python.status == 0 && python.output.contains("320 x 240 pixels"), "\(python.output)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path("x.rgb"))) == Data(cut))
    }
}
