"""The decoder and its page in headless Chromium: golden streams, the corpora, the page that opens and cuts pictures.

Run it with `make test-web`, which installs what it needs. SCREENSHOTS=folder writes what the page looks like.
"""
import os
import pathlib
import sys
import time

from daemon import ROOT, wait
from failures import library_fails, live_ends, page_fails
from playwright.sync_api import sync_playwright
from test_page import contrast, watched
from website import ISOLATION, Site

SCREENSHOTS = os.environ.get("SCREENSHOTS")
CONFORM = """async () => {
  const { Decoder, DeepFGSError } = await import("/web/deepfgs.js");
  const { conform } = await import("/Tests/Web/conformance.js");
  const bytes = async path => new Uint8Array(await (await fetch(`/${path}`)).arrayBuffer());
  const opened = [];
  const result = await conform({
    file: bytes,
    folder: async path => (await fetch(`/${path}/`)).json(),
    open: async (model, pixelLimit) => {
      const decoder = await Decoder.open({ model, pixelLimit });
      opened.push(decoder);
      return {
        model: decoder.model, header: frame => decoder.header(frame), scan: stream => decoder.frames(stream),
        close: () => decoder.close(),
        decode: async frame => {
          const { image, ...rest } = await decoder.decode(frame);
          return { ...rest, pixels: image.data, width: image.width, height: image.height };
        },
      };
    },
    // What the decoder says of bytes is a refusal; that it had to be made again is told by `restarts`.
    isRefusal: error => error instanceof DeepFGSError && !error.message.startsWith("the decoder ended"),
  });
  const restarts = opened.reduce((sum, decoder) => sum + decoder.restarts, 0);
  return { ...result, restarts, threads: opened[0].threads };
}"""

# A worker whose instance ends at a frame of one byte, as an instance does that gets no memory.
TRAP = """
const ending = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1,
  116, 0, 0, 10, 5, 1, 3, 0, 0, 11]));
const decode = Instance.prototype.decode;
Instance.prototype.decode = function (frame) {
  if (frame.length === 1) new WebAssembly.Instance(ending).exports.t();
  return decode.call(this, frame);
};
"""

# Another worker takes its place, and decodes.
SURVIVE = """async () => {
  const { Decoder } = await import("/web/deepfgs.js");
  const decoder = await Decoder.open({ model: "/web/live-v2.safetensors" });
  const frame = await (await fetch("/Tests/Fixtures/golden/integers.dfgs")).arrayBuffer();
  const lost = [new Uint8Array(1), frame].map(bytes => decoder.decode(bytes).then(() => "decoded", error => error.message));
  const said = await Promise.all(lost);
  const { image } = await decoder.decode(frame);
  decoder.close();
  return { said, width: image.width, restarts: decoder.restarts };
}"""


def conforms(browser, isolated, problems):
    with Site(isolated) as origin:
        page = watched(browser, origin, problems, ["data:"])
        page.goto(f"{origin}/web/style.css")
        result = page.evaluate(CONFORM)
        assert not result["problems"], result["problems"]
        assert result["restarts"] == 0, f"{result['restarts']} traps"
        assert (result["threads"] > 1) == (isolated and (os.cpu_count() or 1) > 1)
        print(f"decoder in Chromium, {result['threads']} threads: {result['checked']} golden streams and prefixes, "
              f"{result['replayed']} inputs of the corpora")
        page.route("**/deepfgs-worker.js", lambda route: route.fulfill(
            body=(ROOT / "web/deepfgs-worker.js").read_text("utf-8") + TRAP, content_type="text/javascript", headers=ISOLATION))
        survived = page.evaluate(SURVIVE)
        assert all(words.startswith("the decoder ended") for words in survived["said"]), survived
        assert survived["width"] == 64 and survived["restarts"] == 1, survived
        page.context.close()


def settled(look, seconds=3):
    """What is seen once it has been the same for a while: pictures that are still being decoded come one after another."""
    seen, since = look(), time.monotonic()
    while time.monotonic() < since + seconds:
        time.sleep(0.1)
        if (now := look()) != seen:
            seen, since = now, time.monotonic()
    return seen


