# SPDX-License-Identifier: BSD-2-Clause
"""Devices come and go while guests use them."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, linux_files
from harness.serial import PROMPT
from test_guests import guest_files, verdict
from test_linux import check_dmesg

SECONDS = 120
# The UART is there while the VGA goes and comes, which takes longer. A PC has a VGA.
PAIRS = ";".join(["device_add uart16550,id=u,io=0x2e8,irq=5", "device_del vga",
                  "device_add vga,id=vga", "device_del u"])
LINE = ";".join([PAIRS, PAIRS])  # what fits


def in_use(m):
    """Pages and bytes of small objects, ours and the VM's."""
    said = m.command("info memory", SECONDS)
    return re.search(r"\d+ pages used", said).group(), re.search(r"objects: \d+", said).group()


def plug(m, times, line=LINE):
    in_a_line = line.count("device_del")
    for _ in range(0, times, in_a_line):
        said = m.command(line, SECONDS)
        if said.count(" any more\n") != in_a_line or "failed" in said:
            raise Failure(f"devices did not come and go: {said}")


def plug_under_load(t, guest, line, rounds, machine_cpus):
    """Four vCPUs hammer what comes and goes with `line`: nothing is lost, nor left behind."""
    with Machine(t, files=guest_files(guest, cpus=4, console=False), cpus=machine_cpus) as m:
        m.expect(PROMPT, SECONDS)
        m.command("console guest", SECONDS, prompt="# hammering")
        m.send("\x1d")
        m.expect(PROMPT, SECONDS)
        plug(m, 1, line)  # tables that stay are made
        before = in_use(m)
        plug(m, rounds, line)
        after = in_use(m)
        if before != after:
            raise Failure(f"{before} in use before, {after} after {rounds} rounds")
        m.command("console guest", SECONDS, prompt="prompt --\n")
        m.send("q")
        return verdict(m, SECONDS)


@case(seconds=40, each=[{"rounds": 8, "machine_cpus": 2},
                        {"rounds": 60, "machine_cpus": 2}, {"rounds": 60, "machine_cpus": 4},
                        {"rounds": 1000, "machine_cpus": 2}, {"rounds": 1000, "machine_cpus": 4}])
def under_load(t, rounds, machine_cpus):
    """Ports, pages and an interrupt line."""
    return plug_under_load(t, "hotplug", LINE, rounds, machine_cpus)


@case(seconds=30, each=[{"rounds": 60, "machine_cpus": 2}, {"rounds": 60, "machine_cpus": 4},
                        {"rounds": 1000, "machine_cpus": 2}])
def fronts_under_load(t, rounds, machine_cpus):
    """A PCI function: its BARs, its interrupt, its DMA."""
    line = ";".join(3 * ["device_add pci-front,id=t,hostdev=testdev:,addr=5", "device_del t"])
    return plug_under_load(t, "frontplug", line, rounds, machine_cpus)


@case(seconds=40)
def linux_is_told(t):
    """By ACPI: a function that comes is found, one that is to go is let go of first; and one that
    is taken away at once is missed."""
    there = "test -e /sys/bus/pci/devices/0000:00:08.0"
    wait = "for i in $(seq 50); do {} && break; sleep 0.2; done; {}"
    files = linux_files(memory="192M")
    with Machine(t, files=files) as m:
        guest = Linux(m)
        guest.boot()
        for rounds in range(3):
            guest.leave()
            m.command("device_add pci-front,id=card,hostdev=edu:,addr=8")
            guest.enter("linux")
            guest.sh(wait.format(there, there))
            guest.sh("test $(cat /sys/bus/pci/devices/0000:00:08.0/device) = 0x11e8")
            guest.leave()
            said = m.command("device_del card")
            if "was asked to let go" not in said:
                raise Failure(f"the guest was not asked: {said}")
            if rounds < 2:
                m.expect("card: the guest has let go of it", timeout=SECONDS)
            else:
                said = m.command("device_del card")
                if "has no device card" not in said:
                    raise Failure(f"it does not go: {said}")
            guest.enter("linux")
            guest.sh(wait.format("! " + there, "! " + there))
        check_dmesg(guest)
        guest.poweroff("linux")
