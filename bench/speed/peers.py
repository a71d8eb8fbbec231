"""The codecs whose speed is measured. Each encodes and decodes one picture and says how long it took.

Times are those of the work itself: in the process where the codec has a library with an interface to Python or a bench
of its own, else of a tool, less what the same tool takes for a picture of 64 x 64 pixels (its start).
"""
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image


class Sample:
    """One measurement: seconds to encode and to decode one picture, bits per pixel, and the PSNR in dB (or None)."""

    def __init__(self, encode, decode, bpp=None, psnr=None):
        self.encode, self.decode, self.bpp, self.psnr = encode, decode, bpp, psnr


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    mse = ((a.astype(np.float64) - b.astype(np.float64)) ** 2).mean()
    return float("inf") if mse == 0 else float(10 * np.log10(255**2 / mse))


def clock(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def tool(*arguments, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, **options)


class DeepFGS:
    """The codec's own bench, in its process: median of `frames` encodings and decodings."""

    def __init__(self, program, model, bpp, threads=2, isa="auto", frames=8, environment=None):
        self.program, self.model, self.bpp, self.threads, self.isa = program, model, bpp, threads, isa
        self.frames, self.environment = frames, environment
        self.name = f"DeepFGS {Path(model).stem}" + ("" if isa == "auto" else f", {isa}")

    def prepare(self, picture, path, target):
        self.path = path
        self.file = path.with_suffix(".dfgs")
        tool(self.program, "encode", path, "-o", self.file, "--force", "--model", self.model, "--max-bpp", self.bpp)
        tool(self.program, "decode", self.file, "-o", path.with_suffix(".out.png"), "--force", "--model", self.model)
        self.size = self.file.stat().st_size
        self.psnr = psnr(picture, np.array(Image.open(path.with_suffix(".out.png")).convert("RGB")))

    def measure(self, picture) -> Sample:
        run = tool(self.program, "bench", "speed", "--picture", self.path, "--max-bpp", self.bpp, "--frames",
                   self.frames, "--threads", self.threads, "--isa", self.isa, "--model", self.model, "--json",
                   env=self.environment)
        result = json.loads(run.stdout)["results"][0]
        return Sample(result["encode"]["median_ms"] / 1000, result["decode"]["median_ms"] / 1000,
                      8 * self.size / picture[..., 0].size, self.psnr)


class CompressAI:
    """A model of CompressAI on PyTorch, entropy coding included; its weights are untrained, which costs no time."""

    def __init__(self, name, quality, threads=2):
        self.model, self.quality, self.threads = name, quality, threads
        self.name = f"CompressAI {name}"

    def prepare(self, picture, path, target):
        import torch

        try:
            import torchvision  # noqa: F401 - CompressAI imports it
        except RuntimeError:
            for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
                del sys.modules[name]
            # torchvision's binary is of another build of torch: nothing here calls its operators, but they must be known.
            self.library = torch.library.Library("torchvision", "DEF")
            for name in ("nms", "qnms"):
                self.library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        from compressai.zoo import image_models

        torch.set_num_threads(self.threads)
        torch.manual_seed(1)
        self.torch = torch
        self.net = image_models[self.model](quality=self.quality, pretrained=False).eval()
        self.net.update(force=True)
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        self.x = torch.nn.functional.pad(x, (0, -x.shape[3] % 64, 0, -x.shape[2] % 64))

    def measure(self, picture) -> Sample:
        with self.torch.inference_mode():
            encode, coded = clock(lambda: self.net.compress(self.x))
            decode, _ = clock(lambda: self.net.decompress(coded["strings"], coded["shape"]))
        return Sample(encode, decode)


class Pillow:
    """A codec of Pillow's: libwebp, libavif, libjpeg-turbo, in the process."""

    def __init__(self, name, kind, settings, **options):
        self.name, self.kind, self.settings, self.options = name, kind, settings, options

    def prepare(self, picture, path, target):
        self.image = Image.fromarray(picture)
        found = []
        for quality in self.settings:
            data = self._encode(quality)
            found.append((abs(psnr(picture, self._decode(data)) - target), quality))
        self.quality = min(found)[1]

    def _encode(self, quality) -> bytes:
        file = io.BytesIO()
        self.image.save(file, self.kind, quality=quality, **self.options)
        return file.getvalue()

    @staticmethod
    def _decode(data) -> np.ndarray:
        return np.array(Image.open(io.BytesIO(data)).convert("RGB"))

    def measure(self, picture) -> Sample:
        encode, data = clock(lambda: self._encode(self.quality))
        decode, decoded = clock(lambda: self._decode(data))
        return Sample(encode, decode, 8 * len(data) / picture[..., 0].size, psnr(picture, decoded))


class Tool:
    """A pair of command line tools; what they take for a tiny picture is taken off."""

    def __init__(self, name, suffix, settings, encode, decode):
        self.name, self.suffix, self.settings = name, suffix, settings
        self.encode_command, self.decode_command = encode, decode

    def prepare(self, picture, path, target):
        self.folder = Path(tempfile.mkdtemp())
        self.source, self.tiny = self.folder / "x.ppm", self.folder / "tiny.ppm"
        Image.fromarray(picture).save(self.source)
        Image.fromarray(picture[:64, :64]).save(self.tiny)
        found = []
        for setting in self.settings:
            self._run(self.source, "x", setting)
            found.append((abs(psnr(picture, self._decoded()) - target), setting))
        self.setting = min(found)[1]

    def _run(self, source, name, setting) -> tuple[float, float]:
        coded, decoded = self.folder / (name + self.suffix), self.folder / (name + ".out.ppm")
        encode, _ = clock(lambda: tool(*self.encode_command(source, coded, setting)))
        decode, _ = clock(lambda: tool(*self.decode_command(coded, decoded)))
        return encode, decode

    def _decoded(self) -> np.ndarray:
        return np.array(Image.open(self.folder / "x.out.ppm").convert("RGB"))

    def measure(self, picture) -> Sample:
        start = [min(times) for times in zip(*[self._run(self.tiny, "tiny", self.setting) for _ in range(3)])]
        encode, decode = self._run(self.source, "x", self.setting)
        size = (self.folder / ("x" + self.suffix)).stat().st_size
        return Sample(max(encode - start[0], 1e-6), max(decode - start[1], 1e-6), 8 * size / picture[..., 0].size,
                      psnr(picture, self._decoded()))


class X264:
    """x264's own figure for intra pictures at its fastest preset; ffmpeg decodes them, its start taken off."""

    name = "x264 ultrafast intra"
    frames = 60

    def __init__(self, settings=(24, 27, 30, 33, 36), threads=2):
        self.settings, self.threads = settings, threads

    def prepare(self, picture, path, target):
        self.folder = Path(tempfile.mkdtemp())
        Image.fromarray(picture).save(self.folder / "x.png")
        tool("ffmpeg", "-y", "-loop", 1, "-i", self.folder / "x.png", "-frames:v", self.frames, "-pix_fmt", "yuv420p",
             self.folder / "x.y4m")
        found = []
        for qp in self.settings:
            self._encode(qp)
            found.append((abs(psnr(picture, self._decoded()) - target), qp))
        self.qp = min(found)[1]

    def _encode(self, qp) -> float:
        # Not --crf: with that, frames that repeat the first are coded five decibels worse.
        run = tool("x264", "--preset", "ultrafast", "--keyint", 1, "--qp", qp, "--threads", self.threads, "-o",
                   self.folder / "x.264", self.folder / "x.y4m")
        return float(re.search(rb"encoded \d+ frames, ([\d.]+) fps", run.stderr).group(1))

    def _decoded(self) -> np.ndarray:
        tool("ffmpeg", "-y", "-i", self.folder / "x.264", "-frames:v", 1, self.folder / "out.png")
        return np.array(Image.open(self.folder / "out.png").convert("RGB"))

    def _decode(self, frames) -> float:
        return clock(lambda: tool("ffmpeg", "-threads", self.threads, "-i", self.folder / "x.264", "-frames:v", frames,
                                  "-f", "null", "-"))[0]

    def measure(self, picture) -> Sample:
        encode = 1 / self._encode(self.qp)
        decode = max(self._decode(self.frames) - self._decode(1), 1e-6) / (self.frames - 1)
        size = (self.folder / "x.264").stat().st_size / self.frames
        return Sample(encode, decode, 8 * size / picture[..., 0].size, psnr(picture, self._decoded()))


def all_codecs(program, bpp) -> dict:
    """Every codec by its short name."""
    import os

    models = Path(__file__).resolve().parents[2] / "models"
    held = {**os.environ, "DNNL_MAX_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    v1_avx2 = DeepFGS(program, models / "live-v1.safetensors", bpp, isa="avx2", frames=4, environment=held)
    v1_avx2.name = "DeepFGS live-v1 (float32), avx2"
    return {
        "live-v2": DeepFGS(program, models / "live-v2.safetensors", bpp),
        "live-v2-avx512": DeepFGS(program, models / "live-v2.safetensors", bpp, isa="avx512", frames=4),
        "live-v2-avx2": DeepFGS(program, models / "live-v2.safetensors", bpp, isa="avx2", frames=4),
        "live-v1": DeepFGS(program, models / "live-v1.safetensors", bpp, frames=4),
        "live-v1-avx2": v1_avx2,
        "hyperprior": CompressAI("bmshj2018-hyperprior", 3),
        "cheng2020": CompressAI("cheng2020-anchor", 3),
        "jpeg2000": Tool(
            "OpenJPEG, 2 threads", ".j2k", (80, 60, 48, 36, 24),
            lambda a, b, r: ("opj_compress", "-i", a, "-o", b, "-r", r, "-I", "-threads", 2),
            lambda a, b: ("opj_decompress", "-i", a, "-o", b, "-threads", 2)),
        "jpegxl": Tool(
            "libjxl, effort 3, 2 threads", ".jxl", (6, 4.5, 3.5, 2.5, 1.8),
            lambda a, b, d: ("cjxl", a, b, "-d", d, "-e", 3, "--num_threads=2"),
            lambda a, b: ("djxl", a, b, "--num_threads=2")),
        "webp": Pillow("libwebp, method 4", "WEBP", (20, 40, 60, 75, 85), method=4),
        "avif": Pillow("libavif, speed 8, 2 threads", "AVIF", (30, 40, 50, 60, 70), speed=8, max_threads=2),
        "jpeg": Pillow("libjpeg-turbo", "JPEG", (30, 45, 60, 75, 85)),
        "x264": X264(),
    }
