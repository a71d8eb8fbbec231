"""Receivers on UDP ports, for the benches here: they count what comes, and answer with transport-wide feedback where it is asked for."""
import socket
import statistics
import struct
import time

SO_TIMESTAMPNS = 35


class Feedback:
    """Answers a receiver's packets with transport-wide feedback, after each frame's last packet."""

    def __init__(self, rtcp):
        self.socket, self.address = rtcp, None
        self.arrivals, self.count = [], 0

    def take(self, header, time_ns):
        """Takes a packet's first 24 bytes, of which the header extension's first element is the transport-wide number."""
        if header[0] & 0x10 and header[16] >> 4 == 1:
            self.arrivals.append((header[17] << 8 | header[18], time_ns // 250_000))
        if header[1] & 0x80 and self.arrivals:
            self.learn()
            if self.address:
                self.socket.sendto(self.packet(header[8:12]), self.address)

    def learn(self):
        """Feedback goes to where the sender's RTCP comes from."""
        try:
            while True:
                self.address = self.socket.recvfrom(1)[1]
        except BlockingIOError:
            pass

    def packet(self, ssrc):
        """An empty receiver report, then feedback on all packets since the last."""
        base, first = self.arrivals[0]
        reference = first // 256
        symbols, deltas, last, expected = [], bytearray(), reference * 256, base
        for number, ticks in self.arrivals:
            symbols += [0] * ((number - expected) & 0xFFFF)
            expected = (number + 1) & 0xFFFF
            delta, last = ticks - last, ticks
            symbols.append(1 if 0 <= delta < 256 else 2)
            deltas += bytes((delta,)) if 0 <= delta < 256 else struct.pack(">h", delta)
        chunks, at = bytearray(), 0
        while at < len(symbols):
            end = at
            while end < len(symbols) and symbols[end] == symbols[at]:
                end += 1
            chunks += struct.pack(">H", symbols[at] << 13 | end - at)
            at = end
        body = struct.pack(">HHI", base, len(symbols), (reference & 0xFFFFFF) << 8 | self.count) + chunks + deltas
        body += bytes(-len(body) % 4)
        self.arrivals, self.count = [], (self.count + 1) & 0xFF
        own = b"\0\0\0\1"
        return b"\x80\xc9\0\1" + own + struct.pack(">BBH", 0x8F, 205, len(body) // 4 + 2) + own + ssrc + body


def listen(address, port):
    """A socket that says when packets came."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    receiver.bind((address, port))
    receiver.setblocking(False)
    return receiver


class Receivers:
    """So many receivers at every second port from one on; with feedback, RTCP is at the port above each."""

    def __init__(self, count, port, address="127.0.0.1", feedback=False):
        self.sockets = [listen(address, port + 2 * index) for index in range(count)]
        self.feedback = [Feedback(listen(address, port + 2 * index + 1)) for index in range(count)] if feedback else []
        self.bytes, self.packets, self.first, self.last, self.frames, self.gaps = ([0] * count for _ in range(6))
        self.expected = [None] * count

    def take(self):
        """Takes what has come since the last call.

        All sockets at intervals, not one whenever a packet comes: the receivers' cost is not the benches' subject.
        """
        header, now = bytearray(24), time.monotonic()
        for index, receiver in enumerate(self.sockets):
            while True:
                try:
                    length, control, _, _ = receiver.recvmsg_into([header], 64, socket.MSG_TRUNC)
                except BlockingIOError:
                    break
                if self.feedback:
                    seconds, nanoseconds = struct.unpack("qq", control[0][2])
                    self.feedback[index].take(header, seconds * 1_000_000_000 + nanoseconds)
                self.first[index] = self.first[index] or now
                self.last[index] = now
                self.bytes[index] += length + 28
                self.packets[index] += 1
                number = header[2] << 8 | header[3]
                self.gaps[index] += self.expected[index] is not None and number != self.expected[index]
                self.expected[index] = (number + 1) & 0xFFFF
                self.frames[index] += header[1] >> 7

    @property
    def rates(self):
        """Mbit/s of each receiver, with all headers; 0 where nothing came."""
        return [8 * count / (last - first) / 1e6 if last > first else 0 for count, first, last in zip(self.bytes, self.first, self.last)]

    @property
    def seconds(self):
        """From the first packet to the last."""
        return max(self.last) - min(filter(None, self.first))


def spread(values, digits=3):
    """Median, least and most, as text."""
    return f"median {statistics.median(values):.{digits}f}, least {min(values):.{digits}f}, most {max(values):.{digits}f}"
