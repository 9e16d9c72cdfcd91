# SPDX-License-Identifier: BSD-2-Clause
"""A machine in QEMU, driven over its serial line.

    with Machine(t, firmware="uefi", cpus=1) as m:
        m.expect("alcazar> ")
        print(m.command("list"))
"""
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
OVMF = "/usr/share/OVMF"
# The demo's images, for cases that bring a config of their own.
DEMO = BUILD / "demo"

_libc = ctypes.CDLL(None)


def _die_with_parent():
    PR_SET_PDEATHSIG = 1
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def make_iso(t, files, cmdline=""):
    """An ISO with these modules: {name: text, bytes, or a path to copy}."""
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
    run_tool(t, ROOT / "scripts/make-iso", iso, BUILD / "alcazar.elf", cmdline, folder)
    t.later(lambda: (iso.unlink(missing_ok=True), shutil.rmtree(folder)))
    return iso


class Machine:
    """QEMU with the demo's ISO, or with one made of `files` and `cmdline`.

    Everything the serial line says is kept in t.dir/serial.log.
    """

    def __init__(self, t, files=None, cmdline="", cpus=2, memory=1024, cpu="max,+svm",
                 firmware="bios", extra=()):
        self.t = t
        iso = BUILD / "alcazar.iso"
        if files is not None or cmdline:
            default = {name: DEMO / name for name in ("demo.cfg", "vmlinuz", "initrd")}
            iso = make_iso(t, default if files is None else files, cmdline)
        command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", cpu, "-smp", str(cpus),
                   "-m", str(memory), "-display", "none", "-no-reboot", "-nic", "none",
                   "-cdrom", str(iso), "-boot", "d", "-serial", "stdio", "-monitor", "none",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if firmware == "uefi":
            variables = t.dir / "ovmf-vars.fd"
            shutil.copyfile(f"{OVMF}/OVMF_VARS_4M.fd", variables)
            t.later(variables.unlink)
            flash = "if=pflash,format=raw,unit="
            command += ["-M", "q35",
                        "-drive", f"{flash}0,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
                        "-drive", f"{flash}1,file={variables}"]
        command += extra
        t.log("$ " + " ".join(command))
        self.serial = open(t.dir / "serial.log", "wb")
        self.text = ""  # all that came
        self.seen = 0  # how much of it expect() has passed
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(t.dir / "qemu.log", "wb"), preexec_fn=_die_with_parent)
        t.later(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends QEMU, however it is doing."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.serial.closed:
            self.process.stdin.close()
            self.process.stdout.close()
            self.serial.close()
            self.t.log(f"--- serial line ---\n{self.text}\n--- end ---")
            errors = (self.t.dir / "qemu.log").read_text(errors="replace")
            if errors:
                self.t.log(f"--- QEMU ---\n{errors}")

    def _read(self, seconds):
        """Reads what there is, waiting up to `seconds`; False at the end of the line."""
        pipe = self.process.stdout
        if select.select([pipe], [], [], max(seconds, 0))[0]:
            data = os.read(pipe.fileno(), 65536)
            if not data:
                return False
            self.serial.write(data)
            self.serial.flush()
            self.text += data.decode("utf-8", errors="replace").replace("\r", "")
        return True

    def expect(self, pattern, timeout=60, never=r"panic: "):
        """Waits for `pattern` behind what was matched before; returns the match.

        `never` ends the wait at once: what must not come first.
        """
        wanted = re.compile(pattern)
        bad = re.compile(never) if never else None
        deadline = time.monotonic() + timeout
        alive = True
        while True:
            match = wanted.search(self.text, self.seen)
            refused = bad.search(self.text, self.seen, match.start() if match else len(self.text)) \
                if bad else None
            if refused:
                self._read(1)
                raise self._failure(f"got {refused.group()!r} while waiting for {pattern!r}")
            if match:
                self.seen = match.end()
                return match
            if not alive:
                self.process.wait()
                raise self._failure(
                    f"QEMU ended ({self.process.returncode}) while waiting for {pattern!r}")
            if time.monotonic() > deadline:
                raise self._failure(f"no {pattern!r} within {timeout} s")
            alive = self._read(deadline - time.monotonic())

    def _failure(self, why):
        tail = "\n".join(self.text.splitlines()[-25:])
        return Failure(f"{why}; the line's last words:\n{tail}")

    def send(self, text):
        """Types `text`; a terminal's Return is \\r."""
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._failure(f"QEMU ended before it could be sent {text!r}") from None

    def command(self, line, timeout=30, prompt=PROMPT):
        """Gives a command at the prompt; returns what it printed."""
        self.send(line + "\r")
        self.expect(re.escape(line) + r"\n", timeout)
        start = self.seen
        self.expect(re.escape(prompt), timeout)
        return self.text[start : self.seen - len(prompt)]

    def wait(self, timeout=60):
        """Waits until the machine is off; returns QEMU's exit code."""
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            if time.monotonic() > deadline:
                raise self._failure(f"the machine is still on after {timeout} s")
        return self.process.wait()
