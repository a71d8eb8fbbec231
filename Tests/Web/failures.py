"""What the decoder for browsers, its page and its live player do where something fails: a sentence, and no worker is left.

`test_browser.py` runs this.
"""
import os
import pathlib
import struct
import tempfile

from daemon import ROOT, wait
from website import ISOLATION

FRAME = (ROOT / "web/photographs/lake-sherburne.dfgs").read_bytes()
WORKER = (ROOT / "web/deepfgs-worker.js").read_text("utf-8")
FIXTURES = "/Tests/Fixtures"

# A worker in which a frame of one byte ends the instance, and a search of more than 4 MiB takes a minute.
ODD = """
const { decode, scan } = Instance.prototype;
Instance.prototype.decode = function (frame) {
  if (frame.length === 1) throw new RangeError("no memory");
  return decode.call(this, frame);
};
Instance.prototype.scan = function (stream) {
  const end = performance.now() + (stream.length > 4 << 20 ? 60000 : 0);
  while (performance.now() < end);
  return scan.call(this, stream);
};
"""


def workers():
    """Threads of workers, those that workers made included, in all processes that this one has started."""
    parents, found = {}, 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents[int(process.name)] = int((process / "stat").read_text("utf-8").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    for process in parents:
        above = process
        while above > 1 and above != os.getpid():
            above = parents.get(above, 0)
        if above != os.getpid():
            continue
        for thread in pathlib.Path(f"/proc/{process}/task").glob("*/comm"):
            try:
                found += thread.read_text("utf-8").startswith("DedicatedWorker")
            except OSError:
                continue
    return found


def no_worker_left(what):
    wait(f"{what}: no worker is left", lambda: workers() == 0, 20)


def opened(browser, address, uncaught, **options):
    """A page that may complain, but leaves nothing to the browser: what it does not catch is an error of the test."""
    page = browser.new_context(viewport={"width": 1100, "height": 1150}, **options).new_page()
    page.on("pageerror", lambda error: uncaught.append(str(error)))
    if address:
        page.goto(address)
    return page


def odd_workers(page):
    page.route("**/deepfgs-worker.js", lambda route: route.fulfill(
        body=WORKER + ODD, content_type="text/javascript", headers=ISOLATION))


# What a call says: its picture's width, or its error.
TELL = """
  const { Decoder, DeepFGSError } = await import("/web/deepfgs.js");
  const model = new Uint8Array(await (await fetch("/web/live-v2.safetensors")).arrayBuffer());
  const frame = new Uint8Array(await (await fetch("/Tests/Fixtures/golden/integers.dfgs")).arrayBuffer());
  const tell = promise => promise.then(result => result?.image?.width ?? result,
                                       error => error instanceof DeepFGSError ? error.message : `${error.name}!`);
"""

OPEN_FAILS = "async () => {" + TELL + """
  const said = [];
  for (let turn = 0; turn < 3; turn++) {
    for (const options of [{ model: new Uint8Array(1000) }, { model: model.slice(0, 5000000) }, { model: "/web/none" }, { model, base: "/none/" },
                           { model, pixelLimit: 0 }, { model, threads: NaN }]) {
      said.push(await tell(Decoder.open(options)));
    }
  }
  // A worker that cannot be loaded, though the module can.
  const load = window.fetch;
  window.fetch = address => load(String(address).replace("/none/", "/web/"));
  said.push(await tell(Decoder.open({ model, base: "/none/" })));
  return said;
}"""

NUMBERS = "async () => {" + TELL + """
  const decoder = await Decoder.open({ model });
  const said = {};
  for (const [name, bytes] of Object.entries({ whole: undefined, beyond: frame.length + 1, far: 2 ** 40, Infinity, most: frame.length - 1,
      none: 0, negative: -1, fraction: 1.5, NaN, less: -Infinity, text: "4", nothing: null, big: 4n })) {
    said[name] = await tell(decoder.decode(frame, bytes).then(({ bytes }) => bytes));
  }
  for (const [name, bytes] of Object.entries({ noBytes: "text", missing: undefined, number: 5e9 })) said[name] = await tell(decoder.decode(bytes));
  said.view = await tell(decoder.decode(new DataView(frame.buffer)));
  decoder.close();
  said.length = frame.length;
  for (const [name, pixelLimit] of Object.entries({ exact: 64 * 64, one: 64 * 64 - 1, two32: 2 ** 32, two31: 2 ** 31, endless: Infinity,
      fractional: 4096.5, zero: 0, small: 0.5, below: -1, not: NaN, words: "4096" })) {
    said[`limit ${name}`] = await tell(Decoder.open({ model, pixelLimit }).then(async decoder => {
      try { return await decoder.decode(frame); } finally { decoder.close(); }
    }));
  }
  return said;
}"""

SEARCH = "async () => {" + TELL + """
  const decoder = await Decoder.open({ model });
  const stream = new Uint8Array((4 << 20) + 1);
  stream.set(frame);
  const given = new AbortController();
  const search = tell(decoder.frames(stream, { signal: given.signal }));
  const width = await tell(decoder.decode(frame));   // meanwhile
  given.abort();
  const givenUp = await search;
  const late = await tell(decoder.frames(frame, { signal: given.signal }));
  const short = await decoder.frames(frame);
  const closed = tell(decoder.frames(stream));
  const most = Decoder.streamLimit;
  const tooMany = await tell(decoder.frames(new ArrayBuffer(most + 1)));
  decoder.close();
  return { width, search: givenUp, late, short, closed: await closed, tooMany, length: frame.length };
}"""

LOST = "async () => {" + TELL + """
  const decoder = await Decoder.open({ model });
  window.lose = async () => {
    const said = [await tell(decoder.decode(frame.slice(0, 1)))];
    for (let turn = 0; turn < 3; turn++) said.push(await tell(decoder.decode(frame)));
    return { said, restarts: decoder.restarts };
  };
}"""


def library_fails(browser, origin):
    uncaught = []
    page = opened(browser, f"{origin}/web/style.css", uncaught)
    said = page.evaluate(OPEN_FAILS)
    assert len(said) == 19 and all(isinstance(words, str) and " " in words for words in said), said
    assert "404" in said[2] and "pixelLimit" in said[4] and "threads" in said[5] and "worker" in said[-1], said
    no_worker_left("opens that failed")

    said = page.evaluate(NUMBERS)
    length = said["length"]
    for name in ("whole", "beyond", "far", "Infinity"):
        assert said[name] == length, f"{name}: {said[name]}"
    assert said["most"] == length - 1 and said["view"] == 64 and "header" in str(said["none"]), said
    for name in ("negative", "fraction", "NaN", "less", "text", "nothing", "big"):
        assert "a whole number, 0 or more" in str(said[name]), f"{name}: {said[name]}"
    for name in ("noBytes", "missing", "number"):
        assert "ArrayBuffer" in str(said[name]), f"{name}: {said[name]}"
    for name in ("exact", "two32", "two31", "endless", "fractional"):
        assert said[f"limit {name}"] == 64, f"{name}: {said[f'limit {name}']}"
    assert "4095" in str(said["limit one"]), said["limit one"]
    for name in ("zero", "small", "below", "not", "words"):
        assert "pixelLimit is a number, 1 or more" in str(said[f"limit {name}"]), f"{name}: {said[f'limit {name}']}"
    no_worker_left("decoders that were closed")

    long = page.evaluate("""async () => {""" + TELL + """
      const decoder = await Decoder.open({ model });
      const stream = new Uint8Array(5 << 20);
      stream.set(frame, 1000);
      const places = await decoder.frames(stream);
      decoder.close();
      return { places, length: frame.length };
    }""")
    assert long["places"] == [{"offset": 1000, "size": long["length"], "decodes": True}], long
    odd_workers(page)
    said = page.evaluate(SEARCH)
    assert said["width"] == 64 and said["search"] == said["late"] == "AbortError!", said
    assert said["short"] == [{"offset": 0, "size": said["length"], "decodes": True}], said
    assert said["closed"] == "the decoder is closed" and said["tooMany"].startswith("806 MB are more than"), said
    no_worker_left("searches that were given up")

    # Another worker takes the place of one that is lost; where it cannot be loaded, whoever asks is told, and that is all.
    page.evaluate(LOST)
    page.unroute("**/deepfgs-worker.js")
    page.route("**/deepfgs-worker.js", lambda route: route.abort())
    lost = page.evaluate("window.lose()")
    assert lost["restarts"] == 1 and all("worker cannot be loaded" in words for words in lost["said"][1:]), lost
    no_worker_left("a worker that could not be made again")
    assert not uncaught, uncaught
    page.context.close()


def choose(page, name, content=FRAME):
    page.set_input_files("#file", {"name": name, "mimeType": "application/octet-stream", "buffer": content})


def says(page, words):
    wait(f"the page says {words!r}", lambda: words in page.inner_text("#status"))
    assert page.evaluate("document.getElementById('status').checkVisibility()")


def page_fails(browser, origin):
    uncaught = []
    slow_and_missing(browser, origin, uncaught)
    large_and_newer(browser, origin, uncaught)
    # The last resort tells of what nothing else catches.
    assert not uncaught, uncaught
    page = opened(browser, f"{origin}/web/", uncaught)
    page.wait_for_selector("#picture[data-bytes]")
    page.evaluate("() => { setTimeout(() => { throw new Error('nobody catches this'); }); }")
    says(page, "something went wrong: nobody catches this")
    page.evaluate("() => { Promise.reject(new Error('nor this')); }")
    says(page, "something went wrong: nor this")
    page.context.close()


def slow_and_missing(browser, origin, uncaught):
    """A file that is opened before the model is there waits for it; where none comes, the page says why."""
    page = opened(browser, None, uncaught)
    held = []
    page.route("**/live-v2.safetensors", lambda route: held.append(route))
    page.goto(f"{origin}/web/")
    wait("the model is asked for", lambda: page.evaluate("performance.now()") and len(held) > 0)
    choose(page, "mine.dfgs")
    says(page, "mine.dfgs: waiting for the decoder…")
    page.unroute("**/live-v2.safetensors")
    for route in held:
        route.continue_()
    wait("it is shown", lambda: page.is_visible("#look") and page.inner_text("#name") == "mine.dfgs")
    page.wait_for_selector("#picture[data-bytes]")
    page.context.close()

    for pattern, words in (("**/live-v2.safetensors", "the decoder cannot be loaded: "), ("**/deepfgs-worker.js", "the decoder cannot be loaded: "),
                           ("**/deepfgs*.wasm", "the decoder cannot be loaded: "), ("**/deepfgs.js", "the scripts of this page cannot be loaded")):
        page = opened(browser, None, uncaught)
        page.route(pattern, lambda route: route.fulfill(status=404, body="", headers=ISOLATION))
        page.goto(f"{origin}/web/")
        says(page, words)
        if "decoder" in words:
            choose(page, "mine.dfgs")
            says(page, f"mine.dfgs: {words}")
            page.click("#demos button")
            says(page, f"lake sherburne.dfgs: {words}")
        page.context.close()
        no_worker_left(pattern)


def large_and_newer(browser, origin, uncaught):
    """Reading, searching and downloading that fail or take long."""
    page = opened(browser, None, uncaught)
    odd_workers(page)
    page.goto(f"{origin}/web/")
    page.wait_for_selector("#picture[data-bytes]")
    page.evaluate("() => { window.read = 0; const { arrayBuffer } = File.prototype;"
                  " File.prototype.arrayBuffer = function () { window.read += 1; return arrayBuffer.call(this); }; }")
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place, "large.dfgs")
        path.touch()
        os.truncate(path, 3_000_000_000)
        page.set_input_files("#file", path)
        says(page, "large.dfgs: 3,000 MB are more than this page can search for frames: at most 806 MB")
    assert page.evaluate("window.read") == 0, "it was read all the same"
    # While a long search goes on the page says so, pictures decode, and a newer file takes its place.
    before = workers()
    choose(page, "long.dfgs", FRAME + bytes(5_000_000))
    says(page, "long.dfgs: searching 6 MB for frames…")
    assert workers() == before + 1
    page.focus("#cut")
    page.keyboard.press("Home")
    wait("the base is shown", lambda: int(page.get_attribute("#picture", "data-bytes")) < len(FRAME) / 3)
    assert "searching" in page.inner_text("#status"), "the picture has taken the words away"
    choose(page, "newer.dfgs")
    wait("the newer file is shown", lambda: page.inner_text("#name") == "newer.dfgs" and page.inner_text("#status") == "")
    wait("the search is given up", lambda: workers() == before, 20)
    # The same for a photograph, and where the newer one is none.
    choose(page, "long.dfgs", FRAME + bytes(5_000_000))
    says(page, "searching")
    choose(page, "none.dfgs", b"nothing")
    says(page, "none.dfgs: there is no DeepFGS frame in this file")
    assert page.inner_text("#name") == "newer.dfgs"
    wait("the search is given up", lambda: workers() == before, 20)

    page.route("**/canyon-wren.dfgs", lambda route: route.abort())
    page.click("#demos button:has-text('canyon wren')")
    says(page, "canyon wren.dfgs: Failed to fetch")
    page.route("**/oakland-zoo-otters.dfgs", lambda route: route.fulfill(status=404, body=""))
    page.click("#demos button:has-text('oakland zoo otters')")
    says(page, "oakland zoo otters.dfgs: the server answers 404")
    page.evaluate("() => { File.prototype.arrayBuffer = () => Promise.reject(new DOMException('it cannot be read', 'NotReadableError')); }")
    choose(page, "gone.dfgs")
    says(page, "gone.dfgs: it cannot be read")
    page.evaluate("() => { URL.createObjectURL = () => { throw new Error('no place for it'); }; }")
    page.click("#download")
    says(page, "no place for it")
    assert page.inner_text("#name") == "newer.dfgs" and page.is_visible("#picture")
    page.context.close()
    no_worker_left("a page that was closed")


