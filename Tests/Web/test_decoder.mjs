// The decoder of the browser in Node: make wasm, then node Tests/Web/test_decoder.mjs [module].
import { webcrypto } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { Instance } from "../../web/deepfgs-instance.js";
import { conform } from "./conformance.js";

// Debian 12's Node has it under this name alone.
globalThis.crypto ??= webcrypto;

const root = new URL("../../", import.meta.url);
const module = await WebAssembly.compile(await readFile(process.argv[2] ?? new URL("web/deepfgs.wasm", root)));

const result = await conform({
  file: async (path) => new Uint8Array(await readFile(new URL(path, root))),
  folder: async (path) => (await readdir(new URL(path, root))).sort(),
  open: async (model, pixelLimit) => {
    const instance = await Instance.make(module, 1);
    const { model: identity } = instance.open(model, pixelLimit);
    return {
      model: identity, close() {}, decode: (frame) => instance.decode(frame), header: (frame) => instance.header(frame),
      digest: (frame) => instance.digest(frame), scan: (stream) => instance.scan(stream),
    };
  },
  isRefusal: (error) => !(error instanceof WebAssembly.RuntimeError || error instanceof RangeError),
});
for (const problem of result.problems) console.error(problem);
if (result.problems.length) process.exit(1);
console.log(`decoder in Node: ${result.checked} golden streams and prefixes, ${result.replayed} inputs of the corpora: good`);
