"""What the sending and the receiving pipeline of the bench share: how they are played to their end."""
import signal
import sys

from gi.repository import GLib, Gst


def play(pipeline, loop, out, errors):
    """Plays until the loop ends, by itself or by SIGINT; closes the file `out`, and exits with the first of `errors`."""
    pipeline.set_state(Gst.State.PLAYING)
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGINT, loop.quit)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    out.close()
    if errors:
        sys.exit(errors[0])
