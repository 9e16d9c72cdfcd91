# SPDX-License-Identifier: BSD-2-Clause
"""Ports and memory that are printed, ignored, forwarded, and passed to the machine."""
import re

from harness import Failure, Machine, case
from harness.monitor import Monitor
from harness.serial import PROMPT
from test_guests import guest_files, verdict
from test_hotplug import in_use
from harness.linux import BOOT_SECONDS, Linux, linux_files

SECONDS = 120  # for an answer, on a machine that has much else to do
LEAVE = "\x1d"

# Page registers of the machine's DMA controller: bytes that are what was written to them.
GENERIC = ('[device "watch"]\n  type = generic\n  ports = 0x81-0x82:passthrough, '
           "0x83:print-and-passthrough, 0x300-0x303:print-and-ignore=0x5a, 0x304:ignore\n")


def check(condition, text):
    if not condition:
        raise Failure(text)


def peek(guest, port):
    return guest.sh(f"dd if=/dev/port bs=1 skip={port} count=1 2>/dev/null | hexdump -e '1/1 \"%02x\"'")


def poke(guest, port, value):
    guest.sh(f"printf '\\x{value:02x}' | dd of=/dev/port bs=1 seek={port} 2>/dev/null")


@case(seconds=40)
def generic(t):
    files = linux_files(memory="192M")
    files["linux.cfg"] += GENERIC
    # What is printed is for dmesg, not for the guest's terminal.
    with Machine(t, files=files, cpus=1, cmdline="loglevel=warn") as m:
        m.expect(r"watch: the guest reaches the machine's ports 0x81-0x82", timeout=BOOT_SECONDS)
        guest = Linux(m)
        guest.boot()
        for port, value, back in ((0x81, 0x12, "12"), (0x82, 0x34, "34"), (0x83, 0x56, "56"),
                                  (0x300, 0x77, "5a"), (0x304, 0x77, "ff")):
            poke(guest, port, value)
            check(peek(guest, port) == back, f"port {port:#x} does not read {back}")
        guest.leave()
        log = m.command("dmesg")
        for what in ("writes port 0x83, 1 bytes: 0x56", "reads port 0x83, 1 bytes: 0x56",
                     "writes port 0x300, 1 bytes: 0x77", "reads port 0x300, 1 bytes: 0x5a"):
            check(re.search(rf"vm linux: watch: vCPU 0 at 0xffffffff[0-9a-f]+ {what}\n", log), what)
        check("port 0x81," not in log and "port 0x304," not in log, "too much is printed")
        # The ports are closed while the guest runs.
        m.command("device_del linux watch")
        guest.enter("linux")
        check(peek(guest, 0x81) == "ff", "port 0x81 is still open")


class Peek:
    """The guest of tests/guest/peek.c, with the machine's shell between its accesses."""

    def __init__(self, m):
        self.m = m
        self.count = 0
        m.expect("# peeking", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)

    def _ask(self, text, address):
        self.m.command("console guest", SECONDS, prompt="prompt --\n")
        self.m.send(f"{text}\r")
        self.count += 1
        value = self.m.expect(rf"{self.count}: {address:08x} has ([0-9a-f]{{8}})\n",
                              SECONDS).group(1)
        self.m.send(LEAVE)
        self.m.expect(PROMPT, timeout=SECONDS)
        return int(value, 16)

    def read(self, address):
        return self._ask(f"r{address:x}", address)

    def write(self, address, value):
        """Returns what is read afterwards."""
        return self._ask(f"w{address:x}={value:x}", address)

    def end(self):
        self.m.command("console guest", SECONDS, prompt="prompt --\n")
        self.m.send("q")
        return verdict(self.m, SECONDS)


def expect_value(what, value, want):
    check(value == want, f"{what} is {value:#x}, expected {want:#x}")


TEXT = 0xb8000
# The machine's text memory: a page straight, half a page access by access, one page printed.
VGA = ('[device "screen0"]\n  type = generic\n[device "vga"]\n  type = generic\n'
       "  memory = 0xb8000-0xb8fff:passthrough, 0xb9000-0xb97ff:passthrough, "
       "0xbb000-0xbbfff:print-and-passthrough\n")


def memory_exits(m):
    return [int(count) for count in
            re.findall(r"^memory +(\d+)$", m.command("info exits guest", SECONDS), re.M)]


def peek_files(devices):
    files = guest_files("peek")
    files["guest.cfg"] += devices
    return files


@case(seconds=20)
def memory_passes_through(t):
    """A guest reaches the machine's VGA, which keeps what it was given while the device goes
    and comes back."""
    # Our own console is not on the screen then.
    with Machine(t, files=peek_files(VGA), cmdline="console=com1 loglevel=warn") as m:
        m.expect("vga: the guest reaches the machine's memory 0xb8000-0xb8fff", timeout=SECONDS)
        guest = Peek(m)
        for at, value in ((TEXT, 0x1f421f41), (TEXT + 0xffc, 0x2f442f43),
                          (TEXT + 0x1000, 0x3f463f45), (TEXT + 0x3000, 0x4f484f47)):
            expect_value(f"{at:#x}", guest.write(at, value), value)
        before = memory_exits(m)
        guest.write(TEXT, 0x1f421f41)
        check(before and memory_exits(m) == before, "what is straight exits")
        expect_value("what nobody has", guest.read(TEXT + 0x1800), 0xffffffff)
        log = m.command("dmesg", SECONDS)
        for what in ("writes memory 0xbb000, 4 bytes: 0x4f484f47",
                     "reads memory 0xbb000, 4 bytes: 0x4f484f47"):
            check(re.search(rf"vm guest: vga: vCPU 0 at 0x[0-9a-f]+ {what}\n", log), what)
        check("memory 0xb8000, 4 bytes" not in log, "what is straight is printed")
        m.command("device_del guest vga", SECONDS)
        for at in (TEXT, TEXT + 0x1000, TEXT + 0x3000):
            expect_value(f"{at:#x}, which is gone,", guest.write(at, 0), 0xffffffff)
        m.command("device_add guest generic,id=vga,memory=0xb8000-0xbffff:passthrough", SECONDS)
        expect_value("what the machine kept", guest.read(TEXT), 0x1f421f41)
        expect_value("what the machine kept", guest.read(TEXT + 0x3000), 0x4f484f47)
        return guest.end()


