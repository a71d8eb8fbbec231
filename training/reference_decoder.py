#!/usr/bin/env python3
"""Decode one DeepFGS frame, or any prefix of one:  reference_decoder.py FRAME.dfgs MODEL.safetensors -o OUT.png

A second decoder, written from docs/10-bitstream.md alone and laid out like it: each part names its clause; the model
and its networks are in reference_networks.py. It is there to show that the page is enough, and to check the fast
decoder; it is slow. Everything that the page calls exact is computed in exact integers: clause 7, and the synthesis
(clause 9) of models of format 3. That of formats 1 and 2 is computed in float64. Needs Python 3.9 and numpy.
"""
import argparse
import bisect
import hashlib
import os
import struct
import sys
import zlib

import numpy as np
from reference_networks import IntegerNetworks, Model, anchors, synthesis

MAGIC = b"DFGS"
VERSION = 1
SYMBOL_LIMIT = 2047  # clause 6: largest magnitude of a symbol of y
STATE_LOW, STATE_HIGH = 1 << 23, 1 << 31  # clause 6: x in [2^23, 2^31)


class Rejected(Exception):
    """Clause 11: the bytes are not a frame that this decoder decodes. `reason` is the clause's word for why."""

    def __init__(self, reason, *details):
        super().__init__(" ".join(map(str, (reason, *details))))
        self.reason = reason


# Clause 2: frame header ----------------------------------------------------------------------------------------------


