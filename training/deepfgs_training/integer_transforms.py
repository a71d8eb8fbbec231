"""The transforms as integers, exactly: from a trained network to the tensors of format 3, and from those to pictures."""
import itertools

import torch
import torch.nn.functional as F

from .config import STREAM_MAX, ModelConfig
from .eight_bits import Quantiser
from .errors import TrainingError
from .layers import Block, TransformConv, Up
from .quantisation import ACCUMULATOR_LIMIT, IntegerLayer
from .transforms import PARTS

SIGNED, UNSIGNED, STREAM = (-127, 127), (0, 255), (-STREAM_MAX, STREAM_MAX)
LATENT_BITS = 8  # the encoder's latents are 256ths, of which it makes symbols


# From floats ------------------------------------------------------------------------------------------------------


class Exporter:
    """Makes the tensors of the model file out of a network whose layers have settled quantisers."""

    def __init__(self, net):
        self.net, self.tensors = net, {}

    @torch.no_grad()
    def run(self) -> dict[str, torch.Tensor]:
        """NAME.weight int8, NAME.bias int32, NAME.mult float32, and NAME.enter float32 where a layer reads a stream."""
        net, config = self.net, self.net.config
        named = lambda part: [(f"{part}.{i}", m) for i, m in enumerate(getattr(net, part))]
        layers = lambda items: [(n, m) for n, m in items if isinstance(m, (Block, Up, TransformConv))]
        features = self.chain(layers(named("ga")), None, read_by=[net.hb.quant, net.ha[0].quant])
        self.put("hb", net.hb, 2**-LATENT_BITS, features)
        self.put("ha.0", net.ha[0], net.ha[2].quant.step, features)
        self.put("ha.2", net.ha[2], net.ha[4].quant.step)
        self.put("ha.4", net.ha[4], 1.0)
        both = torch.cat([torch.full((config.widths[2],), features), torch.full((config.basic_channels,), 1 / 16)])
        self.chain(named("hs"), both, target=2**-LATENT_BITS)
        self.chain(layers(named("ffm") + named("gsyn")), 1 / 16, target=1 / 255)
        return self.tensors

    def chain(self, items, unit, target=None, read_by=()):
        """Layers that follow each other. Each but a block begins a stream, which the blocks behind and the next such
        layer read, or behind the last one `read_by`; or the last one gives integers whose step is `target`.

        unit: float value of one step of what the first reads, a number or [i], or None where it reads activations.
        Returns the unit of the last stream.
        """
        for at, (name, module) in enumerate(items):
            if isinstance(module, Block):
                self.block(name, module, unit)
                continue
            behind = [m for _, m in items[at + 1 :]]
            blocks = list(itertools.takewhile(lambda m: isinstance(m, Block), behind))
            following = behind[len(blocks) : len(blocks) + 1]
            readers = [q for b in blocks for q in (b.p1.quant, b.f1.quant)]
            readers += [_conv(m).quant for m in following] or list(read_by)
            made = stream_unit(readers) if readers else target
            self.put(name + ".c" if isinstance(module, Up) else name, _conv(module), made, unit)
            unit = made
        return unit

    def block(self, name, b: Block, unit):
        self.put(name + ".p1", b.p1, b.d.quant.step, unit)
        self.put(name + ".d", b.d, b.p2.quant.step)
        self.put(name + ".p2", b.p2, unit)
        self.put(name + ".f1", b.f1, b.f2.quant.step, unit)
        self.put(name + ".f2", b.f2, unit)

    def put(self, name, conv: TransformConv, target, stream=None):
        """`target`: float step of the result, a number or [o]; `stream`: step(s) of the stream that the layer reads."""
        w, unit = conv.quant.weights(conv)
        w, unit, bias = w.double(), unit.double(), conv.bias.double()
        reach = w.abs().sum((1, 2, 3)) * conv.quant.high + (bias / unit).abs()
        coarser = unit * (reach * 1.01 / (ACCUMULATOR_LIMIT - 1)).clamp(min=1)  # where a sum could reach 2^24
        w, bias = torch.round(w * (unit / coarser).view(-1, 1, 1, 1)), torch.round(bias / coarser)
        out = self.tensors
        out[name + ".weight"], out[name + ".bias"] = w.to(torch.int8), bias.to(torch.int32)
        out[name + ".mult"] = (coarser / torch.as_tensor(target).double()).float().expand(len(bias)).clone()
        if stream is not None:
            out[name + ".enter"] = (torch.as_tensor(stream).double() / conv.quant.step.double()).float()


