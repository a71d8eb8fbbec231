"""The codec in PyTorch with the integer entropy networks: what the Swift codec must reproduce, integer by integer."""
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from .config import SCALE_STEP, SCALES, STEP_MAX, STRIDE, SYMBOL_MAX
from .errors import TrainingError
from .integer_entropy import IntegerEntropy
from .tables import Tables
from .walk import walk


class Coded(NamedTuple):
    """One picture coded: integers as float tensors [1, c, H/16, W/16] and ideal code lengths."""

    z: torch.Tensor
    phi: torch.Tensor
    q: torch.Tensor
    mean: torch.Tensor  # 16 * mean
    scale: torch.Tensor  # index
    latents: torch.Tensor  # Y = 16 * decoded latent
    bits_z: float
    bits: np.ndarray  # [channels of y]


class Quantiser(NamedTuple):
    """The frame's quantiser: step (16 is 1.0) and what is added to the scale indices."""

    step: int = 16
    scale_shift: int = 0

    @classmethod
    def of(cls, step: int) -> "Quantiser":
        """The step with the shift that keeps the Gaussians' widths. Raises TrainingError outside 1 to 32."""
        if not 1 <= step <= STEP_MAX:
            raise TrainingError(f"quantiser step {step}: 1 to {STEP_MAX} are possible, 16 is the default")
        return cls(step, round(math.log(16 / step) / SCALE_STEP))


class FloatTransforms:
    """The transforms of formats 1 and 2. Pictures [1, 3, H, W] of 0 to 255; latents go to the codec in 256ths."""

    def __init__(self, net):
        self.net = net

    @torch.no_grad()
    def analyse(self, picture: torch.Tensor):
        """(features, z, 256ths of y_b)."""
        f = self.net.trunk(picture / 255)
        return f, torch.round(self.net.ha(f)), 256 * self.net.hb(f).double()

    @torch.no_grad()
    def scalable(self, features: torch.Tensor, basic: torch.Tensor) -> torch.Tensor:
        """256ths of y_s from the features and 16ths of the decoded y_b."""
        return 256 * self.net.scalable(features, basic.float() / 16).double()

    @torch.no_grad()
    def synthesise(self, latents: torch.Tensor) -> torch.Tensor:
        """The picture of 16ths of all latents."""
        return (self.net.decode(latents.float() / 16).clamp(0, 1) * 255).round()


class Codec:
    """Encoder and decoder of one model; `dtype` is what the integer networks run in (float32 and float64 agree)."""

    def __init__(self, transforms, integer: IntegerEntropy, tables: Tables, dtype=torch.float32,
                 basic: Quantiser = Quantiser(), scalable: Quantiser = Quantiser(), rounding: float = 0.0):
        """transforms: FloatTransforms or IntegerTransforms; rounding: the encoder rounds |v| + 1/2 + this down."""
        self.transforms, self.integer, self.tables, self.dtype = transforms, integer, tables, dtype
        self.config, self.quantisers, self.rounding = integer.config, (basic, scalable), rounding

    @torch.no_grad()
    def encode(self, x: torch.Tensor) -> Coded:
        """Codes a whole picture x [1, 3, H, W] in [0, 1], H and W multiples of 64 (see `pad`)."""
        features, z, basic = self.transforms.analyse(torch.round(x * 255))
        z_max = self.config.ranges.z_max

        def symbols(y, mean, step):
            v = (y.double() / 16 - mean.double()) / step
            q = torch.sign(v) * torch.floor(v.abs() + 0.5 + self.rounding)
            return q.clamp(-SYMBOL_MAX, SYMBOL_MAX).to(self.dtype)

        scalable = lambda known: self.transforms.scalable(features, known)
        return self._walk(z.clamp(-z_max, z_max).to(self.dtype), basic, scalable, symbols)

    @torch.no_grad()
    def cut(self, coded: Coded, channels: int) -> Coded:
        """What a decoder has when y_s ends after `channels` channels: later symbols are 0, the prediction runs on."""
        first, q = self.config.basic_channels, coded.q.clone()
        q[:, first + channels :] = 0
        part = self._walk(coded.z, q[:, :first], lambda _: q[:, first:], lambda known, *_: known)
        part.bits[first + channels :] = 0
        return part

    @torch.no_grad()
    def decode(self, coded: Coded) -> torch.Tensor:
        """The 8-bit picture [1, 3, H, W] as float 0 to 255."""
        return self.transforms.synthesise(coded.latents)

    def _walk(self, z, basic, scalable, symbols) -> Coded:
        """`symbols`: maps (what is to be coded of a slice, 16 * mean, step) to the slice's symbols."""
        parts = dict(q=[], mean=[], scale=[])

        def code(i, _, y, predict):
            step, shift = self.quantisers[i >= self.config.basic_slices]
            mean, scale = predict(lambda m: step * symbols(y, m, step) + m)
            q = symbols(y, mean, step)
            for key, value in (("q", q), ("mean", mean), ("scale", (scale + shift).clamp(0, SCALES - 1))):
                parts[key].append(value)
            return step * q + mean

        phi = self.integer.hyper(z)
        latents = walk(self.config, self.integer, phi, basic, scalable, code)
        q, mean, scale = (torch.cat(parts[key], 1) for key in ("q", "mean", "scale"))
        whole = lambda t: t[0].cpu().numpy().astype(np.int64)
        bits = self.tables.bits_of_scale(whole(q), whole(scale)).sum((1, 2))
        return Coded(z, phi, q, mean, scale, latents, self.tables.bits_of_z(whole(z)), bits)


def pad(x: torch.Tensor) -> torch.Tensor:
    """Edge replication to multiples of 64, right and below."""
    h, w = x.shape[2:]
    return F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate")


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    """dB between two pictures in 0 to 255, over all three channels; 100 where they are equal."""
    mse = (a - b).pow(2).mean().item()
    return 10 * math.log10(255**2 / mse) if mse > 0 else 100.0
