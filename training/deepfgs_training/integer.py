"""The entropy networks as integers: quantisation, exact evaluation, and training with the quantisation in the loop.

Everything between z and a probability table's index is an integer whose accumulators stay below 2^24, so float32 and
float64 convolutions give the same integers in any order of summation.
"""
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F

from .config import (ACTIVATION_MAX, CONTEXT_MAX, LINEAR_FRACTION_BITS, MEAN_FRACTION_BITS, MEAN_MAX, SCALE_MIN,
                     SCALE_STEP, SCALES, SYMBOL_MAX, Z_MAX, ModelConfig)
from .errors import TrainingError
from .layers import Up, anchors, in_two_passes, round_ste
from .model import DeepFGS

ACCUMULATOR_LIMIT = 2**24  # float32 holds every integer below
LINEAR_LIMIT = 2**31
WEIGHT_LEVELS = 127
HYPER_LAYERS = (0, 2, 4, 6)  # indices in `hyp` of the convolutions


class IntegerLayer(NamedTuple):
    """A convolution over integers: clamp(rint(acc * multiplier)), acc = weight * inputs + bias."""

    weight: torch.Tensor  # [o, i, k, k], integers
    bias: torch.Tensor  # [o], integers
    multiplier: torch.Tensor  # [o], float32

    def worst(self, limit: torch.Tensor) -> torch.Tensor:
        """Largest magnitude of each output's accumulator for inputs of magnitude up to `limit` [i]."""
        reach = (self.weight.double().abs() * limit.double().view(1, -1, 1, 1)).sum((1, 2, 3))
        return reach + self.bias.double().abs()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """rint(acc * multiplier), one float32 product, in the type of `x` (float32 or float64): exact in either."""
        acc = F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), padding=self.weight.shape[-1] // 2)
        return torch.round(acc.float() * self.multiplier.float().view(1, -1, 1, 1)).to(x.dtype)


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
        unit = w.abs().amax((1, 2, 3)).clamp(min=1e-12) / WEIGHT_LEVELS
        limit, bias = inputs.limit.double().view(1, -1, 1, 1), bias.double()
        reach = (torch.round(w / unit.view(-1, 1, 1, 1)).abs() * limit).sum((1, 2, 3)) + bias.abs() / unit
        unit = unit * (reach * 1.02 / (ACCUMULATOR_LIMIT - 1)).clamp(min=1)
        return torch.round(w / unit.view(-1, 1, 1, 1)), torch.round(bias / unit), unit


@torch.no_grad()
def calibrate(net: DeepFGS, pictures) -> dict[str, float]:
    """Largest activation (its 0.99995 quantile) after each ReLU of the entropy networks, over `pictures` [1, 3, H, W].

    Keys: "hyp0" ... "hyp6", "e1.i", "ctx.i", "chk.i". Raises TrainingError without pictures.
    """
    peak = {}

    def see(name, t):
        sample = t.flatten()[:: max(1, t.numel() // 2_000_000)]
        peak[name] = max(peak.get(name, 1e-3), float(torch.quantile(sample, 0.99995)))

    for x in pictures:
        f = net.ga(x - 0.5)
        h = torch.round(net.ha(f))
        for j, layer in enumerate(net.hyp):
            h = layer(h)
            if isinstance(layer, nn.ReLU):
                see(f"hyp{j - 1}", h)
        features, decoded, y, offset = [h], [], net.hb(f), 0
        for i, n in enumerate(net.config.slices):
            if i == net.config.basic_slices:
                y, offset = net.scalable(f, decoded), 0
            target = y[:, offset : offset + n]
            reconstruct = lambda mean: torch.round(target - mean) + mean
            mean, _ = net.predict(i, features, decoded, reconstruct)
            decoded.append(reconstruct(mean))
            inputs = features
            if net.config.two_passes(i):
                inputs = [*features, F.relu(net.chk[i](decoded[-1] * anchors(mean)))]
                see(f"chk.{i}", inputs[-1])
            see(f"e1.{i}", F.relu(net.e1[i](torch.cat(inputs, 1))))
            offset += n
            if i < len(net.config.slices) - 1:
                features.append(F.relu(net.ctx[i](decoded[-1])))
                see(f"ctx.{i}", features[-1])
    if not peak:
        raise TrainingError("no pictures to calibrate the integer networks on")
    return peak


def input_ranges(config: ModelConfig, peak: dict[str, float]) -> dict[str, InputRange]:
    """The input range of every integer layer, by its name in the model file ("hyp.0", "e1.3", ...)."""
    full = lambda n, value: torch.full((n,), float(value))
    act = lambda name, n: InputRange(full(n, peak[name] / ACTIVATION_MAX), full(n, ACTIVATION_MAX))
    ranges = {"hyp.0": InputRange(full(config.z_channels, 1), full(config.z_channels, Z_MAX))}
    for before, j in zip(HYPER_LAYERS, HYPER_LAYERS[1:]):
        ranges[f"hyp.{j}"] = act(f"hyp{before}", config.feature_channels)
    known = [act("hyp6", config.feature_channels)]
    for i, n in enumerate(config.slices):
        inputs = list(known)
        if config.two_passes(i):
            ranges[f"chk.{i}"] = InputRange(full(n, 0.25), full(n, CONTEXT_MAX))
            inputs.append(act(f"chk.{i}", config.context_channels))
        ranges[f"e1.{i}"] = InputRange(torch.cat([k.unit for k in inputs]), torch.cat([k.limit for k in inputs]))
        ranges[f"e2.{i}"] = act(f"e1.{i}", config.hidden)
        if i < len(config.slices) - 1:
            ranges[f"ctx.{i}"] = InputRange(full(n, 0.25), full(n, CONTEXT_MAX))
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
        ones = {name: 1.0 for name in [f"hyp{j}" for j in HYPER_LAYERS]}
        ones.update({f"{part}.{i}": 1.0 for part in ("e1", "ctx", "chk") for i in range(len(config.slices))})
        for name, inputs in input_ranges(config, ones).items():
            worst = float(layers[name].worst(inputs.limit).max())
            if worst >= ACCUMULATOR_LIMIT:
                raise TrainingError(f"{name}: an accumulator may reach {worst:.0f}, over 2^24")
        reach = 2**MEAN_FRACTION_BITS * SYMBOL_MAX + MEAN_MAX
        for i, weight in linear.items():
            worst = float((weight.abs().sum((1, 2, 3)) * reach).max()) + 128
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
                multiplier = unit / (peak["hyp" + index if part == "hyp" else name] / ACTIVATION_MAX)
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
        return self.layers[name](x).clamp(0, ACTIVATION_MAX)

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
        return self._activation(f"{part}.{i}", torch.floor((latents + 2) / 4).clamp(-CONTEXT_MAX, CONTEXT_MAX))


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
