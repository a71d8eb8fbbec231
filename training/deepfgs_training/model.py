"""The float network that is trained.

Shapes: pictures [N, 3, H, W] in [0, 1] with H and W multiples of 64; latents [N, c, H/16, W/16]; hyper-latent
[N, z, H/64, W/64]. The order of the layers, and so the names of the weights, is that of the model file.
"""
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F

from .config import SCALE_STEP, STRIDE, Ablation, ModelConfig
from .layers import Block, EntropyConv, Factorized, Up, gaussian_bits, in_two_passes, round_ste

FLOAT_PARTS = ("ga", "hb", "hs", "ha", "ffm", "gsyn")  # stay floating point in the codec; the others become integers


class TrainingPass(NamedTuple):
    """What one training pass gives: the decoded pictures and the bits of every part, all float32."""

    decoded: torch.Tensor  # [N, 3, H, W], not clamped
    bits_z: torch.Tensor  # [N]
    bits_basic: torch.Tensor  # [N]
    bits_scalable: torch.Tensor  # [N, channels of y_s]
    mask: torch.Tensor  # [N, channels of y_s]: 1 where the channel arrived


class DeepFGS(nn.Module):
    """The codec's networks with straight-through rounding."""

    def __init__(self, config: ModelConfig = ModelConfig(), ablation: Ablation = Ablation()):
        super().__init__()
        self.config, self.ablation = config, ablation
        self.quantised = False  # true in quantisation-aware training: means and scales on the integers' grids
        a, b, c = config.widths
        basic, scalable = config.basic_channels, config.scalable_channels
        stage = lambda width, count: [Block(width) for _ in range(count)]
        down, up = config.analysis_blocks, config.synthesis_blocks
        self.ga = nn.Sequential(
            nn.PixelUnshuffle(4), nn.Conv2d(48, a, 3, padding=1), *stage(a, down[0]),
            nn.Conv2d(a, b, 2, stride=2), *stage(b, down[1]), nn.Conv2d(b, c, 2, stride=2), *stage(c, down[2]))
        self.hb = nn.Conv2d(c, basic, 1)
        self.hs = nn.Sequential(nn.Conv2d(c + basic, c, 1), Block(c), nn.Conv2d(c, scalable, 1))
        self.ffm = nn.Sequential(nn.Conv2d(basic + scalable, c, 1), Block(c))
        self.gsyn = nn.Sequential(
            *stage(c, up[0]), Up(c, b), *stage(b, up[1]), Up(b, a), *stage(a, up[2]),
            nn.Conv2d(a, 48, 3, padding=1), nn.PixelShuffle(4))
        p, z = config.feature_channels, config.z_channels
        self.ha = nn.Sequential(
            nn.Conv2d(c, p, 1), nn.ReLU(), nn.Conv2d(p, p, 2, stride=2), nn.ReLU(), nn.Conv2d(p, z, 2, stride=2))
        self.hyp = nn.Sequential(
            EntropyConv(z, p, 3, padding=1), nn.ReLU(), Up(p, p, EntropyConv), nn.ReLU(),
            EntropyConv(p, p, 3, padding=1), nn.ReLU(), Up(p, p, EntropyConv), nn.ReLU())
        self.ez = Factorized(z)
        self._build_slices()
        with torch.no_grad():  # latents of a useful size from the first step
            self.hb.weight.mul_(8)
            self.hs[-1].weight.mul_(8)

    def _build_slices(self):
        config = self.config
        self.e1, self.e2, self.ctx, self.lin, self.chk = (nn.ModuleList() for _ in range(5))
        before = 0
        for i, n in enumerate(config.slices):
            inputs = config.feature_channels + config.context_channels * (i + config.two_passes(i))
            if config.two_passes(i):
                self.chk.append(EntropyConv(n, config.context_channels, 3, padding=1))
            self.e1.append(EntropyConv(inputs, config.hidden, 1))
            out = EntropyConv(config.hidden, 2 * n, 1)
            with torch.no_grad():
                out.weight.mul_(0.3)
                out.bias[:n], out.bias[n:] = 0, 1
            self.e2.append(out)
            last = i == len(config.slices) - 1
            self.ctx.append(nn.Identity() if last else EntropyConv(n, config.context_channels, 3, padding=1))
            self.lin.append(EntropyConv(before, n, 1, bias=False) if i else nn.Identity())
            if i:
                nn.init.zeros_(self.lin[i].weight)
                self.lin[i].weight.requires_grad_(self.ablation.linear_prediction)
            before += n

    def scalable(self, f: torch.Tensor, basic: list[torch.Tensor]) -> torch.Tensor:
        """y_s from the trunk's features and the decoded slices of y_b."""
        known = torch.cat(basic, 1).to(f.dtype)
        return self.hs(torch.cat([f, known if self.ablation.basic_into_scalable else torch.zeros_like(known)], 1))

    def predict(self, i: int, features: list[torch.Tensor], decoded: list[torch.Tensor], reconstruct):
        """Mean and standard deviation of slice i from Phi and context features, and the decoded slices before.

        `reconstruct`: maps means to the decoded latents of the slice. Where a slice has two passes, the anchors that
        the first gives are what the second sees.
        """
        if not self.config.two_passes(i):
            return self._pass(i, features, decoded)
        none = torch.zeros_like(features[0][:, : self.config.context_channels])
        predict = lambda own: self._pass(i, [*features, own], decoded)
        return in_two_passes(predict, lambda known: F.relu(self.chk[i](known)), reconstruct, none)

    def _pass(self, i: int, features: list[torch.Tensor], decoded: list[torch.Tensor]):
        mean, log_scale = self.e2[i](F.relu(self.e1[i](torch.cat(features, 1)))).chunk(2, 1)
        if i and self.ablation.linear_prediction:
            mean = mean + self.lin[i](torch.cat(decoded, 1))
        if self.quantised:
            mean, log_scale = round_ste(mean * 16) / 16, round_ste(log_scale / SCALE_STEP) * SCALE_STEP
        return mean, torch.exp(log_scale.clamp(-4, 6))

    def arrive(self, residual: torch.Tensor, mean: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The decoded latents where only the channels of `mask` [N, n] or [n] arrived."""
        mask = mask[..., None, None]
        return residual * mask + mean if self.ablation.mean_for_missing else (residual + mean) * mask

    def decode(self, y: torch.Tensor) -> torch.Tensor:
        """Decoded latents to a picture, not clamped."""
        return self.gsyn(self.ffm(y)).float() + 0.5

    def forward(self, x: torch.Tensor, k: torch.Tensor, steps: torch.Tensor | None = None) -> TrainingPass:
        """Training pass: noise in place of rounding for the rate, straight-through rounding for the decoder.

        x: [N, 3, H, W]; k: [N] channels of y_s that arrive, 0 to all; steps: [N] quantiser steps of y, 1 where None.
        The entropy networks run in float32 under autocast too. Cost: one encoder and one decoder.
        """
        noisy = lambda t: t + torch.rand_like(t) - 0.5
        step = 1.0 if steps is None else steps.view(-1, 1, 1, 1)
        f = self.ga(x - 0.5)
        basic, scalable = self.hb(f).float(), None
        with torch.autocast(x.device.type, enabled=False):
            z = self.ha(f.float())
            bits_z, phi = self.ez.bits(noisy(z)).sum((1, 2, 3)), self.hyp(round_ste(z))
        mask = (torch.arange(self.config.scalable_channels, device=x.device)[None] < k[:, None]).float()
        features, decoded, bits, offset = [phi], [], [], 0
        for i, n in enumerate(self.config.slices):
            if i == self.config.basic_slices:
                scalable, offset = self.scalable(f, decoded).float(), 0
            with torch.autocast(x.device.type, enabled=False):
                y = (basic if scalable is None else scalable)[:, offset : offset + n]
                mean, sigma = self.predict(i, features, decoded, lambda m: round_ste((y - m) / step) * step + m)
                scaled = (y - mean) / step
                bits.append(gaussian_bits(noisy(scaled), sigma / step).sum((2, 3)))
                residual = round_ste(scaled) * step
                arrived = residual + mean
                if scalable is not None:
                    arrived = self.arrive(residual, mean, mask[:, offset : offset + n])
                decoded.append(arrived)
                if i < len(self.config.slices) - 1:
                    features.append(F.relu(self.ctx[i](arrived)))
            offset += n
        first = self.config.basic_slices
        return TrainingPass(
            self.decode(torch.cat(decoded, 1)), bits_z, torch.cat(bits[:first], 1).sum(1),
            torch.cat(bits[first:], 1), mask)


def macs_per_pixel(config: ModelConfig) -> tuple[float, float]:
    """Multiply-accumulates per pixel of (encoder, decoder), counted over every convolution of one pass."""
    net = DeepFGS(config)
    total = dict.fromkeys(dict(net.named_children()), 0)
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            def add(layer, _, out, part=name.split(".")[0]):
                total[part] += layer.weight.numel() * out.shape[2] * out.shape[3] / STRIDE**2
            module.register_forward_hook(add)
    with torch.no_grad():
        net(torch.zeros(1, 3, STRIDE, STRIDE), torch.zeros(1))
    entropy = sum(total[part] for part in ("hyp", "e1", "e2", "ctx", "chk", "lin"))
    return (entropy + sum(total[p] for p in ("ga", "hb", "hs", "ha")), entropy + total["ffm"] + total["gsyn"])
