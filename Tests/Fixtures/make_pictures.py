"""Writes picture files of every kind into a directory, and beside each what its pixels are, for the readers' tests.

NAME.KIND.EXT is a picture file, NAME.KIND.EXT.0.ppm what it must be read as (of an animation: .0, .1, … and their times
in milliseconds in .times). Expected pixels come from the samples that were written, or from Pillow; those of files that
Pillow writes are always checked against what Pillow reads. Needs Pillow and NumPy, nothing else.
"""
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

out = Path(sys.argv[1])
W, H = 23, 17
rng = np.random.default_rng(16)


def scene(bands, top=255, width=W, height=H):
    """Ramps with texture: samples 0 to `top`, both ends included."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * (3 + c) + y * (5 - c) + rng.integers(0, 9, (height, width))) * top // (11 * width) for c in range(bands)]
    result = np.clip(np.stack(planes, -1), 0, top)
    result[0, 0], result[-1, -1] = 0, top
    return result


def eight(samples, top):
    """Samples 0 to `top` as 0 to 255, rounded."""
    return (np.asarray(samples, np.int64) * 255 + top // 2) // top


def over_white(rgb, alpha, top=255):
    rgb, alpha = np.asarray(rgb, np.int64), np.asarray(alpha, np.int64)[..., None]
    return (rgb * alpha + top * (top - alpha) + top // 2) // top


def ppm(path, pixels):
    pixels = np.asarray(pixels, np.uint8)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, 2)
    path.write_bytes(b"P6\n%d %d\n255\n" % pixels.shape[1::-1] + pixels.tobytes())


def put(name, data, *frames, times=None):
    (out / name).write_bytes(data)
    for index, frame in enumerate(frames):
        ppm(out / f"{name}.{index}.ppm", frame)
    if times:
        (out / f"{name}.times").write_text(" ".join(map(str, times)))


def seen(image):
    """What Pillow shows of an image: 8-bit RGB over white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        return over_white(rgba[..., :3], rgba[..., 3])
    return np.asarray(image.convert("RGB"))


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def by_pillow(name, image, format, **options):
    data = saved(image, format, **options)
    put(name, data, seen(Image.open(io.BytesIO(data))))


# PNG: every colour type and depth, both interlacings, transparency.
def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def rows(samples, depth):
    """The scan lines of one pass, filter 0."""
    result = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        elif depth == 8:
            packed = row.astype(np.uint8).tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1) & 1).astype(np.uint8).ravel()
            packed = np.packbits(bits).tobytes()
        result += b"\0" + packed
    return result


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, kind, depth, interlaced=False, extra=b""):
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    data = b"".join(rows(part, depth) for part in passes if part.size)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, kind, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND")


def put_png(name, samples, kind, depth, expected, extra=b""):
    for interlaced in (False, True):
        data = png(samples, kind, depth, interlaced, extra)
        if depth <= 8 and kind != 0 or depth == 8:
            # Pillow forgets a key that is grey, so that one is left to arithmetic.
            if not (kind == 0 and b"tRNS" in extra):
                assert (seen(Image.open(io.BytesIO(data))) == (expected if expected.shape[2] == 3 else np.repeat(expected, 3, 2))).all(), name
        put(name + ("-interlaced.png" if interlaced else ".png"), data, expected)


