"""Shipped models: the file that the codec loads."""
import json
from pathlib import Path

import torch

from .codec import Codec, FloatTransforms
from .config import MEAN_FRACTION_BITS, SCALE_MIN, SCALE_STEP, STREAM_MAX, ModelConfig
from .errors import TrainingError
from .integer_entropy import IntegerEntropy, float_layers, input_ranges
from .integer_transforms import Exporter, IntegerTransforms, behind_relu
from .layers import TransformConv
from .model import DeepFGS
from .safetensors_files import identity_of, read_tensors, write_tensors
from .tables import Tables, fit_prior
from .transforms import PARTS

CONFIG_KEY = "deepfgs"
RESTORED_PEAK = 4.0  # ReLU scales freely: the range that activations of restored entropy networks are given


def save_shipped(path, net: DeepFGS, integer: IntegerEntropy, name: str, rounding: float = 0.0) -> str:
    """Writes the file that the codec loads and returns its identity.

    The transforms in float16, or as integers where the network's configuration says so and its quantisers are settled;
    integer entropy networks, coding tables; `__metadata__.deepfgs` holds the configuration.
    """
    if net.config.integers:
        tensors = Exporter(net).run()
    else:
        tensors = {k: v.detach().half() for k, v in net.state_dict().items() if k.split(".")[0] in PARTS}
    for key, value in tensors.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise TrainingError(f"{key} does not fit into {str(value.dtype).removeprefix('torch.')}")
    tensors.update(integer.tensors())
    tensors.update(Tables.of(net.ez, net.config.ranges.z_max).tensors())
    write_tensors(path, tensors, {CONFIG_KEY: json.dumps(net.config.metadata(name, rounding))})
    return identity_of(path)


class Shipped:
    """A shipped model, for evaluation: the transforms, the integer networks and the tables."""

    def __init__(self, path):
        """Raises TrainingError where the file is no model of this format."""
        tensors, meta = read_tensors(path)
        if CONFIG_KEY not in meta:
            raise TrainingError(f"{path} is not a shipped model: it has no metadata '{CONFIG_KEY}'")
        fields = json.loads(meta[CONFIG_KEY])
        self.name, self.identity = fields.get("name", Path(path).stem), identity_of(path)
        self.config = ModelConfig.from_metadata(fields)
        self.rounding = float(fields.get("rounding", 0))
        self.integer = IntegerEntropy.from_tensors(self.config, tensors)
        self.tables = Tables.from_tensors(tensors, self.config.z_channels)
        self.tensors = {k: v for k, v in tensors.items() if k.split(".")[0] in PARTS}
        self._float = None if self.config.integers else self._float_transforms(path)

    def codec(self, dtype=torch.float32, **quantisers) -> Codec:
        """The codec of this model; `quantisers`: basic and scalable (`codec.Quantiser`)."""
        transforms = IntegerTransforms(self.config, self.tensors, dtype) if self.config.integers else self._float
        return Codec(transforms, self.integer, self.tables, dtype, rounding=self.rounding, **quantisers)

    def _float_transforms(self, path) -> FloatTransforms:
        net = DeepFGS(self.config)
        missing = net.load_state_dict({k: v.float() for k, v in self.tensors.items()}, strict=False)
        lacking = [k for k in missing.missing_keys if k.split(".")[0] in PARTS]
        if lacking or missing.unexpected_keys:
            raise TrainingError(f"{path}: tensors missing {lacking}, unknown {missing.unexpected_keys}")
        return FloatTransforms(net.requires_grad_(False))

    # Back to floats -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def restore_float(self) -> DeepFGS:
        """A network of floats that computes what the integers do, but for their rounding: to train on from.

        ReLU scales freely, so ranges are chosen; the prior of z is fitted to its tables, which takes seconds.
        """
        net = DeepFGS(self.config)
        if self.config.integers:
            self._restore_transforms(net)
        else:
            net.load_state_dict(self._float.net.state_dict())
        self._restore_entropy(net)
        with torch.enable_grad():
            net.ez = fit_prior(self.tables, self.config.ranges.z_max)
        return net.requires_grad_(True)

    def _restore_entropy(self, net: DeepFGS) -> None:
        layers = float_layers(net)
        limits = self.config.ranges
        ranges = input_ranges(self.config, dict.fromkeys(layers, RESTORED_PEAK))
        for name, conv in layers.items():
            layer, (part, index) = self.integer.layers[name], name.split(".")
            unit = layer.multiplier.double().clone()
            if part == "e2":
                n = self.config.slices[int(index)]
                unit[:n] /= 2**MEAN_FRACTION_BITS
                unit[n:] *= SCALE_STEP
            else:
                unit *= RESTORED_PEAK / limits.activation_max
            scale = unit.view(-1, 1, 1, 1) / ranges[name].unit.double().view(1, -1, 1, 1)
            conv.weight.copy_(layer.weight * scale)
            conv.bias.copy_(layer.bias * unit)
            if part == "e2":
                conv.bias[n:] += float(torch.log(torch.tensor(SCALE_MIN)))
        for i, weight in self.integer.linear.items():
            net.lin[i].weight.copy_(weight / 256)

    def _restore_transforms(self, net: DeepFGS) -> None:
        """Every stream is given the same unit, every activation between two layers the same step."""
        stream, step, latent = 64 / STREAM_MAX, 1 / 64, 1 / 16
        last = f"gsyn.{len(net.gsyn) - 2}"
        given = {"hb": 1 / 256, "hs.2": 1 / 256, "ha.4": 1.0, last: 1 / 255}
        activations = ("p1", "d", "f1")
        for name, conv in net.named_modules():
            if not isinstance(conv, TransformConv):
                continue
            weight, bias, mult = (self.tensors[f"{name}.{part}"].double() for part in ("weight", "bias", "mult"))
            made = given.get(name, step if name.rsplit(".", 1)[-1] in activations or name in ("ha.0", "ha.2") else stream)
            unit = mult * made  # of the accumulator
            if name + ".enter" in self.tensors:
                enter = self.tensors[name + ".enter"].double()
                read = torch.full((len(enter),), latent if name == "ffm.0" else stream, dtype=torch.float64)
                if name == "hs.0":
                    read[self.config.widths[2] :] = latent
                entering = read / enter
            else:
                entering = torch.full((conv.in_channels,), step if behind_relu(name) or name.endswith(".p2") else 1 / 255)
            entering = entering.double().view((1, -1, 1, 1) if conv.groups == 1 else (-1, 1, 1, 1))
            conv.weight.copy_(weight * unit.view(-1, 1, 1, 1) / entering)
            conv.bias.copy_(bias * unit)
