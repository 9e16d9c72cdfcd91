# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's monitor (QMP), as far as a test needs it: what the machine's screen shows.

    monitor = Monitor(t)
    with Machine(t, files={}, extra=monitor.options) as m:
        m.expect(PROMPT)
        width, height, pixels = monitor.picture()
"""
import json
import pathlib
import re
import shutil
import socket
import tempfile

from harness.cases import Failure

SECONDS = 60  # for an answer


class Monitor:
    def __init__(self, t):
        # A socket's path has a limit that a case's folder may exceed.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="alcazar-"))
        t.later(lambda: shutil.rmtree(self.folder))
        self.path = str(self.folder / "monitor")
        self.options = ["-qmp", f"unix:{self.path},server=on,wait=off"]

    def memory(self, address, size):
        """Physical memory, as it is now."""
        return self._file("pmemsave", "filename", val=address, size=size)

    def picture(self):
        """(width, height, the pixels row by row, three bytes each: red, green, blue)."""
        ppm = self._file("screendump", "filename")
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", ppm)
        if not head:
            raise Failure(f"screendump: not a PPM: {ppm[:20]!r}")
        return int(head[1]), int(head[2]), ppm[head.end():]

    def human(self, line):
        """A command of the monitor for people, and its answer."""
        return self._ask("human-monitor-command", **{"command-line": line})

    def reset(self):
        """The machine's reset button; memory keeps what it holds."""
        self._ask("system_reset")

    def machine_check(self, bank, status, address):
        """CPU 0 finds this in one of its banks: SDM vol. 3B, 15.3.2."""
        self._ask("human-monitor-command",
                  **{"command-line": f"mce 0 {bank} {status:#x} 5 {address:#x} 0"})

    def _file(self, command, name, **arguments):
        path = self.folder / "answer"
        path.unlink(missing_ok=True)
        self._ask(command, **arguments, **{name: str(path)})
        return path.read_bytes()

    def _ask(self, command, **arguments):
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS)
            line.connect(self.path)
            with line.makefile("rw", encoding="utf-8") as lines:
                lines.readline()  # the greeting
                self._execute(lines, "qmp_capabilities", {})
                return self._execute(lines, command, arguments)

    @staticmethod
    def _execute(lines, command, arguments):
        """A command's answer: of what comes, all but the events."""
        lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        lines.flush()
        for said in map(json.loads, lines):
            if "error" in said:
                raise Failure(f"monitor: {command}: {said['error']}")
            if "return" in said:
                return said["return"]
        raise Failure(f"monitor: no answer to {command}")
