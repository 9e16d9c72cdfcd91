# SPDX-License-Identifier: BSD-2-Clause
"""One serial line of Alcazar as many streams: docs/mux.md from the other end.

Session is the protocol alone: bytes from the line go in by feed(), what is to be sent comes
out by the function it was given, and tick() is called now and then. tools/alcazar-mux gives
each channel a pseudo-terminal.
"""
import os
import re
import socket
import termios
import time
import tty

SHELL, LOG, CONTROL = 0, 1, 2
PROGRAM = 3  # a channel's kind: it is a program's, as gdb's or a file's
HELLO, OPEN, CLOSE, CREDIT, ERROR, PING, PONG, OFF, BYE = range(1, 10)
ERRORS = ("bad stuffing", "bad CRC", "too long", "too short", "no such channel",
          "bad message", "bytes are missing", "more than was allowed", "the line was too fast")
VERSION = 1
FRAME_MAX = 254  # bytes on the line between two zeroes
PAYLOAD = 128  # of what is sent: short, so that no channel waits long for another
WINDOW = 4096  # bytes of a console that may be on their way to us
ZEROES = 5 * b"\0"
# Leaves a guest's console and a line that is half typed. In frames it is a short one.
CLEAR_LINE = b"\x1d\x03"
# What the machine says when it listens in plain text.
LISTENS = re.compile(rb"alcazar> (\x1b\[m)?$|Ctrl-\] returns to the alcazar> prompt --\r?\n")
PING_S, SILENCE_S, START_S = 2, 6, 5
# Half a frame is text after so long; while frames come, only where a line does not just stall.
HALF_S, STALL_S = 0.5, 3


def _crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


