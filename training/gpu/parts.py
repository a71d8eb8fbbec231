"""Weights in files of at most 16 MiB: what a borrowed machine gives back, and what is carried to it."""
import json
from pathlib import Path

import torch

from deepfgs_training.errors import TrainingError
from deepfgs_training.safetensors_files import read_tensors, write_tensors

from photographs import LIMIT

META = "deepfgs.parts"
EIGHT_BITS = "|8"  # behind the name of a tensor in 8 bits; "|unit" behind that of its steps, one for each output


def write(folder: Path, tensors: dict[str, torch.Tensor], meta: dict, eight_bits: bool = False) -> int:
    """Writes folder/weights-0.safetensors, weights-1... as float16, matrices in 8 bits where asked; returns their bytes.

    The parts bear the same `meta`, which names the step: those of two moments are not read together.
    """
    tensors = _packed(tensors) if eight_bits else {
        k: v.half() if v.is_floating_point() and ".quant." not in k else v for k, v in tensors.items()}
    parts, size = [{}], 0
    for name in sorted(tensors):
        bytes_ = tensors[name].numel() * tensors[name].element_size() + 200
        if parts[-1] and size + bytes_ > LIMIT:
            parts.append({})
            size = 0
        parts[-1][name], size = tensors[name], size + bytes_
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"weights-{i}.safetensors" for i in range(len(parts))]
    for i, (path, part) in enumerate(zip(paths, parts)):
        write_tensors(path.with_suffix(".new"), part, {META: json.dumps({**meta, "part": i, "parts": len(parts)})})
    for path in paths:  # all at once, as nearly as it can be
        path.with_suffix(".new").replace(path)
    return sum(path.stat().st_size for path in paths)


def read(folder: Path) -> tuple[dict[str, torch.Tensor], dict]:
    """The tensors, as float32, and the meta of such files. Raises TrainingError where parts are missing or of two moments."""
    tensors, metas = {}, []
    for path in sorted(Path(folder).glob("weights-*.safetensors")):
        part, meta = read_tensors(path)
        if META not in meta:
            raise TrainingError(f"{path} is no part of packed weights")
        metas.append(json.loads(meta[META]))
        tensors.update(part)
    if not metas:
        raise TrainingError(f"no weights-*.safetensors in {folder}")
    same = [{k: v for k, v in meta.items() if k != "part"} for meta in metas]
    if len(metas) != metas[0]["parts"] or any(meta != same[0] for meta in same):
        raise TrainingError(f"the parts in {folder} are not all there, or of different steps: "
                            f"{[(m['part'], m['parts'], m.get('step')) for m in metas]}")
    return _unpacked(tensors), same[0]


def _packed(tensors):
    out = {}
    for name, value in tensors.items():
        if value.ndim == 4 and value[0].numel() >= 16:
            unit = value.abs().amax((1, 2, 3)).clamp(min=1e-12) / 127
            out[name + EIGHT_BITS] = torch.round(value / unit.view(-1, 1, 1, 1)).to(torch.int8)
            out[name + "|unit"] = unit.float()
        else:
            out[name] = value.half() if value.is_floating_point() and ".quant." not in name else value
    return out


def _unpacked(tensors):
    out = {name: value.float() for name, value in tensors.items() if "|" not in name}
    for name, value in tensors.items():
        if name.endswith(EIGHT_BITS):
            plain = name.removesuffix(EIGHT_BITS)
            out[plain] = value.float() * tensors[plain + "|unit"].view(-1, 1, 1, 1)
    return out
