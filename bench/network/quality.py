"""What the viewer sees: the PSNR of the picture on the screen in each frame time of the source."""
import glob
import io
import os

import numpy
from PIL import Image

import source
from flows import FRAME_RATE


class Shown:
    """By frame time of the source: whether its frame was delivered, when, and the PSNR of what is shown."""

    def __init__(self, slots):
        self.delivered = numpy.zeros(slots, bool)
        self.intact = numpy.zeros(slots, bool)
        self.time = numpy.full(slots, numpy.nan)
        self.psnr = numpy.full(slots, numpy.nan)


def _motion():
    """Mean squared difference of each source frame from each."""
    kept = f"{source.FOLDER}/motion.npy"
    if not os.path.exists(kept):
        frames = [source.pixels(name)[::2, ::2].ravel() for name in sorted(glob.glob(f"{source.FOLDER}/pictures/*.png"))]
        numpy.save(kept, numpy.array([[numpy.mean((a - b)**2) for b in frames] for a in frames]))
    return numpy.load(kept)


def deepfgs(trace, slots, measured=True):
    """Read off the curves measured beforehand by the length of the prefix that rtpdeepfgsdepay delivered.

    A frame that is missing repeats the last: its error is that frame's and the motion since, as if they were independent.
    Without `measured` it is only noted which were delivered.
    """
    shown = Shown(slots)
    prefix = numpy.zeros(slots)
    for frame in trace.frames:
        place = trace.slot(frame["stamp"]) if int(frame["bytes"]) else -1
        if 0 <= place < slots and frame["end"] != "base-lost":
            prefix[place] = int(frame["bytes"])
            shown.time[place] = frame["time"]
    shown.delivered[:] = shown.intact[:] = prefix > 0
    if not measured:
        return shown
    errors, sizes = source.curves()
    motion, last = _motion(), None
    for place in range(slots):
        now = place % len(errors)
        if prefix[place]:
            error = numpy.interp(prefix[place], sizes[now], errors[now])
            last = (now, error)
        elif last:
            error = last[1] + motion[now, last[0]]
        else:
            continue
        shown.psnr[place] = source.psnr(error)
    return shown


def peers(trace, slots, folder):
    """The frames that were delivered, decoded; which source frame each is, the picture itself tells."""
    originals = [source.pixels(name) for name in sorted(glob.glob(f"{source.FOLDER}/pictures/*.png"))]
    small = numpy.array([picture[::8, ::8].ravel() for picture in originals])
    folder_sent = {"mjpeg": "jpeg"}.get(trace.flow.kind, trace.flow.kind)
    sent = [source.pixels(name) for name in sorted(glob.glob(f"{source.FOLDER}/{folder_sent}/*"))]
    shown = Shown(slots)
    pictures = {}
    first = trace.sent_time[0] if len(trace.sent_time) else 0
    for frame in trace.frames:
        try:
            data = open(f"{folder}/kept-{trace.index}/{int(frame['stamp']):05d}", "rb").read()
            picture = numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=numpy.float32)
        except (OSError, SyntaxError, ValueError):
            continue
        if picture.shape != originals[0].shape:
            continue
        now = int(numpy.argmin(((small - picture[::8, ::8].ravel())**2).mean(1)))
        near = (frame["time"] - first - trace.delay) * FRAME_RATE
        place = now + len(originals) * round((near - now) / len(originals))
        if 0 <= place < slots:
            shown.delivered[place] = True
            shown.intact[place] = bool(numpy.mean(numpy.abs(picture - sent[now])) < 0.01)
            shown.time[place] = frame["time"]
            pictures[place] = picture
    last = None
    for place in range(slots):
        last = pictures.get(place, last)
        if last is not None:
            shown.psnr[place] = source.psnr(numpy.mean((last - originals[place % len(originals)])**2))
    return shown