def cut_page(browser, isolated, problems):
    """The page on a file server: a picture within three seconds, its cut by the keyboard, the cut file, a dropped file."""
    with Site(isolated) as origin:
        page = watched(browser, origin, problems, ["data:"], viewport={"width": 1100, "height": 1150}, color_scheme="light", accept_downloads=True)
        start = time.monotonic()
        page.goto(f"{origin}/web/")
        page.wait_for_selector("#picture[data-bytes]")
        print(f"first picture of the page after {time.monotonic() - start:.2f} s, model included")
        # Picture, cut and what it costs are seen together.
        page.set_viewport_size({"width": 1280, "height": 900})
        box = page.locator("#look dl").bounding_box()
        assert box["y"] + box["height"] <= 900, f"what the cut costs ends at {box['y'] + box['height']:.0f} of 900 pixels"
        page.set_viewport_size({"width": 1100, "height": 1150})
        wait("the picture is compared", lambda: page.inner_text("#psnr") == "the same picture")
        whole = int(page.get_attribute("#picture", "data-bytes"))
        assert contrast(page) >= 4.5, f"contrast, light: {contrast(page):.2f}"
        page.focus("#cut")
        page.keyboard.press("Home")
        wait("the base is shown", lambda: int(page.get_attribute("#picture", "data-bytes")) < whole / 3)
        wait("and compared", lambda: "dB" in page.inner_text("#psnr"))
        coarse = float(page.inner_text("#psnr").split()[0])
        for _ in range(5):
            page.keyboard.press("PageUp")
        wait("more bytes are better", lambda: "dB" in page.inner_text("#psnr") and float(page.inner_text("#psnr").split()[0]) > coarse)
        if SCREENSHOTS:
            page.screenshot(path=f"{SCREENSHOTS}/browser.png", full_page=True)
        with page.expect_download() as download:
            page.click("#download")
        bytes_of = pathlib.Path(download.value.path()).read_bytes()
        frame = (ROOT / "web/photographs/lake-sherburne.dfgs").read_bytes()
        assert frame.startswith(bytes_of) and len(bytes_of) < whole, "the cut file is not the beginning of the frame"
        assert len(bytes_of) == int(page.get_attribute("#picture", "data-bytes")), "the cut file is not what is shown"
        assert page.locator("#demos [aria-current=true]").inner_text() == "lake sherburne"
        # A file of the reader's own: three frames, one of them cut; then one that is none.
        stream = frame + frame[:20000] + frame
        page.set_input_files("#file", {"name": "three.dfgs", "mimeType": "application/octet-stream", "buffer": stream})
        wait("it has frames", lambda: page.is_visible("#frames") and page.inner_text("#frame-text") == "1 of 3")
        assert page.locator("#demos [aria-current=true]").count() == 0, "a photograph is marked that is not shown"
        page.focus("#frame")
        page.keyboard.press("ArrowRight")
        wait("the second is shown", lambda: page.get_attribute("#picture", "data-bytes") == "20000")
        wait("a cut frame is no whole one", lambda: page.inner_text("#psnr") == "no more of the frame is here")
        assert page.inner_text("#psnr-label") == "PSNR against what the file has of the frame"
        # All frames of the file, each as it is shown at this place of the slider.
        page.focus("#cut")
        for key in ("Home", *["PageUp"] * 5):
            page.keyboard.press(key)
        cuts = []
        for number in ("1", "2", "3"):
            page.evaluate("number => { const frame = document.getElementById('frame'); frame.value = number;"
                          " frame.dispatchEvent(new Event('input')); }", number)
            wait("the frame is shown", lambda number=number: page.inner_text("#frame-text") == f"{number} of 3" and page.evaluate(
                "document.getElementById('bytes').textContent.replace(/,/g, '').split(' ')[0]") == page.get_attribute("#picture", "data-bytes"))
            cuts.append(int(settled(lambda: page.get_attribute("#picture", "data-bytes"))))
        with page.expect_download() as download:
            page.click("#download")
        assert cuts[0] == cuts[2] > cuts[1], cuts
        assert pathlib.Path(download.value.path()).read_bytes() == frame[:cuts[0]] + frame[:cuts[1]] + frame[:cuts[2]]
        assert download.value.suggested_filename == f"three-{sum(cuts)}.dfgs"
        page.set_input_files("#file", {"name": "none.dfgs", "mimeType": "application/octet-stream", "buffer": b"DFGS" * 100})
        wait("it is refused", lambda: "no DeepFGS frame" in page.inner_text("#status"))
        page.context.close()

        page = watched(browser, origin, problems, ["data:"], viewport={"width": 390, "height": 844}, color_scheme="dark", is_mobile=True)
        page.goto(f"{origin}/web/")
        page.wait_for_selector("#picture[data-bytes]")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"the page is {width} pixels wide on a phone of 390"
        assert contrast(page) >= 4.5, f"contrast, dark: {contrast(page):.2f}"
        unnamed = page.evaluate("""() => [...document.querySelectorAll("input, button, canvas, a")].filter(element =>
            !(element.labels?.length || element.textContent.trim() || element.getAttribute("aria-label"))).length""")
        assert unnamed == 0, f"{unnamed} controls without a name"
        if SCREENSHOTS:
            page.screenshot(path=f"{SCREENSHOTS}/browser-phone.png")
        page.context.close()


def main():
    problems = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for isolated in (False, True):
            conforms(browser, isolated, problems)
            cut_page(browser, isolated, problems)
        with Site(True) as origin:
            library_fails(browser, origin)
            page_fails(browser, origin)
            live_ends(browser, origin)
        browser.close()
    if problems:
        sys.exit(f"the page complains: {problems}")
    print("decoder and page: good")


if __name__ == "__main__":
    main()
