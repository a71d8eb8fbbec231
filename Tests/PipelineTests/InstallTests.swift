import Foundation
import Testing

/// What `make install` puts in place, used from there.
@Suite("Installed")
struct InstallTests {
    let folder: Shell.Folder

    init() throws { folder = try Shell.Folder() }

    /// `make` with a prefix inside the test's folder, whose models are not those of the repository.
    private func make(_ target: String) throws -> Shell.Result {
        try Shell.run("make -s \(target) PREFIX=\(folder.path("usr"))")
    }

    @Test("Program, plugin, pages and completions work where they were installed; uninstalling leaves nothing")
    func installed() throws {
        let install = try make("install")
        #expect(install.status == 0, "\(install.output)")
        #expect(install.output.contains("GST_PLUGIN_PATH=\(folder.path("usr/lib/gstreamer-1.0"))"))

        // In a folder without models, so that those which are found are the installed ones.
        let photograph = Shell.root.appendingPathComponent("demo/photographs/perched-osprey.jpg").path
        let program = folder.path("usr/bin/deepfgs")
        let coded = try Shell.run(
            "unset DEEPFGS_MODEL_PATH; \(program) encode \(photograph) -o x.dfgs && \(program) decode x.dfgs",
            at: folder.url)
        #expect(coded.status == 0, "\(coded.output)")
        let played = try Shell.run(
            "unset DEEPFGS_MODEL_PATH; gst-launch-1.0 filesrc location=x.dfgs ! deepfgsparse ! deepfgsdec ! fakesink",
            environment: ["GST_PLUGIN_PATH": folder.path("usr/lib/gstreamer-1.0"), "GST_REGISTRY": folder.path("reg")],
            at: folder.url)
        #expect(played.status == 0, "\(played.output)")

        let library = try Shell.run(
            "unset DEEPFGS_MODEL_PATH; { printf 'P6\\n64 64\\n255\\n'; head -c 12288 /dev/zero; } > in.ppm && "
                + "clang \(Shell.root.path)/examples/c/roundtrip.c -o roundtrip $(pkg-config --cflags --libs deepfgs) && "
                + "LD_LIBRARY_PATH=usr/lib ./roundtrip in.ppm out.ppm 20000",
            environment: ["PKG_CONFIG_PATH": folder.path("usr/lib/pkgconfig")], at: folder.url)
        #expect(library.status == 0 && library.output.contains("64 x 64 pixels"), "\(library.output)")

        let pages = try Shell.run(
            "MANPATH=usr/share/man man --warnings --encoding=UTF-8 deepfgs deepfgs-encode", at: folder.url)
        #expect(pages.status == 0 && pages.output.contains("--max-bpp"), "\(pages.output)")
        #expect(!pages.output.contains("warning:"), "\(pages.output)")
        let completion = try Shell.run("bash -n usr/share/bash-completion/completions/deepfgs", at: folder.url)
        #expect(completion.status == 0, "\(completion.output)")

        let uninstall = try make("uninstall")
        #expect(uninstall.status == 0, "\(uninstall.output)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("usr")))
        #expect(try make("uninstall").status != 0)
    }
}
