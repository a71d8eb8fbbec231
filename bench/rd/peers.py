"""The codecs we are compared with. Each takes a picture and returns what every cut or quality costs and looks like.

A codec is a function (picture [H, W, 3] uint8, settings) -> list of Point, one for each of the settings, in their
order; a setting that this picture has no result for is None.
"""
import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, features

JPEG_QUALITIES = (5, 8, 12, 18, 26, 36, 50, 65, 80, 90)
WEBP_QUALITIES = (0, 5, 14, 26, 40, 55, 70, 80, 88, 93)
AVIF_QUALITIES = (12, 20, 28, 36, 44, 52, 60, 68, 76)
JXL_DISTANCES = (14, 10, 7, 5, 3.5, 2.5, 1.8, 1.3)
LAYER_BPP = (0.0625, 0.125, 0.1875, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5)
CUT_BPP = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5)


class Point(NamedTuple):
    """One setting of a codec on one picture."""

    setting: float  # quality, distance, layer's rate or cut, as `describe` says
    size: int  # bytes
    decoded: np.ndarray  # [H, W, 3] uint8


def _pillow(kind: str, **options):
    def run(picture, settings):
        points = []
        for quality in settings:
            file = io.BytesIO()
            Image.fromarray(picture).save(file, kind, quality=quality, **options)
            points.append(Point(quality, file.tell(), read(file)))
        return points

    return run


def read(file) -> np.ndarray:
    """A picture file, by path or open, as [H, W, 3] uint8."""
    with Image.open(file) as image:
        return np.array(image.convert("RGB"))


def jpeg2000(picture: np.ndarray, settings) -> list[Point]:
    """One embedded codestream of nine quality layers (9/7 wavelet, ICT), cut behind each layer.

    The size of a cut is the main header, the packets of its layers and the end marker, counted from the codestream
    that OpenJPEG writes; the table of packet lengths that tells us where layers end is not counted.
    """
    file = io.BytesIO()
    Image.fromarray(picture).save(
        file, "JPEG2000", irreversible=True, mct=1, quality_mode="rates", quality_layers=[24 / r for r in LAYER_BPP],
        progression="LRCP", num_resolutions=6, no_jp2=True, plt=True)
    data = file.getvalue()
    points = []
    for layer, size in enumerate(layer_sizes(data, len(LAYER_BPP)), 1):
        if LAYER_BPP[layer - 1] not in settings:
            continue
        image = Image.open(io.BytesIO(data))
        kind, _, _, fd, length = image.tile[0].args
        image.tile = [image.tile[0]._replace(args=(kind, 0, layer, fd, length))]
        points.append(Point(LAYER_BPP[layer - 1], size, np.array(image.convert("RGB"))))
    return points


def layer_sizes(data: bytes, layers: int) -> list[int]:
    """Bytes of a one-tile LRCP codestream cut behind each layer, without its PLT segments.

    Raises ValueError where the codestream is no such thing.
    """
    position, header, lengths = 2, 2, []
    while True:
        marker = data[position : position + 2]
        if marker == b"\xff\x93":  # start of data: packets follow
            break
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if len(marker) < 2 or length < 2:
            raise ValueError("not a JPEG 2000 codestream")
        if marker == b"\xff\x58":  # PLT: lengths in 7-bit groups
            value = 0
            for byte in data[position + 5 : position + 2 + length]:
                value = value << 7 | byte & 0x7F
                if byte < 0x80:
                    lengths.append(value)
                    value = 0
        else:
            header += 2 + length
        position += 2 + length
    if not lengths or len(lengths) % layers:
        raise ValueError(f"{len(lengths)} packets do not divide into {layers} layers")
    packets = np.cumsum(lengths)
    if position + 2 + packets[-1] + 2 != len(data):
        raise ValueError("the packet lengths do not add up to the codestream's size")
    each = len(lengths) // layers
    return [int(header + 2 + packets[each * layer - 1] + 2) for layer in range(1, layers + 1)]


