// The worker behind deepfgs.js: holds the instance of the module, and on its threads nothing but their part of a picture.
import { Instance, enterThread } from "./deepfgs-instance.js";

/** @type {Instance} */
let instance;

const answers = {
  async open({ module, model, threads, pixelLimit }) {
    instance = await Instance.make(module, threads, () => new Worker(import.meta.url, { type: "module", name: "DeepFGS thread" }));
    // Who only searches streams has no model.
    return model ? instance.open(model, pixelLimit) : {};
  },
  decode({ frame }) {
    const start = performance.now();
    const decoded = instance.decode(frame);
    return { ...decoded, milliseconds: performance.now() - start };
  },
  header: ({ frame }) => ({ header: instance.header(frame) }),
  scan: ({ stream }) => ({ places: instance.scan(stream) }),
  measure: ({ on }) => ({ stages: on ? instance.measure(true) : instance.stages() }),
};

// One after another: a request that waits for another one's end finds the instance at rest.
let turn = Promise.resolve();

onmessage = ({ data }) => {
  if (data.what === "thread") return enterThread(data);
  const { id, what, ...request } = data;
  turn = turn.then(async () => {
    try {
      const result = await answers[what](request);
      postMessage({ id, ...result }, result.pixels ? [result.pixels] : []);
    } catch (error) {
      // A trap leaves the instance in a state that nobody knows.
      const trapped = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
      postMessage({ id, error: trapped ? `the decoder ended: ${error.message}` : error.message, trapped });
    }
  });
};
