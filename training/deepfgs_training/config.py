"""Configurations: the sizes of a network, how it is trained, and which of the codec's parts an ablation leaves out."""
import dataclasses
import math
import tomllib
from pathlib import Path
from typing import NamedTuple

from .distortion import KINDS
from .errors import TrainingError

# Fixed by the model file's format, not by a configuration.
SCALE_MIN, SCALE_MAX, SCALES = 0.11, 64.0, 64
MEAN_MAX, SYMBOL_MAX, STEP_MAX = 8191, 2047, 32
MEAN_FRACTION_BITS, LINEAR_FRACTION_BITS = 4, 8
STREAM_MAX, WEIGHT_MAX = 32767, 127  # of format 3's transforms
SCALE_STEP = (math.log(SCALE_MAX) - math.log(SCALE_MIN)) / (SCALES - 1)
STRIDE = 64  # pictures are padded to multiples of this

CONFIG_DIR = Path(__file__).resolve().parent.parent / "configs"


class Ranges(NamedTuple):
    """The largest magnitudes that the entropy networks' integers take."""

    activation_max: int
    context_max: int
    context_shift: int  # context inputs are latents in 16ths over 2^this, rounded
    z_max: int


WIDE, NARROW = Ranges(1023, 511, 2, 255), Ranges(255, 127, 1, 127)  # of formats 1 and 2, of format 3


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Sizes of a network; the defaults are those of "live"."""

    widths: tuple[int, ...] = (64, 128, 256)  # channels at 1/4, 1/8, 1/16
    analysis_blocks: tuple[int, ...] = (1, 2, 2)  # at 1/4, 1/8, 1/16
    synthesis_blocks: tuple[int, ...] = (1, 3, 1)  # at 1/16, 1/8, 1/4
    slices: tuple[int, ...] = (16, 16, 8, 8, 16, 16, 24, 32, 40, 48)  # channels of y, basic slices first
    basic_slices: int = 2
    z_channels: int = 48
    feature_channels: int = 96
    context_channels: int = 32
    hidden: int = 96
    checkerboard: bool = False  # basic slices in two passes, the second seeing the first: format 2 of the model file
    integers: bool = False  # transforms of 8-bit integers, ReLU in the blocks: format 3, which has a checkerboard too

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is bool:
                continue
            sizes = value if isinstance(value, tuple) else (value,)
            low = 0 if field.name.endswith("blocks") else 1
            if not all(isinstance(s, int) and low <= s <= 4096 for s in sizes):
                raise TrainingError(f"{field.name} = {value}: whole numbers from {low} to 4096 are needed")
            if field.name in ("widths", "analysis_blocks", "synthesis_blocks") and len(value) != 3:
                raise TrainingError(f"{field.name} = {value}: three numbers are needed, one for each scale")
        if not 1 <= self.basic_slices < len(self.slices):
            raise TrainingError(f"basic_slices = {self.basic_slices}: one of {len(self.slices)} must be scalable")
        if self.integers and not self.checkerboard:
            raise TrainingError("integers = true needs checkerboard = true: format 3 has both")

    @property
    def basic_channels(self) -> int:
        """Channels of y_b."""
        return sum(self.slices[: self.basic_slices])

    @property
    def scalable_channels(self) -> int:
        """Channels of y_s: the largest cut."""
        return sum(self.slices[self.basic_slices :])

    @property
    def format(self) -> int:
        """Version of the model file: 3 with integers to the pixel, 2 with a checkerboard in the basic slices, else 1."""
        return 3 if self.integers else 2 if self.checkerboard else 1

    @property
    def ranges(self) -> Ranges:
        """What the format says of the entropy networks' integers."""
        return NARROW if self.integers else WIDE

    @property
    def slope(self) -> float:
        """Of the blocks' activation function below 0: a ReLU where 8 unsigned bits hold what follows it."""
        return 0 if self.integers else 0.01

    @property
    def grey(self) -> float:
        """What is taken from a picture in [0, 1] before the transforms."""
        return 128 / 255 if self.integers else 0.5

    def two_passes(self, i: int) -> bool:
        """Whether slice i is coded in two passes: its anchors, then the other positions, which see them."""
        return self.checkerboard and i < self.basic_slices

    def metadata(self, name: str, rounding: float = 0.0) -> dict:
        """The object behind `__metadata__.deepfgs` of a model file. `rounding`: of the encoder, see `codec.Codec`."""
        ranges = self.ranges
        fields = dict(
            format=self.format, name=name, slices=self.slices, basic_slices=self.basic_slices, z_channels=self.z_channels,
            feature_channels=self.feature_channels, context_channels=self.context_channels, hidden=self.hidden,
            activation_max=ranges.activation_max, context_max=ranges.context_max, z_max=ranges.z_max, mean_max=MEAN_MAX,
            mean_fraction_bits=MEAN_FRACTION_BITS, linear_fraction_bits=LINEAR_FRACTION_BITS, scale_levels=SCALES,
            scale_min=SCALE_MIN, scale_max=SCALE_MAX, widths=self.widths, analysis_blocks=self.analysis_blocks,
            synthesis_blocks=self.synthesis_blocks, leaky_slope=self.slope)
        if self.integers:
            fields |= dict(context_shift=ranges.context_shift, stream_max=STREAM_MAX, weight_max=WEIGHT_MAX,
                           rounding=rounding)
        return fields

    @classmethod
    def from_metadata(cls, fields: dict) -> "ModelConfig":
        """The configuration that a shipped model states.

        Raises TrainingError for another format version, fixed ranges other than ours, or missing fields.
        """
        config = cls._sizes(fields, integers=fields.get("format") == 3)
        for key, value in config.metadata("").items():
            if key not in ("name", "rounding") and _value(fields.get(key)) != _value(value):
                raise TrainingError(f"the model file says {key} = {fields.get(key)}; this trainer knows {value}")
        return config

    @classmethod
    def from_float_metadata(cls, fields: dict) -> "ModelConfig":
        """The configuration of float weights: sizes alone, and by the range of activations what they were trained for."""
        return cls._sizes(fields, integers=fields.get("activation_max") == NARROW.activation_max)

    @classmethod
    def _sizes(cls, fields: dict, integers: bool) -> "ModelConfig":
        try:
            sizes = {f.name: _value(fields[f.name]) for f in dataclasses.fields(cls) if f.type is not bool}
            return cls(**sizes, checkerboard=fields["format"] >= 2, integers=integers)
        except KeyError as missing:
            raise TrainingError(f"the model file's metadata lacks {missing}") from None


