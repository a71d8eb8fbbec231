"""The measures of quality: the same code for every codec."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pytorch_msssim import ms_ssim

BUTTERAUGLI = "butteraugli_main"  # of libjxl (Debian: libjxl-devtools)


def measured(perceptual: bool) -> tuple[str, ...]:
    """The metrics that `quality` gives here."""
    return ("psnr", "msssim", "butteraugli") if perceptual and shutil.which(BUTTERAUGLI) else ("psnr", "msssim")


def quality(picture: np.ndarray, decoded: np.ndarray, metrics: tuple[str, ...]) -> dict[str, float]:
    """How alike two pictures [H, W, 3] of 8 bits are.

    psnr: dB over the three channels; msssim: of pytorch_msssim, range 255; butteraugli: the 3-norm of libjxl's distance
    map, 0 where they are equal, 1 about where a difference begins to be seen.
    """
    a, b = (torch.from_numpy(p).permute(2, 0, 1)[None].float() for p in (picture, decoded))
    mse = (a.double() - b.double()).pow(2).mean().item()
    values = dict(psnr=10 * np.log10(255**2 / mse) if mse else 100.0, msssim=ms_ssim(a, b, data_range=255.0).item())
    if "butteraugli" in metrics:
        values["butteraugli"] = butteraugli(picture, decoded)
    return values


def butteraugli(picture: np.ndarray, decoded: np.ndarray) -> float:
    """The 3-norm of the Butteraugli distance map. Raises CalledProcessError where the tool fails."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("a.ppm", "b.ppm")]
        for path, pixels in zip(paths, (picture, decoded)):
            Image.fromarray(pixels).save(path)
        done = subprocess.run([BUTTERAUGLI, *map(str, paths)], check=True, capture_output=True, text=True)
    return float(re.search(r"3-norm: ([0-9.]+)", done.stdout).group(1))