CRC_TABLE = tuple(_crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def stuff(data):
    """COBS: no zero in what is returned."""
    out, block = bytearray(), bytearray()
    for at, byte in enumerate(data, 1):
        if byte:
            block.append(byte)
        if not byte or len(block) == 254:
            out.append(len(block) + 1)
            out += block
            block.clear()
            if byte and at == len(data):
                return bytes(out)  # a full block at the very end needs none behind it
    return bytes(out + bytes([len(block) + 1]) + block)


def unstuff(data):
    """None: that is no encoding of anything."""
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if not code or len(block) != code - 1 or 0 in block:
            return None
        out += block
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def frame(channel, pos, data):
    raw = bytes([channel]) + (pos & 0xFFFF).to_bytes(2, "little") + data
    return b"\0" + stuff(raw + crc32c(raw).to_bytes(4, "little")) + b"\0"


def parse(stuffed):
    """(channel, pos, data) of what stood between two zeroes, or None."""
    raw = unstuff(stuffed)
    if raw is None or len(raw) < 7 or crc32c(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        return None
    return raw[0], int.from_bytes(raw[1:3], "little"), raw[3:-4]


class Channel:
    """`name` is the machine's: shell, log, VM.DEVICE."""

    def __init__(self, number, kind, name):
        self.number, self.kind, self.name = number, kind, name
        self.sent = 0  # bytes that went to the machine
        self.limit = 0  # and that it takes
        self.waiting = b""
        self.got = None  # position behind the last byte that came
        self.told = 0  # position up to which the machine may send
        self.lost = 0  # bytes that did not come

    def ahead(self):
        """How many bytes may be sent."""
        room = (self.limit - self.sent) & 0xFFFF
        return room if room < 0x8000 else 0


class Session:
    """Subclasses say what becomes of what comes."""

    def __init__(self, write):
        self.write = write  # bytes to the line; takes all of them
        self.up = False  # frames go both ways
        self.off = False  # somebody said `mux off`: not to be undone
        self.channels = {}
        self.bad = 0  # frames that were none
        self.errors = {}  # what the machine has counted of ours: {text: number}
        self.restarts = 0
        self._asked = 0  # how often for frames, without an answer
        self._pending = bytearray()
        self._framed = False  # _pending stands behind a zero
        self._tail = b""  # of the text
        self._control = 0
        self._heard = self._pinged = self._started = self._came = 0.0

    # What the machine says, for subclasses.
    def opened(self, channel):
        pass

    def closed(self, channel):
        pass

    def data(self, channel, data):
        """It counts as taken at once, unless room() says how much there is for more."""

    def room(self, channel):
        """Bytes of a console that we take beyond what came."""
        return WINDOW

    def text(self, data):
        """Not in frames: what a machine says that starts."""

    def error(self, text, channel, count):
        pass

    # What we say.
    def start(self, now=None):
        """Asks for frames, whatever the line carries now."""
        self._started = time.monotonic() if now is None else now
        self._asked += 1
        self.write(CLEAR_LINE + ZEROES + b"mux on\r")

    def awaits_frames(self):
        """Whether a hello may be on its way: text that is sent now may come among the frames, where
        it is lost. Who did not answer the first time may know no frames."""
        return not self.up and not self.off and self._asked == 1

    def stop(self):
        """Asks for text. What were sent behind it would be typed."""
        if self.up:
            self._tell(bytes([OFF]))
        self.off = True

    def stop_anyhow(self):
        """The same for a machine that does not answer."""
        self.write(ZEROES + b"mux off\r")

    def channel(self, name):
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        raise KeyError(name)

    def send(self, channel, data):
        """What the machine does not take yet waits here."""
        channel.waiting += data
        self._flush(channel)

    def _flush(self, channel):
        while self.up and not self.off and channel.waiting and channel.ahead():
            piece = channel.waiting[: min(PAYLOAD, channel.ahead())]
            channel.waiting = channel.waiting[len(piece) :]
            self.write(frame(channel.number, channel.sent, piece))
            channel.sent = (channel.sent + len(piece)) & 0xFFFF

    def _tell(self, message):
        if self.off:
            return
        self.write(frame(CONTROL, self._control, message))
        self._control = (self._control + len(message)) & 0xFFFF

    def grant(self, channel, again=False):
        """Lets the machine send what we have space for."""
        if channel.number <= CONTROL or not self.up:
            return
        limit = ((channel.got or 0) + max(0, min(WINDOW, self.room(channel)))) & 0xFFFF
        more = (limit - channel.told) & 0xFFFF
        if again or WINDOW // 2 <= more < 0x8000:
            channel.told = channel.told if more >= 0x8000 else limit
            self._tell(bytes([CREDIT, channel.number]) + channel.told.to_bytes(2, "little"))

    def tick(self, now=None):
        """Several times a second."""
        now = time.monotonic() if now is None else now
        if self._pending and now - self._came > (STALL_S if self.up else HALF_S):
            self._say(bytes(self._pending))  # a frame would have ended
            self._pending.clear()
            self._framed = False
        if self.up and now - self._heard > SILENCE_S:
            self._down()
        if self.up and now - self._pinged > PING_S:
            self._pinged = now
            self._tell(bytes([PING]) + int(now).to_bytes(4, "little"))
            for channel in self.channels.values():
                self.grant(channel, again=True)
        if not self.up and not self.off and now - self._started > START_S:
            self.start(now)

    def _down(self):
        self.up = False
        for channel in list(self.channels.values()):
            self._close(channel)

    def _close(self, channel):
        del self.channels[channel.number]
        self.closed(channel)

    def feed(self, data, now=None):
        """Bytes from the line."""
        self._came = time.monotonic() if now is None else now
        for index, piece in enumerate(data.split(b"\0")):
            if index:
                self._end()
                self._framed = True
            self._pending += piece
        if len(self._pending) > FRAME_MAX:
            self._framed = False
        if not self._framed and self._pending:
            self._say(bytes(self._pending))
            self._pending.clear()

    def _end(self):
        """A zero has come."""
        pending = bytes(self._pending)
        self._pending.clear()
        if not pending:
            return
        parsed = parse(pending) if self._framed else None
        if parsed:
            self._heard = self._came
            self._frame(*parsed)
        elif not self._framed or re.fullmatch(rb"[\t\n\r\x1b -~]+", pending):
            self._say(pending)
        else:
            self.bad += 1

    def _say(self, text):
        self.text(text)
        self._tail = (self._tail + text)[-200:]
        if not LISTENS.search(self._tail):
            return
        self._tail = b""
        if not self.off:
            if self.up:
                self._down()  # it has started anew
            if self._came - self._started > 1:
                self.start(self._came)

    def _frame(self, number, pos, data):
        if number == CONTROL:
            self._message(data)
            return
        channel = self.channels.get(number)
        if not self.up or not channel:
            return
        if channel.got is not None:
            missing = (pos - channel.got) & 0xFFFF
            channel.lost += missing
            if missing:
                self.error("bytes were lost on the way here", number, channel.lost)
        channel.got = (pos + len(data)) & 0xFFFF
        self.data(channel, data)
        self.grant(channel)

    def _message(self, message):
        kind = message[0] if message else 0
        if kind == HELLO and len(message) >= 3:
            self._hello(message[1])
        elif not self.up:
            return
        elif kind == OPEN and len(message) >= 3:
            self._open(Channel(message[1], message[2], message[3:].decode("utf-8", "replace")))
        elif kind == CLOSE and len(message) == 2 and message[1] in self.channels:
            self._close(self.channels[message[1]])
        elif kind == CREDIT and len(message) == 4 and message[1] in self.channels:
            channel = self.channels[message[1]]
            channel.limit = int.from_bytes(message[2:], "little")
            self._flush(channel)
        elif kind == ERROR and len(message) == 7:
            text = ERRORS[message[1]] if message[1] < len(ERRORS) else "unknown"
            self.errors[text] = int.from_bytes(message[3:], "little")
            self.error(text, message[2], self.errors[text])
        elif kind == BYE:
            self.off = True
            self._framed = False
            self._down()

    def _hello(self, version):
        if version != VERSION:
            raise RuntimeError(f"the machine speaks version {version}, this is for {VERSION}")
        self._down()
        self.up, self.off = True, False
        self._asked = 0
        self.restarts += 1
        self.errors = {}
        self._control = 0
        self._pinged = self._came

    def _open(self, channel):
        channel.got = 0
        old = self.channels.get(channel.number)
        if old and (old.kind, old.name) == (channel.kind, channel.name):
            return  # told again, in case the first time was lost
        if old:
            self._close(old)
        self.channels[channel.number] = channel
        self.opened(channel)
        self.grant(channel)


def open_line(where, baud=115200):
    """(file descriptor, what keeps it open) of a serial device, tcp:HOST:PORT, or unix:PATH."""
    if where.startswith("tcp:"):
        host, _, port = where[4:].rpartition(":")
        line = socket.create_connection((host.strip("[]"), int(port)))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line.fileno(), line
    if where.startswith("unix:"):
        line = socket.socket(socket.AF_UNIX)
        line.connect(where[5:])
        return line.fileno(), line
    fd = os.open(where, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    speed = getattr(termios, f"B{baud}")
    modes = termios.tcgetattr(fd)
    modes[2] |= termios.CLOCAL | termios.CREAD
    modes[4] = modes[5] = speed
    termios.tcsetattr(fd, termios.TCSANOW, modes)
    return fd, fd
