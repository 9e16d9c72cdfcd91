# SPDX-License-Identifier: BSD-2-Clause
"""The demo's Linux in VMs: their configs and files, and its shell on the serial line.

    with Machine(t, files=linux_files(memory="256M")) as m:
        guest = Linux(m)
        guest.boot()
        print(guest.sh("uname -a"))
"""
import re
import subprocess
from pathlib import Path

from harness.cases import Failure
from harness.serial import DEMO, PROMPT, UNPACKED

LEAVE = "\x1d"  # Ctrl-]
MODULES = DEMO.parent / "cache/modules"
# What a boot's instructions go to, one and a half billion of them for the kernel's ciphers, which it
# tests, and a third of the others for its page tables, in which it looks for pages that are both
# writable and executable; those of user space it has apart only with PTI. The demo's own boots
# spend them.
QUICK = "cryptomgr.notests rodata=off nopti"
# A boot and its shell under QEMU's TCG, on a machine that has much else to do.
BOOT_SECONDS = 400
SHELL_SECONDS = 300


def linux_cfg(name="linux", cpus=1, memory="256M", cmdline="console=ttyS0 quiet", autostart=True,
              console=True, kernel="vmlinuz", initrd="initrd"):
    flags = {True: "true", False: "false"}
    return (f'[vm "{name}"]\n  cpus = {cpus}\n  memory = {memory}\n'
            f"  autostart = {flags[autostart]}\n  console = {flags[console]}\n"
            f"[boot]\n  kernel = module:{kernel}\n  initrd = module:{initrd}\n"
            f"  cmdline = {cmdline} {QUICK}\n")


def linux_files(**options):
    """One VM of the demo's kernel, unpacked, and initrd; `options` as linux_cfg's."""
    return {"linux.cfg": linux_cfg(**options), "vmlinuz": UNPACKED,
            "initrd": DEMO / "initrd"}


def _cpio(name, mode, data):
    """A file of an initramfs (newc format)."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def _libraries(program):
    """What the build machine's loader would load with it, and the loader."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def initrd_with(programs=(), modules=()):
    """The demo's initrd, with programs of the build machine in /opt (a shell of busybox prefers its
    own) and their libraries, and modules of the kernel in /lib/modules."""
    files = {}
    for program in programs:
        files[f"opt/{Path(program).name}"] = program
        files.update((library.lstrip("/"), library) for library in _libraries(program))
    for module in modules:
        source = MODULES / f"{module}.ko"
        if source.exists():  # else it is built in
            files[f"lib/modules/{module}.ko"] = source
    folders = sorted({str(parent) for name in files for parent in Path(name).parents} - {"."})
    base = (DEMO / "initrd").read_bytes()
    more = b"".join(_cpio(name, 0o40755, b"") for name in folders)
    more += b"".join(_cpio(name, 0o100755, Path(source).read_bytes())
                     for name, source in sorted(files.items()))
    return base + b"\0" * (-len(base) % 4) + more + _cpio("TRAILER!!!", 0, b"")


class Linux:
    """A guest's shell, while the machine's terminal is attached to it."""

    prompt = r"demo:\S*# "

    def __init__(self, machine):
        self.m = machine
        self.count = 0

    def boot(self):
        """Waits for the first prompt. Until then the guest must not have given up."""
        self.m.expect(self.prompt, timeout=BOOT_SECONDS, never=r"PANIC|Kernel panic|crashed")
        # No line is broken for us, no message of the kernel's comes in between.
        self.sh("stty cols 999; dmesg -n 1")

    def sh(self, line, timeout=SHELL_SECONDS):
        """Runs a command, which must succeed; returns what it printed."""
        self.count += 1  # an earlier end, shown again on attaching, is none of this one
        end = f'; echo "<{self.count}:$?>"'
        if line.endswith("&"):
            end = end.removeprefix(";")
        self.m.send(line + end + "\r")
        start = self.m.seen
        match = self.m.expect(rf"<{self.count}:(\d+)>\n", timeout)
        # Echoed twice when it came before the shell waited for it.
        output = self.m.text[start : match.start()].rpartition(end + "\n")[2]
        if match.group(1) != "0":
            raise Failure(f"`{line}` in the guest ended with {match.group(1)}: {output}")
        return output

    def leave(self):
        """Ctrl-]: to the hypervisor's prompt."""
        self.m.send(LEAVE)
        self.m.expect(r"-- left vm \S+;", timeout=SHELL_SECONDS)
        self.m.expect(PROMPT, timeout=SHELL_SECONDS)

    def enter(self, name):
        """`console NAME`; returns what it shows of the past."""
        self.m.command(f"console {name}", prompt="prompt --\n")
        start = self.m.seen
        self.m.send("\r")  # an empty line: a prompt that is new
        # A shell that only begins throws away what was typed before.
        self.m.expect(self.prompt, timeout=BOOT_SECONDS)
        self.sh("true")
        return self.m.text[start : self.m.seen]

    def poweroff(self, name):
        """Ends the VM `name` from the inside; the terminal is back at the prompt then."""
        self.m.send("poweroff\r")
        self.m.expect_all(rf"vm {name}: stopped",
                          rf"-- vm {name} has ended; back at the alcazar> prompt --\n"
                          rf"(?:\[.*\n)*{PROMPT}",
                          timeout=SHELL_SECONDS)

    def dmesg(self):
        """The kernel's messages, as (level, text)."""
        lines = re.findall(r"<(\d+)>\[ *[\d.]+\] (.*)", self.sh("dmesg -r"))
        return [(int(level) & 7, text) for level, text in lines]
