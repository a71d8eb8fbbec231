"""Rate-distortion curves: the file format, and the Bjontegaard difference of two of them."""
import json
from pathlib import Path

import numpy as np

METRICS = {"psnr": "psnr-rgb", "msssim": "ms-ssim-rgb"}  # ours: the key in the files


def write(path: Path, name: str, description: str, meta: dict, points: list[dict]) -> None:
    """Writes a curve in the layout of CompressAI's results: lists under `results`, one entry for each setting.

    points: [{setting, bpp, psnr, msssim}], means over the pictures. Beyond CompressAI's keys: `meta`, `setting`.
    """
    results = {
        "setting": [p["setting"] for p in points], "bpp": [round(p["bpp"], 5) for p in points],
        METRICS["psnr"]: [round(p["psnr"], 4) for p in points],
        METRICS["msssim"]: [round(p["msssim"], 6) for p in points]}
    data = dict(name=name, description=description, meta=meta, results=results)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(data, indent=1) + "\n")
    temporary.replace(path)


class Curve:
    """A curve of one codec: `bpp` and, for each metric that was measured, its values."""

    def __init__(self, name: str, bpp, psnr=None, msssim=None):
        self.name, self.bpp = name, np.asarray(bpp, float)
        self.values = {k: np.asarray(v, float) for k, v in (("psnr", psnr), ("msssim", msssim)) if v is not None}

    @classmethod
    def read(cls, path: Path) -> "Curve":
        """A file that `write` wrote."""
        data = json.loads(path.read_text())
        results = data["results"]
        return cls(data["name"], results["bpp"], results.get(METRICS["psnr"]), results.get(METRICS["msssim"]))

    def points(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """(bpp, metric) of rising rate, without points that a lower rate already beats; empty where not measured."""
        if metric not in self.values:
            return np.array([]), np.array([])
        order = np.argsort(self.bpp, kind="stable")
        rate, value = self.bpp[order], self.values[metric][order]
        known = ~np.isnan(value)
        rate, value = rate[known], value[known]
        best = np.maximum.accumulate(value)
        keep = np.concatenate([[True], value[1:] > best[:-1]]) if len(value) else known[known]
        return rate[keep], value[keep]


def bd_rate(test: Curve, anchor: Curve, metric: str = "psnr") -> tuple[float, float, float] | None:
    """(percent, low, high): by how much `test` needs more bits than `anchor` at the same quality, and over what range.

    The mean, over the range of quality that both curves have, of the difference of log rates, each interpolated
    linearly in the quality. PSNR is in dB; MS-SSIM is taken as -10 log10(1 - x) dB. None where they share no range.
    """
    a_rate, a = test.points(metric)
    b_rate, b = anchor.points(metric)
    if metric == "msssim":
        a, b = -10 * np.log10(1 - a), -10 * np.log10(1 - b)
    if min(len(a), len(b)) < 2 or min(a[-1], b[-1]) <= max(a[0], b[0]):
        return None
    low, high = max(a[0], b[0]), min(a[-1], b[-1])
    at = np.linspace(low, high, 2001)
    difference = np.interp(at, a, np.log(a_rate)) - np.interp(at, b, np.log(b_rate))
    return 100 * (np.exp(np.mean(difference)) - 1), low, high
