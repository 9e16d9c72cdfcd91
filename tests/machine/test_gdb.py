# SPDX-License-Identifier: BSD-2-Clause
"""`gdbserver`: Debian's gdb on the serial line, and a guest of ours that it debugs."""
import os
import re
import subprocess
import time

from harness import Failure, Machine, case
from harness.cases import run_tool
from harness.pseudo_terminal import PseudoTerminal
from harness.serial import die_with_parent
from test_guests import GUESTS, guest_files

SECONDS = 150


class Gdb(PseudoTerminal):
    """gdb, on a terminal that carries what the machine's serial line says, both ways."""

    def __init__(self, t, m, guest):
        self.symbols = t.dir / f"{guest}.elf64"
        # The guest is 64-bit code in the 32-bit file that Multiboot wants.
        run_tool(t, "objcopy", "-O", "elf64-x86-64", GUESTS / f"{guest}.elf", self.symbols)
        super().__init__(m)

    def run(self, commands, interrupt_after=None):
        """What gdb says to these. `interrupt_after`: Ctrl-C on the line, so many seconds later."""
        process = subprocess.Popen(
            ["gdb", "-nx", "-q", "-batch", "-ex", "set remotetimeout 60",
             "-ex", "set tcp connect-timeout 60", self.symbols,
             "-ex", f"target remote {self.name}"] + [w for c in commands for w in ("-ex", c)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, preexec_fn=die_with_parent)
        if interrupt_after:
            time.sleep(interrupt_after)
            os.write(self.m.input, b"\x03")
        try:
            return process.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"gdb does not end: {process.communicate()[0]}; line: "
                          f"{self.m.text[-500:]!r}") from None


def expect_all(text, patterns):
    """In this order."""
    at = 0
    for pattern in patterns:
        match = re.compile(pattern, re.M | re.S).search(text, at)
        if not match:
            raise Failure(f"no {pattern!r} behind {text[:at][-80:]!r} in: {text}")
        at = match.end()


@case(seconds=30)
def debugs_a_guest(t):
    with Machine(t, files=guest_files("debuggee", console=False), cpus=2) as m:
        m.expect("vm guest: starts", timeout=120)
        m.send("gdbserver guest\r")
        m.expect("ends this.", timeout=120)
        gdb = Gdb(t, m, "debuggee")
        try:
            # QEMU's VMRUN takes DR7 as a value, and watches nothing by it.
            hardware = t.machine != "qemu"
            said = gdb.run([
                "info threads", "break debuggee_count", "continue", "print n > 0",
                "print/x *(unsigned char *)$pc", "continue",
                "delete", "stepi", "stepi", "stepi", "info registers rip cr0",
                *(["watch debuggee_counter", "continue", "delete", "hbreak debuggee_count",
                   "continue", "stepi", "delete"] if hardware else []),
                "print debuggee_counter = 99", "print debuggee_counter",
                "next", "next", "next", "info symbol $pc",
                "print $rax = 0x1122334455667788", "print/x $rax",
                "x/2i debuggee_count", "print *(long *)0xd0000000",
                "detach"])
            t.log(said)
            expect_all(said, [
                r"\* 1 .*Thread 1",
                r"Breakpoint 1 at", r"Breakpoint 1, debuggee_count \(n=\S+\)", r"\$1 = 1$",
                r"\$2 = 0x(?!06)", r"Breakpoint 1, debuggee_count \(n=\S+\)",
                r"^rip +0x10\w+ +0x10\w+ <", r"^cr0 +0x80\w+",
                *([r"Hardware watchpoint 2: debuggee_counter",
                   r"Old value = \d+\nNew value = \d+", r"Hardware assisted breakpoint 3",
                   r"Breakpoint 3, .*debuggee_count \(n=\S+\)"] if hardware else []),
                r"\$3 = 99", r"\$4 = 99", r"debuggee\w* .*in section|debuggee",
                r"\$5 = 1234605616436508552", r"\$6 = 0x1122334455667788",
                r"<debuggee_count", r"Cannot access memory at address 0xd0000000", r"detached"])
        finally:
            gdb.close()
        if not re.search("guest +running", m.command("list")):
            raise Failure("the guest does not run")


@case(seconds=20)
def stops_a_guest_and_lets_it_end(t):
    """Ctrl-C; a write that the guest sees; its end while gdb waits."""
    with Machine(t, files=guest_files("debuggee", console=False), cpus=2) as m:
        m.expect("vm guest: starts", timeout=120)
        m.send("gdbserver guest\r")
        m.expect("ends this.", timeout=120)
        gdb = Gdb(t, m, "debuggee")
        try:
            said = gdb.run(["continue", "print debuggee_counter > 0",
                            "print debuggee_enough = 4711", "continue"], interrupt_after=8)
            t.log(said)
            expect_all(said, ["SIGINT", r"\$1 = 1", r"\$2 = 4711", "exited normally"])
        finally:
            gdb.close()
        if not re.search("guest +stopped", m.command("list")):
            raise Failure("the guest has not ended")


@case(seconds=20, qemu_alone="make starts it")
def make_debug_guest(t):
    """`make debug-guest`: the demo's Linux stands still, steps, and goes on."""
    said = run_tool(t, "make", "--no-print-directory", "debug-guest", "CPUS=1",
                    "GDB_FLAGS=-nx -batch -ex 'info registers rip' -ex stepi"
                    " -ex 'info registers rip' -ex 'x/16xb $$pc' -ex detach")
    places = re.findall(r"^rip +(0x[0-9a-f]+)", said, re.M)
    if len(places) != 2 or places[0] == places[1] or "detached" not in said:
        raise Failure(f"it does not step: {said}")
