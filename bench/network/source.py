"""The source: demo photographs under a slow pan, encoded once, with what each prefix of each frame is worth.

Kept in out/network: made anew only where it is missing.
"""
import glob
import json
import os
import shutil
import subprocess

import numpy
from PIL import Image

from flows import ROOT, environment

PHOTOGRAPHS = ("lake-sherburne", "roman-colosseum", "singaporean-cityscape", "perched-osprey")
WIDTH, HEIGHT, ZOOMED = 512, 288, (768, 432)
FRAMES_EACH = 25
PAN = (6, 3)
STEP, BASE_STEP = 8, 32
SECONDS = 130
# Lengths in bytes at which frames are decoded beforehand, 0 the base alone; between them PSNR is taken as linear.
LENGTHS = (0, 2300, 3000, 4000, 5000, 6000, 7000, 8000, 10000, 12000, 14000, 16000, 18000, 1 << 20)
# Mean bytes of a frame of the formats that do not adapt, for 2 Mbit/s with headers.
PEER_BYTES = 9500
SMALL_BYTES = 3600
FOLDER = f"{ROOT}/out/network"
CLI = f"{ROOT}/.build/release/deepfgs"


def psnr(mean_square):
    """Decibels of a mean squared error of 8-bit samples."""
    return 10 * numpy.log10(255**2 / numpy.maximum(mean_square, 1e-3))


def pixels(name):
    """A picture as an array of floats."""
    return numpy.asarray(Image.open(name).convert("RGB"), dtype=numpy.float32)


def _command(*words):
    subprocess.run([CLI, *words], check=True, env=environment(), stdout=subprocess.DEVNULL)


def _pictures(folder, photographs=PHOTOGRAPHS):
    number = 0
    for name in photographs:
        photograph = Image.open(f"{ROOT}/demo/photographs/{name}.jpg").convert("RGB").resize(ZOOMED, Image.LANCZOS)
        for step in range(FRAMES_EACH):
            left, top = PAN[0] * step, PAN[1] * step
            photograph.crop((left, top, left + WIDTH, top + HEIGHT)).save(f"{folder}/{number:04d}.png", compress_level=1)
            number += 1


def _encode(name, pictures):
    _command("encode", "-q", "-f", "--concat", "--step", str(STEP), "--base-step", str(BASE_STEP), "-o", name, *pictures)


def _repeat(loop, name, times):
    once = open(loop, "rb").read()
    with open(name, "wb") as whole:
        for _ in range(times):
            whole.write(once)


def prepare_short():
    """A clip of one photograph, quickly made; what its prefixes are worth is not measured."""
    folder = f"{FOLDER}/short"
    clip = f"{folder}/clip.dfgs"
    if not os.path.exists(clip):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        _pictures(folder, PHOTOGRAPHS[:1])
        _encode(f"{folder}/loop.dfgs", sorted(glob.glob(f"{folder}/*.png")))
        _repeat(f"{folder}/loop.dfgs", clip, 30)
    return {"deepfgs": clip}


def prepare():
    """Makes the clips where they are missing; returns their files by name."""
    os.makedirs(FOLDER, exist_ok=True)
    clips = {"deepfgs": f"{FOLDER}/clip.dfgs", "small": f"{FOLDER}/small.dfgs", "mjpeg": f"{FOLDER}/jpeg/*.jpg",
             "jpeg2000": f"{FOLDER}/jpeg2000/*.j2c"}
    if os.path.exists(f"{FOLDER}/complete"):
        return clips
    for name in ("pictures", "jpeg", "jpeg2000"):
        shutil.rmtree(f"{FOLDER}/{name}", ignore_errors=True)
        os.makedirs(f"{FOLDER}/{name}", exist_ok=True)
    _pictures(f"{FOLDER}/pictures")
    names = sorted(glob.glob(f"{FOLDER}/pictures/*.png"))
    _encode(f"{FOLDER}/loop.dfgs", names)
    _command("truncate", "-q", "-f", "--bytes", str(SMALL_BYTES), "-o", f"{FOLDER}/loop-small.dfgs", f"{FOLDER}/loop.dfgs")
    times = SECONDS * 25 // len(names) + 1
    _repeat(f"{FOLDER}/loop.dfgs", clips["deepfgs"], times)
    _repeat(f"{FOLDER}/loop-small.dfgs", clips["small"], times)
    _peers(names)
    open(f"{FOLDER}/complete", "w").close()
    return clips


def _peers(names):
    """The same pictures as JPEG at one quality, and as JPEG 2000 at one rate, for about the same bitrate."""
    low, high = 5, 95
    while low < high:
        quality = (low + high + 1) // 2
        for number, name in enumerate(names):
            Image.open(name).save(f"{FOLDER}/jpeg/{number:04d}.jpg", quality=quality, subsampling=2)
        fits = sum(map(os.path.getsize, glob.glob(f"{FOLDER}/jpeg/*"))) <= PEER_BYTES * len(names)
        low, high = (quality, high) if fits else (low, quality - 1)
    for number, name in enumerate(names):
        Image.open(name).save(f"{FOLDER}/jpeg/{number:04d}.jpg", quality=low, subsampling=2)
    for number, name in enumerate(names):
        Image.open(name).save(f"{FOLDER}/jpeg2000/{number:04d}.j2c", format="JPEG2000", no_jp2=True, quality_mode="rates",
                              quality_layers=[WIDTH * HEIGHT * 3 / PEER_BYTES], irreversible=True, num_resolutions=6)


def lengths():
    """Bytes of each frame of the loop as encoded, and of its header and base."""
    said = subprocess.run([CLI, "inspect", "--json", f"{FOLDER}/loop.dfgs"], check=True, env=environment(), capture_output=True).stdout
    frames = json.loads(said)[0]["frames"]
    return numpy.array([[frame["bytes"], frame["chunks"][0]["end"]] for frame in frames])


def curves():
    """Mean squared error of each frame of the loop (rows) at each length (columns), and the lengths in bytes by frame."""
    kept = f"{FOLDER}/curves.npz"
    if os.path.exists(kept):
        both = numpy.load(kept)
        return both["errors"], both["sizes"]
    originals = [pixels(name) for name in sorted(glob.glob(f"{FOLDER}/pictures/*.png"))]
    full = lengths()
    sizes = numpy.clip(numpy.array(LENGTHS)[None, :], full[:, 1:], full[:, :1])
    errors = numpy.zeros(sizes.shape)
    work = f"{FOLDER}/curves"
    for column, length in enumerate(LENGTHS):
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(f"{work}/out")
        cut = ("--bytes", str(length)) if length else ("--chunks", "0")
        _command("truncate", "-q", "-f", *cut, "-o", f"{work}/cut.dfgs", f"{FOLDER}/loop.dfgs")
        _command("decode", "-q", "-f", f"{work}/cut.dfgs", "-o", f"{work}/out/")
        for row, name in enumerate(sorted(glob.glob(f"{work}/out/*.png"))):
            errors[row, column] = numpy.mean((pixels(name) - originals[row])**2)
    shutil.rmtree(work)
    numpy.savez(kept, errors=errors, sizes=sizes)
    return errors, sizes
