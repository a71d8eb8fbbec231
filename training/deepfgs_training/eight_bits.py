"""The transforms with 8-bit integers in the loop: what `integer_transforms` will compute, in floats with gradients.

What enters a convolution is an integer of 8 bits: unsigned (0 to 255) behind a ReLU, signed (-127 to 127) elsewhere. An
activation's step is its channel's own, and is folded into the weights before these are rounded to 8 bits, with a step of
their own for each output. The streams, the sums that run through the blocks, stay wide.
"""
import torch
import torch.nn as nn

from .config import WEIGHT_MAX
from .layers import TransformConv, round_ste

SEEN_SHARE = 1e-4  # of a channel's activations may lie beyond its range
LEAST_PEAK = 0.02  # of the largest channel's: the smallest range


class Quantiser(nn.Module):
    """Makes 8-bit integers of one layer's inputs, and of its weights. Passes floats through while `seeing` them."""

    def __init__(self, channels: int, signed: bool, step: float | None = None):
        """`step`: of every channel, where it is not to be found by seeing."""
        super().__init__()
        self.low, self.high = (-127, 127) if signed else (0, 255)
        self.register_buffer("step", torch.full((channels,), step or 1.0))
        self.register_buffer("peak", torch.zeros(channels))
        self.register_buffer("largest", torch.zeros(1))
        self.fixed, self.seeing = step is not None, False

    def see(self, x: torch.Tensor) -> None:
        """Keeps the largest magnitudes of each channel of x [N, c, h, w], but for the rarest."""
        v = x.detach().float().abs().transpose(0, 1).flatten(1)
        top = v.topk(max(1, round(v.shape[1] * SEEN_SHARE)), 1).values[:, -1]
        self.peak.copy_(torch.maximum(self.peak, top))
        self.largest.copy_(torch.maximum(self.largest, v.max()))

    def settle(self) -> None:
        """Sets the steps by what was seen."""
        if not self.fixed:
            least = float(self.peak.max()) * LEAST_PEAK + 1e-6
            self.step.copy_(self.peak.clamp(min=least) / self.high)

    def integers(self, x: torch.Tensor) -> torch.Tensor:
        """round(x / step) within the range, with straight-through gradients; of the type of autocast, which holds them."""
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.float32
        return TransformConv.kernels.whole(x, self.step, self.low, self.high, dtype)

    def weights(self, conv: TransformConv) -> tuple[torch.Tensor, torch.Tensor]:
        """(integer weights with straight-through gradients, float step of the accumulator [o]) of the layer."""
        v = conv.weight * self.step.view((1, -1, 1, 1) if conv.groups == 1 else (-1, 1, 1, 1))
        unit = v.detach().abs().amax((1, 2, 3)).clamp(min=1e-12) / WEIGHT_MAX
        return round_ste(v / unit.view(-1, 1, 1, 1)), unit

    def convolve(self, conv: TransformConv, x: torch.Tensor) -> torch.Tensor:
        """The layer's outputs in floats, multiplied in integers."""
        if self.seeing:
            if not self.fixed:
                self.see(x)
            return conv.product(x, conv.weight, conv.bias)
        a, (w, unit) = self.integers(x), self.weights(conv)
        y = conv.product(a, w.to(a.dtype), None)
        return torch.addcmul(conv.bias.view(1, -1, 1, 1), y.float(), unit.view(1, -1, 1, 1))


def attach(net) -> None:
    """Gives every layer of the transforms its quantiser. The names of the weights stay; NAME.quant.* are new."""
    device = next(net.parameters()).device
    for name, layer in net.named_modules():
        if isinstance(layer, TransformConv) and layer.quant is None:
            step = 1 / 255 if name == "ga.1" else None  # a picture's own
            channels = layer.in_channels
            layer.quant = Quantiser(channels, not layer.behind_relu, step).to(device)


def quantisers(net) -> list[Quantiser]:
    """All of a network's; none before `attach`."""
    return [m for m in net.modules() if isinstance(m, Quantiser)]


def steps_of(net) -> dict[str, torch.Tensor]:
    """NAME.quant.step, .peak and .largest of every layer: with the float weights, all that an export needs."""
    return {k: v.detach().clone() for k, v in net.state_dict().items() if ".quant." in k}


@torch.no_grad()
def calibrate(net, pictures) -> None:
    """Sets the activations' steps by what they reach over `pictures` [N, 3, H, W], cut in three places each."""
    for q in quantisers(net):
        q.seeing = True
        q.peak.zero_(), q.largest.zero_()
    channels = net.config.scalable_channels
    for x in pictures:
        picture = net.analyse(x)
        for cut in (0, channels // 4, channels):
            net.decode(net.rounded(picture, cut).latents)
    for q in quantisers(net):
        q.settle()
        q.seeing = False
