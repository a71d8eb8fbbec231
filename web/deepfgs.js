/**
 * DeepFGS in the browser: decodes frames, or prefixes of frames, to pictures.
 *
 *     import { Decoder } from "./deepfgs.js";
 *     const decoder = await Decoder.open({ model: "live-v2.safetensors" });
 *     const { image } = await decoder.decode(bytes);            // an ImageData
 *
 * Decoding runs in a worker of its own, so that the page never waits for it. Pixels are those of every other decoder of
 * the format, bit for bit.
 *
 * @module
 */

/**
 * What a frame's header says.
 *
 * @typedef {object} Header
 * @property {number} width Pixels across.
 * @property {number} height Pixels down.
 * @property {number} headerLength Bytes of the header.
 * @property {number} baseEnd Bytes of header and base: the shortest prefix that decodes.
 * @property {number} frameLength Bytes of the whole frame.
 * @property {number} orientation 1 to 8 as in Exif: how the picture is to be turned for showing.
 * @property {string} model Identity of the model, 16 hexadecimal digits.
 * @property {?number} time Presentation time in seconds; null where the header has none.
 * @property {number} duration Seconds that the picture is shown for; 0 where the header does not say.
 * @property {number[]} chunkEnds Where each chunk ends, bytes from the start of the frame; the first is `baseEnd`.
 */

/**
 * A decoded frame.
 *
 * @typedef {object} Decoded
 * @property {ImageData} image The picture, sRGB as it was coded; not yet turned by `orientation`.
 * @property {number} bytes Bytes of the frame that were there.
 * @property {number} frameLength Bytes of the whole frame.
 * @property {number} channels Channels of the scalable part that are whole.
 * @property {boolean} tailDamaged The scalable part is whole but not as its encoder left it.
 * @property {number} milliseconds What decoding took in the worker.
 */

/**
 * Where a frame lies in a stream.
 *
 * @typedef {object} Place
 * @property {number} offset Its first byte.
 * @property {number} size Bytes of it that are there.
 * @property {boolean} decodes Whether its base is whole, so that it gives a picture.
 */

/**
 * What a decoder is made with.
 *
 * @typedef {object} Options
 * @property {string | URL | ArrayBuffer | Uint8Array} model The model file, or where it is; a file's bytes may be used by
 *   any number of decoders.
 * @property {number} [threads] Threads that decode a picture, 1 or more: 1 for a module without shared memory; by default
 *   as many as there are processors, at most 8, where the page is cross-origin isolated, and 1 elsewhere.
 * @property {number} [pixelLimit] Pictures with more pixels are refused; 8 388 608 by default, 1 or more, at most 2²⁸ of
 *   which count. A picture of 8 388 608 needs about 1 GiB, which is all that a module gets.
 * @property {string | URL} [base] Where the modules and the worker are; by default where this file is.
 */

/** Why bytes could not be decoded, or a model not be used. */
export class DeepFGSError extends Error {
  name = "DeepFGSError";
}

const mostThreads = 8;
const mostPixels = 2 ** 28;
/** Longer streams are searched by a worker of their own. */
const longSearch = 4 << 20;

/** A worker of deepfgs-worker.js, and who waits for its answers. */
class Remote {
  /** @type {Worker} */ #worker;
  /** @type {Map<number, {resolve: Function, reject: Function}>} */ #waiting = new Map();
  #next = 1;
  /** Why there is no worker any more. */ #ended = "";

  /** Called when the worker is lost, not when it was ended. */
  onlost = () => {};

  /** @param {string} script Where deepfgs-worker.js is. */
  constructor(script) {
    this.#worker = new Worker(script, { type: "module", name: "DeepFGS" });
    this.#worker.onmessage = ({ data }) => this.#answered(data);
    this.#worker.onmessageerror = () => this.#failed("an answer of the decoder's worker cannot be read");
    this.#worker.onerror = (event) => this.#failed(event.message || "the decoder's worker cannot be loaded");
  }

  /**
   * Asks for one of the worker's answers, which come in the order of the calls.
   *
   * @param {object} request
   * @param {ArrayBuffer[]} [transfer] What moves to the worker.
   * @returns {Promise<any>}
   */
  ask(request, transfer = []) {
    if (this.#ended) return Promise.reject(new DeepFGSError(this.#ended));
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...request }, transfer);
    });
  }

  /** Ends the worker and its threads; what waits fails for this reason, and what is asked later. */
  end(reason) {
    if (this.#ended) return;
    this.#ended = reason;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new DeepFGSError(reason));
    this.#waiting.clear();
  }

  #answered({ id, error, trapped, ...result }) {
    const waiting = this.#waiting.get(id);
    if (trapped) return this.#failed(error);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new DeepFGSError(error));
    else waiting?.resolve(result);
  }

  #failed(reason) {
    if (this.#ended) return;
    this.end(reason);
    this.onlost();
  }
}

