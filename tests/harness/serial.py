# SPDX-License-Identifier: BSD-2-Clause
"""A machine's serial line: what every emulator's driver has in common."""
import codecs
import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import time

from harness.cases import BUILD, ROOT, Failure, run_tool

PROMPT = "alcazar> "
# The demo's images, for cases that bring a config of their own.
DEMO = BUILD / "demo"
# Its kernel without the decompressor: four of the seven billion instructions of a boot.
UNPACKED = BUILD / "guests/vmlinuz-unpacked"

# A UART says each byte by itself: a read waits so many seconds for those behind the first.
GATHER = 0.001

# What a terminal heeds and does not show: XON and XOFF come in the middle of any line.
NOT_SHOWN = dict.fromkeys(map(ord, "\r\x11\x13"))

_libc = ctypes.CDLL(None)


def die_with_parent():
    """In the child, before it becomes the emulator: nothing outlives the runner."""
    PR_SET_PDEATHSIG = 1
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def make_iso(t, files=None, cmdline="", build=BUILD):
    """An ISO with these modules, {name: text, bytes, or a path to copy}; without them
    the demo's, and without anything the demo itself. {}: no module at all."""
    if files is None and not cmdline and build == BUILD:
        return BUILD / "alcazar.iso"
    if files is None:
        files = {name: DEMO / name for name in ("demo.cfg", "vmlinuz", "initrd")}
    folder = t.dir / "vm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        if isinstance(content, str):
            content = content.encode()
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            (folder / name).symlink_to(content)
    iso = t.dir / "test.iso"
    run_tool(t, ROOT / "scripts/make-iso", iso, build / "alcazar.elf", cmdline,
             *([folder] if files else []))
    t.later(lambda: (iso.unlink(missing_ok=True), shutil.rmtree(folder, ignore_errors=True)))
    return iso


class SerialMachine:
    """An emulator's process and its serial line. Everything that the line says is kept
    in t.dir/serial.log. A driver sets self.process, self.input and self.output."""

    patience = 1  # how much slower than QEMU it may be
    keeps_time = True  # its seconds are the wall's

    def __init__(self, t):
        self.t = t
        self.text = ""  # all that came
        self.seen = 0  # how much of it expect() has passed
        # A read may end in the middle of a letter.
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.serial = open(t.dir / "serial.log", "wb")
        self.messages = t.dir / "emulator.log"  # the emulator's own

    def start(self, command, **options):
        self.t.log("$ " + " ".join(str(word) for word in command))
        with open(self.messages, "wb") as messages:
            self.process = subprocess.Popen(
                [str(word) for word in command], stderr=messages, preexec_fn=die_with_parent,
                **options)
        self.t.later(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _cpu_seconds(self):
        """What the emulator has used of the build machine's CPUs; 0 when it is gone."""
        try:
            stat = open(f"/proc/{self.process.pid}/stat", encoding="utf-8").read()
        except OSError:
            return 0
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self):
        """Ends the emulator, however it is doing."""
        self.t.cpu_seconds += self._cpu_seconds()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if not self.serial.closed:
            self.serial.close()
            for end in (self.input, self.output):
                os.close(end)
            self.t.log(f"--- serial line ---\n{self.text}\n--- end ---")
            said = self.messages.read_text(errors="replace")
            if said:
                self.t.log(f"--- emulator ---\n{said[-4000:]}")

    def _read(self, seconds):
        """Reads what there is, waiting up to `seconds`; False at the end of the line."""
        if not select.select([self.output], [], [], max(seconds, 0))[0]:
            return True
        if seconds > 0:
            time.sleep(GATHER)
        try:
            data = os.read(self.output, 65536)
        except ConnectionResetError:
            data = b""
        self.keep(data)
        return bool(data)

    def keep(self, data):
        """The line has said this."""
        self.serial.write(data)
        self.serial.flush()
        self.text += self.decoder.decode(data).translate(NOT_SHOWN)

    def expect(self, pattern, timeout=60, never=r"PANIC"):
        """Waits for `pattern` behind what was matched before; returns the match.

        `never` ends the wait at once: what must not come first.
        """
        timeout *= self.patience
        wanted = re.compile(pattern)
        awaited = repr(pattern if len(pattern) < 100 else pattern[:97] + "...")
        bad = re.compile(never) if never else None
        deadline = time.monotonic() + timeout
        alive = True
        while True:
            match = wanted.search(self.text, self.seen)
            end = match.start() if match else len(self.text)
            refused = bad.search(self.text, self.seen, end) if bad else None
            if refused:
                self._listen_on()
                raise self._failure(f"got {refused.group()!r} while waiting for {awaited}")
            if match:
                self.seen = match.end()
                return match
            if not alive:
                raise self._failure(f"the machine went off ({self.process.wait()}) "
                                    f"while waiting for {awaited}")
            if time.monotonic() > deadline:
                raise self._failure(f"no {awaited} within {timeout} s")
            alive = self._read(deadline - time.monotonic())

    def expect_all(self, *patterns, timeout=60):
        """Waits for each of `patterns`, in any order: what several CPUs say at a time."""
        start = end = self.seen
        for pattern in patterns:
            self.seen = start
            self.expect(pattern, timeout)
            end = max(end, self.seen)
        self.seen = end

    def _listen_on(self, longest=20):
        """Reads until the machine has said all, or for long enough."""
        deadline = time.monotonic() + longest
        length = -1
        while length != len(self.text) and time.monotonic() < deadline:
            length = len(self.text)
            self._read(2)

    def _failure(self, why):
        tail = "\n".join(self.text.splitlines()[-25:])
        return Failure(f"{why}; the line's last words:\n{tail}")

    def send(self, text):
        """Types `text`; a terminal's Return is \\r."""
        self.send_bytes(text.encode())

    def send_bytes(self, data):
        try:
            os.write(self.input, data)
        except (BrokenPipeError, ConnectionResetError):
            raise self._failure(f"the machine went off before it was sent {data!r}") from None

    def paste(self, data, timeout=120):
        """Sends more than the line holds, and reads meanwhile what it says."""
        deadline = time.monotonic() + timeout * self.patience
        os.set_blocking(self.input, False)
        try:
            while data:
                if select.select([self.output], [self.input], [], 1)[1]:
                    data = data[os.write(self.input, data[:4096]):]
                self._read(0)
                if time.monotonic() > deadline:
                    raise self._failure(f"{len(data)} bytes were not taken within {timeout} s")
        finally:
            os.set_blocking(self.input, True)

    def command(self, line, timeout=30, prompt=PROMPT):
        """Gives a command at the prompt; returns what it printed."""
        self.send(line + "\r")
        self.expect(re.escape(line) + r"\n", timeout)
        start = self.seen
        self.expect(re.escape(prompt), timeout)
        return self.text[start : self.seen - len(prompt)]

    def wait(self, timeout=60):
        """Waits until the machine is off; returns the emulator's exit code."""
        deadline = time.monotonic() + timeout * self.patience
        while self._read(deadline - time.monotonic()):
            if time.monotonic() > deadline:
                raise self._failure(f"the machine is still on after {timeout} s")
        return self.process.wait()
