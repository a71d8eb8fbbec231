"""Rate-distortion curves: the file format, and the Bjontegaard difference of two of them."""
import json
from pathlib import Path

import numpy as np

METRICS = {"psnr": "psnr-rgb", "msssim": "ms-ssim-rgb", "butteraugli": "butteraugli-3-norm"}  # ours: key in the files
DIGITS = {"setting": 8, "bpp": 5, "psnr": 4, "msssim": 6, "butteraugli": 4}


def decibels(metric: str, values: np.ndarray) -> np.ndarray:
    """A metric's values as a quality that rises evenly: PSNR as it is, -10 log10 of 1 - MS-SSIM and of the Butteraugli
    distance."""
    return values if metric == "psnr" else -10 * np.log10(1 - values if metric == "msssim" else values)


def write(path: Path, name: str, description: str, meta: dict, points: list[dict],
          kinds: dict[str, list[dict]] | None = None) -> None:
    """Writes a curve in the layout of CompressAI's results: lists under `results`, one entry for each setting.

    points: [{setting, bpp, psnr, msssim, butteraugli}], means over the pictures, without the metrics that were not
    measured; kinds: the same for each kind of pictures. Beyond CompressAI's keys: `meta`, `setting`, `kinds`.
    """
    lists = lambda rows: {METRICS.get(key, key): [round(row[key], DIGITS[key]) for row in rows] for key in rows[0]}
    data = dict(name=name, description=description, meta=meta, results=lists(points))
    if kinds:
        data["kinds"] = {kind: lists(rows) for kind, rows in kinds.items()}
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(data, indent=1) + "\n")
    temporary.replace(path)


class Curve:
    """A curve of one codec: `bpp` and, for each metric that was measured, its values."""

    def __init__(self, name: str, bpp, psnr=None, msssim=None, butteraugli=None):
        self.name, self.bpp = name, np.asarray(bpp, float)
        given = (("psnr", psnr), ("msssim", msssim), ("butteraugli", butteraugli))
        self.values = {k: np.asarray(v, float) for k, v in given if v is not None}

    @classmethod
    def read(cls, path: Path, kind: str | None = None) -> "Curve | None":
        """A file that `write` wrote; of one kind of pictures, None where the file does not know it."""
        data = json.loads(path.read_text())
        results = data.get("kinds", {}).get(kind) if kind else data["results"]
        return results and cls(data["name"], results["bpp"], *(results.get(key) for key in METRICS.values()))

    def points(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """(bpp, metric in decibels) of rising rate, without points that a lower rate already beats; empty where not
        measured."""
        if metric not in self.values:
            return np.array([]), np.array([])
        order = np.argsort(self.bpp, kind="stable")
        rate, value = self.bpp[order], decibels(metric, self.values[metric][order])
        known = ~np.isnan(value)
        rate, value = rate[known], value[known]
        best = np.maximum.accumulate(value)
        keep = np.concatenate([[True], value[1:] > best[:-1]]) if len(value) else known[known]
        return rate[keep], value[keep]


def bd_rate(test: Curve, anchor: Curve, metric: str = "psnr") -> tuple[float, float, float] | None:
    """(percent, low, high): by how much `test` needs more bits than `anchor` at the same quality, and over what range.

    The mean, over the range of quality that both curves have, of the difference of log rates, each interpolated
    linearly in the quality (see `decibels`). None where they share no range.
    """
    a_rate, a = test.points(metric)
    b_rate, b = anchor.points(metric)
    if min(len(a), len(b)) < 2 or min(a[-1], b[-1]) <= max(a[0], b[0]):
        return None
    low, high = max(a[0], b[0]), min(a[-1], b[-1])
    at = np.linspace(low, high, 2001)
    difference = np.interp(at, a, np.log(a_rate)) - np.interp(at, b, np.log(b_rate))
    return 100 * (np.exp(np.mean(difference)) - 1), low, high
