"""The daemon's page in headless Chromium: it loads, charts move, the slider changes the picture, a limit changes what is sent.

Run it with `make test-web`, which installs what it needs. SCREENSHOTS=folder writes what the page looks like.
"""
import os
import re
import sys
import tempfile
import time

from daemon import ROOT, Daemon, free_ports, wait
from playwright.sync_api import sync_playwright

SCREENSHOTS = os.environ.get("SCREENSHOTS")


def streams():
    port = free_ports(8)
    return f"""
streams:
  camera:
    send:
      source: {{pictures: "{ROOT}/demo/photographs", framerate: 1}}
      threads: 1
      receivers:
        wide: {{address: "127.0.0.1:{port}", start-bitrate: 2_000_000}}
        narrow: {{address: "127.0.0.1:{port + 4}", max-bitrate: 250_000}}
  received:
    receive:
      input: {{listen: "127.0.0.1:{port}"}}
      record: {{folder: FOLDER/recordings}}
  received-narrow:
    receive: {{input: {{listen: "127.0.0.1:{port + 4}"}}}}
"""


def look(page, daemon):
    page.goto(f"http://127.0.0.1:{daemon.port}/")
    page.wait_for_selector("#receiver-camera-narrow")
    assert page.inner_text("#connection") == "live"
    # Every stream shows a picture.
    for name in ("camera", "received", "received-narrow"):
        wait(f"{name}'s picture", lambda name=name: page.evaluate(
            "name => { const i = document.querySelector(`#stream-${name} img`); return i.complete && i.naturalWidth }", name) == 1280)
    # Charts move.
    page.wait_for_selector("#receiver-camera-wide")
    line = "document.querySelector('#receiver-camera-wide polyline.sent').getAttribute('points')"
    before = page.evaluate(line)
    wait("the chart moves", lambda: page.evaluate(line) != before and page.evaluate(line).count(",") > 3)
    if SCREENSHOTS:
        time.sleep(90)
        page.screenshot(path=f"{SCREENSHOTS}/daemon.png", clip={"x": 0, "y": 0, "width": 1180, "height": 1000})

    # The slider changes the picture of the same frame, and by the keyboard too.
    image = page.locator("#stream-camera img")
    slider = page.locator("#stream-camera .bytes")
    slider.focus()
    # One of the photographs is little more than its base.
    wait("a frame with much to cut", lambda: int(page.inner_text("#stream-camera .cut output").split(" of ")[-1].split()[0]) > 40000)
    page.keyboard.press("Home")
    base = wait("the base is shown", lambda: "of" in page.inner_text("#stream-camera .cut output") and
                int(image.get_attribute("data-bytes")) < 20000 and image.get_attribute("data-bytes"))
    frame = page.inner_text("#stream-camera figcaption")
    pixels = "() => { const i = document.querySelector('#stream-camera img'), c = document.createElement('canvas');" \
        "c.width = 320; c.height = 180; const x = c.getContext('2d'); x.drawImage(i, 0, 0, 320, 180);" \
        "return Array.from(x.getImageData(0, 0, 320, 180).data).filter((_, k) => k % 4 < 3) }"
    coarse = page.evaluate(pixels)
    if SCREENSHOTS:
        page.locator("#stream-camera .look").screenshot(path=f"{SCREENSHOTS}/daemon-base.png")
    page.keyboard.press("End")
    wait("more bytes are shown", lambda: int(image.get_attribute("data-bytes")) > 2 * int(base))
    wait("the fine picture is drawn", lambda: page.evaluate(pixels) != coarse)
    assert page.inner_text("#stream-camera figcaption") == frame, "the same frame is shown"
    assert page.is_checked("#stream-camera .freeze input")
    page.uncheck("#stream-camera .freeze input")
    wait("the picture is live again", lambda: page.inner_text("#stream-camera figcaption") != frame)

    # A receiver's limit changes what it is sent.
    def rate():
        return daemon.json("/v1/streams/camera/receivers/wide")["stats"].get("sent-bitrate", 0)
    before = wait("wide is sent more than 300 kbit/s", lambda: rate() > 300_000 and rate())
    page.fill("#receiver-camera-wide .limit input", "150")
    page.press("#receiver-camera-wide .limit input", "Enter")
    wait("the page says that it is set", lambda: page.inner_text("#receiver-camera-wide .limit output") == "set")
    wait("less is sent", lambda: rate() < 250_000, 90)
    print(f"limit of 150 kbit/s: {before / 1000:.0f} kbit/s before, {rate() / 1000:.0f} after")

    # A stream is stopped and started.
    page.click("#stream-received-narrow .power")
    wait("it is stopped", lambda: page.inner_text("#stream-received-narrow .state") == "stopped")
    page.click("#stream-received-narrow .power")
    wait("it is started", lambda: page.inner_text("#stream-received-narrow .state") == "running")


QUIET = """
streams:
  out:
    send:
      source: {{test: ball, width: 64, height: 64, framerate: 2}}
      receivers: {{nobody: {{address: "127.0.0.1:{port}"}}}}
  gone:
    send: {{source: {{file: FOLDER/gone.dfgs}}, life: {{first-restart-seconds: 1000, longest-restart-seconds: 1000}}}}
"""


