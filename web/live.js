/**
 * Plays a stream of deepfgsd as it comes: frames over a WebSocket, cut by the daemon for what the connection carries,
 * decoded here.
 *
 * @module
 */
import { Decoder } from "./deepfgs.js";
import { draw } from "./picture.js";

const headBytes = 24;

/**
 * What a picture that was shown cost.
 *
 * @typedef {object} Shown
 * @property {number} number The frame's number in its stream.
 * @property {number} bytes Bytes of it that were there.
 * @property {number} frameLength Bytes that the daemon has of it.
 * @property {number} latency Milliseconds from the frame's arrival at the daemon to here, by the clocks of both.
 * @property {number} milliseconds What decoding took.
 * @property {ImageData} image The picture.
 */

export class LivePlayer {
  #socket;
  #decoder;
  #closed = false;
  #received = 0;
  /** The newest frame: what has come of it. */ #frame = null;
  #busy = false;
  /** The frame and the bytes of it that were shown last. */ #shown = { number: -1, bytes: 0 };

  /** Called with a `Shown` after each picture. */
  onpicture = () => {};
  /**
   * Called once with a sentence when the player has ended by itself: the connection has ended, or never came about; the
   * model cannot be had; a frame cannot be decoded, or is of another model than those before it; the daemon sends what is
   * no part of a frame. The connection and the decoder end with it.
   */
  onend = () => {};
  /** Bytes that came. */
  get received() { return this.#received; }

  /**
   * Connects and plays.
   *
   * @param {string | URL} url `ws:` or `wss:`, of /v1/streams/NAME/live.
   * @param {HTMLCanvasElement} canvas Receives the pictures.
   * @param {object} options
   * @param {(model: string) => Promise<Uint8Array | string>} options.model Gives the file of a model, by its identity, or
   *   where it is; until it comes nothing is shown.
   * @param {string} [options.token] A bearer token that may read.
   * @param {number} [options.threads] As for `Decoder.open`.
   * @throws {DOMException} where the address is none of a WebSocket.
   */
  constructor(url, canvas, { model, token = "", threads }) {
    this.canvas = canvas;
    this.model = model;
    this.threads = threads;
    const protocols = ["deepfgs-live.1"];
    if (token) protocols.push(`bearer.${base64url(token)}`);
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => this.#take(data);
    let isOpen = false;
    this.#socket.onopen = () => { isOpen = true; };
    this.#socket.onclose = ({ reason }) => this.#end(reason || (isOpen ? "the connection has ended" : "there is no connection to the stream"));
  }

  /** Ends the connection and the decoder. */
  close() {
    this.#closed = true;
    this.#socket.close();
    this.#decoder?.then((decoder) => decoder.close(), () => {});
  }

  #end(reason) {
    if (this.#closed) return;
    this.close();
    this.onend(reason);
  }

  /** A part of a frame: number, offset, length of the whole, flags, time of arrival at the daemon; then its bytes. */
  #take(message) {
    if (!(message instanceof ArrayBuffer) || message.byteLength < headBytes) return this.#end("a message without a head");
    this.#received += message.byteLength;
    const answer = new DataView(new ArrayBuffer(4));
    answer.setUint32(0, this.#received % 2 ** 32);
    this.#socket.send(answer.buffer);
    const head = new DataView(message, 0, headBytes);
    const [number, offset, length, flags] = [0, 4, 8, 12].map((at) => head.getUint32(at));
    if (offset === 0) this.#frame = { number, time: head.getFloat64(16), length, parts: [], bytes: 0, ready: 0 };
    const frame = this.#frame;
    const part = new Uint8Array(message, headBytes);
    if (!frame || frame.number !== number || frame.bytes !== offset || offset + part.length > frame.length) {
      return this.#end("a part that fits no frame");
    }
    frame.parts.push(part);
    frame.bytes += part.length;
    // Nothing more comes for now: what is there is worth showing.
    if (flags & 1) frame.ready = frame.bytes;
    this.#show();
  }

  /** Shows the newest frame as far as it has come; what came while a picture was decoded waits, and the newest wins. */
  async #show() {
    if (this.#busy) return;
    this.#busy = true;
    for (let frame; (frame = this.#worthShowing()) && !this.#closed;) {
      try {
        this.#decoder ??= this.#open(joined(frame.parts, frame.ready));
        const decoder = await this.#decoder;
        // Where the model came slowly, this is another frame.
        frame = this.#worthShowing();
        if (!frame) break;
        const bytes = frame.ready;
        this.#shown = { number: frame.number, bytes };
        const { image, milliseconds } = await decoder.decode(joined(frame.parts, bytes));
        if (this.#closed) break;
        draw(this.canvas, image);
        const latency = Date.now() - frame.time;
        this.onpicture({ number: frame.number, bytes, frameLength: frame.length, latency, milliseconds, image });
      } catch (error) {
        this.#end(error?.message || String(error));
      }
    }
    this.#busy = false;
  }

  #worthShowing() {
    const frame = this.#frame;
    if (!frame?.ready) return null;
    // A little more of the same frame is not worth another picture while the next frame is on its way.
    const more = frame.ready === frame.length ? 1 : 1.25;
    return frame.number !== this.#shown.number || frame.ready >= Math.max(this.#shown.bytes + 1, more * this.#shown.bytes)
      ? frame : null;
  }

  async #open(frame) {
    const identity = [...frame.subarray(8, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const model = await this.model(identity);
    // Whoever closed meanwhile needs no workers.
    if (this.#closed) throw new Error("the player is closed");
    return Decoder.open({ model, threads: this.threads });
  }
}

function joined(parts, count) {
  const bytes = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    if (at + part.length > count) break;
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
