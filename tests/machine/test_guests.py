# SPDX-License-Identifier: BSD-2-Clause
"""The guests of tests/guest, each in a VM; each test of theirs counts as one here."""
import re

from harness import Failure, Machine, Qemu, case
from harness.cases import BUILD

GUESTS = BUILD / "guests"
EXIT_DEVICE = '[device "exit"]\n  type = debug-exit\n'


def guest_cfg(name, vm="guest", cpus=1, memory="64M", boot="", autostart=True, console=True,
              more=""):
    """The config of a VM that runs the guest `name`; `more` is further devices."""
    flags = {True: "true", False: "false"}
    return (f'[vm "{vm}"]\n  cpus = {cpus}\n  memory = {memory}\n'
            f"  autostart = {flags[autostart]}\n  console = {flags[console]}\n"
            f"[boot]\n  kernel = module:{name}.elf\n{boot}{EXIT_DEVICE}{more}")


def guest_files(name, **options):
    return {"guest.cfg": guest_cfg(name, **options), f"{name}.elf": GUESTS / f"{name}.elf"}


# Lines of our log, which may break a line of the guest's wherever it is.
LOG = r"(?:\n(?:\[ *\d+\.\d+\] [^\n]*\n)+)?"


def through_log(text):
    """A pattern for what a guest says, whatever our log says meanwhile."""
    return LOG.join(re.escape(letter) for letter in text)


OVER = r"PANIC|vm \S+: crashed|unexpected vector \d+"  # no results will come


def verdict(m, timeout=120):
    """Reads a guest's results to their end."""
    start = m.seen
    end = m.expect(LOG.join([r"(\d+)", through_log(" passed, "), r"(\d+)",
                             through_log(" failed")]), timeout=timeout, never=OVER)
    lines = m.text[start : m.seen].splitlines()
    reasons = [line for line in lines if line.startswith(("not ok", "# "))]
    passed, failed = int(end.group(1)), int(end.group(2))
    return passed, failed, "; ".join(reasons) if failed else ""


# What a guest finds besides a PC.
MORE_DEVICES = {
    "pci": ('[device "br1"]\n  type = pci-bridge\n  addr = 4.0\n'
            '[device "br2"]\n  type = pci-bridge\n  bus = br1\n'),
}


@case(seconds=8, each=[{"name": name} for name in
                       ("smoke", "io", "msrs", "mmio", "irq", "time", "reset", "step", "pci",
                        "modes", "tasks", "tasks_odd", "debug",
                        "held")])
def runs(t, name):
    with Machine(t, files=guest_files(name, more=MORE_DEVICES.get(name, ""))) as m:
        return verdict(m)


def front_cfg(device, url, **keys):
    """A device that shows the host device of `url`."""
    return (f'[device "{device}"]\n  type = pci-front\n  hostdev = {url}\n'
            + "".join(f"  {key} = {value}\n" for key, value in keys.items()))


@case(seconds=12)
def runs_edu(t):
    """A driver of QEMU's edu device, with ours."""
    with Machine(t, files=guest_files("edu", more=front_cfg("edu0", "edu:"))) as m:
        return verdict(m)


@case(seconds=4, qemu_alone="the device is its own")
def runs_edu_of_qemu(t):
    """What `runs_edu` asks of ours is what QEMU's own does, on the bare machine."""
    with Qemu(t, iso=False, cpus=1, memory=64,
              extra=["-device", "edu", "-kernel", GUESTS / "edu.elf"]) as m:
        return verdict(m)


@case(seconds=8, each=[{"mapped": "true"}, {"mapped": "false"}])
def runs_testdev(t, mapped):
    """Everything that a PCI function can have, from the inside."""
    device = front_cfg("test0", f"testdev:?big=8G&mapped={mapped}", addr=3)
    with Machine(t, files=guest_files("testdev", more=device)) as m:
        return verdict(m)


