"""Depthwise 3x3 convolutions and quantisers of channels-last tensors, in Triton, with their gradients.

PyTorch's own depthwise convolution took more than half of a training step on an H100.
"""
import torch
import torch.nn.functional as F
import triton
import triton.language as tl

PIXELS, CHANNELS = 32, 64  # of one program
CHUNK = 1024  # elements of one program


@triton.jit
def _convolve(x, w, b, y, P, H, W, C, FLIP: tl.constexpr, BIAS: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr):
    p = tl.program_id(0) * BP + tl.arange(0, BP)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    inside, col, row = (c < C)[None, :] & (p < P)[:, None], p % W, (p // W) % H
    acc = tl.zeros((BP, BC), tl.float32)
    if BIAS:
        acc += tl.load(b + c, mask=c < C, other=0.0)[None, :]
    for t in tl.static_range(9):
        dy = t // 3 - 1
        dx = t % 3 - 1
        ok = (row + dy >= 0) & (row + dy < H) & (col + dx >= 0) & (col + dx < W)
        v = tl.load(x + (p + dy * W + dx)[:, None] * C + c[None, :], mask=ok[:, None] & inside, other=0.0)
        u = tl.load(w + c * 9 + (8 - t if FLIP else t), mask=c < C, other=0.0)
        acc += v.to(tl.float32) * u.to(tl.float32)[None, :]
    tl.store(y + p[:, None] * C + c[None, :], acc.to(y.dtype.element_ty), mask=inside)


@triton.jit
def _weight_gradient(x, g, out, P, H, W, C, STEPS, BP: tl.constexpr, BC: tl.constexpr):
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    t = tl.program_id(2)
    dy = t // 3 - 1
    dx = t % 3 - 1
    acc = tl.zeros((BC,), tl.float32)
    for s in range(STEPS):
        p = (tl.program_id(0) * STEPS + s) * BP + tl.arange(0, BP)
        col, row = p % W, (p // W) % H
        inside = (c < C)[None, :] & (p < P)[:, None]
        ok = (row + dy >= 0) & (row + dy < H) & (col + dx >= 0) & (col + dx < W)
        v = tl.load(x + (p + dy * W + dx)[:, None] * C + c[None, :], mask=ok[:, None] & inside, other=0.0)
        d = tl.load(g + p[:, None] * C + c[None, :], mask=inside, other=0.0)
        acc += tl.sum(v.to(tl.float32) * d.to(tl.float32), 0)
    tl.store(out + (tl.program_id(0) * 9 + t) * C + c, acc, mask=c < C)


@triton.jit
def _quantise(x, step, y, total, C, LOW: tl.constexpr, HIGH: tl.constexpr, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    v = tl.div_rn(tl.load(x + i, mask=i < total, other=0.0).to(tl.float32), tl.load(step + i % C))
    v = tl.minimum(tl.maximum(v, LOW), HIGH)
    # Half to even: a half that was rounded up to an odd integer goes back down.
    up = tl.floor(v + 0.5)
    odd = up - 2 * tl.floor(up * 0.5)
    up -= tl.where((up - v == 0.5) & (odd == 1), 1.0, 0.0)
    tl.store(y + i, up.to(y.dtype.element_ty), mask=i < total)


@triton.jit
def _quantise_gradient(x, step, g, d, total, C, LOW: tl.constexpr, HIGH: tl.constexpr, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    s = tl.load(step + i % C)
    v = tl.div_rn(tl.load(x + i, mask=i < total, other=0.0).to(tl.float32), s)
    r = tl.load(g + i, mask=i < total, other=0.0).to(tl.float32) / s
    r = tl.where((v >= LOW) & (v <= HIGH), r, 0.0)
    tl.store(d + i, r.to(d.dtype.element_ty), mask=i < total)


def _last(x):
    return x.contiguous(memory_format=torch.channels_last)


class Depthwise(torch.autograd.Function):
    """y = conv(x, w [c, 1, 3, 3]) + b, zero padding; sums in float32."""

    @staticmethod
    def forward(ctx, x, w, b):
        x, w = _last(x), w.contiguous()
        n, c, h, wide = x.shape
        y, total = torch.empty_like(x), n * h * wide
        grid = (triton.cdiv(total, PIXELS), triton.cdiv(c, CHANNELS))
        _convolve[grid](x, w, w if b is None else b, y, total, h, wide, c, False, b is not None, PIXELS, CHANNELS)
        ctx.save_for_backward(x, w)
        ctx.bias = b is not None
        return y

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        g = _last(g)
        n, c, h, wide = x.shape
        total, dx = n * h * wide, torch.empty_like(x)
        grid = (triton.cdiv(total, PIXELS), triton.cdiv(c, CHANNELS))
        _convolve[grid](g, w, w, dx, total, h, wide, c, True, False, PIXELS, CHANNELS)
        steps = max(1, triton.cdiv(total, PIXELS * 128))
        chunks = triton.cdiv(total, PIXELS * steps)
        part = torch.empty(chunks, 9, c, device=x.device)
        _weight_gradient[(chunks, triton.cdiv(c, CHANNELS), 9)](
            x, g, part, total, h, wide, c, steps, PIXELS, CHANNELS)
        dw = part.sum(0).t().reshape(c, 1, 3, 3).to(w.dtype)
        return dx, dw, g.sum((0, 2, 3), dtype=torch.float32) if ctx.bias else None


class Whole(torch.autograd.Function):
    """round(clamp(x / step[c], low, high)) as `dtype`, straight-through within the range."""

    @staticmethod
    def forward(ctx, x, step, low, high, dtype):
        x = _last(x)
        y, total = torch.empty_like(x, dtype=dtype), x.numel()
        _quantise[(triton.cdiv(total, CHUNK),)](x, step, y, total, x.shape[1], float(low), float(high), CHUNK)
        ctx.save_for_backward(x, step)
        ctx.range = float(low), float(high)
        return y

    @staticmethod
    def backward(ctx, g):
        x, step = ctx.saved_tensors
        g, d, total = _last(g), torch.empty_like(x), x.numel()
        _quantise_gradient[(triton.cdiv(total, CHUNK),)](x, step, g, d, total, x.shape[1], *ctx.range, CHUNK)
        return d, None, None, None, None


class TritonKernels:
    """What `layers.PlainKernels` does."""

    @staticmethod
    def depthwise(x, weight, bias):
        return Depthwise.apply(x, weight, bias)

    @staticmethod
    def whole(x, step, low, high, dtype):
        return Whole.apply(x, step, low, high, dtype)


def errors(device: str, channels: int = 96, side: int = 24, dtype=torch.float32) -> dict[str, float]:
    """Largest differences from PyTorch's own, relative to the largest value: of outputs and of every gradient."""
    draw = lambda *shape: torch.randn(*shape, device=device)
    x = _last(draw(2, channels, side, side + 3).to(dtype)).requires_grad_()
    w, b = draw(channels, 1, 3, 3).requires_grad_(), draw(channels).requires_grad_()
    ours = TritonKernels.depthwise(x, w, b)
    right = F.conv2d(x.double(), w.double(), b.double(), 1, 1, 1, channels)
    g = draw(*ours.shape).to(dtype)
    pairs = dict(zip(("x", "w", "b"), zip(torch.autograd.grad(ours, (x, w, b), g),
                                         torch.autograd.grad(right, (x, w, b), g.double()))))
    pairs["y"] = (ours, right)
    step = torch.rand(channels, device=device) * 0.1 + 0.01
    for low, high in ((-127, 127), (0, 255)):
        half = x.detach().float().mul(4).round().div(2) * step.view(1, -1, 1, 1)  # many ties
        for name, values in (("q", x.detach()), ("ties", half.to(dtype))):
            values = values.clone().requires_grad_()
            ours = TritonKernels.whole(values, step, low, high, torch.float32)
            scaled = (values.float() / step.view(1, -1, 1, 1)).clamp(low, high)
            pairs[f"{name} {high}"] = (ours, torch.round(scaled))
            pairs[f"{name} {high} gradient"] = (torch.autograd.grad(ours, values, g.float())[0],
                                                torch.autograd.grad(scaled, values, g.float())[0])
    worst = lambda p, q: float((p.double() - q.double()).abs().max() / q.double().abs().max().clamp(min=1e-9))
    return {name: worst(p.detach(), q.detach()) for name, (p, q) in pairs.items()}
