#!/usr/bin/python3
"""Make tiny.safetensors of format 1, tiny-two-passes.safetensors of format 2 and tiny-integers.safetensors of format 3:
models of a few random weights, to run everything but quality fast:  make_tiny_model.py

Its coding tables are as unlike each other as the format allows: narrow, wide, without the symbol 0, all but escape.
"""
import itertools
import json
import math
import os
import random

import numpy as np

CONFIGURATION = dict(
    slices=[2, 1, 2], basic_slices=1, z_channels=2, feature_channels=2, context_channels=2,
    hidden=3, activation_max=1023, context_max=511, z_max=255, mean_max=8191, mean_fraction_bits=4,
    linear_fraction_bits=8, scale_levels=4, scale_min=0.11, scale_max=64.0, widths=[2, 2, 3], analysis_blocks=[0, 0, 0],
    synthesis_blocks=[1, 0, 0], leaky_slope=0.01)
# Odd widths, so that no vector is full, and a block at every scale of either side.
INTEGERS = CONFIGURATION | dict(
    activation_max=255, context_max=127, z_max=127, widths=[5, 6, 9], analysis_blocks=[1, 1, 1],
    synthesis_blocks=[1, 1, 1], leaky_slope=0, context_shift=1, stream_max=32767, weight_max=127, rounding=0.0)
# Root mean squares of format 3's integers: a picture, an unsigned and a signed activation, a stream, latents in 256ths.
PICTURE, UNSIGNED, SIGNED, STREAM, LATENT = 60, 80, 40, 1500, 500

rng, tensors = random.Random(), {}


def put(name, values, dtype, shape):
    tensors[name] = np.array(values, dtype).reshape(shape)


def layer(name, outputs, inputs, kernel, *_):
    """A layer of the transforms in floats."""
    count = outputs * inputs * kernel * kernel
    put(name + ".weight", [rng.gauss(0, (inputs * kernel * kernel) ** -0.5) for _ in range(count)], "<f2",
        (outputs, inputs, kernel, kernel))
    put(name + ".bias", [rng.gauss(0, 0.1) for _ in range(outputs)], "<f2", (outputs,))


def integer_layer(name, outputs, inputs, kernel, into, out):
    """A layer of the transforms in integers, whose inputs have the root mean square `into` and its outputs `out`.

    What enters from streams and latents is first made an activation, each channel by a factor of its own. Some outputs
    are much larger, so that they are cut off; some multipliers are powers of two, so that halves are rounded.
    """
    if into in (STREAM, LATENT):
        unit = into if into == STREAM else LATENT / 16
        put(name + ".enter", [SIGNED / unit * rng.uniform(0.5, 2) for _ in range(inputs)], "<f4", (inputs,))
        into = SIGNED
    fan_in = inputs * kernel * kernel
    put(name + ".weight", [rng.randint(-127, 127) for _ in range(outputs * fan_in)], "i1",
        (outputs, inputs, kernel, kernel))
    reach = into * 73 * fan_in**0.5
    put(name + ".bias", [rng.randint(-int(reach / 2), int(reach / 2)) for _ in range(outputs)], "<i4", (outputs,))
    multipliers = [out / reach * rng.choice([0.4, 0.6, 0.8, 1, 5]) * rng.uniform(0.8, 1.2) for _ in range(outputs)]
    multipliers[0] = 2.0 ** round(math.log2(multipliers[0]))
    put(name + ".mult", multipliers, "<f4", (outputs,))


def block(layer, name, width):
    layer(name + ".p1", width, width, 1, STREAM, UNSIGNED)
    layer(name + ".d", width, 1, 3, UNSIGNED, SIGNED)
    layer(name + ".p2", width, width, 1, SIGNED, STREAM / 2)
    layer(name + ".f1", 2 * width, width, 1, STREAM, UNSIGNED)
    layer(name + ".f2", width, 2 * width, 1, UNSIGNED, STREAM / 2)


def integer(name, outputs, inputs, kernel, multiplier):
    count = outputs * inputs * kernel * kernel
    put(name + ".weight", [rng.randint(-100, 100) for _ in range(count)], "<i2", (outputs, inputs, kernel, kernel))
    put(name + ".bias", [rng.randint(-1000, 30000) for _ in range(outputs)], "<i4", (outputs,))
    put(name + ".mult", [multiplier * rng.uniform(0.5, 2) for _ in range(outputs)], "<f4", (outputs,))


