"""Rate and distortion of a network on a folder of pictures."""
import json
from pathlib import Path

import numpy as np
import torch

from .codec import Codec, pad, psnr
from .config import ModelConfig
from .model import DeepFGS
from .progress import Progress
from .safetensors_files import write_atomically

# Shares of y_s at which streams are cut; of 192 channels: 0 4 8 16 24 32 48 64 80 96 128 160 192.
CUT_SHARES = (0, 1 / 48, 1 / 24, 1 / 12, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 5 / 12, 1 / 2, 2 / 3, 5 / 6, 1)
FEWER_SHARES = (0, 1 / 12, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1)
METHOD = ("one stream per picture, cut after so many channels of y_s; "
          "ideal code length of the integer tables, no container")


def cuts(config: ModelConfig, shares=CUT_SHARES) -> list[int]:
    """Numbers of channels of y_s."""
    return sorted({round(s * config.scalable_channels) for s in shares})


@torch.no_grad()
def float_points(net: DeepFGS, pictures: list[torch.Tensor], at: list[int]) -> list[dict]:
    """Mean {cut, bpp, psnr} over `pictures` ([1, 3, H, W] in [0, 1], any size) from the float networks' own
    likelihoods: what training watches. Cost for each picture: one encoder, and one decoder for each cut."""
    sums = np.zeros((len(at), 2))
    for picture in pictures:
        h, w = picture.shape[2:]
        analysed = net.analyse(pad(picture))
        side, full = net.ez.bits(analysed.z).sum().item(), None
        for j, cut in sorted(enumerate(at), key=lambda item: -item[1]):
            coded = net.rounded(analysed, cut)
            full = coded.bits if full is None else full  # of the longest stream; the others are its prefixes
            decoded = (net.decode(coded.latents).clamp(0, 1) * 255).round()[:, :, :h, :w]
            rate = (side + full[: net.config.basic_channels + cut].sum().item()) / (h * w)
            sums[j] += rate, psnr(decoded, picture * 255)
    return [dict(cut=c, bpp=float(b), psnr=float(p)) for c, (b, p) in zip(at, sums / len(pictures))]


@torch.no_grad()
def codec_points(codec: Codec, pictures: list[torch.Tensor], at: list[int]) -> list[dict]:
    """Mean {cut, bpp, psnr, msssim} over `pictures` with the integer networks and the coding tables; shows progress."""
    from pytorch_msssim import ms_ssim  # not on every machine that trains

    sums, progress = np.zeros((len(at), 3)), Progress("evaluating", len(pictures) * len(at))
    base = codec.config.basic_channels
    for number, picture in enumerate(pictures):
        h, w = picture.shape[2:]
        coded = codec.encode(pad(picture))
        for j, cut in enumerate(at):
            decoded = codec.decode(codec.cut(coded, cut))[:, :, :h, :w]
            similarity = ms_ssim(decoded, picture * 255, data_range=255.0).item() if min(h, w) > 160 else float("nan")
            rate = (coded.bits_z + coded.bits[: base + cut].sum()) / (h * w)
            sums[j] += rate, psnr(decoded, picture * 255), similarity
            progress.show(number * len(at) + j + 1)
    progress.end(f"{len(pictures)} pictures")
    names = ("bpp", "psnr", "msssim")
    return [dict(cut=c, **{n: float(v) for n, v in zip(names, s)}) for c, s in zip(at, sums / len(pictures))]


def write_points(path, name: str, identity: str, pictures: int, points: list[dict]) -> None:
    """Writes the points in the layout that `bench/rd` reads."""
    digits = dict(bpp=5, psnr=4, msssim=6)
    results = [{k: round(v, digits[k]) if k in digits else v for k, v in p.items()} for p in points]
    data = dict(name=name, identity=identity, description=f"{pictures} pictures: {METHOD}", results=results)
    write_atomically(path, lambda p: Path(p).write_text(json.dumps(data, indent=1) + "\n"))


def table(points: list[dict]) -> str:
    """The points as a Markdown table, one column for each cut."""
    keys = [("bpp", "bpp", 3), ("psnr", "PSNR dB", 2), ("msssim", "MS-SSIM", 3)]
    rows = ["| cut | " + " | ".join(str(p["cut"]) for p in points) + " |", "| --- " * (len(points) + 1) + "|"]
    for key, label, digits in keys:
        if key in points[0]:
            rows.append(f"| {label} | " + " | ".join(f"{p[key]:.{digits}f}" for p in points) + " |")
    return "\n".join(rows)
