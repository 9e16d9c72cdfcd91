# SPDX-License-Identifier: BSD-2-Clause
"""The machine's second serial line: the log's, the prompt's, or a guest's."""
import random
import re
import select
import socket
import time

from harness import Failure, Machine, case
from harness.serial import PROMPT
from test_guests import guest_cfg, guest_files

SECONDS = 60
ALONE = "the harness gives Bochs one line"


def check(condition, text):
    if not condition:
        raise Failure(text)


@case(seconds=4, qemu_alone=ALONE)
def log_on_the_second(t):
    """The log there, from the first line on, and nothing of it beside the prompt."""
    other = t.dir / "com2.log"
    with Machine(t, files={}, cmdline="log=com2", extra=["-serial", f"file:{other}"]) as m:
        m.expect(PROMPT, SECONDS)
        check("[    0." not in m.text, f"the log is on the console: {m.text}")
        check("Alcazar" in m.command("dmesg", SECONDS), "dmesg has no log")
        m.command("nonsense", SECONDS)
        said = other.read_text()
        check("] Alcazar " in said and "boot: ready after" in said, f"com2: {said}")
        check(PROMPT not in said and "nonsense" not in said, f"com2 has the shell: {said}")


@case(seconds=4, qemu_alone=ALONE)
def prompt_on_the_second(t):
    """And the log on the first alone."""
    with Machine(t, files={}, cmdline="console=com2 log=com1", com=2) as m:
        m.expect(PROMPT, SECONDS)
        check("[    0." not in m.text, f"the log is on the console: {m.text}")
        check("Alcazar" in m.command("about", SECONDS), "no shell")


@case(seconds=4, qemu_alone=ALONE)
def line_that_is_not_there(t):
    """It is no reason to be silent."""
    with Machine(t, files={}, cmdline="log=com2", extra=["-serial", "none"]) as m:
        m.expect(r"a serial line that is to take log lines is not there", SECONDS)
        m.expect(r"boot: ready after", SECONDS)
        m.expect(PROMPT, SECONDS)


class Line:
    """The other end of COM2."""

    def __init__(self, t):
        self.path = t.dir / "com2"
        self.options = ["-serial", f"unix:{self.path},server=on,wait=off"]
        self.socket = None
        self.said = b""

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(self.path))

    def once(self):
        if select.select([self.socket], [], [], 0.2)[0]:
            self.said += self.socket.recv(65536)

    def expect(self, wanted):
        end = time.monotonic() + SECONDS
        while wanted not in self.said:
            check(time.monotonic() < end, f"no {wanted[-80:]!r} in {self.said[-300:]!r}")
            self.once()
        self.said = self.said.partition(wanted)[2]

    def exactly(self, wanted):
        """The next that is said, with nothing before it."""
        end = time.monotonic() + SECONDS
        while len(self.said) < len(wanted):
            check(time.monotonic() < end, f"no {wanted[-80:]!r}, but {self.said[-300:]!r}")
            self.once()
        said, self.said = self.said[: len(wanted)], self.said[len(wanted) :]
        check(said == wanted, f"{said[-300:]!r} in place of {wanted[-300:]!r}")

    def ends(self, wanted):
        """That, and nothing more: who says it has stopped, so all of it is here or on its way."""
        while select.select([self.socket], [], [], 1)[0]:
            self.once()
        check(self.said == wanted, f"{self.said[-300:]!r} in place of {wanted!r}")
        self.said = b""


ON_COM2 = '[device "console0"]\n  type = char-uart\n  frontend = com1\n  port = com2\n'


def there(name, vm="guest"):
    """Files of a VM whose serial port is on the machine's second."""
    return guest_files(name) | {"guest.cfg": guest_cfg(name, vm=vm, autostart=False,
                                                       console=False, more=ON_COM2)}


