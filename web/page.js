// The page: a picture, its cut, and what the cut costs.
import { Decoder, megabytes, psnr } from "./deepfgs.js";
import { draw } from "./picture.js";

const demos = [
  "lake-sherburne", "beacon-street-sunset", "canyon-wren", "oakland-zoo-otters", "perched-osprey", "roman-colosseum",
  "singaporean-cityscape", "the-spices-of-life",
];

const $ = (id) => document.getElementById(id);
const words = (name) => name.replaceAll("-", " ");

/** @type {Decoder} */
let decoder;
/** @type {Promise<Decoder>} What is opened before the decoder is there waits for it. */
let loading;
/** @type {?AbortController} Of the file that is being opened. */
let opening = null;
/** The file that is shown. */
let file = { name: "", bytes: new Uint8Array(), places: [], index: 0 };
/** The frame of it: its bytes, its header, and its picture when all of its bytes are decoded. */
let frame = null;
let busy = false, again = false, playing = false;

/** Milliseconds. What takes longer is told of: most files are there at once, and words that flash help nobody. */
const patience = 300;

/** Words that are about the picture on the canvas, `ofPicture`, go with the next picture; others stay. */
function say(text, isError = false, ofPicture = false) {
  $("status").textContent = text;
  $("status").classList.toggle("error", isError);
  $("status").classList.toggle("of-picture", ofPicture);
}

const reason = (error) => error?.message || String(error);

/** What a control does; where that fails, the page says why. */
const saying = (body) => async (...given) => {
  try {
    await body(...given);
  } catch (error) {
    say(reason(error), true);
  }
};

/** The bytes of a frame that the slider stands for; its left end is the base. Fine steps where a byte is worth most. */
function cutBytes({ bytes, header }) {
  const part = $("cut").value / $("cut").max;
  return Math.round(header.baseEnd + (bytes.length - header.baseEnd) * part * part);
}

/** Shows the frame up to the cut; while it decodes, the latest wish waits. */
async function look() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  do {
    again = false;
    const shown = frame;
    const bytes = cutBytes(shown);
    try {
      const decoded = await decoder.decode(shown.bytes, bytes);
      if (shown !== frame) continue;
      if (bytes === shown.bytes.length) shown.whole = decoded.image;
      show(decoded, bytes);
      if (!shown.whole && !playing) shown.whole = (await decoder.decode(shown.bytes)).image;
      if (shown === frame) showQuality(decoded.image, bytes);
    } catch (error) {
      if (shown === frame) say(reason(error), true, true);
    }
  } while (again);
  busy = false;
}

function show(decoded, bytes) {
  const { width, height, orientation } = frame.header;
  draw($("picture"), decoded.image, orientation);
  $("picture").dataset.bytes = bytes;
  $("bytes").textContent = `${bytes.toLocaleString("en")} of ${frame.header.frameLength.toLocaleString("en")}`;
  $("bpp").textContent = ((8 * bytes) / width / height).toFixed(3);
  $("time").textContent = `${decoded.milliseconds.toFixed(0)} ms`;
  $("cut").disabled = false;
  $("cut").setAttribute("aria-valuetext", `${bytes} bytes`);
  if ($("status").classList.contains("of-picture")) say("");
}

function showQuality(image, bytes) {
  const decibels = frame.whole ? psnr(image, frame.whole) : NaN;
  // A file that is cut already has no whole frame to compare with.
  const isCut = frame.bytes.length < frame.header.frameLength;
  const all = isCut && bytes === frame.bytes.length ? "no more of the frame is here" : "the same picture";
  $("psnr-label").textContent = isCut ? "PSNR against what the file has of the frame" : "PSNR against the whole frame";
  $("psnr").textContent = Number.isNaN(decibels) ? "–" : decibels === Infinity ? all : `${decibels.toFixed(2)} dB`;
  $("picture").setAttribute("aria-label", `${file.name}, ${bytes} bytes`);
}

/** One of a file's frames: its bytes and its header. */
async function frameAt({ bytes: all, places }, index) {
  const { offset, size } = places[index];
  const bytes = all.subarray(offset, offset + size);
  return { bytes, header: await decoder.header(bytes) };
}

/** Shows one of the file's frames, at the same place of the slider. */
async function showFrame(index) {
  file.index = index;
  frame = { ...await frameAt(file, index), whole: null };
  $("frame").value = index + 1;
  $("frame-text").textContent = `${index + 1} of ${file.places.length}`;
  await look();
}

/**
 * Opens a file, that of a photograph's button or one of the reader's own; where it is none, what was shown stays. A newer
 * file takes the place of one that is still being opened.
 *
 * @param {string} name
 * @param {(signal: AbortSignal) => Promise<ArrayBuffer>} read Gives its bytes.
 * @param {number} [size] Bytes, where they are known before they are read.
 * @param {HTMLButtonElement} [button]
 */
