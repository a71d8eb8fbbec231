"""The run: phases in floats and in integers, each step one CUDA graph, weights saved on the way, a guard against NaN."""
import contextlib
import dataclasses
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import parts
from deepfgs_training import eight_bits, evaluation, schedule
from deepfgs_training.config import Ablation, load_config
from deepfgs_training.data import Tiles, as_float
from deepfgs_training.errors import TrainingError
from deepfgs_training.grow import grown
from deepfgs_training.integer_entropy import calibrate, train_quantised
from deepfgs_training.layers import TransformConv
from deepfgs_training.model import DeepFGS
from deepfgs_training.revive import dead_channels, revive
from deepfgs_training.train import new_network
from optimiser import Optimiser

GPU_BATCH, GPU_CROP = 48, 256
KERNEL_ERROR = 2e-2  # relative, of bfloat16: larger ones are a fault
GOOD_EVERY = 100  # steps between copies to go back to
SLOWER = 0.6  # factor of the learning rate after going back


class Fit:
    """One run. `pictures`, `watched`: arrays [H, W, 3] of 8 bits."""

    def __init__(self, o, pictures, watched, started: float):
        self.o, self.started = o, started
        self.device = torch.device(o.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.cuda = self.device.type == "cuda"
        torch.manual_seed(o.seed)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        o.out.mkdir(parents=True, exist_ok=True)
        self.log = open(o.out / "log.txt", "a", buffering=1)
        self.model, config = load_config(o.config)
        lone = dict(batch=GPU_BATCH, crop=GPU_CROP) if self.cuda else {}
        given = {k: getattr(o, k) for k in ("batch", "crop", "lr") if getattr(o, k) is not None}
        self.config = dataclasses.replace(config, **{**lone, **given})
        if self.config.distortion != "mse":
            raise TrainingError(f"distortion = {self.config.distortion}: this script trains for the squared error alone")
        self.use_kernels()
        self.net, resumed = self.network()
        self.net = self.net.to(self.device)
        self.parameters = dict(self.net.named_parameters())
        self.average = {k: p.detach().clone() for k, p in self.parameters.items()}
        self.optimiser = Optimiser(self.net, self.config.lr, self.config.muon, self.config.clip)
        largest = self.config.crop * 3 // 2 if o.reduced else self.config.crop
        arrays = [torch.from_numpy(a).permute(2, 0, 1).contiguous() for a in pictures if min(a.shape[:2]) >= largest]
        self.tiles = Tiles(arrays, self.device)
        self.watched = [as_float(torch.from_numpy(a).permute(2, 0, 1), self.device) for a in watched]
        self.steps, self.scale, self.integers = 0, 1.0, False
        self.stats = torch.zeros(4, device=self.device)  # moving means of loss, squared error, bpp and gradient
        self.say(f"{len(arrays)} photographs, {len(watched)} watched, {resumed}, batch {self.config.batch} of "
                 f"{self.config.crop}, {self.device}")

    def say(self, text: str) -> None:
        line = f"[{time.monotonic() - self.started:6.1f} s] {text}"
        print(line, flush=True)
        print(line, file=self.log)

    # What it runs on --------------------------------------------------------------------------------------------

    def use_kernels(self) -> None:
        """Takes the Triton kernels where they agree with PyTorch's own, and says so."""
        wanted = self.o.triton
        if wanted == "never" or (wanted == "auto" and not self.cuda):
            return
        try:
            import kernels

            found = {str(t): kernels.errors(self.device.type, dtype=t) for t in (torch.bfloat16, torch.float32)}
            worst = max(max(e.values()) for e in found.values())
            if worst > KERNEL_ERROR:
                raise TrainingError(f"they differ by {worst:.3g} from PyTorch's: {found}")
            TransformConv.kernels = kernels.TritonKernels
            self.say(f"Triton kernels, within {worst:.1e} of PyTorch's")
        except Exception as error:  # a compiler on a strange machine may raise anything: the run goes on without
            if wanted == "always":
                raise
            self.say(f"without Triton kernels: {error}")

    def network(self) -> tuple[DeepFGS, str]:
        net = new_network(self.model, Ablation(), self.o.seed)
        folder = self.o.resume or self.o.pack
        if not self.o.resume and not list(folder.glob("weights-*.safetensors")):
            return net, "from nothing"
        tensors, meta = parts.read(folder)
        state = {k: v for k, v in tensors.items() if ".quant." not in k}
        stated = self.model if meta["config"] == self.o.config else load_config(meta["config"])[0]
        state = state if stated == self.model else grown(state, stated, self.model)
        if state is None:
            raise TrainingError(f"{folder} holds weights of {meta['config']}, which {self.o.config} has not grown from")
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise TrainingError(f"{folder} does not hold weights of {meta['config']}: {error}") from None
        return net, f"from {folder}, step {meta['step']} of {Path(meta['config']).stem}"

    # One step -----------------------------------------------------------------------------------------------------

    def batch(self) -> torch.Tensor:
        config, reduced = self.config, int(self.config.batch * self.o.reduced)
        x = self.tiles.batch(config.batch - reduced, config.crop, None)
        if reduced:
            large = self.tiles.batch(reduced, config.crop * 3 // 2, None)
            small = F.interpolate(large, size=(config.crop, config.crop), mode="bilinear", antialias=True)
            x = torch.cat([x, torch.round(small * 255) / 255])
        return x.contiguous(memory_format=torch.channels_last)

    def autocast(self):
        """bfloat16 in the phase of floats; integers multiply in TF32, which holds 8 bits."""
        fast = self.cuda and not self.integers
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=fast, cache_enabled=False)

    def step(self) -> None:
        config, channels = self.config, self.model.scalable_channels
        for p in self.optimiser.all:
            p.grad = None
        with torch.no_grad():
            x = self.batch()
            k = schedule.draw_cuts(config, config.batch, channels, None, self.device)
        with self.autocast():
            out = self.net(x, k)
        value, weight = schedule.multipliers(config, k, channels)
        mse = (out.decoded - x).pow(2).mean((1, 2, 3)) * 255**2
        bpp = (out.bits_z + out.bits_basic + (out.bits_scalable * out.mask).sum(1)) / config.crop**2
        loss = (weight * (value * mse + bpp)).mean()
        loss.backward()
        norm = self.optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.values()), list(self.parameters.values()), 1 - config.ema)
            new = torch.stack([loss.detach(), mse.mean().detach(), bpp.mean().detach(), norm.detach()])
            self.stats.lerp_(new, 0.02)

    def captured(self):
        """The step as a CUDA graph to be replayed; on a processor the step itself."""
        if not self.cuda:
            return self.step
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        for p in self.optimiser.all:
            p.grad = None
        with torch.cuda.graph(graph):
            self.step()
        torch.cuda.synchronize()
        self.say(f"captured, {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB at most")
        return graph.replay

    # Around the steps ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def averaged(self):
        """The network with the averaged weights, in place: captured graphs stay valid."""
        trained = [p.detach().clone() for p in self.parameters.values()]
        copy = lambda values: torch._foreach_copy_([p.detach() for p in self.parameters.values()], values)
        try:
            copy(list(self.average.values()))
            yield
        finally:
            copy(trained)

    def to_integers(self) -> None:
        """Puts the quantisation into the loop, its ranges found with the averaged weights."""
        side, many = self.tiles.largest_crop(448), self.cuda
        with torch.no_grad(), self.averaged():
            peak = calibrate(self.net, [self.tiles.batch(1, side, None) for _ in range(32 if many else 2)])
            eight_bits.attach(self.net)
            eight_bits.calibrate(self.net, [self.tiles.batch(8 if many else 1, side, None) for _ in range(12 if many else 2)])
        train_quantised(self.net, peak)
        self.integers = True

    def save(self) -> None:
        """The averaged weights, and the activation steps where there are any."""
        tensors = {**self.average, **eight_bits.steps_of(self.net)}
        parts.write(self.o.out, tensors, {"config": self.o.config, "step": self.steps})

    def watch(self, last: bool = False) -> list[dict]:
        """R-D points of the averaged weights, and dead channels, which get new weights in the phase of floats."""
        points = []
        with torch.no_grad(), self.averaged():
            if self.watched:
                at = evaluation.cuts(self.model, evaluation.CUT_SHARES if last else evaluation.FEWER_SHARES)
                points = evaluation.float_points(self.net, self.watched, at)
        crops = [self.tiles.batch(4, self.config.crop, None) for _ in range(4)]
        dead = dead_channels(self.net, crops)
        line = " ".join(f"{p['cut']}:{p['bpp']:.3f}/{p['psnr']:.2f}" for p in points)
        self.say(f"step {self.steps}, {len(dead)} dead channels {line}")
        if dead and not self.integers and self.done < self.config.revive_until:
            revive(self.net, dead, crops, self.average)
            self.say(f"revived {dead}")
        return points

    @property
    def done(self) -> float:
        """Share of the training time that is used, or of the steps where they are given."""
        if self.o.steps:
            return self.steps / self.o.steps
        return (time.monotonic() - self.begun) / max(1e-9, self.end - self.begun)

    def held(self) -> list[torch.Tensor]:
        return [*(p.detach() for p in self.parameters.values()), *self.average.values(), *self.optimiser.momentum]

    def check(self, good: list[torch.Tensor]) -> None:
        """Keeps a good state, or goes back to it, slower, where something is not finite."""
        if bool(torch.isfinite(self.stats).all()):
            torch._foreach_copy_(good, self.held())
            return
        self.scale *= SLOWER
        self.say(f"not finite at step {self.steps}: back, with {self.scale:.2f} of the learning rate")
        torch._foreach_copy_(self.held(), good)
        self.optimiser.forget()
        self.stats.zero_()

    def run(self) -> list[dict]:
        """Trains until the time that is left is that of the evaluation; saves, evaluates, returns the points."""
        o, config = self.o, self.config
        self.begun, self.end = time.monotonic(), self.started + o.seconds - o.last
        if self.done >= 1:
            raise TrainingError(f"{o.seconds} s leave no time to train after {time.monotonic() - self.started:.0f} s")
        self.watch()
        good, run = [t.clone() for t in self.held()], None
        saved = watched = said = time.monotonic()
        while self.done < 1:
            if self.done >= config.int8_from and not self.integers:
                self.to_integers()
                run = None
            factor = schedule.rate(config, self.steps, min(1.0, self.done)) * self.scale
            self.optimiser.set(factor)
            if run is None:
                run = self.captured()
            run()
            self.steps += 1
            if self.steps % 20 == 0 and self.cuda:
                torch.cuda.synchronize()
            if self.steps % GOOD_EVERY == 0:
                self.check(good)
            now = time.monotonic()
            if now - said > 20:
                loss, mse, bpp, norm = self.stats.tolist()
                self.say(f"step {self.steps}, {100 * self.done:.0f} %, rate {factor:.3f}, loss {loss:.3f}, mse {mse:.2f}, "
                         f"bpp {bpp:.3f}, gradient {norm:.2f}, {1e3 * (now - self.begun) / self.steps:.1f} ms a step")
                said = now
            if now - saved > o.save_seconds:
                self.save()
                saved = now
            if now - watched > o.watch_seconds:
                self.watch()
                watched = time.monotonic()
        self.check(good)
        self.save()
        points = self.watch(last=True)
        (o.out / "points.json").write_text(json.dumps(dict(config=o.config, step=self.steps, results=points), indent=1) + "\n")
        return points


def main(o, pictures, watched, started: float) -> int:
    """Returns the exit status."""
    try:
        run = Fit(o, pictures, watched, started)
        points = run.run()
        if points:
            print(evaluation.table(points))
        run.say(f"{run.steps} steps")
        return 0
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
