/// The page that shows and steers the streams: three files in the program, nothing from elsewhere.
enum WebPage {
    /// The file at a path: its media type and bytes; nil where there is none.
    static func file(at path: [String]) -> (type: String, bytes: [UInt8])? {
        switch path {
        case []: ("text/html; charset=utf-8", PackageResources.index_html)
        case ["page.js"]: ("text/javascript; charset=utf-8", PackageResources.page_js)
        case ["style.css"]: ("text/css; charset=utf-8", PackageResources.style_css)
        // Browsers ask for one.
        case ["favicon.ico"]: ("image/x-icon", [])
        default: nil
        }
    }

    /// The Content-Security-Policy: what the page may load, which is nothing but itself.
    private static let policy = """
        default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
        img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    /// What goes with the page's files: the policy, and the isolation in which its decoder may use several threads.
    static let headers = [
        ("Content-Security-Policy", policy), ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Embedder-Policy", "require-corp"),
    ]
}
