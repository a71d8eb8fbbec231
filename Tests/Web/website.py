"""The repository on a file server of the loopback address, for pages that are tested."""
import http.server
import json
import os
import threading

from daemon import ROOT

ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class Site:
    """The repository on a plain file server, with or without the headers of isolation; folders are lists of names."""

    def __init__(self, isolated):
        class Handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=ROOT)

            def do_GET(self):
                # Browsers ask for one where the address is no page.
                if self.path == "/favicon.ico":
                    self.send_response(204)
                    self.end_headers()
                else:
                    super().do_GET()

            def list_directory(self, path):
                body = json.dumps(sorted(os.listdir(path))).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def end_headers(self):
                for name, value in ISOLATION.items() if isolated else ():
                    self.send_header(name, value)
                super().end_headers()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