def tell(browser):
    """What came of an action stays, a receiver that says nothing has no loss, and who may only read finds nothing to press."""
    with tempfile.TemporaryDirectory() as place:
        for scope in ("read", "write"):
            with open(f"{place}/{scope}", "w", encoding="utf-8") as file:
                file.write(f"{scope}-{scope}-{scope}-{scope}\n")
        api = f", read-token-files: [{place}/read], write-token-files: [{place}/write]"
        with Daemon(QUIET.format(port=free_ports(2)), api) as daemon:
            for scope in ("read", "write"):
                page = browser.new_context().new_page()
                page.route("**/web/live.js", lambda route: route.abort())
                page.goto(f"http://127.0.0.1:{daemon.port}/")
                page.fill("#token", f"{scope}-{scope}-{scope}-{scope}")
                page.press("#token", "Enter")
                page.wait_for_selector("#receiver-out-nobody")
                for part in (".losses", ".delays"):
                    output = f"#receiver-out-nobody figure:has({part}) output"
                    wait("no feedback is told of", lambda output=output: page.inner_text(output) == "no feedback")
                wait("a picture", lambda: page.is_visible("#stream-out img"))
                assert not page.is_visible("#stream-gone img"), "a broken picture stands before the first frame"
                wait("the reason", lambda: "gone.dfgs: No such file" in page.inner_text("#stream-gone .reason"))
                for control in ("#stream-out .power", "#receiver-out-nobody .limit"):
                    assert page.is_visible(control) == (scope == "write"), f"{control} with a token to {scope}"
                # Three status events later the message is still there, beside the stream's own reason.
                page.check("#stream-gone .live input")
                wait("the message", lambda: "no decoder for browsers here" in page.inner_text("#stream-gone .notice"))
                time.sleep(3)
                assert "no decoder for browsers here" in page.inner_text("#stream-gone .notice"), "the message is gone"
                assert "gone.dfgs: No such file" in page.inner_text("#stream-gone .reason")
                page.click("#stream-gone .notice button")
                assert not page.is_visible("#stream-gone .notice")
                page.evaluate("document.body.classList.remove('read-only')")
                page.click("#stream-out .power")
                if scope == "read":
                    wait("the refusal", lambda: "the token may only read" in page.inner_text("#stream-out .notice"))
                else:
                    wait("it is stopped", lambda: page.inner_text("#stream-out .state") == "stopped")
                page.context.close()


def contrast(page):
    """The least contrast of text against its ground, by WCAG 2."""
    return page.evaluate("""() => {
      const parse = c => c.match(/[\\d.]+/g).map(Number);
      const light = c => { const [r, g, b] = parse(c).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b; };
      const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (parse(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
      return Math.min(...[...document.querySelectorAll('body *')].filter(e => e.childNodes.length &&
        [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.offsetParent).map(e => {
          const a = light(getComputedStyle(e).color), b = light(ground(e));
          return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); }));
    }""")


def watched(browser, origin, problems, also=(), **options):
    """A page whose every complaint, and every request to elsewhere than `origin`, blob: and the schemes `also`, is a problem."""
    allowed = "|".join([f"{origin}/", "blob:", *also])
    page = browser.new_context(**options).new_page()
    page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: re.match(f"({allowed})", request.url) or problems.append(f"asks for {request.url}"))
    return page


def phone(page, daemon, scheme):
    """The page on a phone: nothing is wider than it, everything can be read."""
    page.goto(f"http://127.0.0.1:{daemon.port}/")
    page.wait_for_selector("#receiver-camera-narrow")
    wait("the picture on the phone", lambda: page.evaluate("document.querySelector('#stream-camera img').naturalWidth") == 1280)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"the page is {width} pixels wide on a phone of 390"
    assert contrast(page) >= 4.5, f"contrast, {scheme}: {contrast(page):.2f}"
    if SCREENSHOTS:
        time.sleep(45)
        page.screenshot(path=f"{SCREENSHOTS}/daemon-phone-{scheme}.png")


def main():
    problems = []
    with Daemon(streams()) as daemon, sync_playwright() as playwright:
        wait("pictures arrive", lambda: daemon.json("/v1/streams/received")["frames"] > 2, 120)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = watched(browser, f"http://127.0.0.1:{daemon.port}", problems, viewport={"width": 1180, "height": 1000}, color_scheme="light")
        look(page, daemon)
        assert contrast(page) >= 4.5, f"contrast, light: {contrast(page):.2f}"
        page.context.close()

        for scheme in ("light", "dark"):
            page = watched(browser, f"http://127.0.0.1:{daemon.port}", problems, viewport={"width": 390, "height": 844}, color_scheme=scheme,
                           is_mobile=True, device_scale_factor=2)
            phone(page, daemon, scheme)
            page.context.close()
        tell(browser)
        browser.close()
    if problems:
        sys.exit(f"the page complains: {problems}")
    print("page: good")


if __name__ == "__main__":
    main()
