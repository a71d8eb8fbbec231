#!/usr/bin/python3
"""Make golden/golden.tsv with its pictures, and bad/ with bad.tsv, from the streams golden/*.dfgs:  make.py

What is expected of the streams is what training/reference_decoder.py makes of them; README.md says what is what.
"""
import glob
import hashlib
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "training"))
import reference_decoder as reference  # noqa: E402


# Streams that are cut, too.
CUT = ("photo.dfgs", "odd.dfgs", "noise.dfgs", "coarse.dfgs", "twopasses.dfgs", "integers.dfgs", "integers-tiny.dfgs",
       "integers-tiny-noise.dfgs")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def with_header(frame, change):
    """The frame after `change` of its header's bytes, which lack the two checksums; with right checksums."""
    length = int.from_bytes(frame[6:8], "big")
    header, base_checksum = bytearray(frame[: length - 8]), frame[length - 8 : length - 4]
    change(header)
    header[6:8] = (len(header) + 8).to_bytes(2, "big")
    header += base_checksum
    return bytes(header) + reference.crc32c(header).to_bytes(4, "big") + frame[length:]


def with_base(frame, change):
    """The frame after `change` of its base, with right checksums."""
    header = reference.Header(frame)
    end = header.length + header.chunks[0]
    base = bytearray(frame[header.length : end])
    change(base)
    assert len(base) == header.chunks[0]
    head = bytearray(frame[: header.length])
    head[-8:-4] = reference.crc32c(base).to_bytes(4, "big")
    head[-4:] = reference.crc32c(head[:-4]).to_bytes(4, "big")
    return bytes(head + base) + frame[end:]


def put(at, *values):
    """A change that puts bytes at one place."""

    def change(buffer):
        buffer[at : at + len(values)] = bytes(values)

    return change


def append(*values):
    return lambda buffer: buffer.extend(values)


def golden_variants(photo, odd):
    """Streams that are as right as the encoder's, though no encoder makes them."""
    header = reference.Header(photo)
    start = header.length + header.chunks[0]
    noise = random.Random(1).randbytes(len(photo) - start)
    flipped = bytearray(photo)
    flipped[start + 40] ^= 4
    return {
        # A decoder ignores the upper flags and extensions that it does not know, and takes the last of two.
        "reserved.dfgs": with_header(odd, lambda h: (put(5, 0xF0)(h), append(0x40, 3, 1, 2, 3, 3, 1, 2, 3, 1, 8)(h))),
        # Damage behind the base: every decoder shows the same.
        "flipped.dfgs": bytes(flipped),
        "noisetail.dfgs": photo[:start] + noise,
        "noisetail2.dfgs": photo[:start] + b"\x00\xf0" + noise[2:],
    }


