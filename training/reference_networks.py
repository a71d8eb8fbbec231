"""The networks of the second decoder (reference_decoder.py), written from docs/10-bitstream.md and laid out like it."""
import hashlib
import json

import numpy as np


# Clauses 4 and 10: model ---------------------------------------------------------------------------------------------

DTYPES = {"F16": "<f2", "F32": "<f4", "I8": "i1", "I16": "<i2", "I32": "<i4", "U8": "u1"}


def read_safetensors(data):
    """The metadata and the tensors by name of a safetensors file."""
    n = int.from_bytes(data[:8], "little")
    index = json.loads(data[8 : 8 + n])
    metadata, tensors = index.pop("__metadata__", {}), {}
    for name, entry in index.items():
        start, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + n + start : 8 + n + end], DTYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return metadata, tensors


class Model:
    """Configuration, weights and coding tables."""

    def __init__(self, data):
        self.identity = hashlib.sha256(data).hexdigest()[:16]
        metadata, self.tensors = read_safetensors(data)
        self.configuration = c = json.loads(metadata["deepfgs"])
        if c["format"] not in (1, 2, 3) or c["mean_fraction_bits"] != 4 or c["linear_fraction_bits"] != 8:
            raise ValueError("a model file of another format")
        self.slices, self.basic, self.z_channels = c["slices"], c["basic_slices"], c["z_channels"]
        self.scale_tables = self.coding_tables("scale", c["scale_levels"])
        self.z_tables = self.coding_tables("z", self.z_channels)

    def coding_tables(self, kind, count):
        """`count` pairs of cumulative frequencies and the symbol of the first entry."""
        offsets = self.tensors[f"cdf.{kind}.offset"].tolist()
        return [(self.tensors[f"cdf.{kind}.{i}"].tolist(), offsets[i]) for i in range(count)]


# Clause 7: integer networks ------------------------------------------------------------------------------------------