/** Decodes frames of one model. */
export class Decoder {
  /**
   * Bytes that `frames` takes at most, 768 MiB: a module has 1 GiB, and the list of the frames needs room, too.
   */
  static streamLimit = 768 << 20;

  /** @type {Remote} The worker that decodes. */ #remote;
  /** @type {Set<Remote>} Workers that search. */ #searching = new Set();
  /** @type {object} What a worker begins with. */ #setup;

  /** The identity of the model, 16 hexadecimal digits. */
  model = "";
  /** The model's name. */
  modelName = "";
  /** Threads that decode a picture. */
  threads = 1;
  /** How often the worker had to be made again, after a trap or for want of memory. */
  restarts = 0;

  /**
   * Loads the module and a model, and makes a decoder of them. Where that fails, no worker is left.
   *
   * @param {Options} options
   * @returns {Promise<Decoder>}
   * @throws {DeepFGSError} where the model is none that this decoder has the networks for, or an option is out of its
   *   range; TypeError or DeepFGSError where a file cannot be loaded.
   */
  static async open(options) {
    const decoder = new Decoder();
    const base = new URL(options.base ?? ".", import.meta.url);
    const isolated = globalThis.crossOriginIsolated === true;
    const threads = upTo(mostThreads, "threads", options.threads ?? navigator.hardwareConcurrency ?? 1);
    const pixelLimit = upTo(mostPixels, "pixelLimit", options.pixelLimit ?? 1 << 23);
    const shared = isolated && threads > 1;
    const [module, model] = await Promise.all([
      compiled(new URL(shared ? "deepfgs-threads.wasm" : "deepfgs.wasm", base)),
      bytesOf(options.model),
    ]);
    decoder.threads = shared ? threads : 1;
    const script = new URL("deepfgs-worker.js", base).href;
    decoder.#setup = { script, module, model, threads: decoder.threads, pixelLimit };
    await decoder.#start();
    return decoder;
  }

