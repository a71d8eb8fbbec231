"""Growing: weights of a network that computes at first what a smaller one does."""
import dataclasses

import torch
import torch.nn.functional as F

from .config import ModelConfig
from .model import DeepFGS

BLOCK_FIELDS = ("analysis_blocks", "synthesis_blocks")
WIDTH_FIELDS = ("widths", "slices", "z_channels", "feature_channels", "hidden")


@torch.no_grad()
def grown(state: dict[str, torch.Tensor], old: ModelConfig | None, new: ModelConfig) -> dict[str, torch.Tensor] | None:
    """Weights of `new` from those of `old` (None: not known, the same but for the checkerboard), or None where the two
    differ in more than can grow: a checkerboard, blocks at the end of a stage, wider layers, further slices, integers in
    place of floats.

    With a checkerboard the new inputs have zero weights; new blocks are the identity; what a wider network adds is not
    seen by what was there, and further slices are zero, which `revive` gives weights. So the picture is the same at
    first. Integers change the blocks' activation function to ReLU, which is not free: some hundred steps bring the
    quality back.
    """
    if old is None:
        return _with_checkerboard(state, new) if new.checkerboard and "chk.0.weight" not in state else state
    pick = lambda fields: {field: getattr(new, field) for field in fields}
    fewer = all(a <= b for field in (*BLOCK_FIELDS, *WIDTH_FIELDS) for a, b in zip(_sizes(old, field), _sizes(new, field)))
    flags = all(getattr(old, f) <= getattr(new, f) for f in ("checkerboard", "integers"))
    same = pick((*BLOCK_FIELDS, *WIDTH_FIELDS, "checkerboard", "integers"))
    further = new.slices[: len(old.slices)] == old.slices
    if not (fewer and flags and further and dataclasses.replace(old, **same) == new):
        return None
    deep = dataclasses.replace(old, **pick(BLOCK_FIELDS))
    state = _with_blocks(state, old, deep)
    even = dataclasses.replace(deep, checkerboard=new.checkerboard, integers=new.integers)
    state = _with_checkerboard(state, even) if new.checkerboard and not old.checkerboard else state
    return _wider(state, even, new)


def _sizes(config: ModelConfig, field: str) -> tuple[int, ...]:
    value = getattr(config, field)
    return value if isinstance(value, tuple) else (value,)


def _wider(state, old: ModelConfig, new: ModelConfig):
    """Puts every weight where it belongs in wider layers. Old outputs have zero weights for new inputs, and new latents
    are zero (T. Chen and others, Net2Net, ICLR 2016, for layers that do not multiply what was there)."""
    if old == new:
        return state
    more, a, b = dict(DeepFGS(new).state_dict()), old.widths[2], new.widths[2]
    moved = {"hs.0.weight": (a, b)}  # inputs behind the first of these begin at the second
    for i in range(len(old.slices)):
        moved[f"e1.{i}.weight"] = (old.feature_channels, new.feature_channels)
    latents = f"hs.{len(DeepFGS(new).hs) - 1}."
    for key, value in more.items():
        before = state.get(key)
        if key.startswith(latents):
            value.zero_()
        if before is None:
            continue
        if before.ndim != 4 or key.startswith("ez."):
            value[tuple(slice(n) for n in before.shape)] = before
            continue
        outputs, inputs = before.shape[:2]
        at, to = moved.get(key, (inputs, inputs))
        value[:outputs] = 0
        value[:outputs, :at] = before[:, :at]
        value[:outputs, to : to + inputs - at] = before[:, at:]
    return more


def _with_checkerboard(state, config: ModelConfig):
    """Adds what the second pass needs. What is no such weight stays as it is."""
    more = dict(state)
    for i, layer in enumerate(DeepFGS(config).chk):
        more.update({f"chk.{i}.{key}": value for key, value in layer.state_dict().items()})
        before = state.get(f"e1.{i}.weight")
        if before is not None and before.ndim == 4:
            more[f"e1.{i}.weight"] = F.pad(before, (0, 0, 0, 0, 0, config.context_channels))
    return more


def _with_blocks(state, old: ModelConfig, new: ModelConfig):
    """Moves the layers behind new blocks, and adds these."""
    # Index of the first block of each stage, old and new; every layer between two stages is one module.
    moved, begins = {}, {}
    for part, field, first in (("ga", "analysis_blocks", 2), ("gsyn", "synthesis_blocks", 0)):
        at, to, counts = first, first, list(zip(getattr(old, field), getattr(new, field)))
        for before, after in counts:
            moved.update({f"{part}.{at + i}": f"{part}.{to + i}" for i in range(before)})
            begins.update({f"{part}.{to + i}": True for i in range(before, after)})
            moved[f"{part}.{at + before}"] = f"{part}.{to + after}"
            at, to = at + before + 1, to + after + 1
    more = {}
    for key, value in state.items():
        part, index, *rest = key.split(".")
        home = moved.get(f"{part}.{index}", f"{part}.{index}")
        more[".".join([home, *rest])] = value
    fresh = DeepFGS(new).state_dict()
    for key, value in fresh.items():
        part, index, *rest = key.split(".")
        if f"{part}.{index}" in begins:
            more[key] = torch.zeros_like(value) if rest[0] in ("p2", "f2") else value
    return more
