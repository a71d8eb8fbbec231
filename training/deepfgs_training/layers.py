"""The layers of the networks, and the gradients of rounding."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .config import SCALE_MIN


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class _LowerBound(torch.autograd.Function):
    """max(x, bound) whose gradient still pulls x up from below the bound."""

    @staticmethod
    def forward(ctx, x, bound):
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * ((x >= ctx.bound) | (gradient < 0)), None


round_ste = _Round.apply  # rounding whose gradient is that of the identity
lower_bound = _LowerBound.apply


def gaussian_bits(y: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Bits of the integer bin of a zero-mean Gaussian around `y`, elementwise; `y` may lie between integers."""
    sigma, a, c = lower_bound(sigma, SCALE_MIN), y.abs(), -(2**-0.5)
    p = 0.5 * (torch.erfc(c * (0.5 - a) / sigma) - torch.erfc(c * (-0.5 - a) / sigma))
    return -torch.log2(lower_bound(p, 1e-9))


def anchors(y: torch.Tensor) -> torch.Tensor:
    """[1, 1, h, w] of true where row + column is even: what the first pass over y [..., h, w] codes (D. He and others,
    Checkerboard Context Model for Efficient Learned Image Compression, CVPR 2021)."""
    rows, columns = (torch.arange(side, device=y.device) for side in y.shape[-2:])
    return ((rows[:, None] + columns) % 2 == 0)[None, None]


def in_two_passes(predict, context, reconstruct, none: torch.Tensor):
    """What `predict` says of a slice: at its anchors with the features `none`, elsewhere with those of the anchors.

    `predict`: maps features of the slice to (mean, scale); `reconstruct`: means to decoded latents; `context`: decoded
    latents, 0 but at the anchors, to features.
    """
    first = predict(none)
    known = reconstruct(first[0])
    at = anchors(known)
    second = predict(context(known * at))
    return tuple(torch.where(at, a, b) for a, b in zip(first, second))


class PlainKernels:
    """The operations that a GPU has faster ways for than PyTorch's own (`training/gpu/kernels.py`)."""

    @staticmethod
    def depthwise(x, weight, bias):
        """A depthwise 3x3 convolution with zero padding; `bias` may be None."""
        return F.conv2d(x, weight, bias, 1, 1, 1, x.shape[1])

    @staticmethod
    def whole(x, step, low: int, high: int, dtype):
        """round(x / step [c]) from `low` to `high`, as `dtype`, with straight-through gradients."""
        return round_ste((x.float() / step.view(1, -1, 1, 1)).clamp(low, high)).to(dtype)


class TransformConv(nn.Conv2d):
    """A convolution of the transforms. `quant`, where set (`eight_bits.attach`), makes 8-bit integers of its inputs."""

    kernels = PlainKernels

    def __init__(self, *sizes, behind_relu: bool = False, **options):
        super().__init__(*sizes, **options)
        self.behind_relu = behind_relu  # its inputs are not negative
        self.quant = None

    def forward(self, x):
        return self.product(x, self.weight, self.bias) if self.quant is None else self.quant.convolve(self, x)

    def product(self, x, weight, bias):
        """The convolution with other weights."""
        if self.groups > 1:
            return self.kernels.depthwise(x, weight, bias)
        return F.conv2d(x, weight, bias, self.stride, self.padding)


class Block(nn.Module):
    """B(c): two residual halves, a depthwise 3x3 between pointwise layers and a twofold widening. 6c^2 + 9c MAC."""

    def __init__(self, c: int, slope: float):
        """`slope`: of the activation function below 0."""
        super().__init__()
        self.slope = slope
        self.p1, self.p2 = TransformConv(c, c, 1), TransformConv(c, c, 1)
        self.d = TransformConv(c, c, 3, padding=1, groups=c, behind_relu=True)
        self.f1, self.f2 = TransformConv(c, 2 * c, 1), TransformConv(2 * c, c, 1, behind_relu=True)
        for last in (self.p2, self.f2):  # a new block is nearly the identity
            nn.init.normal_(last.weight, std=0.02 / math.sqrt(c / 64))

    def activation(self, h):
        return F.leaky_relu(h, self.slope) if self.slope else F.relu(h)

    def forward(self, x):
        x = x + self.p2(self.d(self.activation(self.p1(x))))
        return x + self.f2(self.activation(self.f1(x)))


class EntropyConv(nn.Conv2d):
    """A convolution of the entropy networks, which become integers at export.

    `fake_quantiser`, where set, maps (weight, bias) to what the integers will be, with straight-through gradients.
    """

    fake_quantiser = None

    def forward(self, x):
        if self.fake_quantiser is None:
            return super().forward(x)
        weight, bias = self.fake_quantiser(self.weight, self.bias)
        return F.conv2d(x, weight, bias, self.stride, self.padding)


class Up(nn.Module):
    """1x1 convolution, then pixel shuffle: twice the size each way."""

    def __init__(self, i: int, o: int, conv):
        super().__init__()
        self.c = conv(i, 4 * o, 1)

    def forward(self, x):
        return F.pixel_shuffle(self.c(x), 2)


class Factorized(nn.Module):
    """Prior of the hyper-latent z: for each channel a mixture of two logistic distributions."""

    def __init__(self, c: int):
        super().__init__()
        self.mu, self.ls = nn.Parameter(torch.zeros(1, c, 1, 1)), nn.Parameter(torch.ones(1, c, 1, 1))
        self.mu2, self.ls2 = nn.Parameter(torch.zeros(1, c, 1, 1)), nn.Parameter(torch.zeros(1, c, 1, 1))
        self.w = nn.Parameter(torch.zeros(1, c, 1, 1))

    def cdf(self, v):
        """Cumulative distribution at `v`, which broadcasts against [1, c, 1, 1]."""
        w = torch.sigmoid(self.w)
        a, b = (v - self.mu) * torch.exp(-self.ls), (v - self.mu2) * torch.exp(-self.ls2)
        return w * torch.sigmoid(a) + (1 - w) * torch.sigmoid(b)

    def bits(self, z):
        """Bits of the integer bin around each element of z [N, c, h, w]."""
        return -torch.log2(lower_bound(self.cdf(z + 0.5) - self.cdf(z - 0.5), 1e-9))
