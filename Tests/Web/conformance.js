// What every build of the decoder for the browser must do, in Node and in a page: the golden streams' digests, and an
// error, never a trap, for any bytes.

/** Lines of a table without comments, divided into fields. */
const rows = (text) => text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split("\t"));

export const hexadecimal = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C. */
function checksum(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = crcTable[(value ^ byte) & 255] ^ (value >>> 8);
  return ~value >>> 0;
}

/** Makes any bytes a frame of a model, as BitstreamProbe.repair does: what a fuzzer cannot guess is put right. */
function repair(frame, model) {
  if (frame.length < 31) return frame;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const length = Math.min(Math.max(view.getUint16(6), 31), frame.length);
  view.setUint32(0, 0x44464753);
  view.setUint8(4, 1);
  view.setUint16(6, length);
  view.setBigUint64(8, BigInt(`0x${model}`));
  const repairHeader = () => view.setUint32(length - 4, checksum(frame.subarray(0, length - 4)));
  repairHeader();
  let at = 22, base = 0;
  for (let shift = 0; at < length - 8 && shift < 28; shift += 7) {
    base |= (frame[at] & 127) << shift;
    if (!(frame[at++] & 128)) break;
  }
  if (length + base <= frame.length) {
    view.setUint32(length - 8, checksum(frame.subarray(length, length + base)));
    repairHeader();
  }
  return frame;
}

/** A frame of a size, of a model of eight scalable slices, with as many bytes of base, all zero. */
export function frameOf(model, width, height, base) {
  const frame = new Uint8Array(42 + base);
  const view = new DataView(frame.buffer);
  view.setUint16(6, 42);
  view.setUint16(16, width);
  view.setUint16(18, height);
  view.setUint8(21, 9);
  for (let place = 0; place < 4; place++) view.setUint8(22 + place, ((base >> (7 * place)) & 127) | (place < 3 ? 128 : 0));
  return repair(frame, model);
}

/**
 * Runs everything.
 *
 * @param {object} host
 * @param {(path: string) => Promise<Uint8Array>} host.file A file of the repository.
 * @param {(path: string) => Promise<string[]>} host.folder The names of a folder's files.
 * @param {(model: Uint8Array, pixelLimit: number) => Promise<object>} host.open A decoder with `decode`, `scan`, `header`,
 *   `model`, `close`, and `digest` where it has one; each may give a promise.
 * @param {(error: Error) => boolean} host.isRefusal Whether an error is a word of the decoder, not a trap.
 * @returns {Promise<string[]>} What is wrong.
 */
export async function conform(host) {
  const problems = [];
  const fixtures = "Tests/Fixtures";
  const text = async (path) => new TextDecoder().decode(await host.file(path));
  const live = await host.open(await host.file("models/live-v2.safetensors"), 1 << 23);
  const tiny = await host.open(await host.file(`${fixtures}/tiny-integers.safetensors`), 1 << 23);
  const perceptual = await host.open(await host.file("models/live-ms-v1.safetensors"), 1 << 16);
  const decoders = new Map([live, tiny, perceptual].map((decoder) => [decoder.model, decoder]));

  // Golden streams of models of integers: the same integers, the same pixels.
  let checked = 0;
  for (const [name, length, width, height, channels, tail, digest, picture] of rows(await text(`${fixtures}/golden/golden.tsv`))) {
    const frame = (await host.file(`${fixtures}/golden/${name}`)).slice(0, Number(length));
    const header = await live.header(frame);
    const decoder = decoders.get(header.model);
    if (!decoder) continue;
    const where = `${name}, ${length} bytes`;
    const decoded = await decoder.decode(frame);
    const pixels = new Uint8Array(decoded.pixels).filter((_, index) => index % 4 < 3);
    const found = hexadecimal(await crypto.subtle.digest("SHA-256", pixels));
    if (found !== picture) problems.push(`${where}: pixels ${found}`);
    if (decoder.digest && (await decoder.digest(frame)) !== digest) problems.push(`${where}: integers`);
    if (decoded.width !== Number(width) || decoded.height !== Number(height)) problems.push(`${where}: size`);
    if (decoded.channels !== Number(channels)) problems.push(`${where}: ${decoded.channels} channels`);
    if (decoded.tailDamaged !== (tail === "damaged")) problems.push(`${where}: its tail`);
    checked += 1;
  }
  if (checked < 15) problems.push(`only ${checked} golden streams`);

  /** Runs something that may be refused, and must not trap. */
  const refused = async (where, body) => {
    try {
      await body();
      return false;
    } catch (error) {
      if (!host.isRefusal(error)) problems.push(`${where}: ${error.message}`);
      return true;
    }
  };

  for (const [name] of rows(await text(`${fixtures}/bad/bad.tsv`))) {
    const frame = await host.file(`${fixtures}/bad/${name}`);
    if (!(await refused(name, () => live.decode(frame)))) problems.push(`${name}: is decoded`);
  }

  // The corpora of the fuzz targets, and every input that once broke something.
  const small = await host.open(await host.file(`${fixtures}/tiny-integers.safetensors`), 64 * 64);
  let replayed = 0;
  for (const corpus of ["decoder", "frame", "sequence", "parser"]) {
    for (const name of await host.folder(`${fixtures}/fuzz/${corpus}`)) {
      const bytes = await host.file(`${fixtures}/fuzz/${corpus}/${name}`);
      const where = `${corpus}/${name}`;
      await refused(where, () => small.header(bytes));
      await refused(where, () => small.decode(bytes));
      await refused(where, () => small.decode(repair(bytes.slice(), small.model)));
      for (const { offset, size } of await small.scan(bytes)) {
        if (offset + size > bytes.length) problems.push(`${where}: a frame outside the bytes`);
      }
      replayed += 1;
    }
  }
  const file = await host.file(`${fixtures}/tiny-integers.safetensors`);
  for (const name of await host.folder(`${fixtures}/fuzz/model`)) {
    const bytes = await host.file(`${fixtures}/fuzz/model/${name}`);
    await refused(`model/${name}`, async () => (await host.open(bytes, 4096)).close());
    replayed += 1;
  }
  for (const name of await host.folder(`${fixtures}/fuzz/weights`)) {
    const changes = await host.file(`${fixtures}/fuzz/weights/${name}`);
    const changed = file.slice();
    for (let at = 0; at + 3 < changes.length; at += 4) {
      const place = ((changes[at] << 8) | changes[at + 1]) % file.length;
      changed.set(changes.subarray(at + 2, Math.min(at + 4, at + 2 + file.length - place)), place);
    }
    await refused(`weights/${name}`, async () => {
      const decoder = await host.open(changed, 4096);
      const frame = await host.file(`${fixtures}/golden/integers-tiny-one.dfgs`);
      await refused(`weights/${name}, a frame`, () => decoder.decode(repair(frame.slice(), decoder.model)));
      decoder.close();
    });
    replayed += 1;
  }
  if (replayed < 400) problems.push(`only ${replayed} inputs of the corpora`);

  // Sizes whose products are more than a machine of 32 bits can count.
  for (const [width, height] of [[65535, 65535], [65535, 32769], [46341, 46341]]) {
    if (!(await refused(`${width} times ${height} pixels`, () => live.decode(frameOf(live.model, width, height, 4))))) {
      problems.push(`${width} times ${height} pixels are decoded`);
    }
  }
  for (const decoder of [live, tiny, perceptual, small]) decoder.close();
  return { problems, checked, replayed };
}