  /** Makes the worker that decodes. */
  async #start() {
    const { script, ...setup } = this.#setup;
    const remote = new Remote(script);
    this.#remote = remote;
    try {
      const { model, name } = await remote.ask({ what: "open", ...setup });
      this.model = model;
      this.modelName = name;
    } catch (error) {
      remote.end(error.message);
      throw error;
    }
    // Another one takes its place: only now, since a worker that never opened would not open the second time.
    remote.onlost = () => {
      this.restarts += 1;
      // Whoever asks next is told.
      this.#start().catch(() => {});
    };
  }

  /**
   * Decodes a frame or a prefix of one. Frames are decoded in the order of the calls.
   *
   * @param {ArrayBuffer | Uint8Array} frame The bytes; those behind the frame's declared end are ignored.
   * @param {number} [bytes] How many of them, from the first on: a whole number, 0 or more; all by default, and where there
   *   are fewer.
   * @returns {Promise<Decoded>}
   * @throws {DeepFGSError} which says what is wrong with the bytes, or with their number.
   */
  async decode(frame, bytes) {
    const part = copied(frame, bytes);
    const { width, height, pixels, ...rest } = await this.#remote.ask({ what: "decode", frame: part }, [part.buffer]);
    return { image: new ImageData(new Uint8ClampedArray(pixels), width, height), ...rest };
  }

  /**
   * Reads the header of a frame.
   *
   * @param {ArrayBuffer | Uint8Array} frame A frame or the beginning of one.
   * @returns {Promise<Header>}
   * @throws {DeepFGSError}
   */
  async header(frame) {
    const part = copied(frame, 65535);
    return (await this.#remote.ask({ what: "header", frame: part }, [part.buffer])).header;
  }

  /**
   * Finds the frames of a stream: a file of frames one after another, whole or cut. Pictures decode while a long one is
   * searched.
   *
   * @param {ArrayBuffer | Uint8Array} stream At most `Decoder.streamLimit` bytes.
   * @param {object} [options]
   * @param {AbortSignal} [options.signal] Gives the search up; the promise is rejected with the signal's reason.
   * @returns {Promise<Place[]>} In order; none where there is none.
   * @throws {DeepFGSError} where there is not enough memory.
   */
  async frames(stream, { signal } = {}) {
    signal?.throwIfAborted();
    const part = copied(stream);
    const request = { what: "scan", stream: part };
    if (part.length <= longSearch) {
      const { places } = await this.#remote.ask(request, [part.buffer]);
      signal?.throwIfAborted();
      return places;
    }
    const { script, module } = this.#setup;
    const remote = new Remote(script);
    const giveUp = () => remote.end("the search was given up");
    this.#searching.add(remote);
    signal?.addEventListener("abort", giveUp);
    try {
      const opened = remote.ask({ what: "open", module, threads: 1 });
      const [, { places }] = await Promise.all([opened, remote.ask(request, [part.buffer])]);
      return places;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
      this.#searching.delete(remote);
      // Its memory would never become less.
      remote.end("the search has ended");
    }
  }

  /**
   * Decodes the frames of a stream one after another.
   *
   * @param {ArrayBuffer | Uint8Array} stream
   * @returns {AsyncGenerator<Decoded & Place>} Frames that give no picture are left out.
   */
  async *play(stream) {
    const bytes = viewOf(stream);
    for (const place of await this.frames(bytes)) {
      if (!place.decodes) continue;
      const picture = await this.decode(bytes.subarray(place.offset, place.offset + place.size)).catch((error) => {
        if (error instanceof DeepFGSError) return null;
        throw error;
      });
      if (picture) yield { ...picture, ...place };
    }
  }

  /**
   * Measures what the stages of decoding take from now on, or says what they took and ends it.
   *
   * @param {boolean} on
   * @returns {Promise<Record<string, number>>} Milliseconds by stage, where it ends.
   */
  async measure(on) {
    return (await this.#remote.ask({ what: "measure", on })).stages;
  }

  /** Ends the workers; calls that wait fail. */
  close() {
    for (const remote of [this.#remote, ...this.#searching]) remote.end("the decoder is closed");
  }
}

/**
 * Peak signal-to-noise ratio of two pictures of the same size over red, green and blue.
 *
 * @param {ImageData} first
 * @param {ImageData} second
 * @returns {number} Decibels; Infinity where they are the same.
 */
export function psnr(first, second) {
  const [a, b] = [first.data, second.data];
  if (first.width !== second.width || first.height !== second.height) throw new RangeError("pictures of two sizes");
  let sum = 0;
  for (let i = 0; i < a.length; i += 4) {
    const [red, green, blue] = [a[i] - b[i], a[i + 1] - b[i + 1], a[i + 2] - b[i + 2]];
    sum += red * red + green * green + blue * blue;
  }
  return sum === 0 ? Infinity : 10 * Math.log10((255 * 255 * 3 * a.length) / 4 / sum);
}

/** @returns {Uint8Array} */
function viewOf(bytes) {
  if (bytes instanceof Uint8Array) return bytes;
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes instanceof ArrayBuffer || (typeof SharedArrayBuffer === "function" && bytes instanceof SharedArrayBuffer)) {
    return new Uint8Array(bytes);
  }
  throw new DeepFGSError("bytes are an ArrayBuffer or a Uint8Array");
}

/** A copy of the first bytes, which may move to a worker. */
function copied(bytes, count = Infinity) {
  if (!(Number.isInteger(count) || count === Infinity) || count < 0) {
    throw new DeepFGSError(`a number of bytes is a whole number, 0 or more, not ${String(count)}`);
  }
  const view = viewOf(bytes);
  const length = Math.min(count, view.length);
  if (length > Decoder.streamLimit) {
    throw new DeepFGSError(`${megabytes(length)} are more than a decoder in a browser takes: at most ${megabytes(Decoder.streamLimit)}`);
  }
  try {
    return view.slice(0, length);
  } catch (error) {
    throw new DeepFGSError(`not enough memory for ${megabytes(length)}: ${error.message}`);
  }
}

/** A number of bytes in words. */
export const megabytes = (bytes) => `${Math.ceil(bytes / 1e6).toLocaleString("en")} MB`;

/** A number of at least 1 as a whole one, as far as it counts. */
function upTo(most, name, value) {
  if (typeof value !== "number" || !(value >= 1)) throw new DeepFGSError(`${name} is a number, 1 or more, not ${String(value)}`);
  return Math.floor(Math.min(most, value));
}

async function loaded(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new DeepFGSError(`${url}: ${answer.status} ${answer.statusText}`);
  return answer;
}

/** A module, whatever type the host gives it. */
async function compiled(url) {
  const answer = await loaded(url);
  return answer.headers.get("Content-Type") === "application/wasm"
    ? WebAssembly.compileStreaming(answer)
    : WebAssembly.compile(await answer.arrayBuffer());
}

async function bytesOf(model) {
  if (model instanceof Uint8Array || model instanceof ArrayBuffer) return viewOf(model);
  return new Uint8Array(await (await loaded(model)).arrayBuffer());
}