for depth in (1, 2, 4, 8, 16):
    top = (1 << depth) - 1
    grey = scene(1, top)
    put_png(f"grey{depth}", grey, 0, depth, eight(grey, top))
    key = int(grey[5, 5, 0])
    keyed = np.where(grey == key, 255, eight(grey, top))
    put_png(f"grey{depth}-key", grey, 0, depth, keyed, chunk(b"tRNS", struct.pack(">H", key)))
    if depth <= 8:
        palette = rng.integers(0, 256, (top + 1, 3))
        put_png(f"palette{depth}", grey, 3, depth, palette[grey[..., 0]], chunk(b"PLTE", palette.astype(np.uint8).tobytes()))
        alpha = rng.integers(0, 256, top + 1)
        put_png(
            f"palette{depth}-alpha", grey, 3, depth, over_white(palette[grey[..., 0]], alpha[grey[..., 0]]),
            chunk(b"PLTE", palette.astype(np.uint8).tobytes()) + chunk(b"tRNS", alpha.astype(np.uint8).tobytes()))
    if depth >= 8:
        rgb, alpha = scene(3, top), scene(1, top)
        put_png(f"rgb{depth}", rgb, 2, depth, eight(rgb, top))
        key = rgb[5, 5]
        keyed = np.where((rgb == key).all(-1, keepdims=True), 255, eight(rgb, top))
        put_png(f"rgb{depth}-key", rgb, 2, depth, keyed, chunk(b"tRNS", struct.pack(">3H", *map(int, key))))
        blend = lambda colours: eight(over_white(colours, alpha[..., 0], top), top)
        put_png(f"grey{depth}-alpha", np.concatenate([grey, alpha], -1), 4, depth, blend(grey))
        put_png(f"rgb{depth}-alpha", np.concatenate([rgb, alpha], -1), 6, depth, blend(rgb))
        for label, extra in {
            "srgb": chunk(b"sRGB", b"\0"), "gama-srgb": chunk(b"gAMA", struct.pack(">I", 45455)),
            "background": chunk(b"bKGD", struct.pack(">3H", 1, 2, 3)),
            "chrm": chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        }.items():
            put_png(f"rgb{depth}-alpha-{label}", np.concatenate([rgb, alpha], -1), 6, depth, blend(rgb), extra)

black = np.zeros((4, 4, 4), int)
black[..., 3] = 128
put_png("half-black", black, 6, 8, np.full((4, 4, 3), 127))

# JPEG, WebP, TIFF, JPEG 2000 and PNG with every orientation that Exif knows.
photo = Image.fromarray(scene(3, width=24, height=16).astype(np.uint8))
TURNS = [None, None, Image.FLIP_LEFT_RIGHT, Image.ROTATE_180, Image.FLIP_TOP_BOTTOM, Image.TRANSPOSE, Image.ROTATE_270,
         Image.TRANSVERSE, Image.ROTATE_90]
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[274] = orientation
    for format, ending, options in (
            ("JPEG", "jpg", {"quality": 95}), ("WEBP", "webp", {"lossless": True}), ("PNG", "png", {}), ("TIFF", "tif", {})):
        data = saved(photo, format, exif=exif, **options)
        plain = Image.open(io.BytesIO(saved(photo, format, **options))).convert("RGB")
        turned = plain.transpose(TURNS[orientation]) if TURNS[orientation] is not None else plain
        put(f"turned{orientation}.{ending}", data, np.asarray(turned))

# JPEG.
for subsampling in (0, 1, 2):
    by_pillow(f"rgb-{subsampling}.jpg", photo, "JPEG", quality=90, subsampling=subsampling)
by_pillow("progressive.jpg", photo, "JPEG", progressive=True)
by_pillow("grey.jpg", photo.convert("L"), "JPEG")
cmyk = Image.fromarray(scene(4).astype(np.uint8), "CMYK")
by_pillow("cmyk.jpg", cmyk, "JPEG", quality=95)

# TIFF.
for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits"):
    by_pillow(f"rgb-{compression}.tif", photo, "TIFF", compression=compression)
by_pillow("rgb-jpeg.tif", photo, "TIFF", compression="jpeg")
by_pillow("bilevel.tif", photo.convert("1"), "TIFF")
by_pillow("bilevel-g4.tif", photo.convert("1"), "TIFF", compression="group4")
by_pillow("grey.tif", photo.convert("L"), "TIFF")
by_pillow("palette.tif", photo.quantize(32), "TIFF")
by_pillow("cmyk.tif", cmyk, "TIFF")
by_pillow("alpha.tif", Image.fromarray(scene(4).astype(np.uint8), "RGBA"), "TIFF")