def convolution(x, weight, bias, dtype):
    """Cross-correlation with zero padding that keeps the size; float64 sums of products of integers are exact here."""
    x, weight = x.astype(dtype), weight.astype(dtype)
    _, h, w = x.shape
    k = weight.shape[2]
    p = np.pad(x, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    depthwise = weight.shape[1] == 1 and weight.shape[0] == x.shape[0] and x.shape[0] > 1
    out = np.zeros((weight.shape[0], h, w), dtype)
    for dy in range(k):
        for dx in range(k):
            window = p[:, dy : dy + h, dx : dx + w]
            if depthwise:
                out += weight[:, 0, dy, dx, None, None] * window
            else:
                out += (weight[:, :, dy, dx] @ window.reshape(len(x), -1)).reshape(out.shape)
    return out if bias is None else out + bias.astype(dtype)[:, None, None]


def product(x, factors):
    """rint(x · factor of the channel): one product in binary32, rounded to the nearest even integer."""
    return np.rint(x.astype(np.float32) * factors[:, None, None]).astype(np.float64)


def pixel_shuffle(x, r):
    c, h, w = x.shape
    return x.reshape(c // r**2, r, r, h, w).transpose(0, 3, 1, 4, 2).reshape(c // r**2, h * r, w * r)


def anchors(h, w):
    """[h][w] of true where row + column is even: clause 7, two passes."""
    return np.add.outer(np.arange(h), np.arange(w)) % 2 == 0


class IntegerNetworks:
    """Everything from z to the scale indices."""

    def __init__(self, model):
        self.t, self.c = model.tensors, model.configuration

    def scaled(self, name, x):
        """clamp(rint(acc · m), ±2²¹): the accumulator is an exact float32, and the product is one in binary32."""
        acc = convolution(x, self.t[name + ".weight"], self.t[name + ".bias"], np.float64)
        return np.clip(product(acc, self.t[name + ".mult"]), -(2**21), 2**21)

    def act(self, name, x):
        return np.clip(self.scaled(name, x), 0, self.c["activation_max"]).astype(np.int64)

    def features(self, z):
        a = pixel_shuffle(self.act("hyp.2", self.act("hyp.0", z)), 2)
        return pixel_shuffle(self.act("hyp.6", self.act("hyp.4", a)), 2)

    def two_passes(self, i):
        """Clause 7, two passes: whether the anchors of slice i are coded before its other positions."""
        return self.c["format"] >= 2 and i < self.c["basic_slices"]

    def predict(self, i, features, earlier, shift, anchors=None):
        """M and s of slice i from [Φ, C_0 … C_(i−1)] and Y_0 … Y_(i−1); in a second pass from Y of its anchors too."""
        n, levels = self.c["slices"][i], self.c["scale_levels"]
        if anchors is not None:
            features = features + [self.context(i, anchors, "chk")]
        elif self.two_passes(i):
            features = features + [np.zeros((self.c["context_channels"],) + features[0].shape[1:], np.int64)]
        o = self.scaled(f"e2.{i}", self.act(f"e1.{i}", np.concatenate(features)))
        mean, scale = o[:n].astype(np.int64), o[n:]
        s = np.clip(np.clip(scale, 0, levels - 1) + shift, 0, levels - 1).astype(np.int64)
        if i > 0:
            total = convolution(np.concatenate(earlier), self.t[f"lin.{i}.weight"], None, np.float64).astype(np.int64)
            mean = mean + ((total + 128) >> 8)
        return np.clip(mean, -self.c["mean_max"], self.c["mean_max"]), s

    def context(self, i, y, part="ctx"):
        limit, shift = self.c["context_max"], self.c.get("context_shift", 2)
        return self.act(f"{part}.{i}", np.clip((y + (1 << shift >> 1)) >> shift, -limit, limit))


# Clause 9: synthesis -------------------------------------------------------------------------------------------------


def synthesis(model):
    """FFM and g_s as the model's format computes them: `picture` maps Y to samples [3][H′][W′] of 0 to 255."""
    return IntegerSynthesis(model) if model.configuration["format"] == 3 else FloatSynthesis(model)


class FloatSynthesis:
    """Formats 1 and 2, in float64."""

    def __init__(self, model):
        self.t, self.c = model.tensors, model.configuration

    def conv(self, name, x):
        return convolution(x, self.t[name + ".weight"], self.t[name + ".bias"], np.float64)

    def leaky(self, x):
        return np.where(x < 0, x * self.c["leaky_slope"], x)

    def block(self, name, x):
        x = x + self.conv(name + ".p2", self.conv(name + ".d", self.leaky(self.conv(name + ".p1", x))))
        return x + self.conv(name + ".f2", self.leaky(self.conv(name + ".f1", x)))

    def up(self, name, x):
        return pixel_shuffle(self.conv(name, x), 2)

    def picture(self, y):
        x = layers_of_synthesis(self, self.conv("ffm.0", y / 16))
        return np.rint(255 * np.clip(pixel_shuffle(self.conv(last_layer(self.c), x), 4) + 0.5, 0, 1))


class IntegerSynthesis:
    """Format 3, in exact integers: every machine gives the same samples."""

    def __init__(self, model):
        self.t, self.c = model.tensors, model.configuration
        self.stream = self.c["stream_max"]

    def layer(self, name, x, low, high):
        """clamp(rint(acc · m)); what enters from a stream or latents is clamp(rint(x · enter), ±127) first."""
        if name + ".enter" in self.t:
            x = np.clip(product(x, self.t[name + ".enter"]), -127, 127)
        acc = convolution(x, self.t[name + ".weight"], self.t[name + ".bias"], np.float64)
        return np.clip(product(acc, self.t[name + ".mult"]), low, high)

    def block(self, name, s):
        h = self.layer(name + ".d", self.layer(name + ".p1", s, 0, 255), -127, 127)
        s = np.clip(s + self.layer(name + ".p2", h, -self.stream, self.stream), -self.stream, self.stream)
        h = self.layer(name + ".f1", s, 0, 255)
        return np.clip(s + self.layer(name + ".f2", h, -self.stream, self.stream), -self.stream, self.stream)

    def up(self, name, s):
        return pixel_shuffle(self.layer(name, s, -self.stream, self.stream), 2)

    def picture(self, y):
        s = layers_of_synthesis(self, self.layer("ffm.0", y, -self.stream, self.stream))
        return np.clip(128 + pixel_shuffle(self.layer(last_layer(self.c), s, -255, 255), 4), 0, 255)


def layers_of_synthesis(networks, x):
    """From the output of ffm.0 to the input of the last layer."""
    x, layer = networks.block("ffm.1", x), 0
    for stage, blocks in enumerate(networks.c["synthesis_blocks"]):
        if stage:
            x, layer = networks.up(f"gsyn.{layer}.c", x), layer + 1
        for _ in range(blocks):
            x, layer = networks.block(f"gsyn.{layer}", x), layer + 1
    return x


def last_layer(configuration):
    return f"gsyn.{sum(configuration['synthesis_blocks']) + 2}"
