#!/usr/bin/python3
"""Make tiny.safetensors, and tiny-two-passes.safetensors of format 2: models of a few random weights, to run everything
but quality fast:  make_tiny_model.py

Its coding tables are as unlike each other as the format allows: narrow, wide, without the symbol 0, all but escape.
"""
import json
import os
import random

import numpy as np

CONFIGURATION = dict(
    slices=[2, 1, 2], basic_slices=1, z_channels=2, feature_channels=2, context_channels=2,
    hidden=3, activation_max=1023, context_max=511, z_max=255, mean_max=8191, mean_fraction_bits=4,
    linear_fraction_bits=8, scale_levels=4, scale_min=0.11, scale_max=64.0, widths=[2, 2, 3], analysis_blocks=[0, 0, 0],
    synthesis_blocks=[1, 0, 0], leaky_slope=0.01)

rng, tensors = random.Random(), {}


def put(name, values, dtype, shape):
    tensors[name] = np.array(values, dtype).reshape(shape)


def layer(name, outputs, inputs, kernel):
    count = outputs * inputs * kernel * kernel
    put(name + ".weight", [rng.gauss(0, (inputs * kernel * kernel) ** -0.5) for _ in range(count)], "<f2",
        (outputs, inputs, kernel, kernel))
    put(name + ".bias", [rng.gauss(0, 0.1) for _ in range(outputs)], "<f2", (outputs,))


def block(name, width):
    layer(name + ".p1", width, width, 1)
    layer(name + ".d", width, 1, 3)
    layer(name + ".p2", width, width, 1)
    layer(name + ".f1", 2 * width, width, 1)
    layer(name + ".f2", width, 2 * width, 1)


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
    layer("ga.1", fine, 48, 3)
    layer("ga.2", middle, fine, 2)
    layer("ga.3", coarse, middle, 2)
    layer("hb", basic, coarse, 1)
    layer("hs.0", coarse, coarse + basic, 1)
    block("hs.1", coarse)
    layer("hs.2", sum(slices) - basic, coarse, 1)
    layer("ha.0", features, coarse, 1)
    layer("ha.2", features, features, 2)
    layer("ha.4", c["z_channels"], features, 2)
    layer("ffm.0", coarse, sum(slices), 1)
    block("ffm.1", coarse)
    block("gsyn.0", coarse)
    layer("gsyn.1.c", 4 * middle, coarse, 1)
    layer("gsyn.2.c", 4 * fine, middle, 1)
    layer("gsyn.3", 48, fine, 3)
    integer("hyp.0", features, c["z_channels"], 3, 0.01)
    integer("hyp.2", 4 * features, features, 1, 0.01)
    integer("hyp.4", features, features, 3, 0.005)
    integer("hyp.6", 4 * features, features, 1, 0.01)
    before = 0
    for i, channels in enumerate(slices):
        two_passes = c["format"] == 2 and i < c["basic_slices"]
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
    kinds = {"<f2": "F16", "<f4": "F32", "<i2": "I16", "<i4": "I32"}
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
