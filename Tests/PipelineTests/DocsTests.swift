import Foundation
import Testing

/// What the pages say of the repository.
@Suite("Docs")
struct DocsTests {
    private static func files(_ pattern: String) throws -> [String] {
        try Shell.run("git ls-files -co --exclude-standard \(pattern)").output.split(separator: "\n").map(String.init)
            .filter { FileManager.default.fileExists(atPath: Shell.root.appendingPathComponent($0).path) }
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Shell.root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test("Every link between pages, and to a file, leads somewhere")
    func links() throws {
        let pages = try Self.files("'*.md'")
        #expect(pages.count > 10)
        for page in pages {
            let folder = URL(fileURLWithPath: page, relativeTo: Shell.root).deletingLastPathComponent()
            for link in try Self.text(page).matches(of: /\]\(([^)\s]+)\)/) {
                let target = String(link.1.prefix { $0 != "#" })
                guard !target.isEmpty, !target.contains("://") else { continue }
                let path = folder.appendingPathComponent(target).standardizedFileURL.path
                #expect(FileManager.default.fileExists(atPath: path), "\(page): \(target)")
            }
        }
    }

    @Test("Every file and folder that the map of the code names is there, once")
    func map() throws {
        let files = try Self.files("")
        var named = 0
        for code in try Self.text("docs/00-architecture.md").matches(of: /`([A-Za-z0-9_+\/.]+)`/) {
            let name = String(code.1)
            let isFile = name.hasSuffix(".swift") || name.hasSuffix(".h") || name.hasPrefix("tools/")
            let isFolder = name.contains("/") && !isFile
            guard isFile || isFolder else { continue }
            named += 1
            if isFile {
                let found = files.filter { $0 == name || $0.hasSuffix("/" + name) }
                #expect(found.count == 1, "\(name): \(found)")
            } else {
                let folder = name.hasSuffix("/") ? name : name + "/"
                #expect(files.contains { $0.hasPrefix(folder) || $0.contains("/" + folder) }, "\(name)")
            }
        }
        #expect(named > 20)
    }
}
