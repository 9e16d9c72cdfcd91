# SPDX-License-Identifier: BSD-2-Clause
"""The guests of tests/guest, each in a VM; each test of theirs counts as one here."""
import re

from harness import Failure, Machine, case
from harness.cases import BUILD

GUESTS = BUILD / "guests"
EXIT_DEVICE = '[device "exit"]\n  type = debug-exit\n'


def guest_cfg(name, vm="guest", cpus=1, memory="64M", boot="", autostart=True, console=True):
    """The config of a VM that runs the guest `name`."""
    flags = {True: "true", False: "false"}
    return (f'[vm "{vm}"]\n  cpus = {cpus}\n  memory = {memory}\n'
            f"  autostart = {flags[autostart]}\n  console = {flags[console]}\n"
            f"[boot]\n  kernel = module:{name}.elf\n{boot}{EXIT_DEVICE}")


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


@case(seconds=8, each=[{"name": name} for name in
                       ("smoke", "io", "msrs", "mmio", "irq", "time", "reset", "step", "pci",
                        "modes", "tasks", "tasks_odd", "debug",
                        "held")])
def runs(t, name):
    with Machine(t, files=guest_files(name)) as m:
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
