"""The float network that is trained: transforms, entropy networks, and the passes through both."""
from typing import NamedTuple

import torch
import torch.nn as nn

from .config import STRIDE, Ablation, ModelConfig
from .entropy import EntropyNetworks
from .layers import gaussian_bits, round_ste
from .transforms import Transforms
from .walk import walk


class TrainingPass(NamedTuple):
    """What one training pass gives: the decoded pictures and the bits of every part, all float32."""

    decoded: torch.Tensor  # [N, 3, H, W], not clamped
    bits_z: torch.Tensor  # [N]
    bits_basic: torch.Tensor  # [N]
    bits_scalable: torch.Tensor  # [N, channels of y_s]
    mask: torch.Tensor  # [N, channels of y_s]: 1 where the channel arrived


class Analysed(NamedTuple):
    """What does not depend on the cut, of pictures [N, 3, H, W]."""

    features: torch.Tensor  # [N, c, H/16, W/16]
    z: torch.Tensor  # [N, z, H/64, W/64], integers
    phi: torch.Tensor  # [N, features, H/16, W/16]
    basic: torch.Tensor  # y_b


class Rounded(NamedTuple):
    """Latents coded by rounding, as the codec does."""

    latents: torch.Tensor  # [N, channels of y, h, w], decoded
    bits: torch.Tensor  # [channels of y], over all positions, those behind the cut too
    scalable: torch.Tensor  # y_s before its means were taken off


class DeepFGS(Transforms, EntropyNetworks):
    """The codec's networks with straight-through rounding. Shapes: see `Transforms`."""

    def __init__(self, config: ModelConfig = ModelConfig(), ablation: Ablation = Ablation()):
        nn.Module.__init__(self)
        self.config, self.ablation = config, ablation
        self.build_transforms()
        self.build_entropy()

    def arrive(self, residual: torch.Tensor, mean: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The decoded latents where only the channels of `mask` [N, n] or [n] arrived."""
        mask = mask[..., None, None]
        return residual * mask + mean if self.ablation.mean_for_missing else (residual + mean) * mask

    def arrived(self, k: torch.Tensor) -> torch.Tensor:
        """[N, channels of y]: 1 where a channel arrived when k [N] channels of y_s did."""
        number = torch.arange(sum(self.config.slices), device=k.device)
        return (number[None] < self.config.basic_channels + k[:, None]).float()

    def forward(self, x: torch.Tensor, k: torch.Tensor, steps: torch.Tensor | None = None) -> TrainingPass:
        """Training pass: noise in place of rounding for the rate, straight-through rounding for the decoder.

        x: [N, 3, H, W]; k: [N] channels of y_s that arrive, 0 to all; steps: [N] quantiser steps of y, 1 where None.
        The entropy networks run in float32 under autocast too. Cost: one encoder and one decoder.
        """
        noisy = lambda t: t + torch.rand_like(t) - 0.5
        step = 1.0 if steps is None else steps.view(-1, 1, 1, 1)
        f, kind = self.trunk(x), x.device.type
        basic, mask, bits = self.hb(f).float(), self.arrived(k), []
        fast = torch.is_autocast_enabled(kind)

        def scalable(known):
            with torch.autocast(kind, enabled=fast):
                return self.scalable(f, known).float()

        def code(_, channels, y, predict):
            mean, sigma = predict(lambda m: round_ste((y - m) / step) * step + m)
            scaled = (y - mean) / step
            bits.append(gaussian_bits(noisy(scaled), sigma / step).sum((2, 3)))
            return self.arrive(round_ste(scaled) * step, mean, mask[:, channels])

        with torch.autocast(kind, enabled=False):
            z = self.ha(f.float())
            bits_z, phi = self.ez.bits(noisy(z)).sum((1, 2, 3)), self.hyp(round_ste(z))
            decoded = walk(self.config, self, phi, basic, scalable, code)
        bits, first = torch.cat(bits, 1), self.config.basic_channels
        return TrainingPass(self.decode(decoded), bits_z, bits[:, :first].sum(1), bits[:, first:], mask[:, first:])

    def analyse(self, x: torch.Tensor) -> Analysed:
        """Everything that is coded of pictures [N, 3, H, W] but y_s, which needs the decoded y_b."""
        f = self.trunk(x)
        z = torch.round(self.ha(f))
        return Analysed(f, z, self.hyp(z), self.hb(f))

    def rounded(self, picture: Analysed, cut: int) -> Rounded:
        """Codes the latents as the codec does, but in floats, and decodes what `cut` channels of y_s leave of them."""
        arrived = self.arrived(torch.tensor([cut], device=picture.basic.device))
        bits, parts = [], []

        def scalable(known):
            parts.append(self.scalable(picture.features, known))
            return parts[0]

        def code(_, channels, y, predict):
            mean, sigma = predict(lambda m: torch.round(y - m) + m)
            q = torch.round(y - mean)
            bits.append(gaussian_bits(q, sigma).sum((0, 2, 3)))
            return self.arrive(q, mean, arrived[:, channels])

        latents = walk(self.config, self, picture.phi, picture.basic, scalable, code)
        return Rounded(latents, torch.cat(bits), parts[0])


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