@case(seconds=15, each=[{"machine_cpus": 1}, {"machine_cpus": 3}])
def runs_mapped(t, machine_cpus):
    """BARs that are reached without an exit, by three virtual CPUs."""
    device = front_cfg("test0", "testdev:?big-mapped=on", addr=3)
    with Machine(t, files=guest_files("mapped", cpus=3, more=device), cpus=machine_cpus) as m:
        return verdict(m)


@case(seconds=8)
def holds_interrupts_by_itself(t):
    """Where the CPU could do it, too."""
    with Machine(t, files=guest_files("held"), cmdline="apicv=no") as m:
        return verdict(m)


@case(seconds=15, each=[{"machine_cpus": 1}, {"machine_cpus": 2}, {"machine_cpus": 4}])
def runs_smp(t, machine_cpus):
    """Four virtual CPUs on one, two and four physical ones."""
    with Machine(t, files=guest_files("smp", cpus=4), cpus=machine_cpus) as m:
        return verdict(m)


@case(seconds=6)
def boots_multiboot2_with_module(t):
    boot = "  cmdline = one two=3\n  module = module:data.txt with arguments\n"
    files = guest_files("multiboot2", boot=boot) | {"data.txt": "hello\n"}
    with Machine(t, files=files) as m:
        return verdict(m)


@case(seconds=6)
def triple_fault_stops_only_its_vm(t):
    with Machine(t, files=guest_files("triple")) as m:
        m.expect(r"vm guest: .*triple fault", timeout=60)
        # The rest of the card: the exits that led there, the log of that VM, its last words.
        for part in (r"vcpu 0: last exits: ", r"\] 0000000000\w{6} +\d+  io out 0x3f8, 1 bytes: 0xa\n",
                     r"\] 0000000000\w{6} +\d+  triple-fault\n",
                     r"vm guest: log \| \[.*vm guest: starts with 1 vCPU and 64 MiB\n",
                     r"vm guest: said \| # no IDT, then UD2\n",
                     r"vm guest: what to try: ", r"vm guest: crashed"):
            m.expect(part)
        m.expect(r"alcazar> ")
        if "crashed" not in m.command("list"):
            raise Failure("list does not say that the VM crashed")
        m.send("start guest\r")  # it may have crashed before the prompt is back
        m.expect(r"vm guest: .*triple fault", timeout=60)


@case(seconds=6)
def jump_to_nowhere_stops_only_its_vm(t):
    with Machine(t, files=guest_files("nowhere")) as m:
        m.expect(r"vm guest: .*0xd0000000", timeout=60)
        m.expect(r"alcazar> ")
        m.command("list")


@case(seconds=15, each=[{"name": "flood", "cpus": 1}] + [
    {"name": name, "cpus": 2} for name in ("flood", "garbage", "resets")])
def console_lives_beside(t, name, cpus):
    """A guest that floods its port, runs garbage, or resets for ever: the shell answers. All
    but the first, which gives way itself, have a CPU of their own: in Bochs none of ours is
    interrupted while its guest has IF clear."""
    with Machine(t, files=guest_files(name), cpus=cpus) as m:
        m.expect(r"flooding|round 0", timeout=60)
        m.send("\x1d")
        m.expect(r"alcazar> ", timeout=60)
        m.command("info memory", timeout=60)
        m.command("destroy guest", timeout=60)
        if "running" in m.command("list", timeout=60):
            raise Failure("the VM still runs")


@case(seconds=30)
def destroyed_while_it_spins(t):
    """One of two vCPUs spins with interrupts off, and none of its instructions exits: the
    shell answers, and the VM goes away. (In Bochs nothing but VT-x's preemption timer ends
    such a run.)"""
    with Machine(t, files=guest_files("spin", cpus=2), cpus=2) as m:
        m.expect(r"# spinning", timeout=60)
        m.send("\x1d")
        m.expect(r"alcazar> ", timeout=60)
        m.command("info memory", timeout=60)
        m.command("pause guest", timeout=60)
        m.command("resume guest", timeout=60)
        m.command("destroy guest", timeout=60)
        if "running" in m.command("list", timeout=60):
            raise Failure("the VM still runs")