def _setting(default, help_text: str):
    return dataclasses.field(default=default, metadata={"help": help_text})


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How a network is trained; the command line overrides each field."""

    batch: int = _setting(8, "samples for each step")
    crop: int = _setting(192, "side of the crops, a multiple of 64")
    lr: float = _setting(1e-3, "learning rate of AdamW")
    muon: float = _setting(2.0, "learning rate of Muon over that of AdamW; 0 = AdamW for all weights")
    lambda_min: float = _setting(0.0012, "lambda at k = 0")
    lambda_max: float = _setting(0.045, "lambda with every channel")
    weight_power: float = _setting(-0.5, "weight of a sample = (lambda(k) / lambda_max) to this power")
    base_share: float = _setting(0.10, "share of the samples at k = 0")
    full_share: float = _setting(0.10, "share of the samples with every channel")
    cut_power: float = _setting(1.0, "the other cuts are channels * uniform^this: above 1, low rates more often")
    warmup: int = _setting(200, "steps over which the learning rate rises")
    decay_from: float = _setting(0.6, "share of the budget after which the learning rate falls along a cosine")
    final_crop: int = _setting(0, "side of the crops at the end; 0 keeps them")
    final_crop_from: float = _setting(0.8, "share of the budget after which it holds")
    step_range: float = _setting(1.0, "quantiser steps are drawn from 1/this to this for each sample; 1 = always 1")
    clip: float = _setting(1.0, "largest norm of the gradient")
    ema: float = _setting(0.9995, "memory of the averaged weights, for each step")
    qat_from: float = _setting(1.0, "share of the budget after which the entropy networks train quantised; 1 = never")
    int8_from: float = _setting(1.0, "share of the budget after which the transforms train as 8-bit integers; 1 = never")
    distortion: str = _setting("mse", "what pictures are judged by: mse or msssim (crops of 192 or more)")
    revive_until: float = _setting(0.5, "share of the budget up to which dead channels are revived; 0 = never")

    def __post_init__(self):
        checks = {
            "batch": self.batch >= 1, "crop": self.crop >= STRIDE and self.crop % STRIDE == 0,
            "final_crop": self.final_crop >= 0 and self.final_crop % STRIDE == 0, "lr": self.lr > 0,
            "lambda_min": 0 < self.lambda_min <= self.lambda_max, "ema": 0 <= self.ema < 1, "clip": self.clip > 0,
            "base_share": 0 <= self.base_share and self.base_share + self.full_share <= 1,
            "full_share": 0 <= self.full_share <= 1, "cut_power": 0 < self.cut_power <= 4, "decay_from": 0 <= self.decay_from < 1,
            "qat_from": 0 <= self.qat_from <= 1, "int8_from": 0 <= self.int8_from <= 1,
            "revive_until": 0 <= self.revive_until <= 1, "muon": self.muon >= 0,
            "distortion": self.distortion in KINDS, "step_range": 1 <= self.step_range <= 4, "warmup": self.warmup >= 0}
        for name, fine in checks.items():
            if not fine:
                hint = f"; crops are multiples of {STRIDE}" if "crop" in name else ""
                raise TrainingError(f"{name} = {getattr(self, name)} is out of range{hint}")


@dataclasses.dataclass(frozen=True)
class Ablation:
    """Which of the paper's parts are left out, to see what each is worth. All on is the codec."""

    basic_into_scalable: bool = True  # y_b into h_s (feature separation); off: zeros in its place
    mean_for_missing: bool = True  # what did not arrive is its predicted mean; off: zero (cannot be exported)
    linear_prediction: bool = True  # lin.i; off: zero weights that are not trained
    random_cuts: bool = True  # k drawn per sample; off: always every channel, at lambda_max

    FLAGS = {"no-basic-into-scalable": "basic_into_scalable", "zero-for-missing": "mean_for_missing",
             "no-linear-prediction": "linear_prediction", "no-random-cuts": "random_cuts"}

    @classmethod
    def without(cls, names) -> "Ablation":
        """The ablation that leaves out the parts of these flags (keys of FLAGS)."""
        return cls(**{cls.FLAGS[n]: False for n in names})


def _value(value):
    return tuple(value) if isinstance(value, list) else value


def load_config(name: str) -> tuple[ModelConfig, TrainConfig]:
    """Reads a configuration: a name in training/configs ("live", "hq") or the path of a TOML file.

    Raises TrainingError where there is no such file, it is no TOML, or a key is unknown.
    """
    path = Path(name) if name.endswith(".toml") else CONFIG_DIR / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in CONFIG_DIR.glob("*.toml")))
        raise TrainingError(f"no configuration {name}: there are {known}, or give the path of a .toml file")
    try:
        data = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: {error}") from None
    parts = {"model": ModelConfig, "training": TrainConfig}
    for section, fields in data.items():
        known = {f.name for f in dataclasses.fields(parts[section])} if section in parts else None
        if known is None or not isinstance(fields, dict):
            raise TrainingError(f"{path}: unknown section {section}; there are {', '.join(parts)}")
        for key in fields:
            if key not in known:
                raise TrainingError(f"{path}: unknown key {section}.{key}; there are {', '.join(sorted(known))}")
    build = lambda kind, section: kind(**{k: _value(v) for k, v in data.get(section, {}).items()})
    return build(ModelConfig, "model"), build(TrainConfig, "training")
