"""The codec in PyTorch with the integer entropy networks: what the Swift codec must reproduce, integer by integer."""
import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from .config import SCALE_STEP, SCALES, STRIDE, SYMBOL_MAX, Z_MAX
from .errors import TrainingError
from .integer import IntegerEntropy
from .model import DeepFGS
from .tables import Tables


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
        if not 1 <= step <= 32:
            raise TrainingError(f"quantiser step {step}: 1 to 32 are possible, 16 is the default")
        return cls(step, round(math.log(16 / step) / SCALE_STEP))


class Codec:
    """Encoder and decoder of one model; `dtype` is what the integer networks run in (float32 and float64 agree)."""

    def __init__(self, net: DeepFGS, integer: IntegerEntropy, tables: Tables, dtype=torch.float32,
                 basic: Quantiser = Quantiser(), scalable: Quantiser = Quantiser()):
        self.net, self.integer, self.tables, self.dtype = net, integer, tables, dtype
        self.basic, self.scalable = basic, scalable

    def predict(self, i: int, features, latents, symbols):
        """16 * mean and scale index under the slice's quantiser, symbols and integer latents of a slice.

        `symbols`: maps (16 * mean, step) to the slice's symbols.
        """
        quantiser = self.basic if i < self.net.config.basic_slices else self.scalable
        reconstruct = lambda mean: quantiser.step * symbols(mean, quantiser.step) + mean
        mean, scale = self.integer.predict(i, features, latents, reconstruct)
        q = symbols(mean, quantiser.step)
        return mean, (scale + quantiser.scale_shift).clamp(0, SCALES - 1), q, quantiser.step * q + mean

    @torch.no_grad()
    def encode(self, x: torch.Tensor) -> Coded:
        """Codes a whole picture x [1, 3, H, W] in [0, 1], H and W multiples of 64 (see `pad`)."""
        net, config, integer = self.net, self.net.config, self.integer
        f = net.ga(x - 0.5)
        z = torch.round(net.ha(f)).clamp(-Z_MAX, Z_MAX).to(self.dtype)
        phi, y, offset = integer.hyper(z), net.hb(f), 0
        features, parts = [phi], dict(q=[], mean=[], scale=[], latents=[])
        for i, n in enumerate(config.slices):
            if i == config.basic_slices:
                y, offset = net.scalable(f, [v.float() / 16 for v in parts["latents"]]), 0
            target = 16 * y[:, offset : offset + n].double()
            symbols = lambda mean, step: torch.round((target - mean.double()) / step).clamp(
                -SYMBOL_MAX, SYMBOL_MAX).to(self.dtype)
            coded = self.predict(i, features, parts["latents"], symbols)
            for key, value in zip(("mean", "scale", "q", "latents"), coded):
                parts[key].append(value)
            if i < len(config.slices) - 1:
                features.append(integer.context(i, parts["latents"][-1]))
            offset += n
        joined = {key: torch.cat(value, 1) for key, value in parts.items()}
        whole = lambda t: t[0].cpu().numpy().astype(np.int64)
        bits = self.tables.bits_of_scale(whole(joined["q"]), whole(joined["scale"])).sum((1, 2))
        return Coded(z=z, phi=phi, bits_z=self.tables.bits_of_z(whole(z)), bits=bits, **joined)

    @torch.no_grad()
    def cut(self, coded: Coded, channels: int) -> Coded:
        """What a decoder has when y_s ends after `channels` channels: later symbols are 0, the prediction runs on."""
        config, start = self.net.config, self.net.config.basic_channels + channels
        q = coded.q.clone()
        q[:, start:] = 0
        features, latents, means, scales, offset = [coded.phi], [], [], [], 0
        for i, n in enumerate(config.slices):
            known = q[:, offset : offset + n]
            mean, scale, _, decoded = self.predict(i, features, latents, lambda *_: known)
            latents.append(decoded)
            means.append(mean)
            scales.append(scale)
            if i < len(config.slices) - 1:
                features.append(self.integer.context(i, latents[-1]))
            offset += n
        join = lambda parts: torch.cat(parts, 1)
        bits = np.where(np.arange(len(coded.bits)) < start, coded.bits, 0)
        return coded._replace(q=q, mean=join(means), scale=join(scales), latents=join(latents), bits=bits)

    @torch.no_grad()
    def decode(self, coded: Coded) -> torch.Tensor:
        """The 8-bit picture [1, 3, H, W] as float 0 to 255."""
        return (self.net.decode(coded.latents.float() / 16).clamp(0, 1) * 255).round()


def pad(x: torch.Tensor) -> torch.Tensor:
    """Edge replication to multiples of 64, right and below."""
    h, w = x.shape[2:]
    return F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate")


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    """dB between two pictures in 0 to 255, over all three channels; 100 where they are equal."""
    mse = (a - b).pow(2).mean().item()
    return 10 * math.log10(255**2 / mse) if mse > 0 else 100.0