PLAY = """async ({ model, late }) => {
  const { LivePlayer } = await import("/web/live.js");
  window.ended = [];
  window.shown = [];
  const file = async () => {
    if (late) await new Promise(resolve => { window.come = resolve; });
    if (!model) throw new Error("no model of this identity");
    return model;
  };
  window.player = new LivePlayer(`ws://${location.host}/live`, document.createElement("canvas"), { model: file, threads: 2 });
  window.player.onend = reason => window.ended.push(reason);
  window.player.onpicture = ({ number }) => window.shown.push(number);
}"""


def part(number, content, offset=0, length=None, flags=1):
    length = len(content) if length is None else length
    return struct.pack(">IIIId", number, offset, length, flags, 0) + content


def live_ends(browser, origin):
    """Each end of a live player is one sentence, and takes the workers with it."""
    live, tiny = [(ROOT / f"Tests/Fixtures/golden/{name}.dfgs").read_bytes() for name in ("integers", "integers-tiny-one")]
    model, own = "/web/live-v2.safetensors", f"{FIXTURES}/tiny-integers.safetensors"
    uncaught = []

    def play(settings, parts, then, words, shown):
        page = opened(browser, None, uncaught)
        sockets = []
        page.route_web_socket("**/live", lambda socket: sockets.append(socket))
        page.goto(f"{origin}/web/style.css")
        page.evaluate(PLAY, settings)
        wait("it has connected", lambda: page.evaluate("1") and sockets)
        for message in parts:
            sockets[0].send(message)
        then(page, sockets[0])
        ended = wait(f"it ends: {words}", lambda: page.evaluate("window.ended"))
        assert len(ended) == 1 and words in ended[0], f"{ended}, not {words!r}"
        no_worker_left(words)
        page.wait_for_timeout(200)
        assert page.evaluate("window.ended") == ended and page.evaluate("window.shown") == shown, page.evaluate("window.shown")
        page.context.close()

    def goes_on(page, socket):
        wait("it plays", lambda: page.evaluate("window.shown.length") == 1)
        assert workers() == 2

    def nothing(page, socket):
        pass

    def comes_late(page, socket):
        page.wait_for_timeout(500)
        assert page.evaluate("window.shown.length") == 0 and not page.evaluate("window.ended")
        socket.send(part(2, live))
        page.evaluate("window.come()")
        wait("the newest is shown", lambda: 2 in page.evaluate("window.shown"))
        socket.close(code=1000, reason="")

    def ends_before(page, socket):
        socket.close(code=1001, reason="the stream was stopped")
        wait("it ends", lambda: page.evaluate("window.ended.length"))
        page.evaluate("window.come()")
        page.wait_for_timeout(500)
        assert page.evaluate("performance.getEntriesByType('resource').every(({ name }) => !name.endsWith('.wasm'))"), "a decoder is loaded in vain"

    def changes(page, socket):
        goes_on(page, socket)
        socket.send(part(2, tiny))

    def closes(page, socket):
        goes_on(page, socket)
        socket.close(code=1000, reason="")

    first = [part(1, live)]
    play({"model": model}, first, closes, "the connection has ended", [1])
    play({"model": None}, first, nothing, "no model of this identity", [])
    play({"model": "/web/none"}, first, nothing, "404", [])
    play({"model": f"{FIXTURES}/golden/integers.dfgs"}, first, nothing, "not a DeepFGS model", [])
    play({"model": own}, first, nothing, "made with model", [])
    play({"model": model, "late": True}, first, comes_late, "the connection has ended", [2])
    play({"model": model, "late": True}, first, ends_before, "the stream was stopped", [])
    play({"model": model}, first, changes, "made with model", [1])
    for message in ("words", b"short", part(1, live[:50], offset=50), part(1, live, length=10)):
        play({"model": model}, [message], nothing, "a message without a head" if len(message) < 24 else "a part that fits no frame", [])
    play({"model": model}, [part(1, b"no frame of any kind")], nothing, "not a DeepFGS frame", [])

    page = opened(browser, f"{origin}/web/style.css", uncaught)
    page.evaluate(PLAY, {"model": model})
    wait("it ends", lambda: page.evaluate("window.ended") == ["there is no connection to the stream"])
    page.context.close()
    assert not uncaught, uncaught