def crc32c(data):
    """CRC-32C, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Header:
    """Clauses 2 and 3; `frame` may be a prefix. The checks come in the order of clause 11."""

    def __init__(self, frame):
        if frame[:4] != MAGIC[: len(frame)]:
            raise Rejected("notAFrame")
        if len(frame) < 8:
            raise Rejected("headerIncomplete", len(frame), 31)
        if frame[4] != VERSION:
            raise Rejected("unsupportedVersion", frame[4])
        self.length = length = int.from_bytes(frame[6:8], "big")
        if length < 31:
            raise Rejected("invalidField", "header_length", length)
        if len(frame) < length:
            raise Rejected("headerIncomplete", len(frame), length)
        if crc32c(frame[: length - 4]) != int.from_bytes(frame[length - 4 : length], "big"):
            raise Rejected("headerDamaged")
        if frame[5] & 0x0F:
            raise Rejected("invalidField", "flags", frame[5])
        self.model = frame[8:16].hex()
        self.width, self.height = struct.unpack(">HH", frame[16:20])
        for name in ("width", "height"):
            if getattr(self, name) == 0:
                raise Rejected("invalidField", name, 0)
        if frame[20] != 0:
            raise Rejected("invalidField", "sample_format", frame[20])
        count, at, end = frame[21], 22, length - 8
        if not 1 <= count <= 64:
            raise Rejected("invalidField", "chunk_count", count)
        self.chunks = []
        for _ in range(count):  # unsigned LEB128 of at most four bytes
            value, shift, more = 0, 0, True
            while more:
                if at >= end or shift == 28:
                    raise Rejected("invalidField", "chunk_length", value)
                value |= (frame[at] & 0x7F) << shift
                more, shift, at = frame[at] & 0x80, shift + 7, at + 1
            self.chunks.append(value)
        self.read_extensions(frame, at, end)
        self.base_checksum = int.from_bytes(frame[end : end + 4], "big")
        self.rows, self.columns = (self.height + 63) // 64 * 4, (self.width + 63) // 64 * 4  # clause 5

    def read_extensions(self, frame, at, end):
        """Clause 3."""
        self.time = self.duration = None
        self.orientation, self.colour = 1, (1, 13, 0, 1)
        self.pixel_aspect_ratio = (1, 1)
        self.steps, self.shifts = (16, 16), (0, 0)  # basic, scalable
        lengths = {1: 8, 2: 4, 3: 1, 4: 4, 5: 4, 0x85: 4}
        while at < end:
            kind = frame[at]
            if end - at < 2 or end - at - 2 < frame[at + 1]:
                raise Rejected("invalidField", "extension_length", kind)
            value = frame[at + 2 : at + 2 + frame[at + 1]]
            at += 2 + len(value)
            if kind not in lengths:
                if kind & 0x80:
                    raise Rejected("invalidField", "extension_type", kind)
                continue
            if len(value) != lengths[kind]:
                raise Rejected("invalidField", "extension_length", len(value))
            if kind == 1:
                self.time = int.from_bytes(value, "big")
            elif kind == 2:
                self.duration = int.from_bytes(value, "big")
            elif kind == 3:
                self.orientation = value[0]
                if not 1 <= self.orientation <= 8:
                    raise Rejected("invalidField", "orientation", self.orientation)
            elif kind == 4:
                self.colour = (value[0], value[1], value[2], value[3] & 1)
            elif kind == 5:
                self.pixel_aspect_ratio = struct.unpack(">HH", value)
                if 0 in self.pixel_aspect_ratio:
                    raise Rejected("invalidField", "pixel_aspect_ratio", int.from_bytes(value, "big"))
            else:
                fields = struct.unpack(">BbBb", value)
                self.steps, self.shifts = fields[0::2], fields[1::2]
                if not all(1 <= s <= 32 for s in self.steps) or not all(-64 <= s <= 64 for s in self.shifts):
                    raise Rejected("invalidField", "quantiser", int.from_bytes(value, "big"))


# Clause 6: entropy coder ---------------------------------------------------------------------------------------------


class SymbolReader:
    """One rANS stream; `read` gives None from the end of its bytes on."""

    def __init__(self, data):
        self.data, self.at = data, 4
        self.x = int.from_bytes(data[:4], "big")
        self.alive = len(data) >= 4 and STATE_LOW <= self.x < STATE_HIGH

    def step(self, low, high):
        """The state after the entry [low, high), renormalised as far as there are bytes."""
        self.x = (high - low) * (self.x >> 16) + (self.x & 0xFFFF) - low
        while self.x < STATE_LOW:
            if self.at == len(self.data):
                self.alive = False
                return
            self.x = self.x << 8 | self.data[self.at]
            self.at += 1

    def raw_bit(self):
        if not self.alive:
            return None
        bit = self.x >> 15 & 1
        self.step(bit << 15, (bit + 1) << 15)
        return bit

    def read(self, table, limit):
        if not self.alive:
            return None
        cumulative, offset = table
        i, n = bisect.bisect_right(cumulative, self.x & 0xFFFF) - 1, len(cumulative) - 2
        self.step(cumulative[i], cumulative[i + 1])
        symbol = i + offset if i < n else self.escape(offset, n)
        if symbol is None or abs(symbol) > limit:
            self.alive = False
            return None
        return symbol

    def escape(self, offset, n):
        below = self.raw_bit()
        k, bit = 0, self.raw_bit()
        while bit == 0:
            k, bit = k + 1, self.raw_bit()
            if k > 12:
                return None
        value = bit
        for _ in range(k):
            bit = self.raw_bit()
            if value is None or bit is None:
                return None
            value = 2 * value + bit
        if below is None or value is None:
            return None
        return offset - value if below else offset + n + value - 1

    def plane(self, tables, limit):
        """Symbols in raster order, one table each; 0 from the first that is not there. Also how many were there."""
        symbols = np.zeros(len(tables), np.int64)
        for i, table in enumerate(tables):
            symbol = self.read(table, limit)
            if symbol is None:
                return symbols, i
            symbols[i] = symbol
        return symbols, len(tables)

    @property
    def as_left_by_encoder(self):
        return self.alive and self.x == STATE_LOW and self.at == len(self.data)


# Clauses 8 and 11: a frame, from bytes to picture --------------------------------------------------------------------


class Frame:
    """The integers of one frame: z, and q, M, s, Y of all channels, each [channel][row][column]."""

    def __init__(self, data, model, pixel_limit=33554432):
        self.header = header = Header(data)
        if header.model != model.identity:
            raise Rejected("otherModel", header.model, model.identity)
        if len(header.chunks) != 1 + len(model.slices) - model.basic:
            raise Rejected("invalidField", "chunk_count", len(header.chunks))
        if header.width * header.height > pixel_limit:
            raise Rejected("tooManyPixels", header.width, header.height, pixel_limit)
        if header.chunks[0] < (header.rows * header.columns + 31) // 32:
            raise Rejected("invalidField", "chunk_length", header.chunks[0])
        base_end = header.length + header.chunks[0]
        if len(data) < base_end:
            raise Rejected("baseIncomplete", len(data), base_end)
        if crc32c(data[header.length : base_end]) != header.base_checksum:
            raise Rejected("baseDamaged")
        whole = sum(header.chunks[1:])
        tail = data[base_end : base_end + whole]

        slices, basic = model.slices, model.basic
        h, w = header.rows, header.columns
        base, scalable = SymbolReader(data[header.length : base_end]), SymbolReader(tail)
        planes = [base.plane([table] * (h // 4 * (w // 4)), model.configuration["z_max"]) for table in model.z_tables]
        self.z = np.concatenate([p[0] for p in planes]).reshape(-1, h // 4, w // 4)
        arrived = sum(p[1] for p in planes)

        networks = IntegerNetworks(model)
        self.phi = networks.features(self.z)
        features, ys, qs, means, scales = [self.phi], [], [], [], []
        self.channels = 0  # of y_s, whose every symbol arrived
        for i in range(len(slices)):
            part = 0 if i < basic else 1
            mean, scale = networks.predict(i, features, ys, header.shifts[part])
            q = np.zeros_like(mean)
            everywhere = np.ones((h, w), bool)
            for at in (anchors(h, w), ~anchors(h, w)) if networks.two_passes(i) else (everywhere,):
                if not at[0, 0]:  # the second pass: every anchor is known
                    known = np.where(at, 0, header.steps[part] * q + mean)
                    again = networks.predict(i, features, ys, header.shifts[part], known)
                    mean, scale = np.where(at, again[0], mean), np.where(at, again[1], scale)
                for channel in range(slices[i]):
                    tables = [model.scale_tables[s] for s in scale[channel][at]]
                    q[channel][at], count = (base, scalable)[part].plane(tables, SYMBOL_LIMIT)
                    arrived += count if i < basic else 0
                    self.channels += i >= basic and count == h * w
            if i == basic - 1 and arrived != self.z.size + sum(slices[:basic]) * h * w:
                raise Rejected("baseDamaged")
            ys.append(header.steps[part] * q + mean)
            qs.append(q), means.append(mean), scales.append(scale)
            if i + 1 < len(slices):
                features.append(networks.context(i, ys[-1]))
        self.q, self.mean, self.scale, self.y = (np.concatenate(a) for a in (qs, means, scales, ys))
        self.tail_damaged = len(tail) == whole and not scalable.as_left_by_encoder

    def integer_hash(self):
        """SHA-256 of z, q, M and s as big-endian int16, one array after the other."""
        digest = hashlib.sha256()
        for array in (self.z, self.q, self.mean, self.scale):
            digest.update(array.astype(">i2").tobytes())
        return digest.hexdigest()

    def picture(self, model):
        """The picture's samples: uint8 [height][width][3]."""
        x = synthesis(model).picture(self.y)[:, : self.header.height, : self.header.width]
        return x.astype(np.uint8).transpose(1, 2, 0)


