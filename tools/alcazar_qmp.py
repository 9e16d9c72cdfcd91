# SPDX-License-Identifier: BSD-2-Clause
"""Alcazar's protocol for programs (docs/qmp.md), over any line that carries bytes.

    with Client(open_line("/dev/ttyUSB0")) as qmp:
        for vm in qmp.request("list"):
            print(vm["name"], vm["state"])
        qmp.request("start", vm="linux")
        print(qmp.event("SHUTDOWN", seconds=600)["data"])
"""
import collections
import json
import os
import re
import select
import socket
import stat
import termios
import time
import tty

SECONDS = 30  # for an answer
SYNC_SECONDS = 3  # for the first one, before it is tried again
CTRL_C, LEAVE = b"\x03", b"\x1d"
FLOW_CONTROL = b"\x11\x13"  # XON and XOFF, which come in the middle of any line


class LineError(Exception):
    """The line is gone, or nobody answers."""


class QmpError(Exception):
    """A request was refused."""

    def __init__(self, error):
        super().__init__(error["desc"])
        self.error_class = error["class"]


class Line:
    """Two file descriptors, or one for both ways."""

    def __init__(self, reads, writes=None, close=None):
        self.reads = reads
        self.writes = reads if writes is None else writes
        self._close = close

    def read(self, seconds):
        """What came within the time, b"" for nothing."""
        if not select.select([self.reads], [], [], max(seconds, 0))[0]:
            return b""
        try:
            data = os.read(self.reads, 65536)
        except OSError as error:
            raise LineError(f"the line is broken: {error.strerror}") from None
        if not data:
            raise LineError("the line was closed")
        return data

    def write(self, data):
        """Some of `data`; how many bytes, which may be none."""
        if not select.select([], [self.writes], [], 0)[1]:
            return 0
        try:
            return os.write(self.writes, data[:512])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LineError(f"the line is broken: {error.strerror}") from None

    def close(self):
        if self._close:
            self._close()


def _terminal(path, baud):
    """A serial device or a pseudo-terminal: bytes as they are, XOFF heeded."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    if os.isatty(fd):
        tty.setraw(fd)
        speed = getattr(termios, f"B{baud}", None)
        if speed is None:
            raise LineError(f"{baud}: no speed that a terminal has")
        attributes = termios.tcgetattr(fd)
        attributes[0] |= termios.IXON
        attributes[2] |= termios.CLOCAL | termios.CREAD
        attributes[4] = attributes[5] = speed
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    return Line(fd, close=lambda: os.close(fd))


def _socket(family, address, seconds):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(seconds)
    s.connect(address)
    s.setblocking(False)
    return Line(s.fileno(), close=s.close)


def open_line(spec, baud=115200, seconds=SECONDS):
    """tcp:HOST:PORT, unix:PATH, or the path of a serial device, a pty or a socket."""
    try:
        if spec.startswith("tcp:"):
            host, _, port = spec[4:].rpartition(":")
            if not host or not port.isdigit():
                raise LineError(f"{spec}: expected tcp:HOST:PORT")
            family, _, _, _, address = socket.getaddrinfo(
                host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
            return _socket(family, address, seconds)
        path = spec.removeprefix("unix:")
        if path != spec or stat.S_ISSOCK(os.stat(path).st_mode):
            return _socket(socket.AF_UNIX, path, seconds)
        return _terminal(spec, baud)
    except OSError as error:
        raise LineError(f"{spec}: {error.strerror or error}") from None


class Client:
    """A conversation. Answers come by `request`, or, of several that were sent before the first
    was answered, by `send` and `answer`; events in between are kept for `event`.

    `log`: the hypervisor's log comes as events, too. `heard`, if given, gets each line that is
    none of the protocol's: the shell's, or a panic's.
    """

    def __init__(self, line, seconds=SECONDS, log=False, heard=None):
        self.line = line
        self.seconds = seconds
        self.heard = heard
        self.greeting = None
        self.events = collections.deque()
        self._answers = {}
        self._rest = b""
        self._count = 0
        self._sync(log)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.request("qmp_quit")
        finally:
            self.line.close()

    def _sync(self, log):
        """Into the protocol, wherever the line was: in the shell, in the middle of what somebody
        typed, in a VM's console, or in the protocol already."""
        deadline = time.monotonic() + self.seconds
        while True:
            self._write(LEAVE + CTRL_C)
            name = self.send("qmp_capabilities", log=log)
            try:
                self.answer(name, min(SYNC_SECONDS, deadline - time.monotonic()))
                return
            except LineError:
                if time.monotonic() > deadline:
                    raise LineError("nobody answers on the line") from None

    def _write(self, data):
        """All of it, and reads meanwhile: nobody waits for the other."""
        deadline = time.monotonic() + self.seconds
        while data:
            sent = self.line.write(data)
            data = data[sent:]
            if sent:
                deadline = time.monotonic() + self.seconds
            elif time.monotonic() > deadline:
                raise LineError("the line takes nothing")
            self._read(0 if sent else 0.05)

    def _read(self, seconds):
        """Sorts the lines that came."""
        data = self.line.read(seconds).translate(None, FLOW_CONTROL)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._sort(line.rstrip(b"\r").decode(errors="replace"))

    def _sort(self, line):
        try:
            said = json.loads(line) if line.startswith("{") else None
        except ValueError:
            said = None
        if not isinstance(said, dict):
            if self.heard:
                self.heard(line)
        elif "event" in said:
            self.events.append(said)
        elif "QMP" in said:
            self.greeting = said["QMP"]
        else:
            # Of what was not understood there is no id: null.
            self._answers[json.dumps(said.get("id"))] = said

    def send(self, execute, **arguments):
        """Asks, without waiting; returns the id."""
        self._count += 1
        name = f"{os.getpid()}-{self._count}"
        request = {"execute": execute, "id": name}
        if arguments:
            request["arguments"] = arguments
        self._write(json.dumps(request).encode() + b"\r")
        return name

    def raw(self, text, seconds=None):
        """Sends a line as it is; returns the answer, which has the line's own id."""
        try:
            name = json.loads(text).get("id")
        except (ValueError, AttributeError):
            name = None
        name = json.dumps(name)
        self._answers.pop(name, None)
        self._write(text.encode() + b"\r")
        return self._wait(lambda: self._answers.pop(name, None), seconds)

    def _wait(self, look, seconds):
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            found = look()
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise LineError("no answer in time")
            self._read(left)

    def answer(self, name, seconds=None):
        """The answer to what was sent; QmpError when it is an error."""
        said = self._wait(lambda: self._answers.pop(json.dumps(name), None), seconds)
        if "error" in said:
            raise QmpError(said["error"])
        return said["return"]

    def request(self, execute, seconds=None, **arguments):
        return self.answer(self.send(execute, **arguments), seconds)

    def event(self, name=None, seconds=None):
        """The oldest event, or the oldest of that name; others stay."""

        def look():
            for event in self.events:
                if name in (None, event["event"]):
                    self.events.remove(event)
                    return event
            return None

        return self._wait(look, seconds)


def arguments_of(words):
    """KEY=VALUE words as arguments; a key that comes again has several values."""
    arguments = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[\w.-]+", key):
            raise ValueError(f"{word}: expected KEY=VALUE")
        if key in arguments:
            before = arguments[key]
            value = (before if isinstance(before, list) else [before]) + [value]
        arguments[key] = value
    return arguments
