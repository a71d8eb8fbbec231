"""Packs of photographs, and their decoding by all processors. Without PyTorch: it must come before its threads do."""
import io
import multiprocessing
import os
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

LIMIT = 15_000_000  # bytes of one file of a pack: what is carried to a machine, or back, has files of at most 16 MiB
TRAIN, WATCH = "photographs", "watched"


def write(folder: Path, name: str, files: list[Path]) -> int:
    """Writes folder/NAME-0.tar, NAME-1.tar ... of the files, each at most LIMIT; returns their bytes."""
    for old in folder.glob(f"{name}-*.tar"):
        old.unlink()
    number, size, total, archive = -1, LIMIT, 0, None
    for i, file in enumerate(files):
        entry = (file.stat().st_size + 511) // 512 * 512 + 512
        if size + entry > LIMIT - 10240:
            if archive:
                archive.close()
            number, size = number + 1, 0
            archive = tarfile.open(folder / f"{name}-{number}.tar", "w", format=tarfile.USTAR_FORMAT)
        archive.add(file, f"{i:05}{file.suffix}")
        size, total = size + entry, total + entry
    if archive:
        archive.close()
    return total


def read(folder: Path, name: str) -> list[np.ndarray]:
    """The pictures of such archives, [H, W, 3] of 8 bits, decoded by as many processes as there are processors."""
    encoded = []
    for path in sorted(folder.glob(f"{name}-*.tar"), key=lambda p: int(p.stem.rsplit("-", 1)[1])):
        with tarfile.open(path) as archive:
            encoded += [archive.extractfile(member).read() for member in archive]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        return pool.map(_decode, encoded, chunksize=4)


def _decode(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))
