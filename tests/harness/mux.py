# SPDX-License-Identifier: BSD-2-Clause
"""A machine's serial line as many streams, by the module of tools/alcazar-mux."""
import os
import select
import shutil
import signal
import subprocess
import sys
import time

from harness.cases import ROOT, Failure
from harness.pseudo_terminal import PseudoTerminal
from harness.serial import die_with_parent

sys.path.insert(0, str(ROOT / "tools"))
import alcazar_mux  # noqa: E402


class Streams(alcazar_mux.Session):
    """What each channel has said is in `heard`, by its name; raw text in "text". `spoil` is given
    what comes and returns what arrives, as a bad line would. Names in `stuck` are read by nobody."""

    def __init__(self, machine, spoil=None):
        super().__init__(machine.send_bytes)
        self.m = machine
        self.spoil = spoil
        self.heard = {"text": b""}
        self.seen = {}
        self.stuck = set()

    def opened(self, channel):
        self.heard.setdefault(channel.name, b"")

    def data(self, channel, data):
        self.heard[channel.name] += data

    def room(self, channel):
        return 0 if channel.name in self.stuck else alcazar_mux.WINDOW

    def text(self, data):
        self.heard["text"] += data

    def once(self, seconds=0.1):
        """Reads once what there is."""
        if select.select([self.m.output], [], [], seconds)[0]:
            data = os.read(self.m.output, 65536)
            if not data:
                raise Failure("the machine went off")
            self.m.keep(data)
            self.feed(self.spoil(data) if self.spoil else data)
        self.tick()

    def wait(self, what, condition, timeout=60):
        deadline = time.monotonic() + timeout * self.m.patience
        while not condition():
            if time.monotonic() > deadline:
                last = {name: said[-300:] for name, said in self.heard.items()}
                raise Failure(f"no {what} within {timeout} s; last words: {last}, "
                              f"{self.bad} bad frames, the machine's errors: {self.errors}")
            self.once()

    def begin(self):
        """Frames, from plain text or from another's session."""
        before = self.restarts
        self.start()
        self.wait("frames", lambda: self.restarts > before and 1 in self.channels)

    def expect(self, name, wanted, timeout=60):
        """`wanted` behind what was waited for before on the channel `name`."""
        def found():
            at = self.heard.get(name, b"").find(wanted, self.seen.get(name, 0))
            if at >= 0:
                self.seen[name] = at + len(wanted)
            return at >= 0
        self.wait(f"{wanted!r} on {name}", found, timeout)

    def type(self, name, data):
        self.send(self.channel(name), data)

    def command(self, line, timeout=60):
        """A command at the shell's prompt; what it printed."""
        self.type("shell", line.encode() + b"\r")
        self.expect("shell", line.encode() + b"\n", timeout)
        start = self.seen["shell"]
        self.expect("shell", b"alcazar> ", timeout)
        return self.heard["shell"][start : self.seen["shell"] - 9].decode()


class Reader:
    """Somebody at one of the tool's terminals."""

    def __init__(self, path, patience):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.patience = patience
        self.said = b""

    def expect(self, wanted, timeout=120):
        """What was said before `wanted`."""
        deadline = time.monotonic() + timeout * self.patience
        while wanted not in self.said:
            if time.monotonic() > deadline:
                raise Failure(f"no {wanted!r} in {self.said[-300:]!r}")
            if select.select([self.fd], [], [], 0.2)[0]:
                self.said += os.read(self.fd, 4096)
        before, _, self.said = self.said.partition(wanted)
        return before.decode(errors="replace")

    def type(self, data):
        os.write(self.fd, data)


class Tool:
    """tools/alcazar-mux on the line of `machine`, which nobody else reads meanwhile."""

    def __init__(self, t, machine):
        self.t, self.m = t, machine
        self.folder = t.dir / "links"
        # Of a run that was ended: they lead to others' terminals.
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        # Links of a run before lead to terminals of somebody else's.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.line = PseudoTerminal(self.m)
        with open(self.t.dir / "tool.log", "wb") as log:
            self.process = subprocess.Popen(
                [ROOT / "tools/alcazar-mux", self.line.name, "--dir", self.folder],
                stdout=log, stderr=log, preexec_fn=die_with_parent)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.line.close()

    def path(self, name, timeout=120):
        """The terminal of the channel `name`, as soon as there is one."""
        path = self.folder / name
        deadline = time.monotonic() + timeout * self.m.patience
        while not path.exists():
            if time.monotonic() > deadline:
                raise Failure(f"no {path}")
            time.sleep(0.1)
        return path

    def reader(self, name):
        self.path("log")  # which is there as soon as there are frames
        return Reader(self.path(name), self.m.patience)

    def stop(self, timeout=60):
        """As Ctrl-C does; its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)
