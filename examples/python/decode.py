#!/usr/bin/env python3
"""Decodes the first frame of a .dfgs file into a numpy array, with libdeepfgs and ctypes alone.

    python3 decode.py photo.dfgs [photo.npy]

prints what the frame is and the mean of each colour, and writes the array if asked to. `decode` is the part to copy.
"""

import ctypes
import os
import sys

import numpy as np

MAX_CHUNKS = 64
IDENTITY_LENGTH = 17
MESSAGE_LENGTH = 512


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * MESSAGE_LENGTH)]


class FrameInfo(ctypes.Structure):
    """What the header of a frame says; the fields are explained in deepfgs.h."""

    _fields_ = [
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("model", ctypes.c_char * IDENTITY_LENGTH),
        ("header_end", ctypes.c_size_t),
        ("base_end", ctypes.c_size_t),
        ("frame_end", ctypes.c_size_t),
        ("chunk_count", ctypes.c_uint32),
        ("chunk_ends", ctypes.c_size_t * MAX_CHUNKS),
        ("time", ctypes.c_uint64),
        ("duration", ctypes.c_uint64),
        ("orientation", ctypes.c_uint32),
        ("base_step", ctypes.c_uint32),
        ("step", ctypes.c_uint32),
    ]


class DeepFGSError(Exception):
    """A call of the library failed; says why."""


# The name has the number of the interface that the structures above are written for.
library = ctypes.CDLL(os.environ.get("LIBDEEPFGS", "libdeepfgs.so.0"))
pointer, size_t = ctypes.c_void_p, ctypes.c_size_t
library.dfgs_inspect.argtypes = [pointer, size_t, pointer, pointer]
library.dfgs_decoder_open.argtypes = [pointer, pointer, ctypes.c_uint64, pointer, pointer]
library.dfgs_decoder_decode.argtypes = [pointer, pointer, size_t, pointer, size_t, pointer, pointer, pointer]
library.dfgs_decoder_close.argtypes = [pointer]
library.dfgs_decoder_close.restype = None


def check(function, *arguments):
    error = Error()
    if function(*arguments, ctypes.byref(error)):
        raise DeepFGSError(error.message.decode())


def inspect(frame: bytes) -> FrameInfo:
    """The header of a frame, whole or cut. Raises DeepFGSError."""
    info = FrameInfo()
    check(library.dfgs_inspect, frame, len(frame), ctypes.byref(info))
    return info


def decode(frame: bytes) -> np.ndarray:
    """The picture in a frame, or in any prefix that holds its base: uint8, (height, width, 3), R G B.

    Raises DeepFGSError.
    """
    info = inspect(frame)
    picture = np.empty((info.height, info.width, 3), np.uint8)
    decoder = ctypes.c_void_p()
    check(library.dfgs_decoder_open, None, None, 0, ctypes.byref(decoder))
    try:
        check(
            library.dfgs_decoder_decode, decoder, frame, len(frame), picture.ctypes.data, picture.nbytes, None, None
        )
    finally:
        library.dfgs_decoder_close(decoder)
    return picture


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as file:
        frame = file.read()
    try:
        info = inspect(frame)
        picture = decode(frame)
    except DeepFGSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
    here = min(len(frame), info.frame_end)
    red, green, blue = picture.mean(axis=(0, 1))
    print(f"{info.width} x {info.height} pixels, model {info.model.decode()}, {here} of {info.frame_end} bytes")
    print(f"mean of R, G, B: {red:.2f} {green:.2f} {blue:.2f}")
    if len(sys.argv) == 3:
        np.save(sys.argv[2], picture)


if __name__ == "__main__":
    main()
