"use strict";
// The page of deepfgsd. It shows what /v1/events says, and changes receivers through /v1/streams.

const history = 120; // seconds that charts show
const cards = new Map(); // by stream
let token = sessionStorage.getItem("token") || "";

const $ = (root, selector) => root.querySelector(selector);
const headers = (more = {}) => (token ? { Authorization: `Bearer ${token}`, ...more } : more);
const show = (element, text) => { if (element.textContent !== text) element.textContent = text; };
// A line that is there only where it says something.
const give = (element, text) => { show(element, text); element.hidden = !text; };

function bits(value) {
  if (!(value >= 0)) return "–";
  return value >= 1e6 ? `${(value / 1e6).toFixed(2)} Mbit/s` : `${(value / 1e3).toFixed(0)} kbit/s`;
}

async function call(method, path, body) {
  const options = { method, headers: headers(body ? { "Content-Type": "application/json" } : {}) };
  if (body) options.body = JSON.stringify(body);
  const response = await fetch(path, options);
  if (response.status === 401) return login();
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail || `${response.status}`);
  }
  return response;
}

function login() {
  $(document, "#login").hidden = false;
  throw new Error("a bearer token is needed");
}

$(document, "#login").addEventListener("submit", event => {
  event.preventDefault();
  token = $(document, "#token").value;
  sessionStorage.setItem("token", token);
  $(document, "#login").hidden = true;
});

// --- A stream -----------------------------------------------------------------------------------------------------

class Card {
  constructor(name) {
    this.name = name;
    this.root = $(document, "#stream").content.firstElementChild.cloneNode(true);
    this.receivers = new Map();
    this.running = false;
    this.frame = null; // of the picture that is shown: number, base and whole length
    this.busy = false;
    show($(this.root, "h2"), name);
    this.root.id = `stream-${name}`;
    this.image = $(this.root, "img");
    this.image.alt = `The latest frame of ${name}`;
    this.slider = $(this.root, ".bytes");
    this.hold = $(this.root, ".freeze input");
    this.slider.addEventListener("input", () => { this.hold.checked = true; this.look(); });
    this.hold.addEventListener("change", () => this.look());
    this.live = $(this.root, ".live input");
    this.canvas = $(this.root, "canvas");
    this.canvas.setAttribute("aria-label", `${name}, live`);
    this.live.addEventListener("change", () => { this.tell(""); this.play(); });
    $(this.root, ".power").addEventListener("click", () => {
      this.tell("");
      call("POST", `v1/streams/${name}/${this.running ? "stop" : "start"}`).catch(error => this.tell(error.message));
    });
    $(this.root, ".notice button").addEventListener("click", () => this.tell(""));
  }

  // What came of an action: it stays until the next one, or until it is dismissed.
  tell(notice) {
    const line = $(this.root, ".notice");
    show($(line, "span"), notice);
    line.hidden = !notice;
  }

  update(stream) {
    this.running = !["stopped", "ended"].includes(stream.state);
    const state = $(this.root, ".state");
    show(state, stream.state);
    state.className = `state ${stream.state}`;
    show($(this.root, ".kind"), stream.kind);
    show($(this.root, ".power"), this.running ? "Stop" : "Start");
    const facts = [`${stream.frames} frames`];
    if (stream.restarts) facts.push(`${stream.restarts} restarts`);
    const late = [stream.encoder, stream.decoder].reduce((sum, stats) => sum + (stats ? stats.late : 0), 0);
    if (late) facts.push(`${late} left out, too late`);
    if (stream["frame-age-seconds"] > 2) facts.push(`last ${stream["frame-age-seconds"].toFixed(0)} s ago`);
    if (stream.recording && stream.recording.file) facts.push(`recording ${stream.recording.file}`);
    show($(this.root, ".facts"), facts.join(" · "));
    give($(this.root, ".reason"), [stream.reason, stream.recording?.problem].filter(Boolean).join(" · "));
    const there = new Set(stream.receivers.map(receiver => receiver.name));
    for (const [name, row] of this.receivers) if (!there.has(name)) { row.root.remove(); this.receivers.delete(name); }
    for (const receiver of stream.receivers) {
      let row = this.receivers.get(receiver.name);
      if (!row) {
        row = new Row(this.name, receiver);
        this.receivers.set(receiver.name, row);
        $(this.root, ".receivers").append(row.root);
      }
      row.update(receiver);
    }
    if (!this.hold.checked && !this.live.checked && stream.frames) this.look();
  }

