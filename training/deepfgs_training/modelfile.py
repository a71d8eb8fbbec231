"""Model files: the shipped form that the codec loads, and the float form that training goes on from."""
import dataclasses
import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from .config import ACTIVATION_MAX, MEAN_FRACTION_BITS, SCALE_MIN, SCALE_STEP, ModelConfig
from .errors import TrainingError
from .integer import IntegerEntropy, float_layers, input_ranges
from .model import FLOAT_PARTS, Ablation, DeepFGS
from .tables import Tables, fit_prior

CONFIG_KEY, FLOAT_KEY = "deepfgs", "deepfgs.float"


def write_atomically(path, write) -> None:
    """Calls `write(temporary path)` beside `path`, then renames: a reader never sees half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.chmod(0o644)  # safetensors makes its files readable by the owner alone
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_tensors(path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors and the metadata of a safetensors file. Raises TrainingError where it cannot be read."""
    try:
        with safe_open(str(path), "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{path}: {error}") from None


def identity(path) -> str:
    """The first 8 bytes of the file's SHA-256, in hexadecimal: what streams carry."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]


def save_float(path, net: DeepFGS, state: dict[str, torch.Tensor], name: str) -> None:
    """Writes float weights (the averaged ones) with the configuration, as float32."""
    meta = {FLOAT_KEY: json.dumps(net.config.metadata(name))}
    tensors = {key: value.detach().float().cpu().contiguous() for key, value in state.items()}
    write_atomically(path, lambda p: save_file(tensors, str(p), metadata=meta))


def save_shipped(path, net: DeepFGS, integer: IntegerEntropy, tables: Tables, name: str) -> str:
    """Writes the file that the codec loads and returns its identity.

    float16 transforms, integer entropy networks, coding tables; `__metadata__.deepfgs` holds the configuration.
    """
    tensors = {key: value.detach().half().cpu().contiguous() for key, value in net.state_dict().items()
               if key.split(".")[0] in FLOAT_PARTS}
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            raise TrainingError(f"{key} does not fit into float16")
    tensors.update(integer.tensors())
    tensors.update(tables.tensors())
    meta = {CONFIG_KEY: json.dumps(net.config.metadata(name))}
    write_atomically(path, lambda p: save_file(tensors, str(p), metadata=meta))
    return identity(path)


class Shipped:
    """A shipped model: the float transforms in a network, the integer networks and the tables. Evaluation only."""

    def __init__(self, path):
        """Raises TrainingError where the file is no model of this format."""
        tensors, meta = read_tensors(path)
        if CONFIG_KEY not in meta:
            raise TrainingError(f"{path} is not a shipped model: it has no metadata '{CONFIG_KEY}'")
        fields = json.loads(meta[CONFIG_KEY])
        self.name, self.identity = fields.get("name", Path(path).stem), identity(path)
        self.config = ModelConfig.from_metadata(fields)
        self.integer = IntegerEntropy.from_tensors(self.config, tensors)
        self.tables = Tables.from_tensors(tensors, self.config.z_channels)
        self.net = DeepFGS(self.config)
        transforms = {k: v.float() for k, v in tensors.items() if k.split(".")[0] in FLOAT_PARTS}
        missing = self.net.load_state_dict(transforms, strict=False)
        lacking = [k for k in missing.missing_keys if k.split(".")[0] in FLOAT_PARTS]
        if lacking or missing.unexpected_keys:
            raise TrainingError(f"{path}: tensors missing {lacking}, unknown {missing.unexpected_keys}")
        self.net.requires_grad_(False)

    @torch.no_grad()
    def restore_float(self) -> DeepFGS:
        """The network with float entropy networks that compute what the integers do, but for their rounding.

        ReLU scales freely, so activations are given the range 0 to 4; the prior of z is fitted to its tables.
        """
        config, net = self.config, self.net
        peak = {f"hyp{j}": 4.0 for j in (0, 2, 4, 6)}
        peak.update({f"{part}.{i}": 4.0 for part in ("e1", "ctx", "chk") for i in range(len(config.slices))})
        ranges = input_ranges(config, peak)
        for name, conv in float_layers(net).items():
            layer, (part, index) = self.integer.layers[name], name.split(".")
            unit = layer.multiplier.double().clone()
            if part == "e2":
                n = config.slices[int(index)]
                unit[:n] /= 2**MEAN_FRACTION_BITS
                unit[n:] *= SCALE_STEP
            else:
                unit *= 4.0 / ACTIVATION_MAX
            scale = unit.view(-1, 1, 1, 1) / ranges[name].unit.double().view(1, -1, 1, 1)
            conv.weight.copy_(layer.weight * scale)
            conv.bias.copy_(layer.bias * unit)
            if part == "e2":
                conv.bias[n:] += float(torch.log(torch.tensor(SCALE_MIN)))
        for i, weight in self.integer.linear.items():
            net.lin[i].weight.copy_(weight / 256)
        with torch.enable_grad():
            net.ez = fit_prior(self.tables)
        return net.requires_grad_(True)


def load_network(path, config: ModelConfig | None = None, ablation: Ablation = Ablation()) -> DeepFGS:
    """A float network from float weights (ours, or bare tensors of `config`) or from a shipped model.

    Raises TrainingError where the file is another configuration's or no model at all.
    """
    tensors, meta = read_tensors(path)
    if CONFIG_KEY in meta:
        shipped = Shipped(path)
        stated, state = shipped.config, shipped.restore_float().state_dict()
    else:
        stated = ModelConfig.from_metadata(json.loads(meta[FLOAT_KEY])) if FLOAT_KEY in meta else None
        state = {key: value.float() for key, value in tensors.items()}
    if config is not None and config.checkerboard and "chk.0.weight" not in state:
        if stated in (None, dataclasses.replace(config, checkerboard=False)):
            return with_checkerboard(state, config, ablation)
    if config is not None and stated is not None and stated != config:
        raise TrainingError(f"{path} is a model of another configuration: {stated}, not {config}")
    net = DeepFGS(stated or config or ModelConfig(), ablation)
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingError(f"{path} does not hold the weights of this configuration: {error}") from None
    return net


@torch.no_grad()
def with_checkerboard(state: dict[str, torch.Tensor], config: ModelConfig, ablation: Ablation) -> DeepFGS:
    """A network of `config`, which has a checkerboard, from the weights of one without: it predicts the same at first,
    its new inputs having zero weights."""
    net = DeepFGS(config, ablation)
    for i, layer in enumerate(net.chk):
        state.update({f"chk.{i}.{key}": value for key, value in layer.state_dict().items()})
        name = f"e1.{i}.weight"
        old = state[name]
        state[name] = torch.cat([old, old.new_zeros(old.shape[0], config.context_channels, 1, 1)], 1)
    net.load_state_dict(state)
    return net
