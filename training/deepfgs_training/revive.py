"""Dead channels: latents that round to zero everywhere get no gradient and stay dead, so they are given new weights."""
import torch

from .model import DeepFGS

DEAD_BELOW = 0.3  # root mean square of a latent, in quantiser steps
NEW_SIZE = 1.1  # of a revived latent
NEW_WEIGHT = 0.3  # of a revived latent in the decoder, over that of the others
NEW_LOG_SCALE = 0.3  # what the entropy networks say of it at first, its mean being 0


@torch.no_grad()
def sizes(net: DeepFGS, pictures) -> torch.Tensor:
    """Root mean square of each channel of y, basic ones first, over `pictures` [N, 3, H, W]."""
    power = 0
    for x in pictures:
        picture = net.analyse(x)
        y = torch.cat([picture.basic, net.rounded(picture, 0).scalable], 1)
        power = power + y.float().pow(2).mean((0, 2, 3))
    return (power / len(pictures)).sqrt()


def dead_channels(net: DeepFGS, pictures) -> list[int]:
    """The channels of y that are never anything but zero."""
    return (sizes(net, pictures) < DEAD_BELOW).nonzero().flatten().tolist()


@torch.no_grad()
def revive(net: DeepFGS, dead: list[int], pictures, average: dict[str, torch.Tensor] | None = None) -> None:
    """Gives the dead channels random weights in their head and in the decoder, and neutral predictions.

    `average`: averaged weights by name, which get the same.
    """
    changed = []

    def put(name, index, value):
        net.get_parameter(name).data[index] = value
        changed.append((name, index))

    alive = torch.ones(sum(net.config.slices), dtype=torch.bool)
    alive[dead] = False
    decoder = net.ffm[0].weight
    typical = decoder[:, alive].pow(2).mean().sqrt() if alive.any() else decoder.new_tensor(0.05)
    starts = [sum(net.config.slices[:i]) for i in range(len(net.config.slices))]
    for c in dead:
        head, row = _head(net, c)
        like = lambda t: torch.randn_like(t)
        weight = net.get_parameter(head + ".weight")
        put(head + ".weight", row, like(weight[row]) * weight.shape[1] ** -0.5)
        put(head + ".bias", row, 0)
        put("ffm.0.weight", (slice(None), c), like(decoder[:, c]) * typical * NEW_WEIGHT)
        i = max(j for j, start in enumerate(starts) if start <= c)
        own, n = c - starts[i], net.config.slices[i]
        for output, bias in ((own, 0), (n + own, NEW_LOG_SCALE)):
            put(f"e2.{i}.weight", output, 0)
            put(f"e2.{i}.bias", output, bias)
        if i:
            put(f"lin.{i}.weight", own, 0)
    reached = sizes(net, pictures)
    for c in dead:
        head, row = _head(net, c)
        put(head + ".weight", row, net.get_parameter(head + ".weight")[row] * (NEW_SIZE / reached[c].clamp(min=1e-6)))
    for name, index in changed if average is not None else ():
        average[name][index] = net.get_parameter(name)[index]


def _head(net: DeepFGS, channel: int) -> tuple[str, int]:
    """Name of the layer that gives a channel of y, and its output there."""
    basic = net.config.basic_channels
    return ("hb", channel) if channel < basic else (f"hs.{len(net.hs) - 1}", channel - basic)