def jpegxl(picture: np.ndarray, settings) -> list[Point]:
    """One file for each distance, `cjxl -e 7`."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "x.png"), Path(folder, "x.jxl")
        Image.fromarray(picture).save(source)
        points = []
        for distance in settings:
            _tool("cjxl", source, target, "-d", str(distance), "-e", "7", "--num_threads=0")
            points.append(Point(distance, target.stat().st_size, _djxl(target, Path(folder, "y.png"))))
        return points


def jpegxl_progressive(picture: np.ndarray, settings) -> list[Point | None]:
    """One progressive file at distance 1 (`cjxl -p`), cut at bytes. A cut that djxl shows nothing for is None."""
    pixels = picture.shape[0] * picture.shape[1]
    with tempfile.TemporaryDirectory() as folder:
        source, target, cut = Path(folder, "x.png"), Path(folder, "x.jxl"), Path(folder, "cut.jxl")
        Image.fromarray(picture).save(source)
        _tool("cjxl", source, target, "-d", "1", "-e", "7", "-p", "--num_threads=0")
        data, points = target.read_bytes(), []
        for bpp in settings:
            part = data[: int(bpp * pixels / 8)]
            cut.write_bytes(part)
            try:
                decoded = _djxl(cut, Path(folder, "y.png"), "--allow_partial_files")
            except subprocess.CalledProcessError:
                points.append(None)
                continue
            points.append(Point(bpp, len(part), decoded) if decoded.shape == picture.shape else None)
        return points


def _djxl(path: Path, png: Path, *options: str) -> np.ndarray:
    png.unlink(missing_ok=True)
    _tool("djxl", path, png, *options, "--num_threads=0", "--bits_per_sample=8")
    if not png.exists():
        raise subprocess.CalledProcessError(1, "djxl")
    return read(png)


def _tool(*arguments) -> None:
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True)


def _version(*arguments: str) -> str:
    text = subprocess.run(arguments, capture_output=True, text=True)
    return (text.stdout + text.stderr).splitlines()[0].split("[")[0].strip()


class Codec(NamedTuple):
    """A peer: its label, its settings and function, and what is to be known of how its points were made."""

    label: str
    settings: tuple  # all that it can be measured at
    run: object
    describe: object  # () -> str
    tool: str | None = None  # program without which it cannot run


def _libraries() -> str:
    return f"Pillow {Image.__version__}"


CODECS = {
    "jpeg2000": Codec("JPEG 2000, one stream", LAYER_BPP, jpeg2000, lambda: (
        f"OpenJPEG {features.version('jpg_2000')}, {_libraries()}: 9/7, ICT, one codestream of 9 quality layers (LRCP, "
        "6 resolutions), cut behind each layer; setting = rate asked of the layer in bpp")),
    "jpeg": Codec("JPEG", JPEG_QUALITIES, _pillow("JPEG", optimize=True), lambda: (
        f"libjpeg-turbo {features.version('libjpeg_turbo')}, {_libraries()}: 4:2:0, optimised Huffman tables, a file "
        "for each quality; setting = quality")),
    "webp": Codec("WebP", WEBP_QUALITIES, _pillow("WEBP", method=6), lambda: (
        f"libwebp {features.version('webp')}, {_libraries()}: method 6, a file for each quality; setting = quality")),
    "avif": Codec("AVIF", AVIF_QUALITIES, _pillow("AVIF", subsampling="4:4:4", speed=6, max_threads=1), lambda: (
        f"libavif {features.version('avif')}, {_libraries()}: 4:4:4, speed 6, a file for each quality; "
        "setting = quality")),
    "jpegxl": Codec("JPEG XL", JXL_DISTANCES, jpegxl, lambda: (
        f"{_version('cjxl', '--version')}: effort 7, a file for each distance; setting = distance"), "cjxl"),
    "jpegxl-progressive": Codec("JPEG XL progressive, one stream", CUT_BPP, jpegxl_progressive, lambda: (
        f"{_version('cjxl', '--version')}: -d 1 -e 7 -p, one file cut at bytes, djxl --allow_partial_files; only cuts "
        "that give every picture an image count; setting = cut in bpp"), "cjxl"),
}


def available(name: str) -> bool:
    """Whether the codec's programs are installed."""
    return CODECS[name].tool is None or shutil.which(CODECS[name].tool) is not None
