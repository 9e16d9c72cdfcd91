# SPDX-License-Identifier: BSD-2-Clause
"""`loadmod NAME xmodem`: Debian's sx on the serial line."""
import random
import re
import subprocess
import time
import zlib

from harness import Failure, Machine, case
from harness.linux import LEAVE
from harness.pseudo_terminal import PseudoTerminal
from harness.serial import PROMPT, die_with_parent
from test_guests import GUESTS, guest_cfg, guest_files

SECONDS = 120
BEGINS = r"Ctrl-C twice gives up\.\n"
BLOCK = 3 + 1024 + 2


class Spoil:
    """Counts what the sender sends, and turns one byte of it, or none, into another."""

    def __init__(self, at=None):
        self.at = at
        self.count = 0
        self.spoiled = 0

    def __call__(self, data):
        if self.at is not None and self.count <= self.at < self.count + len(data):
            data = bytearray(data)
            data[self.at - self.count] ^= 0x20
            self.spoiled += 1
        self.count += len(data)
        return data

    def check(self):
        """Behind the transfer: what was to be spoiled has come by, and once."""
        check(self.spoiled == (self.at is not None),
              f"{self.spoiled} bytes of {self.count} were spoiled, at {self.at}")


def sx(t, m, file, spoil, stop_after=None):
    """Sends `file`; sx's exit status. `stop_after`: it is killed after so many bytes."""
    with PseudoTerminal(m, spoil) as terminal, open(terminal.name, "r+b", buffering=0) as line:
        process = subprocess.Popen(["sx", "-k", "-vv", file], stdin=line, stdout=line,
                                   stderr=subprocess.PIPE, text=True, errors="replace",
                                   preexec_fn=die_with_parent)
        deadline = time.monotonic() + SECONDS
        while stop_after and spoil.count < stop_after and time.monotonic() < deadline:
            time.sleep(0.001)
        if stop_after:
            process.kill()
        said, sent = None, -1
        while said is None:
            try:
                said = process.communicate(timeout=SECONDS)[1]
            except subprocess.TimeoutExpired:
                if spoil.count == sent:  # a machine that has much else to do is slow, no more
                    process.kill()
                    raise Failure(f"sx stands: {process.communicate()[1][-500:]}") from None
                sent = spoil.count
        # What it said last stays in the terminal for so long.
        time.sleep(0.5)
    t.log(said[-2000:])
    spoil.check()
    return process.returncode


def check(condition, text):
    if not condition:
        raise Failure(text)


def fails(t, m, file):
    """Given up before anything came, and in the middle: nothing is held for either."""
    m.send("loadmod x xmodem\r")
    m.expect(BEGINS, SECONDS)
    m.send("\x03\x03")
    m.expect(r"loadmod: x: given up; nothing is kept of 0 bytes\n", SECONDS)
    m.expect(PROMPT, SECONDS)
    before = m.command("info memory", SECONDS)
    check("loadmod " in before, before)
    m.send("loadmod x xmodem\r")
    m.expect(BEGINS, SECONDS)
    check(sx(t, m, file, Spoil(), stop_after=100000) != 0, "sx was not stopped")
    m.send("\x03\x03")
    m.expect(r"loadmod: x: given up; nothing is kept of \d{5,6} bytes\n", SECONDS)
    m.expect(PROMPT, SECONDS)
    after = m.command("info memory", SECONDS)
    check(after == before, f"memory is not as before: {before}{after}")


@case(seconds=20, qemu_alone="a sender's seconds are the wall's")
def by_xmodem(t):
    """A kernel comes over the serial line, a byte of it broken, while a VM fills the log; then it
    runs."""
    kernel = (GUESTS / "echo.elf").read_bytes()
    kernel += random.Random(1).randbytes(150001 - len(kernel))
    file = t.dir / "echo.elf"
    file.write_bytes(kernel)
    with Machine(t, files=guest_files("resets", vm="noise", autostart=False, console=False),
                 cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        fails(t, m, file)
        # The VM starts on the same line: nothing can be typed once it is at it.
        m.send(f"start noise; loadmod echo.elf xmodem {len(kernel)}\r")
        m.expect(BEGINS, SECONDS)
        begin = m.seen
        check(sx(t, m, file, Spoil(at=100 * BLOCK + 500)) == 0, "sx failed")
        m.expect(rf"module echo.elf: {len(kernel)} bytes, CRC-32 {zlib.crc32(kernel):08x}\n",
                 SECONDS)
        # The sender heard its protocol alone, and the person the log when it was over.
        talk = re.match(r"C+\x06+\x15\x06+\n(\[ *\d+\.\d+\] .*\n)+-- \d+ lines more.*\n",
                        m.text[begin:])
        check(talk, f"not what a sender may hear: {m.text[begin:begin + 2000]!r}")
        m.expect(PROMPT, SECONDS)
        m.send("destroy noise\r")
        m.expect(r"vm noise is destroyed", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.send("define\r" + guest_cfg("echo", vm="echo", autostart=False) + ".\r")
        m.expect(r"vm echo: defined by pasted config", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.command("start echo", SECONDS)
        m.command("console echo", SECONDS, prompt="# echoing\n")
        m.send("from the line")
        m.expect("from the line", SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, SECONDS)
