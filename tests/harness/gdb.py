# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's gdb stub, as far as a test needs it: the machine's memory, by our symbols.

    gdb = Gdb(t)
    with Machine(t, files={}, extra=gdb.options) as m:
        m.expect(PROMPT)
        gdb.write("panic", b"\\x0f\\x0b")
"""
import pathlib
import shutil
import re
import socket
import subprocess
import tempfile
import time

from harness.cases import BUILD, Failure

SECONDS = 60  # for an answer


class Gdb:
    def __init__(self, t):
        # A socket's path has a limit that a case's folder may exceed.
        folder = pathlib.Path(tempfile.mkdtemp(prefix="alcazar-"))
        t.later(lambda: shutil.rmtree(folder))
        self.path = str(folder / "gdb")
        self.options = ["-gdb", f"unix:path={self.path},server=on,wait=off"]
        self.symbols = {}
        names = subprocess.run(["nm", BUILD / "alcazar.elf"], capture_output=True, text=True,
                               check=True).stdout
        for line in names.splitlines():
            address, _, name = line.split()
            self.symbols[name] = int(address, 16)

    def write(self, symbol, data, reached=None):
        """Puts `data` where the image has `symbol`, also where it is read-only for itself: now,
        or when the machine, which was started with the option -S, has come to the function
        `reached`. It stands still meanwhile, and goes on. Where it stands within a guest, our
        addresses mean nothing: again, then."""
        end = time.monotonic() + SECONDS
        while (said := self._write(symbol, data, reached)) != "OK":
            if time.monotonic() > end:
                raise Failure(f"gdb: memory of {symbol} is not written: {said}")
            time.sleep(0.05)

    def _write(self, symbol, data, reached):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS)
            self._connect(line)
            if reached:
                self._ask(line, f"Z1,{self.symbols[reached]:x},1")
                self._ask(line, "c", stops=True)
                self._ask(line, f"z1,{self.symbols[reached]:x},1")
            said = self._ask(line, f"M{self.symbols[symbol]:x},{len(data):x}:{data.hex()}")
            self._ask(line, "D")
            return said

    def _connect(self, line):
        """The machine may have been started just now."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                return line.connect(self.path)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    @staticmethod
    def _ask(line, packet, stops=False):
        """One packet and its answer: $TEXT#SUM, each acknowledged by +. T…: the machine stands,
        which is the answer only where it `stops`."""
        line.sendall(f"${packet}#{sum(packet.encode()) & 0xff:02x}".encode())
        come = ""
        while not (answer := re.search(rf"\$({'T' if stops else '[^T#]'}[^#]*)#..", come)):
            data = line.recv(4096)
            if not data:
                raise Failure(f"gdb: no answer to {packet}")
            line.sendall(b"+" * data.count(b"$"))
            come += data.decode()
        return answer.group(1)
