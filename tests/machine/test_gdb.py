# SPDX-License-Identifier: BSD-2-Clause
"""`gdbserver`: Debian's gdb on a serial line, and a guest of ours that it debugs."""
import os
import re
import select
import subprocess
import time

from harness import Failure, Machine, case
from harness.cases import run_tool
from harness.mux import Tool
from harness.pseudo_terminal import PseudoTerminal
from harness.serial import die_with_parent
from test_guests import GUESTS, guest_cfg, guest_files
from test_second_line import ALONE, ON_COM2

SECONDS = 150


def symbols(t, guest):
    """The guest is 64-bit code in the 32-bit file that Multiboot wants."""
    run_tool(t, "objcopy", "-O", "elf64-x86-64", GUESTS / f"{guest}.elf", t.dir / f"{guest}.elf64")
    return t.dir / f"{guest}.elf64"


class Gdb(PseudoTerminal):
    """gdb, on a terminal that carries what the machine's serial line says, both ways."""

    def __init__(self, t, m, guest):
        self.symbols = symbols(t, guest)
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


def check(condition, text):
    if not condition:
        raise Failure(text)


class Talk:
    """gdb as a person has it: a command, and what it says to that."""

    def __init__(self, t, where, patience):
        self.process = subprocess.Popen(
            ["gdb", "-nx", "-q", "-ex", "set remotetimeout 60", symbols(t, "debuggee"),
             "-ex", "set confirm off", "-ex", f"target remote {where}", "-ex", "echo <begun>\\n"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        t.later(self.process.kill)
        self.patience, self.said = patience, b""
        self.wait("<begun>")

    def wait(self, text):
        end = time.monotonic() + SECONDS * self.patience
        while text.encode() not in self.said:
            if time.monotonic() > end:
                raise Failure(f"gdb: no {text!r} in {self.said!r}")
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                self.said += os.read(self.process.stdout.fileno(), 4096)
        before, _, self.said = self.said.partition(text.encode())
        return before.decode()

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.say(line)
        self.say("echo <done>\\n")
        return self.wait("<done>")


def shell(reader, line):
    """A command at the prompt of alcazar-mux's shell; what it printed."""
    reader.type(line.encode() + b"\r")
    reader.expect(line.encode() + b"\r\n")
    return reader.expect(b"alcazar> ")


@case(seconds=40)
def beside_the_shell(t):
    """With `mux on` gdb has a terminal of its own, and shell and log go on; another gdb follows one
    that was killed; a VM that the shell destroys has exited, and can be undefined."""
    with Machine(t, files=guest_files("debuggee", console=False), cpus=2) as m:
        m.expect("vm guest: starts", timeout=120)
        with Tool(t, m) as tool:
            prompt = tool.reader("shell")
            prompt.expect(b"alcazar> ")
            expect_all(shell(prompt, "gdbserver guest"), [r"guest stands still\. gdb .*/guest\.gdb"])
            gdb = Talk(t, tool.path("guest.gdb"), m.patience)
            expect_all(shell(prompt, "list"), [r"guest +paused"])
            expect_all(shell(prompt, "gdbserver guest"), ["has a gdb already"])
            gdb.ask("break debuggee_count")
            for _ in range(3):
                expect_all(gdb.ask("continue"), [r"Breakpoint 1, debuggee_count \(n=\S+\)"])
            expect_all(shell(prompt, "mux"), ["mux is on"])
            gdb.say("delete")
            gdb.say("continue")
            gdb.wait("Continuing")
            while "running" not in shell(prompt, "list"):
                pass
            gdb.process.kill()
            # The guest runs on, the next one stops it.
            gdb = Talk(t, tool.path("guest.gdb"), m.patience)
            expect_all(shell(prompt, "list"), [r"guest +paused"])
            expect_all(gdb.ask("print debuggee_counter > 0"), [r"\$1 = 1"])
            gdb.say("continue")
            gdb.wait("Continuing")
            while "running" not in shell(prompt, "list"):
                pass
            shell(prompt, "destroy guest")
            gdb.wait("exited normally")
            shell(prompt, "undefine guest")
            check("guest" not in shell(prompt, "list"), "it is still there")


def refuses_ports(m):
    """By name, and the guest goes on."""
    for port, why in (("com1", "in use, by the serial console; console= and log="),
                      ("com3", "no such serial port, com1 or com2")):
        expect_all(m.command(f"gdbserver guest {port}"), [f"gdbserver: {port}: .*{why}"])
        expect_all(m.command("echo $?; gdbserver guest off; list"),
                   ["^1$", "guest has no gdb", "guest +running"])


@case(seconds=30, qemu_alone=ALONE)
def on_a_port_of_its_own(t):
    """On the second line, while the shell goes on at the first: breakpoints, another gdb behind one that
    was killed; `off`, `destroy` and `detach` end it, and the port is free for others."""
    files = guest_files("debuggee", console=False)
    files["other.cfg"] = guest_cfg("debuggee", vm="other", autostart=False, console=False,
                                   more=ON_COM2)
    end = t.dir / "com2"
    with Machine(t, files=files, cpus=2, extra=["-serial", f"unix:{end},server=on,wait=off"]) as m:
        m.expect("vm guest: starts", timeout=120)
        m.expect("alcazar> ", timeout=120)
        refuses_ports(m)
        begun = [r"guest stands still\. gdb .*at the other end of com2"]
        expect_all(m.command("gdbserver guest com2"), begun)
        gdb = Talk(t, end, m.patience)
        expect_all(m.command("list"), ["guest +paused"])
        expect_all(m.command("gdbserver guest com2"), ["has a gdb already"])
        expect_all(m.command("start other"), [r"com2 is in use, by gdb of vm guest;"])
        gdb.ask("break debuggee_count")
        for _ in range(3):
            expect_all(gdb.ask("continue"), [r"Breakpoint 1, debuggee_count \(n=\S+\)"])
            expect_all(m.command("list"), ["guest +paused"])
        gdb.ask("delete")
        gdb.process.kill()
        gdb.process.wait()
        gdb = Talk(t, end, m.patience)
        expect_all(gdb.ask("print debuggee_counter > 0"), [r"\$1 = 1"])
        for ends in ("gdbserver guest off", "destroy guest"):
            gdb.say("continue")
            gdb.wait("Continuing")
            while "running" not in m.command("list"):
                pass
            m.command(ends)
            gdb.wait("exited normally")
            gdb.process.kill()
            gdb.process.wait()
            if "off" in ends:
                expect_all(m.command("list"), ["guest +running"])
                expect_all(m.command("gdbserver guest com2"), begun)
                gdb = Talk(t, end, m.patience)
        m.command("start guest")
        expect_all(m.command("gdbserver guest com2"), begun)
        gdb = Talk(t, end, m.patience)
        gdb.ask("detach")
        m.expect("vm guest: gdb has left", timeout=60)
        expect_all(m.command("list"), ["guest +running"])
        expect_all(m.command("start other; list"), ["other +running"])


@case(seconds=20, qemu_alone="make starts it")
def make_debug_guest(t):
    """`make debug-guest`: the demo's Linux stands still, steps, and goes on."""
    said = run_tool(t, "make", "--no-print-directory", "debug-guest", "CPUS=1",
                    "GDB_FLAGS=-nx -batch -ex 'info registers rip rcx' -ex stepi"
                    " -ex 'info registers rip rcx' -ex 'x/16xb $$pc' -ex detach")
    # A string instruction stays where it is, and counts.
    places = re.findall(r"^rip +(0x[0-9a-f]+).*\nrcx +(0x[0-9a-f]+)", said, re.M)
    if len(places) != 2 or places[0] == places[1] or "detached" not in said:
        raise Failure(f"it does not step: {said}")