# The tool ------------------------------------------------------------------------------------------------------------


def png(pixels):
    """A PNG file of uint8 [height][width][3]."""
    height, width, _ = pixels.shape

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(path, data):
    with open(path + ".part", "wb") as file:
        file.write(data)
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description="Decode one DeepFGS frame, or a prefix of one, by the book.")
    parser.add_argument("frame")
    parser.add_argument("model")
    parser.add_argument("-o", "--output", metavar="OUT.png")
    parser.add_argument("--integers", metavar="OUT.npz", help="write z, phi, q, mean, scale and y")
    arguments = parser.parse_args()
    with open(arguments.model, "rb") as file:
        model = Model(file.read())
    with open(arguments.frame, "rb") as file:
        data = file.read()
    try:
        frame = Frame(data, model)
    except Rejected as error:
        sys.exit(f"{arguments.frame}: {error}")
    header = frame.header
    print(f"{header.width}x{header.height}, {len(data)} bytes, {frame.channels} scalable channels, "
          f"integers {frame.integer_hash()}{', tail damaged' if frame.tail_damaged else ''}")
    if arguments.integers:
        with open(arguments.integers + ".part", "wb") as file:
            names = ("z", "phi", "q", "mean", "scale", "y")
            np.savez_compressed(file, **{name: getattr(frame, name) for name in names})
        os.replace(arguments.integers + ".part", arguments.integers)
    if arguments.output:
        write(arguments.output, png(frame.picture(model)))


if __name__ == "__main__":
    main()