async function open(name, read, size = 0, button = null) {
  opening?.abort();
  const own = opening = new AbortController();
  const { signal } = own;
  let telling;
  const doing = (what) => {
    clearTimeout(telling);
    telling = setTimeout(say, patience, `${name}: ${what}…`);
  };
  stop();
  try {
    if (size > Decoder.streamLimit) {
      throw new Error(`${megabytes(size)} are more than this page can search for frames: at most ${megabytes(Decoder.streamLimit)}`);
    }
    doing("waiting for the decoder");
    await loading;
    signal.throwIfAborted();
    doing("reading it");
    const bytes = new Uint8Array(await read(signal));
    signal.throwIfAborted();
    doing(`searching ${megabytes(bytes.length)} for frames`);
    const places = (await decoder.frames(bytes, { signal })).filter(({ decodes }) => decodes);
    if (!places.length) throw new Error("there is no DeepFGS frame in this file");
    const { model } = await decoder.header(bytes.subarray(places[0].offset, places[0].offset + places[0].size));
    if (model !== decoder.model) throw new Error(`made with model ${model}; this page has ${decoder.modelName} (${decoder.model})`);
    signal.throwIfAborted();
    file = { name, bytes, places, index: 0 };
  } catch (error) {
    if (!signal.aborted) say(`${name}: ${reason(error)}`, true);
    return;
  } finally {
    clearTimeout(telling);
    if (opening === own) opening = null;
  }
  for (const demo of $("demos").children) demo.setAttribute("aria-current", demo === button);
  $("look").hidden = false;
  $("name").textContent = name;
  $("frames").hidden = file.places.length < 2;
  $("frame").max = file.places.length;
  $("cut").value = $("cut").max;
  say("");
  await showFrame(0);
}

async function openOwn(own) {
  if (own) await open(own.name, () => own.arrayBuffer(), own.size);
}

function openDemo(button) {
  const { name } = button.dataset;
  const read = async (signal) => {
    const answer = await fetch(`photographs/${name}.dfgs`, { signal });
    if (!answer.ok) throw new Error(`the server answers ${answer.status} ${answer.statusText}`);
    return answer.arrayBuffer();
  };
  return open(`${words(name)}.dfgs`, read, 0, button);
}

function stop() {
  playing = false;
  $("play").setAttribute("aria-pressed", "false");
  $("play").textContent = "Play";
}

async function play() {
  if (playing) return stop();
  playing = true;
  $("play").setAttribute("aria-pressed", "true");
  $("play").textContent = "Stop";
  const shown = file;
  while (playing && shown === file) {
    const start = performance.now();
    await showFrame((file.index + 1) % file.places.length).catch((error) => { stop(); throw error; });
    const wait = 1000 * (frame.header.duration || 0.04) - (performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
  }
}

/** The cut file: every frame that gives a picture, each cut at the slider's place, as it is shown. */
async function cutFile(whole) {
  const parts = [];
  for (const index of whole.places.keys()) {
    const one = await frameAt(whole, index);
    parts.push(one.bytes.subarray(0, cutBytes(one)));
  }
  return new Blob(parts, { type: "application/octet-stream" });
}

async function download() {
  const { name } = file;
  const cut = await cutFile(file);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(cut);
  link.download = `${name.replace(/\.dfgs$/, "")}-${cut.size}.dfgs`;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function begin() {
  for (const name of demos) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words(name);
    button.dataset.name = name;
    button.addEventListener("click", saying(() => openDemo(button)));
    $("demos").append(button);
  }
  $("file").addEventListener("change", saying(() => openOwn($("file").files[0])));
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.add("over"); });
  }
  document.addEventListener("dragleave", () => document.body.classList.remove("over"));
  document.addEventListener("drop", saying((event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    return openOwn(event.dataTransfer.files[0]);
  }));
  $("cut").addEventListener("input", saying(() => frame && look()));
  $("frame").addEventListener("input", saying(() => { stop(); return showFrame($("frame").value - 1); }));
  $("play").addEventListener("click", saying(play));
  $("download").addEventListener("click", saying(download));

  loading = Decoder.open({ model: "live-v2.safetensors" }).catch((error) => {
    throw new Error(`the decoder cannot be loaded: ${reason(error)}`);
  });
  decoder = await loading;
  const threads = decoder.threads > 1 ? `${decoder.threads} threads` : "one thread";
  $("facts").textContent = `Model ${decoder.modelName} (${decoder.model}), ${threads}.`;
  // The reader's own file, where one was chosen meanwhile.
  if (opening) return;
  const wanted = new URLSearchParams(location.search).get("picture");
  await openDemo([...$("demos").children].find(({ dataset }) => dataset.name === wanted) ?? $("demos").firstElementChild);
}

// What nothing else tells of.
addEventListener("error", ({ error, message }) => say(`something went wrong: ${error ? reason(error) : message}`, true));
addEventListener("unhandledrejection", ({ reason: error }) => say(`something went wrong: ${reason(error)}`, true));

saying(begin)();