  // The bytes that the slider stands for; its left end is the base. Fine steps where a byte is worth most.
  get bytes() {
    const part = this.slider.value / this.slider.max;
    return Math.round(this.frame.base + (this.frame.whole - this.frame.base) * part * part);
  }

  // The stream itself, decoded here; the slider is for frames that stay.
  async play() {
    this.player?.close();
    this.player = null;
    const on = this.live.checked;
    this.canvas.hidden = !on;
    this.image.hidden = on;
    this.slider.disabled = this.hold.disabled = on;
    if (!on) return this.look();
    show($(this.root, "figcaption"), "loading the decoder…");
    try {
      const { LivePlayer } = await import("./web/live.js");
      if (!this.live.checked || this.player) return;
      const url = new URL(`v1/streams/${this.name}/live`, location.href);
      url.protocol = url.protocol.replace("http", "ws");
      const model = async identity => new Uint8Array(await (await call("GET", `v1/models/${identity}`)).arrayBuffer());
      this.player = new LivePlayer(url, this.canvas, { model, token });
      this.player.onpicture = picture => this.played(picture);
      this.player.onend = reason => { this.live.checked = false; this.play(); this.tell(`live: ${reason}`); };
    } catch (error) {
      this.live.checked = false;
      this.play();
      this.tell(`no decoder for browsers here (${error.message}); make wasm builds it`);
    }
  }

  // Pictures, bytes and latency of the last two seconds.
  played({ number, bytes, frameLength, latency, image }) {
    const now = performance.now();
    this.times = [...(this.times || []).filter(({ at }) => now - at < 2000), { at: now, bytes, latency }];
    const span = Math.max(0.5, (now - this.times[0].at) / 1000);
    const rate = (this.times.length - 1) / span;
    const delays = this.times.map(picture => picture.latency).sort((a, b) => a - b);
    this.canvas.dataset.number = number;
    show($(this.root, "figcaption"), `live: frame ${number}, ${image.width}×${image.height}, ${rate.toFixed(1)} pictures/s, ${delays[delays.length >> 1].toFixed(0)} ms behind`);
    show($(this.root, ".cut output"), `${bytes} of ${frameLength} bytes`);
  }

  async look() {
    if (this.live.checked) return;
    if (this.busy) { this.again = true; return; }
    if (document.hidden) return;
    this.busy = true;
    try {
      const query = new URLSearchParams();
      if (this.hold.checked && this.frame) {
        query.set("frame", this.frame.number);
        query.set("bytes", this.bytes);
      }
      const response = await call("GET", `v1/streams/${this.name}/preview?${query}`);
      const picture = await response.blob();
      const field = name => response.headers.get(`DeepFGS-${name}`);
      this.frame = { number: Number(field("Frame")), base: Number(field("Base-Bytes")), whole: Number(field("Frame-Bytes")) };
      const [width, height] = field("Size").split("x").map(Number);
      const old = this.image.src;
      this.image.width = width;
      this.image.height = height;
      this.image.src = URL.createObjectURL(picture);
      this.image.dataset.bytes = field("Bytes");
      if (old) URL.revokeObjectURL(old);
      const bytes = Number(field("Bytes"));
      show($(this.root, "figcaption"), `frame ${this.frame.number}, ${width}×${height}`);
      show($(this.root, ".cut output"), `${bytes} of ${this.frame.whole} bytes, ${(8 * bytes / width / height).toFixed(3)} bits per pixel`);
      this.slider.disabled = false;
      this.slider.setAttribute("aria-valuetext", `${bytes} bytes`);
      if (!this.hold.checked) this.slider.value = this.slider.max;
    } catch (error) {
      show($(this.root, "figcaption"), `no picture: ${error.message}`);
      if (this.hold.checked && /held/.test(error.message)) this.hold.checked = false;
    }
    this.busy = false;
    if (this.again) { this.again = false; this.look(); }
  }
}

// --- A receiver ---------------------------------------------------------------------------------------------------

