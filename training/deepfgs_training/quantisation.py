"""Convolutions over integers, exact in float32 and float64 alike: accumulators stay below 2^24 in any order of summation."""
from typing import NamedTuple

import torch
import torch.nn.functional as F

from .config import WEIGHT_MAX

ACCUMULATOR_LIMIT = 2**24  # float32 holds every integer below


def scaled(x: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """rint(x * factor [c]): one float32 product, rounded to the nearest even integer, in the type of `x`."""
    return torch.round(x.float() * factor.float().view(1, -1, 1, 1)).to(x.dtype)


class IntegerLayer(NamedTuple):
    """A convolution over integers: rint(acc * multiplier), acc = weight * inputs + bias.

    `enter` [i], where the layer reads a stream or latents: its inputs are clamp(rint(x * enter), -127, 127).
    """

    weight: torch.Tensor  # [o, i / groups, k, k], integers
    bias: torch.Tensor  # [o], integers
    multiplier: torch.Tensor  # [o], float32
    enter: torch.Tensor | None = None  # [i], float32

    def worst(self, limit: torch.Tensor) -> torch.Tensor:
        """Largest magnitude of each output's accumulator for inputs of magnitude up to `limit` ([i], or one number)."""
        limit = torch.as_tensor(limit).double().view(1, -1, 1, 1)
        return (self.weight.double().abs() * limit).sum((1, 2, 3)) + self.bias.double().abs()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The integers that follow from integers `x`, in its type (float32 or float64): exact in either."""
        if self.enter is not None:
            x = scaled(x, self.enter).clamp(-127, 127)
        side = self.weight.shape[-1]
        groups = x.shape[1] // self.weight.shape[1]
        stride, padding = (2, 0) if side == 2 else (1, side // 2)
        acc = F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), stride, padding, 1, groups)
        return scaled(acc, self.multiplier)


class InputRange(NamedTuple):
    """What goes into a layer: the float value of one integer step, and the largest integer, for each channel [i]."""

    unit: torch.Tensor
    limit: torch.Tensor


def quantise(weight, bias, inputs: InputRange):
    """Integer weights and bias of a float layer, and the float value `unit` [o] of one step of each accumulator.

    Weights get 127 levels each way per output, fewer where the accumulator could reach 2^24.
    """
    with torch.no_grad():
        w = weight.double() * inputs.unit.double().view(1, -1, 1, 1)
        unit = w.abs().amax((1, 2, 3)).clamp(min=1e-12) / WEIGHT_MAX
        limit, bias = inputs.limit.double().view(1, -1, 1, 1), bias.double()
        reach = (torch.round(w / unit.view(-1, 1, 1, 1)).abs() * limit).sum((1, 2, 3)) + bias.abs() / unit
        unit = unit * (reach * 1.02 / (ACCUMULATOR_LIMIT - 1)).clamp(min=1)
        return torch.round(w / unit.view(-1, 1, 1, 1)), torch.round(bias / unit), unit
