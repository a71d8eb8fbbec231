#!/usr/bin/python3
"""The reference decoder against the golden streams, the bad streams and the vectors of the training code.

Needs numpy alone: python3 training/test_reference_decoder.py
"""
import hashlib
import os
import unittest

import numpy as np

import reference_decoder as reference
import reference_networks

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIXTURES = os.path.join(ROOT, "Tests", "Fixtures")


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def table(*path):
    lines = read(FIXTURES, *path).decode().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


class ReferenceDecoderTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        names = ("live-v0", "live-v1", "live-v2", "hq-v1", "live-ms-v1")  # of formats 1, 2 and 3
        cls.models = {name: reference.Model(read(ROOT, "models", name + ".safetensors")) for name in names}
        cls.tiny = reference.Model(read(FIXTURES, "tiny-integers.safetensors"))

    def test_checksum(self):
        self.assertEqual(reference.crc32c(b"123456789"), 0xE3069283)

    def test_golden_streams(self):
        rows = table("golden", "golden.tsv")
        self.assertGreater(len(rows), 20)
        for name, length, width, height, channels, tail, digest, picture in rows:
            with self.subTest(name=name, length=length):
                data = read(FIXTURES, "golden", name)[: int(length)]
                models = [self.tiny, *self.models.values()]
                model = next(m for m in models if m.identity == reference.Header(data).model)
                frame = reference.Frame(data, model)
                self.assertEqual((frame.header.width, frame.header.height), (int(width), int(height)))
                self.assertEqual(frame.channels, int(channels))
                self.assertEqual(frame.tail_damaged, tail == "damaged")
                self.assertEqual(frame.integer_hash(), digest)
                if model.configuration["format"] == 3:  # exact to the pixel
                    self.assertEqual(hashlib.sha256(frame.picture(model).tobytes()).hexdigest(), picture)
                elif picture != "-":
                    samples = read(FIXTURES, "golden", picture)[-3 * int(width) * int(height) :]
                    expected = np.frombuffer(samples, np.uint8)
                    difference = np.abs(frame.picture(model).reshape(-1).astype(int) - expected)
                    # float64 sums depend on the order of summation, in the last bit.
                    self.assertLessEqual(difference.max(), 1)
                    self.assertLessEqual(np.count_nonzero(difference), 2)

    def test_bad_streams(self):
        rows = table("bad", "bad.tsv")
        self.assertGreater(len(rows), 30)
        for name, reason in rows:
            with self.subTest(name=name):
                with self.assertRaises(reference.Rejected) as caught:
                    reference.Frame(read(FIXTURES, "bad", name), self.models["live-v0"])
                self.assertEqual(str(caught.exception), reason)

    def test_vectors_of_the_training_code(self):
        for name in ("live-v0", "live-v1", "live-v2"):
            model = self.models[name]
            with self.subTest(name=name):
                self.check_vectors(model, reference_networks.read_safetensors(read(FIXTURES, name + ".vectors.safetensors"))[1])

    def check_vectors(self, model, vectors):
        networks = reference_networks.IntegerNetworks(model)
        phi = networks.features(vectors["z"])
        self.assertTrue(np.array_equal(phi, vectors["phi"]))
        for cut in ("cut0", "cut50", "cut192"):
            features, latents, start = [phi], [], 0
            for i, channels in enumerate(model.slices):
                part = slice(start, start + channels)
                mean, scale = networks.predict(i, features, latents, 0)
                if networks.two_passes(i):
                    at = reference_networks.anchors(*mean.shape[1:])
                    known = np.where(at, 16 * vectors[cut + ".q"][part].astype(np.int64) + mean, 0)
                    again = networks.predict(i, features, latents, 0, known)
                    mean, scale = np.where(at, mean, again[0]), np.where(at, scale, again[1])
                self.assertTrue(np.array_equal(mean, vectors[cut + ".mean"][part]), f"{cut}, slice {i}")
                self.assertTrue(np.array_equal(scale, vectors[cut + ".scale"][part]), f"{cut}, slice {i}")
                latents.append(16 * vectors[cut + ".q"][part].astype(np.int64) + mean)
                start += channels
                if i + 1 < len(model.slices):
                    features.append(networks.context(i, latents[-1]))
            difference = np.abs(reference_networks.synthesis(model).picture(np.concatenate(latents)) - vectors[cut + ".rgb"])
            exact = model.configuration["format"] == 3
            self.assertLessEqual(difference.max(), 0 if exact else 1, cut)
            self.assertLess(np.count_nonzero(difference), 1e-4 * difference.size)

    def test_integers_that_saturate_and_halves(self):
        """The tiny model of format 3 has clamped streams; its layers against sums of Python's own integers."""
        model, random = self.tiny, np.random.default_rng(1)
        layers = reference_networks.IntegerSynthesis(model)
        x = random.integers(-32767, 32768, (9, 2, 3))
        ours = layers.layer("gsyn.1.c", x, -32767, 32767)
        weight, bias = (model.tensors["gsyn.1.c." + part].astype(int).tolist() for part in ("weight", "bias"))
        enter, mult = (model.tensors["gsyn.1.c." + part] for part in ("enter", "mult"))
        nearest = lambda value, factor: round(float(np.float32(value) * factor))  # Python's round is to even
        clamp = lambda value, limit: max(-limit, min(limit, value))
        for row, column in np.ndindex(2, 3):
            a = [clamp(nearest(int(v), m), 127) for v, m in zip(x[:, row, column], enter)]
            for o in range(len(bias)):
                acc = bias[o] + sum(w[0][0] * v for w, v in zip(weight[o], a))
                self.assertEqual(ours[o, row, column], clamp(nearest(acc, mult[o]), 32767))
        picture = layers.picture(random.integers(-3000, 3000, (5, 4, 4)))
        self.assertGreater(picture.std(), 20)
        self.assertEqual((picture.min(), picture.max()), (0, 255))


if __name__ == "__main__":
    unittest.main()