SCRATCH = ('[device "scratch"]\n  type = generic\n  hostdev = scratch:?memory=4K&ports=16\n'
           "  ports = 0x300-0x30f:forward\n"
           "  memory = 0xf1000000-0xf1000fff:forward=1, 0xf1001000-0xf100100f:forward=2\n")


@case(seconds=12)
def forwards(t):
    """To a host device that needs no bus; another one is as new."""
    with Machine(t, files=peek_files(SCRATCH)) as m:
        guest = Peek(m)
        expect_value("what is new", guest.read(0xf1000ffc), 0)
        for at, value in ((0xf1000000, 0x12345678), (0xf1000ffc, 0xfedcba98)):
            expect_value(f"{at:#x}", guest.write(at, value), value)
        expect_value("the first", guest.read(0xf1000000), 0x12345678)
        expect_value("reads so far", guest.read(0xf1001000), 4)
        expect_value("writes so far", guest.read(0xf1001008), 2)
        m.command("device_del guest scratch", SECONDS)
        expect_value("what nobody has", guest.read(0xf1000000), 0xffffffff)
        said = m.command("device_add guest generic,id=again,hostdev=scratch:?memory=4K,"
                         "memory=0xf1000000-0xf1000fff:forward=1", SECONDS)
        check("vm guest has device again" in said, said)
        expect_value("what is new again", guest.read(0xf1000000), 0)
        return guest.end()


def refused(m, memory, why):
    said = m.command(f"device_add guest generic,id=x,memory={memory}:passthrough", SECONDS)
    check(re.search(why, said), f"{memory}: expected {why} in: {said}")


@case(seconds=12)
def what_is_ours_does_not(t):
    """Neither RAM nor what we use ourselves."""
    with Machine(t, files=peek_files(""), memory=1024) as m:
        guest = Peek(m)
        refused(m, "0x20000000-0x20000fff", "0x20000000-0x20000fff of the machine is RAM")
        refused(m, "0xfec00000-0xfec00fff",
                "memory .* wanted by x|has a device that Alcazar uses itself")
        for ports in ("0x3f8-0x3ff", "0xcf8-0xcff", "0x21", "0x61", "0x64", "0x70-0x71",
                      "0x3d4-0x3d5"):
            said = m.command(f"device_add guest generic,id=x,ports={ports}:passthrough", SECONDS)
            check(re.search("of the machine are in use, by .", said), f"{ports}: {said}")
        m.command("device_del guest ioapic", SECONDS)
        for ours in ("0xfec00000", "0xfed00000-0xfed000ff", "0xfedffff0-0xfee0000f"):
            refused(m, ours, "has a device that Alcazar uses itself")
        m.command("device_del guest vga", SECONDS)
        refused(m, "0xb8000-0xbffff", "has a device that Alcazar uses itself")
        refused(m, "0xfffffffff000-0x1000000000fff", "expected an end within .* bits")
        expect_value("what nobody has", guest.read(0xfed00000), 0xffffffff)


@case(seconds=12, qemu_alone="it has the edu device")
def a_card_passes_through(t):
    """The registers of a PCI card: QEMU's `edu`."""
    monitor = Monitor(t)
    with Machine(t, files=peek_files(""), extra=["-device", "edu", *monitor.options]) as m:
        guest = Peek(m)
        bar = int(re.search(r"PCI device 1234:11e8\n(?:.*\n)*?.*BAR0: 32 bit memory at (0x\w+)",
                            monitor.human("info pci").replace("\r", "")).group(1), 16)
        expect_value("what nobody has", guest.read(bar), 0xffffffff)
        for mode in ("passthrough", "print-and-passthrough"):
            said = m.command(f"device_add guest generic,id=edu,memory={bar:#x}-{bar + 0xfffff:#x}:"
                             f"{mode}", SECONDS)
            check("vm guest has device edu" in said, said)
            expect_value("edu's identification", guest.read(bar), 0x010000ed)
            expect_value("edu's inverse", guest.write(bar + 4, 0x12345678), 0xedcba987)
            m.command("device_del guest edu", SECONDS)
        expect_value("what is gone", guest.read(bar), 0xffffffff)
        before = in_use(m)
        for _ in range(5):
            m.command(f"device_add guest generic,id=edu,memory={bar:#x}-{bar + 0xfffff:#x}:"
                      "passthrough;device_del guest edu", SECONDS)
        check(in_use(m) == before, f"{before} in use before, {in_use(m)} after")
        return guest.end()
