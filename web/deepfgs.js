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
 * @property {number} [threads] Threads that decode a picture: 1 for a module without shared memory; by default as many as
 *   there are processors, at most 8, where the page is cross-origin isolated, and 1 elsewhere.
 * @property {number} [pixelLimit] Pictures with more pixels are refused; 8 388 608 by default. A picture of so many needs
 *   about 1 GiB.
 * @property {string | URL} [base] Where the modules and the worker are; by default where this file is.
 */

/** Why bytes could not be decoded, or a model not be used. */
export class DeepFGSError extends Error {
  name = "DeepFGSError";
}

const mostThreads = 8;

/** Decodes frames of one model. */
export class Decoder {
  /** @type {Worker} */ #worker;
  /** @type {object} What a worker begins with. */ #setup;
  /** @type {Map<number, {resolve: Function, reject: Function, request: object}>} */ #waiting = new Map();
  #next = 1;
  #closed = false;

  /** The identity of the model, 16 hexadecimal digits. */
  model = "";
  /** The model's name. */
  modelName = "";
  /** Threads that decode a picture. */
  threads = 1;
  /** How often the worker had to be made again, after a trap or for want of memory. */
  restarts = 0;

  /**
   * Loads the module and a model, and makes a decoder of them.
   *
   * @param {Options} options
   * @returns {Promise<Decoder>}
   * @throws {DeepFGSError} where the model is none that this decoder has the networks for; TypeError or DeepFGSError where
   *   a file cannot be loaded.
   */
  static async open(options) {
    const decoder = new Decoder();
    const base = new URL(options.base ?? ".", import.meta.url);
    const isolated = globalThis.crossOriginIsolated === true;
    const threads = Math.max(1, Math.min(mostThreads, options.threads ?? navigator.hardwareConcurrency ?? 1));
    const shared = isolated && threads > 1;
    const [module, model] = await Promise.all([
      compiled(new URL(shared ? "deepfgs-threads.wasm" : "deepfgs.wasm", base)),
      bytesOf(options.model),
    ]);
    decoder.threads = shared ? threads : 1;
    decoder.#setup = {
      module, model, threads: decoder.threads, pixelLimit: options.pixelLimit ?? 1 << 23,
      script: new URL("deepfgs-worker.js", base).href,
    };
    await decoder.#start();
    return decoder;
  }

  /** Makes the worker. */
  async #start() {
    this.#worker = new Worker(this.#setup.script, { type: "module", name: "DeepFGS" });
    this.#worker.onmessage = ({ data }) => this.#answered(data);
    this.#worker.onerror = (event) => this.#failed(event.message || "the decoder's worker cannot be loaded");
    const { model, name } = await this.#ask({ what: "open", ...this.#setup });
    this.model = model;
    this.modelName = name;
  }

  /** @returns {Promise<any>} */
  #ask(request, transfer = []) {
    if (this.#closed) return Promise.reject(new DeepFGSError("the decoder is closed"));
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...request }, transfer);
    });
  }

  #answered({ id, error, trapped, ...result }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (trapped) this.#failed(error);
    if (error) waiting?.reject(new DeepFGSError(error));
    else waiting?.resolve(result);
  }

  /** The worker is lost: what waits for it fails, and another one takes its place. */
  #failed(reason) {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new DeepFGSError(reason));
    this.#waiting.clear();
    // A worker that never opened would not open the second time.
    if (this.#closed || !this.model) return;
    this.restarts += 1;
    this.#start().catch(() => {});
  }

  /**
   * Decodes a frame or a prefix of one. Frames are decoded in the order of the calls.
   *
   * @param {ArrayBuffer | Uint8Array} frame The bytes; those behind the frame's declared end are ignored.
   * @param {number} [bytes] How many of them, from the first on; all by default.
   * @returns {Promise<Decoded>}
   * @throws {DeepFGSError} which says what is wrong with the bytes.
   */
  async decode(frame, bytes) {
    const part = viewOf(frame).slice(0, bytes);
    const { width, height, pixels, ...rest } = await this.#ask({ what: "decode", frame: part }, [part.buffer]);
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
    const part = viewOf(frame).slice(0, 65535);
    return (await this.#ask({ what: "header", frame: part }, [part.buffer])).header;
  }

  /**
   * Finds the frames of a stream: a file of frames one after another, whole or cut.
   *
   * @param {ArrayBuffer | Uint8Array} stream
   * @returns {Promise<Place[]>} In order; none where there is none.
   * @throws {DeepFGSError} where there is not enough memory.
   */
  async frames(stream) {
    return (await this.#ask({ what: "scan", stream: viewOf(stream).slice() })).places;
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
    return (await this.#ask({ what: "measure", on })).stages;
  }

  /** Ends the worker; calls that wait fail. */
  close() {
    this.#closed = true;
    this.#failed("the decoder is closed");
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
  return bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
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
