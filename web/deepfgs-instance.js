// An instance of the WebAssembly module: its memory, its threads, and its functions with values of JavaScript.
// Runs in a worker of a page, and in Node for the tests.

const stages = ["convert", "analysis", "analysisScalable", "hyper", "prediction", "coder", "container", "synthesis"];

const threadStack = 256 << 10;
// Pages of 64 KiB: what the module is linked with begins in these, and may grow to these.
const firstPages = 64;
const mostPages = 16384;

const host = {
  seconds: () => performance.now() / 1000,
  random: () => Math.floor(Math.random() * 2 ** 32) | 0,
};

/** Makes a thread of this worker: never returns. */
export function enterThread({ module, memory, stack, number }) {
  const { exports } = new WebAssembly.Instance(module, { host, env: { memory } });
  exports.__stack_pointer.value = stack;
  exports.deepfgs_web_work(number);
}

export class Instance {
  #exports;
  #memory;

  /**
   * @param {WebAssembly.Module} module
   * @param {number} threads More than 1 for the module with shared memory.
   * @param {() => Worker} makeWorker A worker that hands its message to `enterThread`.
   */
  static async make(module, threads, makeWorker) {
    const instance = new Instance();
    const shared = WebAssembly.Module.imports(module).some(({ kind }) => kind === "memory");
    const memory = shared ? new WebAssembly.Memory({ initial: firstPages, maximum: mostPages, shared: true }) : null;
    const { exports } = await WebAssembly.instantiate(module, { host, env: { memory } });
    instance.#exports = exports;
    instance.#memory = memory ?? exports.memory;
    if (shared) {
      exports.deepfgs_web_set_threads(threads - 1);
      for (let number = 1; number < threads; number++) {
        const stack = exports.malloc(threadStack) + threadStack;
        makeWorker().postMessage({ what: "thread", module, memory, stack, number });
      }
    }
    return instance;
  }

  /** Calls `body` with the place of a copy of the bytes. */
  #with(bytes, body) {
    const start = this.#exports.malloc(bytes.length) >>> 0;
    new Uint8Array(this.#memory.buffer, start, bytes.length).set(bytes);
    const failed = body(start, bytes.length);
    this.#exports.free(start);
    return failed;
  }

  #numbers(count) {
    return [...new Uint32Array(this.#memory.buffer, this.#exports.deepfgs_web_numbers() >>> 0, count)];
  }

  #text() {
    const [start, length] = [this.#exports.deepfgs_web_text() >>> 0, this.#exports.deepfgs_web_text_length()];
    // Decoders of text take no shared memory.
    return new TextDecoder().decode(new Uint8Array(this.#memory.buffer, start, length).slice());
  }

  #check(failed) {
    if (failed) throw new Error(this.#text());
  }

  open(model, pixelLimit) {
    this.#check(this.#with(model, (start, count) => this.#exports.deepfgs_web_open(start, count, pixelLimit)));
    return { model: identity(this.#numbers(2)), name: this.#text() };
  }

  decode(frame) {
    this.#check(this.#with(frame, (start, count) => this.#exports.deepfgs_web_decode(start, count)));
    const [width, height, bytes, frameLength, channels, damaged, place] = this.#numbers(7);
    const pixels = new Uint8Array(this.#memory.buffer, place, 4 * width * height).slice().buffer;
    return { width, height, bytes, frameLength, channels, tailDamaged: damaged === 1, pixels };
  }

  /** SHA-256 of a frame's integers, hexadecimal. */
  digest(frame) {
    this.#check(this.#with(frame, (start, count) => this.#exports.deepfgs_web_digest(start, count)));
    return this.#numbers(8).map((word) => word.toString(16).padStart(8, "0")).join("");
  }

  header(frame) {
    this.#check(this.#with(frame, (start, count) => this.#exports.deepfgs_web_header(start, count)));
    const numbers = this.#numbers(13);
    const [width, height, headerLength, baseEnd, frameLength, orientation] = numbers;
    const chunkEnds = this.#numbers(13 + numbers[12]).slice(13);
    const time = numbers[8] ? (numbers[9] * 2 ** 32 + numbers[10]) / 1e9 : null;
    return {
      width, height, headerLength, baseEnd, frameLength, orientation, model: identity(numbers.slice(6)), time,
      duration: numbers[11] / 1e9, chunkEnds,
    };
  }

  scan(stream) {
    let count = 0;
    this.#with(stream, (start, length) => { count = this.#exports.deepfgs_web_scan(start, length); });
    const numbers = this.#numbers(3 * count);
    return Array.from({ length: count }, (_, i) => ({
      offset: numbers[3 * i], size: numbers[3 * i + 1], decodes: numbers[3 * i + 2] === 1,
    }));
  }

  measure(on) {
    this.#exports.deepfgs_web_measure(on ? 1 : 0);
    return {};
  }

  stages() {
    const times = this.#numbers(this.#exports.deepfgs_web_times());
    this.measure(false);
    return Object.fromEntries(stages.map((stage, i) => [stage, times[i] / 1000]));
  }
}

const identity = ([high, low]) => [high, low].map((half) => half.toString(16).padStart(8, "0")).join("");
