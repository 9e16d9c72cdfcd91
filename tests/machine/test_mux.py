# SPDX-License-Identifier: BSD-2-Clause
"""Shell, log and guests' consoles at once on one serial line, by tools/alcazar-mux's module."""
import os
import random
import select
import signal
import subprocess
import time

from harness import ROOT, Failure, Machine, case
from harness.mux import Streams, alcazar_mux
from harness.pseudo_terminal import PseudoTerminal
from harness.serial import PROMPT
from test_guests import guest_cfg, guest_files

SECONDS = 120  # for an answer, on a machine that has much else to do
RESETS = "after a reset with two CPUs, the BIOS of Bochs 2.7 ends with a keyboard error"


def check(condition, text):
    if not condition:
        raise Failure(text)


def files(**guests):
    """A VM for each: its name, and the guest that it runs."""
    every = {}
    for vm, guest in guests.items():
        every |= guest_files(guest)
        every[f"{vm}.cfg"] = guest_cfg(guest, vm=vm, autostart=False, console=False)
    del every["guest.cfg"]
    return every


@case(seconds=20)
def two_guests_and_the_shell(t):
    with Machine(t, files=files(one="echo", two="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.expect("shell", b"alcazar> ", SECONDS)
        check("mux is on: com1 carries" in s.command("mux", SECONDS), "not on")
        for vm in ("one", "two"):
            s.command(f"start {vm}", SECONDS)
            s.expect(f"{vm}.com1", b"# echoing", SECONDS)
        s.expect("log", b"vm two: starts with", SECONDS)
        check(b"] vm one" not in s.heard["shell"], "the log is in the shell's stream")
        for n in range(20):
            s.type("one.com1", b"first %d." % n)
            s.type("two.com1", b"second %d." % n)
            check("running" in s.command("list", SECONDS), "the shell does not answer")
        s.expect("one.com1", b"first 19.", SECONDS)
        s.expect("two.com1", b"second 19.", SECONDS)
        check("has a viewer already" in s.command("console one", SECONDS), "two viewers")
        s.command("destroy two", SECONDS)
        s.wait("the channel's end", lambda: len(s.channels) == 3, SECONDS)
        s.command("start two", SECONDS)
        s.expect("two.com1", b"# echoing", SECONDS)
        check(not s.errors and not s.bad and not any(c.lost for c in s.channels.values()),
              f"errors: {s.errors} {s.bad}")
        s.command("mux on", SECONDS)
        # Back to a plain line.
        s.type("shell", b"mux off\r")
        s.wait("plain text", lambda: not s.up, SECONDS)
        m.seen = len(m.text)
        check("running" in m.command("list", SECONDS), "no usable shell")
        m.command("console one", SECONDS, prompt="prompt --\n")
        m.send("plain")
        m.expect("plain", SECONDS)


def everything_but(*bytes_):
    """64 KiB of which an echo changes none."""
    source = random.Random(6)
    allowed = [byte for byte in range(256) if byte not in bytes_]
    return bytes(source.choice(allowed) for _ in range(65536))


@case(seconds=200, qemu_alone="64 KiB there and back take Bochs too long")
def a_flood_beside_an_echo(t):
    """One guest that says more than the line holds, one that takes no input, one that echoes."""
    with Machine(t, files=files(flood="flood", deaf="echo", echo="echo"), cpus=4) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        for vm, says in (("flood", b"# flooding"), ("deaf", b"# echoing"), ("echo", b"# echoing")):
            s.command(f"start {vm}", SECONDS)
            s.expect(f"{vm}.com1", says, SECONDS)
        s.command("pause deaf", SECONDS)
        s.type("deaf.com1", 3000 * b"x")
        sent = everything_but(4, 13)
        before = len(s.heard["echo.com1"])
        s.type("echo.com1", sent)
        flooded = len(s.heard["flood.com1"])
        for _ in range(5):
            check("running" in s.command("list", SECONDS), "the shell does not answer")
        check(len(s.heard["echo.com1"]) < before + len(sent), "it was over before")
        s.wait("all of the echo", lambda: len(s.heard["echo.com1"]) >= before + len(sent),
               10 * SECONDS)
        check(s.heard["echo.com1"][before:] == sent, "the echo differs from what was sent")
        said = s.heard["flood.com1"][flooded:]
        check(len(said) > 10000, f"the flood said {len(said)} bytes")
        s.command("resume deaf", SECONDS)
        s.expect("deaf.com1", 3000 * b"x", SECONDS)
        # Whose bytes nobody reads waits, alone.
        s.stuck.add("flood.com1")
        stuck = len(s.heard["flood.com1"])
        for _ in range(5):
            s.command("list", SECONDS)
        check(len(s.heard["flood.com1"]) - stuck <= 4096, "more than was allowed")
        check(not s.errors and not s.bad, f"errors: {s.errors} {s.bad}")


BROKEN = (
    ("bad CRC", b"\0\x06\x02\x03\x04\x05\x06\x03\x07\x08\0"),
    ("bad stuffing", b"\0\x70ab\0"),
    ("too short", b"\0\x03ab\0"),
    ("too long", b"\0" + 300 * b"a" + b"\0"),
    ("no such channel", alcazar_mux.frame(200, 0, b"to nobody")),
    ("no such channel", alcazar_mux.frame(alcazar_mux.LOG, 0, b"to the log")),
    ("bad message", None),
)


@case(seconds=20)
def errors(t):
    """What is wrong is counted and answered, and what is right beside it arrives."""
    with Machine(t, files=files(echo="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        for n, (text, data) in enumerate(BROKEN):
            s.type("echo.com1", b"before %d " % n)
            if data:
                s.write(data)
            else:
                s._tell(b"\x77")
            s.type("echo.com1", b"behind %d " % n)
            s.expect("echo.com1", b"before %d behind %d " % (n, n), SECONDS)
            s.wait(f"an error: {text}", lambda: text in s.errors, SECONDS)
        # More than was allowed: what fits is taken.
        channel = s.channel("echo.com1")
        s.command("pause echo", SECONDS)
        s.write(b"".join(alcazar_mux.frame(channel.number, channel.sent + at, 128 * b"z")
                         for at in range(0, 4096, 128)))
        s.wait("an error", lambda: "more than was allowed" in s.errors, SECONDS)
        channel.sent = (channel.sent + 4096) & 0xFFFF
        s.command("resume echo", SECONDS)
        s.expect("echo.com1", 1024 * b"z", SECONDS)
        # Bytes that were lost on their way do not use the window up.
        for n in range(20):
            channel.sent = (channel.sent + 200) & 0xFFFF
            s.type("echo.com1", b"number %d." % n)
            s.expect("echo.com1", b"number %d." % n, SECONDS)
        check("bytes are missing" in s.errors, "no gap is told")
        check(s.errors["no such channel"] == 2 and s.errors["bad CRC"] == 1, f"{s.errors}")


@case(seconds=30)
def noise(t):
    """A line that loses and changes bytes, both ways; then another session, and none."""
    with Machine(t, files=files(echo="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        source = random.Random(7)
        noisy = [True]

        def spoil(data):
            if not noisy[0]:
                return data
            return bytes(byte ^ 1 << source.randrange(8) if source.random() < 0.002 else byte
                         for byte in data if source.random() > 0.001)

        noisy[0] = False
        s = Streams(m, spoil)
        s.write = lambda data: m.send_bytes(spoil(data))
        s.begin()
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        noisy[0] = True
        for n in range(300):
            s.type("echo.com1", b"line %d of many. " % n)
            s.once(0.01)
        s.wait("bad frames on both sides", lambda: s.bad and s.errors, SECONDS)
        noisy[0] = False
        # The windows have not shrunk for good, and nobody is confused.
        before = len(s.heard["echo.com1"])
        s.type("echo.com1", 5000 * b"q")
        s.wait("an echo", lambda: s.heard["echo.com1"][before:].count(b"q") >= 5000, SECONDS)
        s.type("shell", b"\x03")
        check("running" in s.command("list", SECONDS), "no shell")
        # Another session takes over from one that said no goodbye.
        other = Streams(m)
        other.begin()
        check("running" in other.command("list", SECONDS), "no second session")
        other.expect("echo.com1", b"# echoing", SECONDS)
        # A person without a tool.
        m.send_bytes(b"\0\0\0\0\0mux off\r")
        other.wait("plain text", lambda: not other.up, SECONDS)
        m.send("\x03")  # a frame that was on its way is typed
        m.seen = len(m.text)
        check("running" in m.command("list", SECONDS), "no usable shell")


@case(seconds=30, qemu_alone=RESETS)
def starts_anew(t):
    """The machine is reset under the session, which comes back by itself."""
    with Machine(t, files=files(echo="echo"), cpus=2, resets=True) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        s.type("shell", b"reboot\r")
        s.wait("frames again", lambda: s.restarts == 2 and 1 in s.channels, SECONDS)
        check(b"boot: ready after" in s.heard["text"], "what it said meanwhile is lost")
        s.type("shell", b"\x03")
        check("defined" in s.command("list", SECONDS), "no shell after the reset")
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        s.type("echo.com1", b"once more")
        s.expect("echo.com1", b"once more", SECONDS)



class Reader:
    """Somebody at one of the tool's terminals."""

    def __init__(self, path, patience):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.patience = patience
        self.said = b""

    def expect(self, wanted, timeout=SECONDS):
        deadline = time.monotonic() + timeout * self.patience
        while wanted not in self.said:
            check(time.monotonic() < deadline, f"no {wanted!r} in {self.said[-300:]!r}")
            if select.select([self.fd], [], [], 0.2)[0]:
                self.said += os.read(self.fd, 4096)
        self.said = self.said.partition(wanted)[2]

    def type(self, data):
        os.write(self.fd, data)


def appears(path, patience):
    deadline = time.monotonic() + SECONDS * patience
    while not path.exists():
        check(time.monotonic() < deadline, f"no {path}")
        time.sleep(0.1)
    return Reader(path, patience)


@case(seconds=20, qemu_alone=RESETS)
def tool(t):
    """tools/alcazar-mux itself: links to terminals, that outlive a reset; the line is text again."""
    with Machine(t, files=files(echo="echo"), cpus=2, resets=True) as m:
        m.expect(PROMPT, SECONDS)
        folder = t.dir / "links"
        with PseudoTerminal(m) as line, open(t.dir / "tool.log", "wb") as log:
            tool_ = subprocess.Popen([ROOT / "tools/alcazar-mux", line.name, "--dir", folder],
                                     stdout=log, stderr=log)
            t.later(tool_.kill)
            shell = appears(folder / "shell", m.patience)
            shell.expect(b"alcazar> ")
            for _ in range(2):
                shell.type(b"start echo\r")
                shell.expect(b"vm echo is started\r\n")
                echo = appears(folder / "echo.com1", m.patience)
                echo.expect(b"# echoing")
                echo.type(b"through the tool")
                echo.expect(b"through the tool")
                appears(folder / "log", m.patience).expect(b"vm echo: starts with")
                shell.type(b"reboot\r")
                shell.expect(b"boot: ready after")
                shell.expect(b"mux on\r\n")
                shell.type(b"\r")
                shell.expect(b"alcazar> ")
            tool_.send_signal(signal.SIGTERM)
            check(tool_.wait(SECONDS) == 0, "the tool failed")
            check(not list(folder.iterdir()), "links are left")
        m.seen = len(m.text)
        m.send("\x03")
        check("defined" in m.command("list", SECONDS), "no usable shell")
