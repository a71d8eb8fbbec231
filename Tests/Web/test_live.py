"""The daemon's stream in headless Chromium: it plays, a narrow connection gets shorter frames, and hostile viewers end alone.

Run it with `make test-web`. SCREENSHOTS=folder writes what the page looks like. Nothing here asserts how fast a machine is;
bench/browser measures that.
"""
import base64
import os
import socket
import struct
import sys
import tempfile
import time

from daemon import Daemon, wait
from live import PLAY, Throttle, measure, streams, words
from playwright.sync_api import sync_playwright
from test_page import watched

SCREENSHOTS = os.environ.get("SCREENSHOTS")


def raw_viewer(port, path, protocol="deepfgs-live.1"):
    """A viewer by hand: its socket, and what the daemon answered."""
    connection = socket.create_connection(("127.0.0.1", port), 10)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1)
    return connection, answer.decode()


def message(payload, opcode=2):
    """A masked message of fewer than 126 bytes."""
    mask = os.urandom(4)
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def hostile(daemon):
    """Viewers that lie, ramble or fall silent end alone."""
    path = "/v1/streams/photographs/live"
    _, answer = raw_viewer(daemon.port, "/v1/streams/none/live")
    assert " 404 " in answer, answer
    for payload in (b"", b"\0" * 3, b"\0" * 60, b"\0" * 100):
        viewer, answer = raw_viewer(daemon.port, path)
        assert " 101 " in answer, answer
        viewer.sendall(message(payload))
        viewer.settimeout(10)
        while viewer.recv(65536):
            pass
    # Of any number that is not under way nothing is believed.
    liars = []
    for number in (0xFFFFFFFF, 0x7FFFFFFF, 1):
        viewer, _ = raw_viewer(daemon.port, path)
        viewer.sendall(message(struct.pack(">I", number)) * 20)
        liars.append(viewer)
    before = daemon.resident()
    time.sleep(3)
    # What they do not acknowledge is not sent.
    assert daemon.resident() < before + (8 << 20)
    assert daemon.json("/v1/streams/photographs")["restarts"] == 0
    for viewer in liars:
        viewer.close()
    acknowledges_without_reading(daemon, path)


def acknowledges_without_reading(daemon, path):
    """A viewer that never reads but acknowledges a little more all the time is found out: nothing heaps up for it."""
    viewer, _ = raw_viewer(daemon.port, path)
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    before, descriptors = daemon.resident(), daemon.descriptors()
    end = time.monotonic() + 30
    number = 0
    try:
        while time.monotonic() < end:
            number += 512  # slower than the stream, so that every number is under way
            viewer.sendall(message(struct.pack(">I", number)))
            time.sleep(0.004)
    except OSError:
        pass
    else:
        raise AssertionError(f"it was believed up to {number} bytes")
    assert daemon.resident() < before + (8 << 20)
    wait("its connection has ended", lambda: daemon.descriptors() < descriptors)
    viewer.close()


def tokens():
    """Who has no token sees nothing; a page gives its own as a subprotocol."""
    with tempfile.TemporaryDirectory() as place:
        with open(f"{place}/token", "w", encoding="utf-8") as file:
            file.write("a token of some length/+~\n")
        with Daemon(streams(f"{place}/pictures", 64, 64, 5), api=f", read-token-files: [{place}/token]") as daemon:
            path = "/v1/streams/photographs/live"
            assert " 401 " in raw_viewer(daemon.port, path)[1]
            assert " 401 " in raw_viewer(daemon.port, path, "deepfgs-live.1, bearer.AAAA")[1]
            given = base64.urlsafe_b64encode(b"a token of some length/+~").decode().rstrip("=")
            assert " 101 " in raw_viewer(daemon.port, path, f"deepfgs-live.1, bearer.{given}")[1]


def main():
    problems = []
    with tempfile.TemporaryDirectory() as place, Daemon(streams(f"{place}/pictures", rate=10)) as daemon, \
            sync_playwright() as playwright:
        wait("the stream runs", lambda: daemon.json("/v1/streams/photographs")["state"] == "running", 120)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = watched(browser, f"http://127.0.0.1:{daemon.port}", problems, viewport={"width": 1180, "height": 1000}, color_scheme="light")
        page.goto(f"http://127.0.0.1:{daemon.port}/")
        page.check("#stream-photographs .live input")
        caption = "#stream-photographs figcaption"
        wait("it plays", lambda: "pictures/s" in page.inner_text(caption))
        assert page.evaluate("crossOriginIsolated"), "the page is not isolated: its decoder has one thread"
        number = "document.querySelector('#stream-photographs canvas').dataset.number"
        before = int(page.evaluate(number))
        wait("pictures go on", lambda: int(page.evaluate(number)) > before + 10)
        if SCREENSHOTS:
            time.sleep(3)
            page.screenshot(path=f"{SCREENSHOTS}/live.png", clip={"x": 0, "y": 0, "width": 1180, "height": 640})
        page.uncheck("#stream-photographs .live input")
        wait("the still picture is back", lambda: page.is_visible("#stream-photographs img"))
        page.context.close()

        throttle = Throttle(daemon.port)
        page = browser.new_context().new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        # Through the throttle from the start: the daemon answers its own page alone.
        page.goto(f"http://127.0.0.1:{throttle.own_port}/")
        page.evaluate(PLAY, ["photographs", throttle.own_port, None])
        wait("it plays", lambda: page.evaluate("window.shown.length") > 5)
        wide = measure(page, 5)
        throttle.rate = 60_000
        measure(page, 5)
        narrow = measure(page, 8)
        throttle.rate = None
        measure(page, 5)
        again = measure(page, 5)
        for name, figures in (("as it is", wide), ("480 kbit/s", narrow), ("as it is", again)):
            print(f"{name}: {words(figures)}")
        assert narrow["bytes"] < 0.7 * wide["bytes"], "the frames are not shorter"
        assert again["bytes"] > 1.2 * narrow["bytes"], "the frames have not grown again"
        page.context.close()
        throttle.close()
        hostile(daemon)
        tokens()
        browser.close()
    if problems:
        sys.exit(f"the page complains: {problems}")
    print("live: good")


if __name__ == "__main__":
    main()