class Row {
  constructor(stream, receiver) {
    this.root = $(document, "#receiver").content.firstElementChild.cloneNode(true);
    this.root.id = `receiver-${stream}-${receiver.name}`;
    this.samples = [];
    show($(this.root, "h3"), receiver.name);
    this.input = $(this.root, ".limit input");
    $(this.root, ".limit").addEventListener("submit", async event => {
      event.preventDefault();
      const said = $(this.root, ".limit output");
      const limit = Math.round(Number(this.input.value) * 1000);
      const settings = this.settings.mode === "fixed" ? { "target-bitrate": limit }
        : { "max-bitrate": limit, "min-bitrate": Math.min(limit, this.settings["min-bitrate"]) };
      try {
        await call("PATCH", `v1/streams/${stream}/receivers/${receiver.name}`, settings);
        said.textContent = "set";
      } catch (error) { said.textContent = error.message; }
    });
  }

  update(receiver) {
    this.settings = receiver.settings;
    const state = $(this.root, ".state");
    show(state, receiver.state);
    state.className = `state ${receiver.state}`;
    show($(this.root, ".address"), `to ${receiver.settings.address}`);
    give($(this.root, ".reason"), receiver.reason || "");
    const limit = receiver.settings.mode === "fixed" ? receiver.settings["target-bitrate"] : receiver.settings["max-bitrate"];
    if (document.activeElement !== this.input && this.limit !== limit) {
      this.limit = limit;
      this.input.value = limit / 1000;
    }
    const stats = receiver.stats;
    // Of a receiver that says nothing the path's loss and delay are not known: its zeros are no measurement.
    const silence = { none: "no feedback", stopped: "feedback has stopped" }[stats.feedback];
    this.samples.push({
      estimate: receiver.settings.mode === "fixed" ? stats["target-bitrate"] : stats["estimated-bitrate"],
      sent: stats["sent-bitrate"],
      loss: silence ? NaN : stats.loss,
      delay: silence ? NaN : stats["queue-delay"] / 1e9,
    });
    if (this.samples.length > history) this.samples.shift();
    this.draw(".rates", ["estimate", "sent"], 1e4, last => `${bits(last.estimate)}, ${bits(last.sent)}`);
    this.draw(".losses", ["loss"], 0.02, last => last.loss >= 0 ? `${(100 * last.loss).toFixed(1)} %` : silence || "–");
    this.draw(".delays", ["delay"], 0.02, last => last.delay >= 0 ? `${(1000 * last.delay).toFixed(0)} ms` : silence || "–");
  }

  draw(selector, lines, least, words) {
    const svg = $(this.root, selector);
    const values = this.samples.flatMap(sample => lines.map(line => sample[line])).filter(value => value >= 0);
    const top = Math.max(least, ...values) * 1.1;
    for (const line of lines) {
      const points = this.samples.flatMap((sample, index) => sample[line] >= 0
        ? `${(300 * (index + history - this.samples.length) / (history - 1)).toFixed(1)},${(80 - 78 * sample[line] / top).toFixed(1)}` : []);
      $(svg, `polyline.${line}`).setAttribute("points", points.join(" "));
    }
    const text = words(this.samples[this.samples.length - 1]);
    show($(svg.parentElement, "output"), text);
    svg.setAttribute("aria-label", `${lines.join(" and ")} over the last two minutes, now ${text}`);
  }
}

// --- Events -------------------------------------------------------------------------------------------------------

function update(streams) {
  const there = new Set(streams.map(stream => stream.name));
  for (const [name, card] of cards) if (!there.has(name)) { card.root.remove(); cards.delete(name); }
  for (const stream of streams) {
    let card = cards.get(stream.name);
    if (!card) {
      card = new Card(stream.name);
      cards.set(stream.name, card);
      $(document, "#streams").append(card.root);
    }
    card.update(stream);
  }
}

// EventSource cannot send a token, fetch can.
async function listen() {
  const status = $(document, "#connection");
  try {
    const { scope } = await (await call("GET", "v1/info")).json();
    document.body.classList.toggle("read-only", scope !== "write");
    const response = await call("GET", "v1/events");
    show(status, "live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
      const parts = text.split("\n\n");
      text = parts.pop();
      for (const part of parts) {
        const event = /^event: (.*)$/m.exec(part);
        const data = /^data: (.*)$/m.exec(part);
        if (event && data && event[1] === "status") update(JSON.parse(data[1]).streams);
      }
    }
    show(status, "the daemon has gone; trying again…");
  } catch (error) {
    show(status, `${error.message}; trying again…`);
  }
  setTimeout(listen, 2000);
}

listen();