@case(seconds=15, qemu_alone=ALONE)
def guest_on_the_second(t):
    """All that it says and hears, and nothing else, whatever the prompt does; one VM at a time."""
    line = Line(t)
    files = there("echo")
    files["other.cfg"] = files["guest.cfg"].replace('"guest"', '"other"')
    with Machine(t, files=files, extra=line.options, cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        line.connect()
        m.command("start guest", SECONDS)
        line.exactly(b"# echoing\n")
        check("no such console" in m.command("console guest console0", SECONDS), "it has two consoles")
        source = random.Random(9)
        sent = bytes(source.choice([byte for byte in range(256) if byte not in (4, 13)])
                     for _ in range(20000))
        rest = sent
        while rest:
            ready = select.select([line.socket], [line.socket], [], 0.2)
            if ready[1]:
                rest = rest[line.socket.send(rest[:256]):]
            if ready[0]:
                line.once()
            if len(rest) % 4096 < 256:
                check("running" in m.command("list", SECONDS), "the shell does not answer")
        line.exactly(sent)
        said = m.command("start other", SECONDS)
        check("console0: port: the machine's com2 is in use, by vm guest's console0" in said, said)
        line.socket.send(b"\x04")
        m.expect("vm guest: stopped", SECONDS)
        line.ends(b"ok echo\n1 passed, 0 failed\n")
        m.command("start other", SECONDS)
        line.exactly(b"# echoing\n")
        line.socket.send(b"\x04")
        m.expect("vm other: stopped", SECONDS)
        line.ends(b"ok echo\n1 passed, 0 failed\n")
        check("PANIC" not in m.text and "echoing" not in m.text, "the guest is on the console")


@case(seconds=10, qemu_alone=ALONE)
def flood_that_nobody_reads(t):
    """A guest that says more than the line takes harms nobody, and ends when it is told."""
    line = Line(t)
    with Machine(t, files=there("flood"), extra=line.options, cpus=1) as m:
        m.expect(PROMPT, SECONDS)
        line.connect()
        m.command("start guest", SECONDS)
        line.expect(b"# flooding\n")
        time.sleep(3)
        for _ in range(5):
            check("running" in m.command("list", SECONDS), "the shell does not answer")
        m.command("destroy guest", SECONDS)
        check("stopped" in m.command("list", SECONDS), "it still runs")
        m.command("start guest", SECONDS)
        line.expect(b"# flooding\n")
        m.command("destroy guest", SECONDS)


@case(seconds=4, qemu_alone=ALONE)
def command_of_the_first(t):
    """A command's line is the one that it was typed on, whoever types on the other meanwhile."""
    line = Line(t)
    with Machine(t, files={}, cmdline="console=com1,com2", extra=line.options) as m:
        m.expect(PROMPT, SECONDS)
        line.connect()
        m.send("top; mux on; echo framed\r")
        m.expect("EXITS/S", SECONDS)
        line.socket.send(b"x")
        line.expect(b"framed\r\n")
        line.socket.send(b"mux\r")
        line.expect(b"mux is on: com1 carries")


@case(seconds=4, qemu_alone=ALONE)
def guest_on_the_console(t):
    """What is the prompt's is no guest's."""
    with Machine(t, files=there("echo"), cmdline="console=com1 log=com2",
                 extra=["-serial", "null"]) as m:
        m.expect(PROMPT, SECONDS)
        m.command("start guest", SECONDS)
        check("port: the machine's com2 is in use, by the serial console" in m.command("dmesg", SECONDS),
              "it is not told why")
        check("defined" in m.command("list", SECONDS), "it runs")


@case(seconds=6, qemu_alone=ALONE)
def passed_through_or_a_guests_port(t):
    """Not both at once, whoever comes first, and each is told of the other."""
    files = there("echo")
    files["other.cfg"] = guest_cfg("echo", vm="other", autostart=False, console=False, more=(
        '[device "raw"]\n  type = generic\n  ports = 0x2fa:passthrough, 0x2fc-0x2ff:passthrough\n'))
    with Machine(t, files=files, extra=["-serial", "null"], cpus=1) as m:
        m.expect(PROMPT, SECONDS)
        for first, second, said in (
                ("guest", "other", "raw: ports 0x2fa-0x2fa of the machine are in use, by vm guest's"
                                   " console0\n"),
                ("other", "guest", "console0: port: the machine's com2 is in use, by vm other's raw;")):
            m.command(f"start {first}", SECONDS)
            refused = m.command(f"start {second}", SECONDS)
            check(f"vm {second}: {said}" in refused, refused)
            m.command(f"destroy {first}", SECONDS)
        m.command("start guest", SECONDS)
        check(re.search("guest +running", m.command("list", SECONDS)), "it is still taken")
