"""A stream of the daemon, played in headless Chromium over a connection as wide as wanted: what tests and benches share."""
import contextlib
import pathlib
import shutil
import socket
import subprocess
import threading
import time

from daemon import ROOT

FRAMES = 8


def photographs(folder, width, height):
    """The demo's photographs at a size, for a source of pictures."""
    folder.mkdir()
    subprocess.run(
        ["/usr/bin/python3", "-c", "import sys, pathlib; from PIL import Image\n"
         "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.jpg')):\n"
         "    Image.open(path).convert('RGB').resize((int(sys.argv[3]), int(sys.argv[4])), Image.LANCZOS)"
         ".save(f'{sys.argv[2]}/{path.stem}.png')",
         str(ROOT / "demo/photographs"), str(folder), str(width), str(height)], check=True)


class Throttle:
    """A TCP proxy in front of a port that passes on so many bytes a second; what is behind waits in small buffers."""

    def __init__(self, port):
        self.port, self.rate = port, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket()
            # A narrow path holds little: what the daemon sends too much waits in its own buffers.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            server.connect(("127.0.0.1", self.port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, True), daemon=True).start()

    def pass_on(self, source, target, slowly):
        free = time.monotonic()
        with contextlib.suppress(OSError):
            while data := source.recv(1400 if self.rate else 65536):
                if slowly and self.rate:
                    free = max(free, time.monotonic()) + len(data) / self.rate
                    time.sleep(max(0, free - time.monotonic()))
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


# Plays a stream and keeps what each picture cost.
PLAY = """async ([name, port, threads]) => {
  const { LivePlayer } = await import("/web/live.js");
  const canvas = document.createElement("canvas");
  document.body.prepend(canvas);
  const model = async identity => new Uint8Array(await (await fetch(`/v1/models/${identity}`)).arrayBuffer());
  const player = new LivePlayer(`ws://127.0.0.1:${port}/v1/streams/${name}/live`, canvas, { model, threads });
  window.shown = [];
  window.ended = "";
  player.onpicture = ({ image, ...picture }) => window.shown.push({ ...picture, at: performance.now() });
  player.onend = reason => { window.ended = reason; };
  window.player = player;
}"""


def measure(page, seconds):
    """What was shown in so many seconds from now: pictures a second, bytes, latency."""
    page.evaluate("window.shown = []")
    page.wait_for_timeout(1000 * seconds)
    shown = page.evaluate("window.shown")
    ended = page.evaluate("window.ended")
    assert not ended, f"the player ended: {ended}"
    assert len(shown) > 1, "nothing was shown"

    def part(values, share):
        values = sorted(values)
        return values[min(len(values) - 1, int(share * len(values)))]
    return {
        "pictures-per-second": (len(shown) - 1) * 1000 / (shown[-1]["at"] - shown[0]["at"]),
        "bytes": sum(picture["bytes"] for picture in shown) / len(shown),
        "frame-bytes": sum(picture["frameLength"] for picture in shown) / len(shown),
        "latency": part([picture["latency"] for picture in shown], 0.5),
        "latency-95": part([picture["latency"] for picture in shown], 0.95),
        "decoding": part([picture["milliseconds"] for picture in shown], 0.5),
    }


def words(figures):
    return (f"{figures['pictures-per-second']:.1f} pictures/s, {figures['bytes']:.0f} of {figures['frame-bytes']:.0f} bytes, "
            f"{figures['latency']:.0f} ms behind (95 %: {figures['latency-95']:.0f} ms), decoded in {figures['decoding']:.0f} ms")


def streams(folder, width=640, height=360, rate=20):
    """The configuration of a stream of photographs, sent to nobody but viewers."""
    pictures = pathlib.Path(folder)
    if pictures.exists():
        shutil.rmtree(pictures)
    photographs(pictures, width, height)
    return f"""
streams:
  photographs:
    send:
      source: {{pictures: "{pictures}", framerate: {rate}}}
      receivers: {{}}
"""