def bad_streams(frame):
    header = reference.Header(frame)
    lengths = 22  # where the chunk lengths begin
    chunks = len(header.chunks)
    base = header.length
    return {
        "empty": b"",
        "magic-cut": frame[:3],
        "magic-wrong": b"DFGT" + frame[4:],
        "magic-wrong-cut": b"DX",
        "version": frame[:4] + b"\x02" + frame[5:],
        "header-length": frame[:6] + b"\x00\x1e" + frame[8:],
        "header-cut": frame[: header.length - 1],
        "header-longer": frame[:6] + b"\xff\xff" + frame[8:],
        "header-flipped": frame[:17] + bytes([frame[17] ^ 1]) + frame[18:],
        "flags": with_header(frame, put(5, 0x08)),
        "width": with_header(frame, put(16, 0, 0)),
        "height": with_header(frame, put(18, 0, 0)),
        "sample-format": with_header(frame, put(20, 1)),
        "chunks-none": with_header(frame, put(21, 0)),
        "chunks-many": with_header(frame, put(21, 65)),
        "chunks-other": with_header(frame, lambda h: (put(21, chunks + 1)(h), append(0)(h))),
        "chunk-length-five-bytes": with_header(frame, put(lengths, 0x80, 0x80, 0x80, 0x80, 0x00)),
        "chunk-length-cut": with_header(frame, put(lengths + chunks - 1, 0x80)),
        "extension-cut": with_header(frame, append(0x01)),
        "extension-longer": with_header(frame, append(0x40, 3, 0, 0)),
        "extension-length": with_header(frame, append(2, 3, 0, 0, 0)),
        "extension-unknown": with_header(frame, append(0x86, 0)),
        "orientation-0": with_header(frame, append(3, 1, 0)),
        "orientation-9": with_header(frame, append(3, 1, 9)),
        "pixel-aspect-ratio-0": with_header(frame, append(5, 4, 0, 4, 0, 0)),
        "quantiser-step-0": with_header(frame, append(0x85, 4, 0, 0, 16, 0)),
        "quantiser-step-33": with_header(frame, append(0x85, 4, 16, 0, 33, 0)),
        "quantiser-shift": with_header(frame, append(0x85, 4, 16, 65, 16, 0)),
        "model": with_header(frame, put(8, 0)),
        "pixels": with_header(frame, put(16, 0xFF, 0xFF, 0xFF, 0xFF)),
        "base-short": with_header(frame, put(16, 4, 0, 4, 0)),
        "base-cut": frame[: base + header.chunks[0] - 1],
        "base-none": frame[:base],
        "base-flipped": frame[: base + 5] + bytes([frame[base + 5] ^ 0x20]) + frame[base + 6 :],
        "base-state": with_base(frame, put(0, 0x80)),
        "base-ends": with_base(frame, put(0, 0, 0x80, 0, 0, 0, 0)),
        # The escape entry, then zeros without end: a k over 12.
        "base-escape": with_base(frame, put(0, 0x7F, 0xFF, 0xFF, 0xFF, *bytes(header.chunks[0] - 4))),
    }


def main():
    files = [f"{ROOT}/models/{name}.safetensors" for name in ("live-v0", "live-v1", "live-v2", "hq-v1", "live-ms-v1")]
    models = [reference.Model(read(path)) for path in files + [f"{HERE}/tiny-integers.safetensors"]]
    for name, data in golden_variants(read(f"{HERE}/golden/photo.dfgs"), read(f"{HERE}/golden/odd.dfgs")).items():
        with open(f"{HERE}/golden/{name}", "wb") as file:
            file.write(data)

    rows = ["# stream\tbytes\twidth\theight\tscalable channels\ttail\tSHA-256 of z, q, M, s\tpicture, or SHA-256 of its samples"]
    for path in sorted(glob.glob(f"{HERE}/golden/*.dfgs")):
        name, data = os.path.basename(path), read(path)
        header = reference.Header(data)
        model = next(m for m in models if m.identity == header.model)
        base, ends = header.length + header.chunks[0], len(data)
        cuts = [base, base + 3, (base + ends) // 2, ends - 1, ends]
        for length in cuts if name in CUT else [ends]:
            frame = reference.Frame(data[:length], model)
            picture = "-"
            if model.configuration["format"] == 3:
                # Exact: a hash says all of it.
                picture = hashlib.sha256(frame.picture(model).tobytes()).hexdigest()
            elif length == ends or name == "photo.dfgs":
                picture = f"{name[:-5]}.{length}.ppm"
                pixels = frame.picture(model)
                with open(f"{HERE}/golden/{picture}", "wb") as file:
                    file.write(f"P6\n{header.width} {header.height}\n255\n".encode() + pixels.tobytes())
            rows.append("\t".join(map(str, (
                name, length, header.width, header.height, frame.channels,
                "damaged" if frame.tail_damaged else "sound", frame.integer_hash(), picture))))
    with open(f"{HERE}/golden/golden.tsv", "w") as file:
        file.write("\n".join(rows) + "\n")

    rows = ["# stream\treason"]
    for name, data in bad_streams(read(f"{HERE}/golden/one.dfgs")).items():
        try:
            reference.Frame(data, models[0])
            sys.exit(f"bad/{name} is not bad")
        except reference.Rejected as error:
            rows.append(f"{name}.dfgs\t{error}")
        with open(f"{HERE}/bad/{name}.dfgs", "wb") as file:
            file.write(data)
    with open(f"{HERE}/bad/bad.tsv", "w") as file:
        file.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
