"""DeepFGS as its users run it: the command line tool, real streams, cut and decoded."""
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from peers import Point, read

CHANNELS = (0, 4, 8, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192)
HQ_CHANNELS = (0, 5, 10, 20, 30, 40, 60, 80, 100, 120, 160, 200, 231)  # of hq-v1
MS_CHANNELS = (0, 2, 7, 8, 9, 15, 25, 41, 60, 77, 95, 110, 125)  # of live-ms-v1
CUT_BPP = (0.08, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)


class Way(NamedTuple):
    """How the tool is used: one curve each."""

    label: str
    by_bytes: bool = False  # cut at bytes, else behind channels
    base_step: int = 16  # quantiser steps of the base and of the scalable part
    step: int = 16
    model: str | None = None  # of models/, in place of the one that the bench was given
    channels: tuple = CHANNELS

    @property
    def settings(self) -> tuple:
        """All cuts that it can be measured at: bits per pixel, or channels."""
        return CUT_BPP if self.by_bytes else self.channels


WAYS = {
    "deepfgs": Way("DeepFGS, cut by channel"),
    "deepfgs-bytes": Way("DeepFGS, cut by byte", by_bytes=True),
    "deepfgs-coarse": Way("DeepFGS, coarser, cut by channel", base_step=18, step=22),
    "deepfgs-coarse-bytes": Way("DeepFGS, coarser, cut by byte", by_bytes=True, base_step=18, step=22),
    "deepfgs-hq": Way("DeepFGS hq, cut by channel", model="hq-v1", channels=HQ_CHANNELS),
    "deepfgs-hq-bytes": Way("DeepFGS hq, cut by byte", by_bytes=True, model="hq-v1"),
    "deepfgs-ms": Way("DeepFGS ms, cut by channel", model="live-ms-v1", channels=MS_CHANNELS),
    "deepfgs-ms-bytes": Way("DeepFGS ms, cut by byte", by_bytes=True, model="live-ms-v1"),
}


def measure(tool: Path, model: Path, pictures: dict[str, np.ndarray], way: Way, settings) -> Iterator[list[Point]]:
    """Encodes each picture once and cuts its stream; yields the points of all pictures for one of `settings` after the
    other.

    way.by_bytes False: every picture behind the same number of scalable channels (`deepfgs truncate --channels`).
    way.by_bytes True: every picture at the same number of bytes, as plain prefixes of the file; where a target lies in
    the base the stream is cut behind its base.
    Sizes are those of the cut frames, container and all. Raises CalledProcessError where the tool fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name, picture in pictures.items():
            Image.fromarray(picture).save(base / f"{name}.png")
        sources = [base / f"{name}.png" for name in pictures]
        _run(tool, "encode", *sources, "-o", f"{base}/whole/", "--model", model, "--base-step", way.base_step,
             "--step", way.step)
        whole = [base / "whole" / f"{name}.dfgs" for name in pictures]
        _run(tool, "truncate", *whole, "-o", f"{base}/base/", "--channels", "0", "--model", model)
        for number, setting in enumerate(settings):
            cut, out = base / f"cut{number}", base / f"out{number}"
            if way.by_bytes:
                cut.mkdir()
                for path, picture in zip(whole, pictures.values()):
                    least = (base / "base" / path.name).stat().st_size
                    size = int(setting * picture.shape[0] * picture.shape[1] / 8)
                    (cut / path.name).write_bytes(path.read_bytes()[: max(size, least)])
            else:
                _run(tool, "truncate", *whole, "-o", f"{cut}/", "--channels", setting, "--model", model)
            files = [cut / path.name for path in whole]
            _run(tool, "decode", *files, "-o", f"{out}/", "--model", model)
            yield [Point(setting, path.stat().st_size, read(out / f"{path.stem}.png")) for path in files]


def _run(*arguments) -> None:
    subprocess.run([*(str(a) for a in arguments), "--force", "--quiet"], check=True, capture_output=True, text=True)
