"""The training loop: a wall-clock budget, averaged weights, checkpoints, evaluation on the way."""
import contextlib
import csv
import dataclasses
import math
import time
from pathlib import Path

import torch

from . import eight_bits, evaluation, schedule
from .checkpoint import Checkpoint
from .config import Ablation, ModelConfig, TrainConfig
from .data import Tiles
from .distortion import distortion
from .errors import TrainingError
from .integer_entropy import calibrate, train_quantised
from .model import DeepFGS
from .muon import optimisers
from .plots import plot_training
from .progress import Progress, duration
from .revive import dead_channels, revive
from .safetensors_files import write_tensors
from .weights import save_float

LOSS_COLUMNS = ("step", "minutes", "loss", "mse", "bpp", "gradient", "rate")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run: where it writes and how long it may take."""

    out: Path  # folder: NAME.float.safetensors, NAME.steps.safetensors, checkpoint.pt, training.csv, rd.csv, curves.png
    name: str
    minutes: float  # of training, the minutes before a resumed checkpoint included
    steps: int | None = None  # ends after so many steps instead, the schedule following them: equal budgets, tests
    device: str = "cpu"
    precision: str = "auto"  # of the transforms: auto, bf16, fp32
    checkpoint_minutes: float = 5
    evaluate_minutes: float = 10
    compile: bool = False
    seed: int = 0


def uses_bfloat16(precision: str, device: str) -> bool:
    """Whether the transforms run under bfloat16 autocast: "auto" is where the hardware multiplies it natively."""
    if precision != "auto":
        return precision == "bf16"
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported()
    try:
        return any(flag in Path("/proc/cpuinfo").read_text() for flag in ("amx_bf16", "avx512_bf16"))
    except OSError:
        return False


class Trainer:
    """A network, its averaged weights, its optimisers and its tiles.

    Start it from nothing, from a network (`net`), or from a checkpoint; then `run()`.
    """

    def __init__(self, run: Run, config: TrainConfig, tiles: Tiles, pictures: list[torch.Tensor], net: DeepFGS):
        """`pictures`: [1, 3, H, W] in [0, 1] for the R-D points, on the run's device; may be empty."""
        self.settings, self.config, self.tiles, self.pictures = run, config, tiles, pictures
        self.device = torch.device(run.device)
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.average = {k: v.detach().clone().float() for k, v in self.net.named_parameters()}
        self.autocast = uses_bfloat16(run.precision, run.device)
        fast = torch.bfloat16 if self.autocast else torch.float32
        self.optimisers = optimisers(self.net, config.lr, config.muon, fast)
        self.generator = torch.Generator(self.device).manual_seed(run.seed)
        self.peaks: dict[str, float] | None = None  # of the entropy networks, once they train quantised
        self.step, self.before = 0, 0.0  # `before`: seconds of training in earlier processes
        self.forward = torch.compile(self.net) if run.compile else self.net

    # Resuming -------------------------------------------------------------------------------------------------

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes on from a checkpoint of the same configuration, in the middle of its schedule."""
        if (checkpoint.config, checkpoint.ablation) != (self.net.config, self.net.ablation):
            raise TrainingError("the checkpoint is of another configuration or ablation than this run")
        if len(checkpoint.optimisers) != len(self.optimisers):
            raise TrainingError("the checkpoint was made with other optimisers (see --muon)")
        if any(".quant." in k for k in checkpoint.net):
            eight_bits.attach(self.net)
        self.net.load_state_dict(checkpoint.net)
        if checkpoint.peaks:
            self.peaks = checkpoint.peaks
            train_quantised(self.net, self.peaks)
        self.average = {k: v.to(self.device) for k, v in checkpoint.average.items()}
        for (optimiser, _), state in zip(self.optimisers, checkpoint.optimisers):
            optimiser.load_state_dict(state)
        if checkpoint.generator.numel() == self.generator.get_state().numel():  # another device draws otherwise
            self.generator.set_state(checkpoint.generator)
        self.step, self.before = checkpoint.step, checkpoint.seconds

    def checkpoint(self) -> Checkpoint:
        """The state as it is."""
        return Checkpoint(
            self.net.config, self.net.ablation, self.step, self.seconds, self.net.state_dict(), self.average,
            [optimiser.state_dict() for optimiser, _ in self.optimisers], self.generator.get_state(), self.peaks)

    def save(self) -> None:
        """Writes the checkpoint, the averaged weights, and the activation steps where the transforms are integers."""
        out, name = self.settings.out, self.settings.name
        self.checkpoint().save(out / "checkpoint.pt")
        save_float(out / f"{name}.float.safetensors", self.net.config, self.average, name)
        if self.integers:
            write_tensors(out / f"{name}.steps.safetensors", eight_bits.steps_of(self.net))

    # The loop -------------------------------------------------------------------------------------------------

    @property
    def seconds(self) -> float:
        """Of training so far, earlier processes included."""
        return self.before + (time.monotonic() - self.started)

    @property
    def integers(self) -> bool:
        """Whether the transforms train as 8-bit integers by now."""
        return bool(eight_bits.quantisers(self.net))

    @property
    def done(self) -> float:
        """Share of the budget that is used: of the steps where they are given, else of the minutes."""
        return self.step / self.settings.steps if self.settings.steps else self.seconds / (60 * self.settings.minutes)

    def run(self) -> list[dict]:
        """Trains until the budget is used; returns the R-D points of the averaged weights at the end."""
        self.settings.out.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        saved = evaluated = 0.0
        recent, points = [], []
        progress = Progress("training", 1.0, min(self.done, 0.999))
        while self.done < 1:
            recent.append(self.train_step())
            now = time.monotonic() - self.started
            if now - saved > 60 * self.settings.checkpoint_minutes:
                self.save()
                saved = now
            if len(recent) == 100:
                self._log(recent)
            if now - evaluated > 60 * self.settings.evaluate_minutes:
                points = self.evaluate(progress)
                evaluated = time.monotonic() - self.started
            if recent:
                progress.show(min(1.0, self.done), f"step {self.step}, loss {float(recent[-1]['loss']):.3f}")
        if recent:
            self._log(recent)
        points = self.evaluate(progress)
        self.save()
        progress.end(f"{self.step} steps in {duration(self.seconds)}")
        return points

    def train_step(self) -> dict[str, torch.Tensor]:
        """One step of both optimisers and of the average; returns loss, mse (of 255), bpp, gradient norm and rate.

        A step whose gradient is not finite is left out.
        """
        config, done = self.config, min(1.0, self.done)
        if done >= config.int8_from and not self.integers:
            self._transforms_to_integers()
        if done >= config.qat_from and not self.net.quantised:
            self._entropy_to_integers()
        rate, side = schedule.rate(config, self.step, done), schedule.crop(config, done)
        for optimiser, factor in self.optimisers:
            optimiser.param_groups[0]["lr"] = config.lr * factor * rate
        x = self.tiles.batch(config.batch, side, self.generator)
        channels = self.net.config.scalable_channels
        k = schedule.draw_cuts(config, config.batch, channels, self.generator)
        if not self.net.ablation.random_cuts:
            k = torch.full_like(k, channels)
        steps = schedule.draw_steps(config, config.batch, self.generator) if config.step_range > 1 else None
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            out = self.forward(x, k, steps)
        value, weight = schedule.multipliers(config, k, channels, 1.0 if steps is None else steps)
        mse = (out.decoded - x).pow(2).mean((1, 2, 3)) * 255**2
        bpp = (out.bits_z + out.bits_basic + (out.bits_scalable * out.mask).sum(1)) / side**2
        judged = distortion(config.distortion, out.decoded, x, mse)
        loss = (weight * (value * judged + bpp)).mean()
        for optimiser, _ in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        gradient = torch.nn.utils.clip_grad_norm_(self.net.parameters(), config.clip)
        if torch.isfinite(gradient):
            for optimiser, _ in self.optimisers:
                optimiser.step()
        self.step += 1
        self._average()
        values = dict(loss=loss, mse=mse.mean(), bpp=bpp.mean(), gradient=gradient)
        return {**{key: v.detach() for key, v in values.items()}, "rate": rate}

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential average of the weights, its memory growing with the steps so far."""
        decay = min(self.config.ema, 1 - 1 / (self.step * 0.1 + 10))
        torch._foreach_lerp_(list(self.average.values()), [p.detach() for p in self.net.parameters()], 1 - decay)

    @contextlib.contextmanager
    def averaged(self):
        """The network with the averaged weights."""
        trained = {k: p.detach().clone() for k, p in self.net.named_parameters()}
        try:
            self.net.load_state_dict(self.average, strict=False)
            yield self.net
        finally:
            self.net.load_state_dict(trained, strict=False)

    def _transforms_to_integers(self) -> None:
        if not self.net.config.integers:
            raise TrainingError("--int8-from needs a configuration with integers = true")
        pictures = [self.tiles.batch(4, self.tiles.largest_crop(448), self.generator) for _ in range(12)]
        eight_bits.attach(self.net)
        with self.averaged(), torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            eight_bits.calibrate(self.net, pictures)

    def _entropy_to_integers(self) -> None:
        pictures = [self.tiles.batch(1, self.config.crop, self.generator) for _ in range(32)]
        self.peaks = calibrate(self.net, pictures)
        train_quantised(self.net, self.peaks)

    # Looking at it --------------------------------------------------------------------------------------------

    def evaluate(self, progress: Progress) -> list[dict]:
        """R-D points of the averaged weights on the evaluation pictures; logs them and draws the curves. Dead channels
        are counted on crops of the photographs, and revived while the schedule says so."""
        with self.averaged():
            at = evaluation.cuts(self.net.config, evaluation.FEWER_SHARES)
            points = evaluation.float_points(self.net, self.pictures, at) if self.pictures else []
        crops = [self.tiles.batch(4, self.config.crop, self.generator) for _ in range(8)]
        dead = dead_channels(self.net, crops)
        minutes = self.seconds / 60
        rows = [dict(step=self.step, minutes=round(minutes, 2), dead=len(dead), **p) for p in points]
        line = " ".join(f"{p['cut']}:{p['bpp']:.3f}/{p['psnr']:.2f}" for p in points)
        line = f", cut:bpp/dB {line}" if line else ""
        progress.note(f"{minutes:.1f} min, step {self.step}, {len(dead)} dead channels{line}")
        if rows:
            append_csv(self.settings.out / "rd.csv", ("step", "minutes", "dead", "cut", "bpp", "psnr"), rows)
        plot_training(self.settings.out)
        if dead and self.done < self.config.revive_until and not self.integers:
            revive(self.net, dead, crops, self.average)
            progress.note(f"revived {len(dead)} channels: {', '.join(map(str, dead))}")
        return points

    def _log(self, recent: list[dict]) -> None:
        mean = {k: float(torch.as_tensor([float(r[k]) for r in recent]).mean()) for k in recent[0]}
        if not math.isfinite(mean["loss"]):
            raise TrainingError(f"the loss is not finite at step {self.step}: try a smaller --lr")
        rounded = {k: float(f"{v:.6g}") for k, v in mean.items()}
        row = dict(step=self.step, minutes=round(self.seconds / 60, 2), **rounded)
        append_csv(self.settings.out / "training.csv", LOSS_COLUMNS, [row])
        recent.clear()


def append_csv(path: Path, columns, rows: list[dict]) -> None:
    """Appends rows, with a header where the file is new."""
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, columns)
        if new:
            writer.writeheader()
        writer.writerows(rows)


def new_network(config: ModelConfig, ablation: Ablation, seed: int) -> DeepFGS:
    """An untrained network, the same for the same seed."""
    torch.manual_seed(seed)
    return DeepFGS(config, ablation)
