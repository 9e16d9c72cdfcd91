# SPDX-License-Identifier: BSD-2-Clause
"""Devices come and go while guests use them."""
import re

from harness import Failure, Machine, case
from harness.serial import PROMPT
from test_guests import guest_files, verdict

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


@case(seconds=40, each=[{"rounds": 60, "machine_cpus": 2}, {"rounds": 60, "machine_cpus": 4},
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
