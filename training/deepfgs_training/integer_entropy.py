"""The entropy networks as integers: calibration, exact evaluation, and training with the quantisation in the loop.

Everything between z and a probability table's index is an integer (see `quantisation`).
"""
from collections import defaultdict

import torch
import torch.nn as nn
import torch.nn.functional as F

from .config import (LINEAR_FRACTION_BITS, MEAN_FRACTION_BITS, MEAN_MAX, SCALE_MIN, SCALE_STEP, SCALES, STEP_MAX,
                     SYMBOL_MAX, ModelConfig)
from .errors import TrainingError
from .layers import Up, in_two_passes, round_ste
from .model import DeepFGS
from .quantisation import ACCUMULATOR_LIMIT, InputRange, IntegerLayer, quantise

LINEAR_LIMIT = 2**31
LINEAR_REACH = STEP_MAX * SYMBOL_MAX + MEAN_MAX  # the largest |Y|: a symbol times the coarsest step, and a mean
HYPER_LAYERS = (0, 2, 4, 6)  # indices in `hyp` of the convolutions
PEAK_QUANTILE = 0.99995


@torch.no_grad()
def calibrate(net: DeepFGS, pictures) -> dict[str, float]:
    """Largest activation (its 0.99995 quantile) behind each ReLU of the entropy networks, over `pictures` [1, 3, H, W].

    Keys: the layers' names, "hyp.0" ... "hyp.6", "e1.i", "ctx.i", "chk.i". Raises TrainingError without pictures.
    """
    peak, seen = {}, {}

    def keep(name):
        def hook(_, __, out):  # of two passes the second is kept
            seen[name] = F.relu(out)
        return hook

    hooks = [layer.register_forward_hook(keep(name)) for name, layer in float_layers(net).items() if name[:2] != "e2"]
    try:
        for x in pictures:
            net.rounded(net.analyse(x), net.config.scalable_channels)
            for name, t in seen.items():
                sample = t.flatten()[:: max(1, t.numel() // 2_000_000)]
                peak[name] = max(peak.get(name, 1e-3), float(torch.quantile(sample, PEAK_QUANTILE)))
    finally:
        for hook in hooks:
            hook.remove()
    if not peak:
        raise TrainingError("no pictures to calibrate the integer networks on")
    return peak


def input_ranges(config: ModelConfig, peak: dict[str, float]) -> dict[str, InputRange]:
    """The input range of every integer layer, by its name in the model file ("hyp.0", "e1.3", ...)."""
    limits = config.ranges
    full = lambda n, value: torch.full((n,), float(value))
    act = lambda name, n: InputRange(full(n, peak[name] / limits.activation_max), full(n, limits.activation_max))
    latents = lambda n: InputRange(full(n, 2**limits.context_shift / 16), full(n, limits.context_max))
    ranges = {"hyp.0": InputRange(full(config.z_channels, 1), full(config.z_channels, limits.z_max))}
    for before, j in zip(HYPER_LAYERS, HYPER_LAYERS[1:]):
        ranges[f"hyp.{j}"] = act(f"hyp.{before}", config.feature_channels)
    known = [act("hyp.6", config.feature_channels)]
    for i, n in enumerate(config.slices):
        inputs = list(known)
        if config.two_passes(i):
            ranges[f"chk.{i}"] = latents(n)
            inputs.append(act(f"chk.{i}", config.context_channels))
        ranges[f"e1.{i}"] = InputRange(torch.cat([k.unit for k in inputs]), torch.cat([k.limit for k in inputs]))
        ranges[f"e2.{i}"] = act(f"e1.{i}", config.hidden)
        if i < len(config.slices) - 1:
            ranges[f"ctx.{i}"] = latents(n)
            known.append(act(f"ctx.{i}", config.context_channels))
    return ranges


def float_layers(net: DeepFGS) -> dict[str, nn.Conv2d]:
    """The convolutions that become integer layers, by name, without `lin`."""
    layers = {f"hyp.{j}": net.hyp[j].c if isinstance(net.hyp[j], Up) else net.hyp[j] for j in HYPER_LAYERS}
    for part in ("e1", "e2", "ctx", "chk"):
        layers.update({f"{part}.{i}": m for i, m in enumerate(getattr(net, part)) if isinstance(m, nn.Conv2d)})
    return layers


class IntegerEntropy:
    """The entropy networks as integers, from a trained network and its calibration or from a model file's tensors."""

    def __init__(self, config: ModelConfig, layers: dict[str, IntegerLayer], linear: dict[int, torch.Tensor]):
        """Checks every accumulator bound; raises TrainingError naming the layer that breaks one."""
        self.config, self.layers, self.linear = config, layers, linear
        for name, inputs in input_ranges(config, defaultdict(lambda: 1.0)).items():
            worst = float(layers[name].worst(inputs.limit).max())
            if worst >= ACCUMULATOR_LIMIT:
                raise TrainingError(f"{name}: an accumulator may reach {worst:.0f}, over 2^24")
        for i, weight in linear.items():
            worst = float((weight.abs().sum((1, 2, 3)) * LINEAR_REACH).max()) + 128
            if worst >= LINEAR_LIMIT or weight.abs().max() > 32767:
                raise TrainingError(f"lin.{i}: a sum may reach {worst:.0f}, over 2^31")

    @classmethod
    @torch.no_grad()
    def from_network(cls, net: DeepFGS, peak: dict[str, float]) -> "IntegerEntropy":
        """Quantises a trained network with the activation peaks of `calibrate`."""
        config, layers, ranges = net.config, {}, input_ranges(net.config, peak)
        for name, conv in float_layers(net).items():
            part, index = name.split(".")
            bias = conv.bias.double().clone()
            if part == "e2":  # scales count from the smallest
                n = config.slices[int(index)]
                bias[n:] -= float(torch.log(torch.tensor(SCALE_MIN, dtype=torch.float64)))
            weight, bias, unit = quantise(conv.weight, bias, ranges[name])
            if part == "e2":
                multiplier = unit * 2**MEAN_FRACTION_BITS
                multiplier[n:] = unit[n:] / SCALE_STEP
            else:
                multiplier = unit / (peak[name] / config.ranges.activation_max)
            layers[name] = IntegerLayer(weight, bias, multiplier.float())
        scale = 2**LINEAR_FRACTION_BITS
        used = range(1, len(config.slices))
        linear = {i: torch.round(net.lin[i].weight.detach().double() * scale) for i in used}
        return cls(config, layers, linear)

    @classmethod
    def from_tensors(cls, config: ModelConfig, tensors: dict[str, torch.Tensor]) -> "IntegerEntropy":
        """The networks of a model file. Raises TrainingError for a missing tensor."""
        names = [f"hyp.{j}" for j in HYPER_LAYERS]
        count = len(config.slices)
        names += [f"{part}.{i}" for part in ("e1", "e2") for i in range(count)]
        names += [f"ctx.{i}" for i in range(count - 1)]
        names += [f"chk.{i}" for i in range(count) if config.two_passes(i)]
        try:
            parts = ("weight", "bias", "mult")
            layers = {n: IntegerLayer(*(tensors[f"{n}.{p}"].double() for p in parts)) for n in names}
            linear = {i: tensors[f"lin.{i}.weight"].double() for i in range(1, count)}
        except KeyError as missing:
            raise TrainingError(f"the model file lacks the tensor {missing}") from None
        return cls(config, layers, linear)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors of the model file: int16 weights, int32 biases, float32 multipliers."""
        out = {}
        for name, layer in self.layers.items():
            out[name + ".weight"] = layer.weight.to(torch.int16).contiguous()
            out[name + ".bias"] = layer.bias.to(torch.int32).contiguous()
            out[name + ".mult"] = layer.multiplier.float().contiguous()
        out.update({f"lin.{i}.weight": w.to(torch.int16).contiguous() for i, w in self.linear.items()})
        return out

    def _activation(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return self.layers[name](x).clamp(0, self.config.ranges.activation_max)

    @torch.no_grad()
    def hyper(self, z: torch.Tensor) -> torch.Tensor:
        """Phi [N, features, H/16, W/16] of integers z [N, c, H/64, W/64]."""
        h = self._activation("hyp.0", z)
        h = F.pixel_shuffle(self._activation("hyp.2", h), 2)
        h = self._activation("hyp.4", h)
        return F.pixel_shuffle(self._activation("hyp.6", h), 2)

    @torch.no_grad()
    def predict(self, i: int, features: list[torch.Tensor], decoded: list[torch.Tensor], reconstruct):
        """16 * mean and scale index of slice i, from features and integer latents Y = 16 * y of the slices before.

        `reconstruct`: maps 16 * mean to the slice's integer latents; asked for the anchors of slices in two passes.
        """
        if not self.config.two_passes(i):
            return self._pass(i, features, decoded)
        none = torch.zeros_like(features[0][:, : self.config.context_channels])
        predict = lambda own: self._pass(i, [*features, own], decoded)
        return in_two_passes(predict, lambda known: self.context(i, known, "chk"), reconstruct, none)

    def _pass(self, i: int, features: list[torch.Tensor], decoded: list[torch.Tensor]):
        n = self.config.slices[i]
        out = self.layers[f"e2.{i}"](self._activation(f"e1.{i}", torch.cat(features, 1)))
        mean = out[:, :n]
        if i:  # sums up to 2^31: float64 holds them
            total = F.conv2d(torch.cat(decoded, 1).double(), self.linear[i])
            mean = mean + torch.floor((total + 128) / 256).to(mean.dtype)
        return mean.clamp(-MEAN_MAX, MEAN_MAX), out[:, n:].clamp(0, SCALES - 1)

    @torch.no_grad()
    def context(self, i: int, latents: torch.Tensor, part: str = "ctx") -> torch.Tensor:
        """Context features of slice i from its integer latents Y; with "chk", from its anchors alone."""
        limits = self.config.ranges
        unit = 2**limits.context_shift
        inputs = torch.floor((latents + unit / 2) / unit).clamp(-limits.context_max, limits.context_max)
        return self._activation(f"{part}.{i}", inputs)


def train_quantised(net: DeepFGS, peak: dict[str, float]) -> None:
    """Quantisation-aware training from here on: weights, means and scales take the integers' grids in every pass,
    with straight-through gradients. Call again to renew the activation ranges."""
    device = next(net.parameters()).device

    def quantiser(inputs):
        inputs = InputRange(inputs.unit.to(device), inputs.limit.to(device))

        def apply(weight, bias):
            w, b, unit = quantise(weight, bias, inputs)
            w = (w * unit.view(-1, 1, 1, 1) / inputs.unit.double().view(1, -1, 1, 1)).float()
            return weight + (w - weight).detach(), bias + ((b * unit).float() - bias).detach()

        return apply

    for name, inputs in input_ranges(net.config, peak).items():
        float_layers(net)[name].fake_quantiser = quantiser(inputs)
    for i in range(1, len(net.config.slices)):
        net.lin[i].fake_quantiser = lambda weight, bias: (round_ste(weight * 256) / 256, None)
    net.quantised = True
