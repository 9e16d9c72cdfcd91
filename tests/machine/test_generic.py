# SPDX-License-Identifier: BSD-2-Clause
"""Ports that are printed, ignored and passed to the machine, as Linux sees them."""
import re

from harness import Failure, Machine, case
from harness.linux import BOOT_SECONDS, Linux, linux_files

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
