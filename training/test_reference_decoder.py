#!/usr/bin/python3
"""The reference decoder against the golden streams, the bad streams and the vectors of the training code.

Needs numpy alone: python3 training/test_reference_decoder.py
"""
import os
import unittest

import numpy as np

import reference_decoder as reference

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
        names = ("live-v0", "live-v1")  # of format 1, of format 2
        cls.models = {name: reference.Model(read(ROOT, "models", name + ".safetensors")) for name in names}

    def test_checksum(self):
        self.assertEqual(reference.crc32c(b"123456789"), 0xE3069283)

    def test_golden_streams(self):
        rows = table("golden", "golden.tsv")
        self.assertGreater(len(rows), 20)
        for name, length, width, height, channels, tail, digest, picture in rows:
            with self.subTest(name=name, length=length):
                data = read(FIXTURES, "golden", name)[: int(length)]
                model = next(m for m in self.models.values() if m.identity == reference.Header(data).model)
                frame = reference.Frame(data, model)
                self.assertEqual((frame.header.width, frame.header.height), (int(width), int(height)))
                self.assertEqual(frame.channels, int(channels))
                self.assertEqual(frame.tail_damaged, tail == "damaged")
                self.assertEqual(frame.integer_hash(), digest)
                if picture != "-":
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
        for name, model in self.models.items():
            with self.subTest(name=name):
                self.check_vectors(model, reference.read_safetensors(read(FIXTURES, name + ".vectors.safetensors"))[1])

    def check_vectors(self, model, vectors):
        networks = reference.IntegerNetworks(model)
        phi = networks.features(vectors["z"])
        self.assertTrue(np.array_equal(phi, vectors["phi"]))
        for cut in ("cut0", "cut50", "cut192"):
            features, latents, start = [phi], [], 0
            for i, channels in enumerate(model.slices):
                part = slice(start, start + channels)
                mean, scale = networks.predict(i, features, latents, 0)
                if networks.two_passes(i):
                    at = reference.anchors(*mean.shape[1:])
                    known = np.where(at, 16 * vectors[cut + ".q"][part].astype(np.int64) + mean, 0)
                    again = networks.predict(i, features, latents, 0, known)
                    mean, scale = np.where(at, mean, again[0]), np.where(at, scale, again[1])
                self.assertTrue(np.array_equal(mean, vectors[cut + ".mean"][part]), f"{cut}, slice {i}")
                self.assertTrue(np.array_equal(scale, vectors[cut + ".scale"][part]), f"{cut}, slice {i}")
                latents.append(16 * vectors[cut + ".q"][part].astype(np.int64) + mean)
                start += channels
                if i + 1 < len(model.slices):
                    features.append(networks.context(i, latents[-1]))
            picture = np.rint(255 * np.clip(reference.Synthesis(model).picture(np.concatenate(latents)), 0, 1))
            difference = np.abs(picture - vectors[cut + ".rgb"])
            self.assertLessEqual(difference.max(), 1)
            self.assertLess(np.count_nonzero(difference), 1e-4 * difference.size)


if __name__ == "__main__":
    unittest.main()