def tables(kind, cumulative, offsets):
    for index, table in enumerate(cumulative):
        put(f"cdf.{kind}.{index}", table, "<i4", (len(table),))
    put(f"cdf.{kind}.offset", offsets, "<i2", (len(offsets),))


def make(c):
    rng.seed(1)
    tensors.clear()
    fine, middle, coarse = c["widths"]
    features, slices, basic = c["feature_channels"], c["slices"], sum(c["slices"][: c["basic_slices"]])
    transform = integer_layer if c["format"] == 3 else layer
    number, inputs = itertools.count(1), 48
    for width, blocks, kernel in zip(c["widths"], c["analysis_blocks"], (3, 2, 2)):
        transform(f"ga.{next(number)}", width, inputs, kernel, PICTURE if inputs == 48 else STREAM, STREAM)
        for _ in range(blocks):
            block(transform, f"ga.{next(number)}", width)
        inputs = width
    transform("hb", basic, coarse, 1, STREAM, LATENT)
    transform("hs.0", coarse, coarse + basic, 1, STREAM, STREAM)
    block(transform, "hs.1", coarse)
    transform("hs.2", sum(slices) - basic, coarse, 1, STREAM, LATENT)
    transform("ha.0", features, coarse, 1, STREAM, UNSIGNED)
    transform("ha.2", features, features, 2, UNSIGNED, UNSIGNED)
    transform("ha.4", c["z_channels"], features, 2, UNSIGNED, 2)
    transform("ffm.0", coarse, sum(slices), 1, LATENT, STREAM)
    block(transform, "ffm.1", coarse)
    number = itertools.count()
    for width, after, blocks in zip((coarse, middle, fine), (middle, fine, None), c["synthesis_blocks"]):
        for _ in range(blocks):
            block(transform, f"gsyn.{next(number)}", width)
        if after:
            transform(f"gsyn.{next(number)}.c", 4 * after, width, 1, STREAM, STREAM)
    transform(f"gsyn.{next(number)}", 48, fine, 3, STREAM, PICTURE)
    integer("hyp.0", features, c["z_channels"], 3, 0.01)
    integer("hyp.2", 4 * features, features, 1, 0.01)
    integer("hyp.4", features, features, 3, 0.005)
    integer("hyp.6", 4 * features, features, 1, 0.01)
    before = 0
    for i, channels in enumerate(slices):
        two_passes = c["format"] >= 2 and i < c["basic_slices"]
        integer(f"e1.{i}", c["hidden"], features + c["context_channels"] * (i + two_passes), 1, 0.005)
        integer(f"e2.{i}", 2 * channels, c["hidden"], 1, 0.0001)
        if i > 0:
            weights = [rng.randint(-200, 200) for _ in range(channels * before)]
            put(f"lin.{i}.weight", weights, "<i2", (channels, before, 1, 1))
        if i + 1 < len(slices):
            integer(f"ctx.{i}", c["context_channels"], channels, 3, 0.005)
        if two_passes:
            integer(f"chk.{i}", c["context_channels"], channels, 3, 0.005)
        before += channels
    tables("scale", [
        [0, 100, 65400, 65500, 65536], [0, 5000, 20000, 45000, 60000, 65535, 65536], [0, 1, 65536],
        [0] + [1000 * k for k in range(1, 60)] + [65536]], [-1, -2, 0, -29])
    tables("z", [[0, 30000, 60000, 65000, 65536], [0, 1000, 65536]], [-1, 3])

    index, data = {"__metadata__": {"deepfgs": json.dumps(c)}}, b""
    kinds = {"<f2": "F16", "<f4": "F32", "|i1": "I8", "<i2": "I16", "<i4": "I32"}
    for name, tensor in sorted(tensors.items()):
        body = tensor.tobytes()
        index[name] = {"dtype": kinds[tensor.dtype.newbyteorder("<").str], "shape": list(tensor.shape),
                       "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    header = json.dumps(index, separators=(",", ":")).encode()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), c["name"] + ".safetensors"), "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header + data)


make({"format": 1, "name": "tiny", **CONFIGURATION})
make({"format": 2, "name": "tiny-two-passes", **CONFIGURATION})
make({"format": 3, "name": "tiny-integers", **INTEGERS})
