"""Leaving out dead channels: what a channel that is never anything but zero costs in weights and time is saved."""
import dataclasses

import torch

from .config import ModelConfig
from .errors import TrainingError


def pruned(state: dict[str, torch.Tensor], config: ModelConfig, dead: list[int]):
    """(weights, configuration) without the channels `dead` of y, basic ones first.

    state: float weights, and NAME.quant.* where there are any; both lose what belongs to the channels. What the decoder
    made of their predicted means is lost, which is next to nothing where they never carried a symbol. Raises
    TrainingError where a whole slice would go.
    """
    total, starts = sum(config.slices), [sum(config.slices[:i]) for i in range(len(config.slices) + 1)]
    keep = torch.tensor([c for c in range(total) if c not in set(dead)])
    kept = [keep[(keep >= a) & (keep < b)] - a for a, b in zip(starts, starts[1:])]
    if not all(len(k) for k in kept):
        raise TrainingError("a slice without a channel alive cannot be pruned: train on")
    basic, features, out = config.basic_channels, config.widths[2], dict(state)
    first, second = keep[keep < basic], keep[keep >= basic] - basic

    def take(name, axis, index):
        if name in out:
            out[name] = out[name].index_select(axis, index)

    def rows(layer, index):
        take(f"{layer}.weight", 0, index), take(f"{layer}.bias", 0, index)

    def columns(layer, index):
        take(f"{layer}.weight", 1, index)
        for field in ("step", "peak"):
            take(f"{layer}.quant.{field}", 0, index)

    rows("hb", first)
    columns("hs.0", torch.cat([torch.arange(features), features + first]))
    rows(f"hs.{_last(state)}", second)
    columns("ffm.0", keep)
    for i, k in enumerate(kept):
        rows(f"e2.{i}", torch.cat([k, config.slices[i] + k]))
        columns(f"ctx.{i}", k), columns(f"chk.{i}", k)
        rows(f"lin.{i}", k), columns(f"lin.{i}", keep[keep < starts[i]])
    return out, dataclasses.replace(config, slices=tuple(len(k) for k in kept))


def _last(state) -> int:
    """Index of the layer of h_s that gives y_s."""
    return max(int(name.split(".")[1]) for name in state if name.startswith("hs."))