def _conv(module) -> TransformConv:
    return module.c if isinstance(module, Up) else module


def stream_unit(readers: list[Quantiser]) -> float:
    """The float value of one step of a stream: room for twice what was seen."""
    return 2 * max(float(q.largest) for q in readers) / STREAM_MAX


# In integers ------------------------------------------------------------------------------------------------------


class IntegerTransforms:
    """8-bit pictures to 256ths of latents and back, in integers alone, from the tensors of a model file.

    Computes in `dtype`, float32 or float64, which give the same integers. Pictures [1, 3, H, W] of 0 to 255.
    """

    def __init__(self, config: ModelConfig, tensors: dict[str, torch.Tensor], dtype=torch.float32):
        """Raises TrainingError where a tensor is missing or an accumulator could reach 2^24."""
        self.config, self.dtype = config, dtype
        names = {k.rsplit(".", 1)[0] for k in tensors if k.split(".")[0] in PARTS}
        try:
            self.layers = {n: IntegerLayer(tensors[n + ".weight"], tensors[n + ".bias"], tensors[n + ".mult"],
                                           tensors.get(n + ".enter")) for n in names}
        except KeyError as missing:
            raise TrainingError(f"the model file lacks the tensor {missing}") from None
        for name, layer in self.layers.items():
            limit = UNSIGNED[1] if behind_relu(name) else SIGNED[1]
            worst = float(layer.worst(limit).max())
            if worst >= ACCUMULATOR_LIMIT:
                raise TrainingError(f"{name}: an accumulator may reach {worst:.0f}, over 2^24")

    def _layer(self, name, x, limits):
        if name not in self.layers:
            raise TrainingError(f"the model file lacks the tensor {name}.weight")
        return self.layers[name](x).clamp(*limits)

    def _block(self, name, s):
        h = self._layer(name + ".p1", s, UNSIGNED)
        h = self._layer(name + ".d", h, SIGNED)
        s = (s + self._layer(name + ".p2", h, STREAM)).clamp(*STREAM)
        h = self._layer(name + ".f1", s, UNSIGNED)
        return (s + self._layer(name + ".f2", h, STREAM)).clamp(*STREAM)

    def _blocks(self, part, s, first, count):
        for i in range(first, first + count):
            s = self._block(f"{part}.{i}", s)
        return s

    @torch.no_grad()
    def analyse(self, picture: torch.Tensor):
        """(stream of the features, z, 256ths of y_b)."""
        x = (F.pixel_unshuffle(picture.to(self.dtype), 4) - 128).clamp(*SIGNED)
        at = 1
        for blocks in self.config.analysis_blocks:
            x = self._blocks("ga", self._layer(f"ga.{at}", x, STREAM), at + 1, blocks)
            at += 1 + blocks
        h = self._layer("ha.2", self._layer("ha.0", x, UNSIGNED), UNSIGNED)
        return x, self._layer("ha.4", h, SIGNED), self._layer("hb", x, STREAM)

    @torch.no_grad()
    def scalable(self, stream: torch.Tensor, basic: torch.Tensor) -> torch.Tensor:
        """256ths of y_s from the features' stream and 16ths of the decoded y_b."""
        s = self._layer("hs.0", torch.cat([stream, basic.to(self.dtype)], 1), STREAM)
        return self._layer("hs.2", self._block("hs.1", s), STREAM)

    @torch.no_grad()
    def synthesise(self, latents: torch.Tensor) -> torch.Tensor:
        """The picture of 16ths of all latents."""
        s = self._block("ffm.1", self._layer("ffm.0", latents.to(self.dtype), STREAM))
        at = 0
        for stage, blocks in enumerate(self.config.synthesis_blocks):
            if stage:
                s, at = F.pixel_shuffle(self._layer(f"gsyn.{at}.c", s, STREAM), 2), at + 1
            s, at = self._blocks("gsyn", s, at, blocks), at + blocks
        return (F.pixel_shuffle(self._layer(f"gsyn.{at}", s, (-255, 255)), 4) + 128).clamp(0, 255)


def behind_relu(name: str) -> bool:
    """Whether a layer's inputs are unsigned activations."""
    return name.rsplit(".", 1)[-1] in ("d", "f2") or name in ("ha.2", "ha.4")
