# SPDX-License-Identifier: BSD-2-Clause
"""What VMs take they give back, however they end."""
import re

from harness import Failure, Machine, case
from harness.linux import linux_files
from harness.serial import PROMPT
from test_guests import GUESTS, guest_cfg

SECONDS = 240  # for an answer, on a machine that has much else to do
ROUNDS = 10
# Now, and not in the last lines of the log that are told with a crash.
CRASHED = r"(?<!log \| )\[ *\d+\.\d+\] error: vm triple: crashed"


def pages_used(m):
    m.command("", SECONDS)
    return int(re.search(r"(\d+) pages used", m.command("info memory", SECONDS)).group(1))


def keeps_memory(m, once, rounds=ROUNDS):
    """Runs once(), which grows our own tables, and then it again: no page is lost by that."""
    once(0)
    before = pages_used(m)
    for i in range(rounds):
        once(i)
    lost = pages_used(m) - before
    if lost:
        raise Failure(f"{lost} pages are not given back by {rounds} rounds")


@case(seconds=20)
def guest_ends_ten_times(t):
    """By its own will, by a crash, by `destroy`, by `reset` and `destroy`."""
    files = {f"{name}.elf": GUESTS / f"{name}.elf" for name in ("smoke", "triple", "echo")}
    files |= {f"{vm}.cfg": guest_cfg(name, vm=vm, cpus=cpus, autostart=False)
              for vm, name, cpus in (("good", "smoke", 1), ("triple", "triple", 1),
                                     ("echo", "echo", 4))}
    with Machine(t, files=files) as m:
        m.expect(PROMPT, timeout=SECONDS)

        def ends(_):
            m.send("start good\r")
            m.expect("vm good: stopped", timeout=SECONDS)

        def crashes(_):
            m.send("start triple\r")
            m.expect(CRASHED, timeout=SECONDS)
            m.send("destroy triple\r")
            m.expect("vm triple: stopped", timeout=SECONDS)

        def crashes_and_is_reset(_):
            m.send("start triple\r")
            m.expect(CRASHED, timeout=SECONDS)
            m.send("reset triple\r")
            m.expect(CRASHED, timeout=SECONDS)
            m.send("start triple\r")
            m.expect(CRASHED, timeout=SECONDS)
            m.send("destroy triple\r")
            m.expect("vm triple: stopped", timeout=SECONDS)

        def destroyed_in_the_middle(i):
            m.command("start echo", SECONDS)
            m.command("reset echo", SECONDS)
            if i in (0, ROUNDS - 1):  # what it said last is kept: that it spoke is the same in both
                m.command("console echo", SECONDS, prompt="# echoing")
                m.send("\x1d")
                m.expect(PROMPT, timeout=SECONDS)
            m.send("destroy echo\r")
            m.expect("vm echo: stopped", timeout=SECONDS)

        keeps_memory(m, ends)
        keeps_memory(m, crashes)
        keeps_memory(m, crashes_and_is_reset, 3)
        keeps_memory(m, destroyed_in_the_middle)


@case(seconds=60, each=[{"rounds": 5}, {"rounds": ROUNDS}])
def linux_is_destroyed(t, rounds):
    """The demo, at ten stages of its boot, or some of them. What it said last is kept until it
    starts again, so that it has spoken in the first round and in the last."""
    stages = ("Linux version", "kvm-clock", "", "ACPI: RSDP", "x2apic", "printk: console",
              "smp: Brought up", "ACPI: Interpreter enabled", "clocksource: Switched", "Serial:")
    files = linux_files(cpus=2, memory="256M", autostart=False, console=False,
                        cmdline="console=ttyS0 earlyprintk=ttyS0")
    with Machine(t, files=files) as m:
        m.expect(PROMPT, timeout=SECONDS)

        def stage(i):
            until = stages[i * (ROUNDS // rounds)]
            m.command("start linux", SECONDS)
            if until:
                m.command("console linux", SECONDS, prompt="prompt --\n")
                m.expect(re.escape(until), timeout=SECONDS)
                m.send("\x1d")
                m.expect(PROMPT, timeout=SECONDS)
            m.command("destroy linux", SECONDS)

        keeps_memory(m, stage, rounds)