def tiff(samples, bits, photometric, order="<", extra=(), strip=None, planes=1):
    """A bare TIFF file: samples in one strip, or in one for each plane."""
    body = samples.astype(order + "u2" if bits == 16 else np.uint8).tobytes() if strip is None else strip
    bands = samples.shape[2]
    tags = [(256, 3, [samples.shape[1]]), (257, 3, [samples.shape[0]]), (258, 3, [bits] * bands), (259, 3, [1]),
            (262, 3, [photometric]), (273, 4, [8 + i * (len(body) // planes) for i in range(planes)]), (277, 3, [bands]), (278, 3, [samples.shape[0]]),
            (279, 4, [len(body) // planes] * planes)] + list(extra)
    body += b"\0" * (len(body) % 2)
    place = 8 + len(body)
    directory, spill = b"", b""
    for tag, kind, values in sorted(tags):
        packed = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind] * len(values), *values)
        if len(packed) > 4:
            packed, spill = struct.pack(order + "I", place + 2 + 12 * len(tags) + 4 + len(spill)), spill + packed
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return ((b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, place) + body
            + struct.pack(order + "H", len(tags)) + directory + struct.pack(order + "I", 0) + spill)


for order, label in (("<", "little"), (">", "big")):
    for bits in (8, 16):
        top = (1 << bits) - 1
        grey, rgb, alpha, inks = scene(1, top), scene(3, top), scene(1, top), scene(4, top)
        put(f"grey{bits}-{label}.tif", tiff(grey, bits, 1, order), eight(grey, top))
        put(f"inverse{bits}-{label}.tif", tiff(grey, bits, 0, order), eight(top - grey, top))
        put(f"rgb{bits}-{label}.tif", tiff(rgb, bits, 2, order), eight(rgb, top))
        put(f"rgba{bits}-{label}.tif", tiff(np.concatenate([rgb, alpha], -1), bits, 2, order, [(338, 3, [2])]),
            eight(over_white(rgb, alpha[..., 0], top), top))
        # Multiplied by their opacity already.
        multiplied = rgb * alpha // top
        put(f"premultiplied{bits}-{label}.tif",
            tiff(np.concatenate([multiplied, alpha], -1), bits, 2, order, [(338, 3, [1])]),
            eight(multiplied + top - alpha, top))
        # A fourth band that is not said to be alpha.
        put(f"fourbands{bits}-{label}.tif", tiff(np.concatenate([rgb, alpha], -1), bits, 2, order, [(338, 3, [0])]),
            eight(rgb, top))
        ideal = ((top - inks[..., :3]) * (top - inks[..., 3:]) + top // 2) // top
        put(f"cmyk{bits}-{label}.tif", tiff(inks, bits, 5, order), eight(ideal, top))

for bits in (2, 4):
    top = (1 << bits) - 1
    grey = scene(1, top)
    strip = b"".join(rows(line[None], bits)[1:] for line in grey)
    put(f"grey{bits}.tif", tiff(grey, bits, 1, strip=strip), eight(grey, top))
colours = rng.integers(0, 256, (16, 3))
grey = scene(1, 15)
put("palette4.tif", tiff(grey, 4, 3, strip=b"".join(rows(line[None], 4)[1:] for line in grey),
                         extra=[(320, 3, (colours.T * 257).ravel().tolist())]), colours[grey[..., 0]])
rgb = scene(3)
planes = rgb.transpose(2, 0, 1).astype(np.uint8).tobytes()
separate = tiff(rgb, 8, 2, extra=[(284, 3, [2])], strip=planes, planes=3)
put("planar.tif", separate, rgb)

# BMP.
for mode, label in (("1", "bilevel"), ("L", "grey"), ("RGB", "rgb")):
    by_pillow(f"{label}.bmp", photo.convert(mode), "BMP")
by_pillow("palette.bmp", photo.quantize(64), "BMP")


def bmp(bits, compression, height, data, palette=b"", masks=b""):
    start = 14 + 40 + len(masks) + len(palette)
    return (b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", 40, W, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
            + masks + palette + data)


def padded(row):
    return row + b"\0" * (-len(row) % 4)


rgb = scene(3)
wide = np.concatenate([rgb[..., ::-1], np.zeros((H, W, 1), int)], -1).astype(np.uint8)
put("rgb32.bmp", bmp(32, 0, H, wide[::-1].tobytes()), rgb)
put("topdown.bmp", bmp(32, 0, -H, wide.tobytes()), rgb)
# Bits repeated, as ImageMagick fills samples up; Pillow rounds down, which differs by one.
five = scene(3, 31)
full = five << 3 | five >> 2
words = five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]
put("rgb555.bmp", bmp(16, 0, H, b"".join(padded(r.astype("<u2").tobytes()) for r in words[::-1])), full)
green = scene(1, 63)[..., 0]
words = five[..., 0] << 11 | green << 5 | five[..., 2]
put("rgb565.bmp",
    bmp(16, 3, H, b"".join(padded(r.astype("<u2").tobytes()) for r in words[::-1]), masks=struct.pack("<III", 0xF800, 0x7E0, 31)),
    np.stack([full[..., 0], green << 2 | green >> 4, full[..., 2]], -1))
colours = rng.integers(0, 256, (16, 3))
quads = np.concatenate([colours[:, ::-1], np.zeros((16, 1), int)], -1).astype(np.uint8).tobytes()
indices = scene(1, 15)[..., 0]
nibbles = b"".join(padded(np.packbits((r[:, None] >> np.arange(3, -1, -1) & 1).astype(np.uint8).ravel()).tobytes()) for r in indices[::-1])
put("palette4.bmp", bmp(4, 0, H, nibbles, quads), colours[indices])
runs = b"".join(b"".join(bytes([1, v]) for v in r) + b"\0\0" for r in indices[::-1].tolist()) + b"\0\1"
put("rle8.bmp", bmp(8, 1, H, runs, quads), colours[indices])

# PBM, PGM, PPM: plain and raw, any largest value.
text = lambda samples: "\n".join(" ".join(map(str, row)) for row in samples.reshape(samples.shape[0], -1).tolist())
bits = scene(1, 1)
put("plain.pbm", f"P1\n# a comment\n{W} {H}\n{text(bits)}\n".encode(), 255 - bits * 255)
put("raw.pbm", b"P4\n%d %d\n" % (W, H) + b"".join(np.packbits(r.astype(np.uint8)).tobytes() for r in bits[..., 0]), 255 - bits * 255)
for top in (255, 100, 1, 1023, 65535):
    grey, rgb = scene(1, top), scene(3, top)
    raw = lambda samples: samples.astype(np.uint8 if top < 256 else ">u2").tobytes()
    put(f"plain{top}.pgm", f"P2 {W} {H} {top}\n{text(grey)}\n".encode(), eight(grey, top))
    put(f"plain{top}.ppm", f"P3\n{W} {H}\n#c\n{top}\n{text(rgb)}\n".encode(), eight(rgb, top))
    put(f"raw{top}.pgm", b"P5\n#x\n%d %d\n%d\n" % (W, H, top) + raw(grey), eight(grey, top))
    put(f"raw{top}.ppm", b"P6 %d %d %d\n" % (W, H, top) + raw(rgb), eight(rgb, top))

# GIF, WebP, JPEG 2000.
by_pillow("still.gif", photo.quantize(64), "GIF")
by_pillow("interlaced.gif", photo.quantize(64), "GIF", interlace=1)
clear = photo.quantize(16)
by_pillow("transparent.gif", clear, "GIF", transparency=3)
by_pillow("rgb.webp", photo, "WEBP", lossless=True)
by_pillow("lossy.webp", photo, "WEBP", quality=80)
alpha = Image.fromarray(scene(4).astype(np.uint8), "RGBA")
by_pillow("alpha.webp", alpha, "WEBP", lossless=True, exact=True)
by_pillow("rgb.jp2", photo, "JPEG2000")
by_pillow("rgb.j2k", photo, "JPEG2000", no_jp2=True)
by_pillow("grey.jp2", photo.convert("L"), "JPEG2000")
by_pillow("alpha.jp2", alpha, "JPEG2000")
deep = scene(1, 65535)
put("grey16.jp2", saved(Image.fromarray(deep[..., 0].astype(np.uint16), "I;16"), "JPEG2000"), eight(deep, 65535))


# Colour profiles: wide primaries and another curve, made here; the conversion is Pillow's (Little CMS).
def profile(space, gamma, primaries=()):
    def xyz(x, y, z):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": xyz(0.9642, 1, 0.8249), b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"t\0" + b"\0" * 78,
            b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    if space == b"RGB ":
        tags |= {k: xyz(*v) for k, v in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries)}
        tags |= {k: curve for k in (b"rTRC", b"gTRC", b"bTRC")}
    else:
        tags[b"kTRC"] = curve
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for key, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += key + struct.pack(">II", place + len(body), len(value))
        body += value
    size = place + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


wide = profile(b"RGB ", 1.8, [(0.7976749, 0.2880402, 0.0), (0.1351917, 0.7118741, 0.0), (0.0313534, 0.0000857, 0.8252100)])
dark = profile(b"GRAY", 1.0)
srgb = ImageCms.createProfile("sRGB")
converted = lambda image, icc, mode="RGB": ImageCms.profileToProfile(
    image, ImageCms.ImageCmsProfile(io.BytesIO(icc)), srgb, renderingIntent=0, outputMode=mode)
for format, ending, options in (
        ("PNG", "png", {}), ("JPEG", "jpg", {"quality": 95}), ("WEBP", "webp", {"lossless": True}), ("TIFF", "tif", {})):
    data = saved(photo, format, icc_profile=wide, **options)
    plain = Image.open(io.BytesIO(data)).convert("RGB")
    put(f"wide.{ending}", data, np.asarray(converted(plain, wide)))
    same = ImageCms.ImageCmsProfile(srgb).tobytes()
    by_pillow(f"srgb-profile.{ending}", photo, format, icc_profile=same, **options)
grey = photo.convert("L")
put("dark-grey.png", saved(grey, "PNG", icc_profile=dark), np.asarray(converted(grey.convert("L"), dark)))
transparent = saved(alpha, "PNG", icc_profile=wide)
colours = np.asarray(converted(alpha.convert("RGB"), wide))
put("wide-alpha.png", transparent, over_white(colours, np.asarray(alpha)[..., 3]))


# Animations: what lies over what, and for how long.
def animation(name, images, times, format, **options):
    data = saved(images[0], format, save_all=True, append_images=images[1:], duration=times, loop=0, **options)
    image = Image.open(io.BytesIO(data))
    frames = []
    for index in range(image.n_frames):
        image.seek(index)
        frames.append(seen(image.convert("RGBA")))
    put(name, data, *frames, times=times)


steps = []
for index in range(4):
    part = np.array(Image.fromarray(scene(4).astype(np.uint8), "RGBA"))
    part[..., 3] = 0
    part[2 + index:9 + index, 3:12] = [200 - 40 * index, 30 * index, 90, 255]
    steps.append(Image.fromarray(part, "RGBA"))
opaque = [Image.fromarray(scene(3).astype(np.uint8)) for _ in range(3)]
animation("opaque.apng.png", opaque, [40, 80, 200], "PNG")
animation("opaque.webp", opaque, [40, 80, 200], "WEBP", lossless=True)
for disposal in (0, 1, 2):
    for blend in (0, 1):
        animation(f"steps-{disposal}-{blend}.apng.png", steps, [100, 50, 70, 30], "PNG", disposal=disposal, blend=blend)
animation("steps.webp", steps, [100, 50, 70, 30], "WEBP", lossless=True)
for disposal in (1, 2):
    animation(f"steps-{disposal}.gif", [s.quantize(8) for s in steps], [100, 50, 70, 30], "GIF", disposal=disposal)
