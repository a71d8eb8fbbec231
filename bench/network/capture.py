#!/usr/bin/python3
"""Records what passes an interface, with the kernel's timestamps: capture.py INTERFACE FILE, until SIGINT.

The file holds one record a packet, see RECORD: it is what all figures of rate, delay and loss are taken from, and owes
nothing to the code under test. Times are turned into those of the steady clock.
"""
import signal
import socket
import struct
import sys
import time

RECORD = [("time", "<i8"), ("bytes", "<u2"), ("protocol", "u1"), ("outgoing", "u1"), ("port", "<u2"), ("sequence", "<u2"),
          ("ssrc", "<u4"), ("stamp", "<u4"), ("kind", "u1"), ("priority", "u1"), ("offset", "<u4"), ("base", "<u4"),
          ("frame", "<u2"), ("payload", "<u2")]
PACKED = struct.Struct("<qHBBHHIIBBIIHH")
SO_TIMESTAMPNS = 35
MARKER = 0x80


def parse(packet, outgoing, when):
    """One record of an Ethernet frame; None for what is neither UDP nor TCP over IPv4."""
    if len(packet) < 42 or packet[12:14] != b"\x08\x00" or packet[23] not in (6, 17):
        return None
    start = 14 + 4 * (packet[14] & 15)
    port = int.from_bytes(packet[start + 2:start + 4], "big")
    sequence = ssrc = stamp = kind = priority = offset = base = frame = payload = 0
    rtp = packet[start + 8:]
    if packet[23] == 17 and len(rtp) >= 12 and rtp[0] >> 6 == 2 and not 192 <= rtp[1] <= 223:
        kind = rtp[1]
        sequence, stamp, ssrc = struct.unpack_from("!HII", rtp, 2)
        head = 12 + 4 * (rtp[0] & 15)
        if rtp[0] & 16:
            head += 4 + 4 * int.from_bytes(rtp[head + 2:head + 4], "big")
        body = rtp[head:]
        payload = len(body)
        if payload > 12:
            priority = body[0] & 63
            offset = int.from_bytes(body[1:4], "big")
            base = int.from_bytes(body[4:7], "big")
            frame = int.from_bytes(body[10:12], "big")
    return PACKED.pack(when, len(packet), packet[23], outgoing, port, sequence, ssrc, stamp, kind, priority, offset, base, frame, payload)


def main():
    interface, name = sys.argv[1:]
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    tap.bind((interface, 0))
    steady = time.monotonic_ns() - time.time_ns()
    with open(name, "wb") as out:
        while True:
            packet, extra, _, address = tap.recvmsg(2048, 128)
            if not extra:
                continue
            seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
            record = parse(packet, address[2] == socket.PACKET_OUTGOING, seconds * 10**9 + nanoseconds + steady)
            if record:
                out.write(record)


if __name__ == "__main__":
    main()
