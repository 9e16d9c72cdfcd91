# SPDX-License-Identifier: BSD-2-Clause
"""The demo as a person uses it: Debian's own kernel to its shell, and back."""
import re
import time

from harness import Failure, Machine, case
from harness.serial import DEMO, PROMPT

SHELL = r"demo:/root# "
LEAVE = "\x1d"  # Ctrl-]


def shell(m, timeout=180):
    m.expect(SHELL, timeout=timeout, never=r"PANIC|Kernel panic")


def run(m, line, timeout=30):
    """What a command in the guest prints."""
    m.send(line + "\r")
    m.expect(re.escape(line) + r"\n", timeout)
    start = m.seen
    match = m.expect(SHELL, timeout)
    return m.text[start : match.start()]


def quiet(config="demo.cfg"):
    """The demo's config, with a kernel that is quiet."""
    return (DEMO / config).read_text().replace("console=ttyS0", "console=ttyS0 quiet")


def images(*names):
    return {name: DEMO / name for name in names or ("vmlinuz", "initrd")}


@case(seconds=60, each=[{"firmware": "bios"}, {"firmware": "uefi"}])
def linux_to_shell(t, firmware):
    with Machine(t, firmware=firmware) as m:
        shell(m)
        if "Debian" not in run(m, "uname -a"):
            raise Failure("this is not Debian's kernel")
        processors = run(m, "cat /proc/cpuinfo")
        if processors.count("processor\t:") != 1:
            raise Failure(f"/proc/cpuinfo: {processors}")
        run(m, "dmesg -n 1")  # what the kernel says from now on is not for the console
        errors = run(m, "dmesg -r | grep -E '^<[0-3]>|Firmware Bug'").splitlines()
        if errors:
            raise Failure(f"the kernel complains: {errors[0]}")
        functions = run(m, "ls /sys/bus/pci/devices").split()
        if functions != ["0000:00:00.0"]:
            raise Failure(f"the PCI bus has {functions}")
        m.send("poweroff\r")
        m.expect(r"vm linux: stopped", timeout=60)
        m.expect(re.escape(PROMPT))
        if "stopped" not in m.command("list"):
            raise Failure("list does not say that the VM stopped")


@case(seconds=40)
def interactive(t):
    """Control characters and job control reach the guest; Ctrl-] leaves it and comes back."""
    with Machine(t, files={"demo.cfg": quiet(), **images()}) as m:
        shell(m)
        m.send("sleep 1000\r")
        m.expect(r"sleep 1000\n")
        time.sleep(2)  # until the shell has handed the line over to the command
        m.send("\x03")
        m.expect(SHELL)
        if run(m, "tty").strip() != "/dev/ttyS0":
            raise Failure("the shell is not on ttyS0")
        if run(m, "seq 1 500").split() != [str(n) for n in range(1, 501)]:
            raise Failure("output was lost")
        run(m, "(sleep 1; echo while-away) &")
        m.send(LEAVE)
        m.expect(re.escape(PROMPT))
        if not re.search(r"linux\s+running", m.command("list")):
            raise Failure("list does not say that the VM runs")
        m.send("console linux\r")
        m.expect("while-away")
        m.send("\r")
        m.expect(SHELL)


@case(seconds=60)
def clock(t):
    """Ten seconds in the guest are ten on the machine; time does not stand still or jump."""
    with Machine(t, files={"demo.cfg": quiet(), **images()}) as m:
        shell(m)
        start = time.monotonic()
        run(m, "sleep 10", timeout=60)
        took = time.monotonic() - start
        if not 9.5 < took < 15:
            raise Failure(f"sleep 10 took {took:.1f} s")
        year = int(run(m, "date +%Y"))
        if year < 2024:
            raise Failure(f"the guest's clock says {year}")


@case(seconds=60)
def several_cpus(t):
    """Four virtual CPUs on two."""
    config = quiet().replace("cpus = 1", "cpus = 4")
    with Machine(t, files={"demo.cfg": config, **images()}) as m:
        shell(m)
        if run(m, "nproc").strip() != "4":
            raise Failure("the guest does not see four CPUs")
        run(m, "for i in 1 2 3 4; do (seq 1 20000 | md5sum >/tmp/$i) & done; wait", timeout=120)
        if len(set(run(m, "cat /tmp/1 /tmp/2 /tmp/3 /tmp/4").split("\n")[:4])) != 1:
            raise Failure("four CPUs came to different results")


@case(seconds=90)
def two_vms(t):
    """A second VM from a second config runs beside the first."""
    second = quiet().replace('[vm "linux"]', '[vm "second"]').replace("512M", "256M")
    second = second.replace("console = true", "console = false")
    with Machine(t, files={"demo.cfg": quiet(), "second.cfg": second, **images()},
                 memory=2048) as m:
        shell(m)
        run(m, "echo first >/tmp/name")
        m.send(LEAVE)
        m.expect(re.escape(PROMPT))
        listing = m.command("list")
        if len(re.findall(r"running", listing)) != 2:
            raise Failure(f"two VMs are to run: {listing}")
        m.send("console second\r")
        m.send("\r")
        shell(m)
        if "No such file" not in run(m, "cat /tmp/name"):
            raise Failure("the second VM sees the first one's file")
        m.send("poweroff\r")
        m.expect(r"vm second: stopped", timeout=60)
        m.expect(re.escape(PROMPT))
        m.send("console linux\r")
        m.send("\r")
        m.expect(SHELL)
        if run(m, "cat /tmp/name").strip() != "first":
            raise Failure("the first VM lost its file")


def free_pages(m):
    return re.search(r"(\d+) pages used", m.command("info memory")).group(1)


@case(seconds=60)
def no_page_lost(t):
    """Ten starts and destroys; memory is as it was after the first."""
    config = quiet().replace("autostart = true", "autostart = false")
    with Machine(t, files={"demo.cfg": config, **images()}) as m:
        m.expect(re.escape(PROMPT))
        used = []
        for _ in range(10):
            m.command("start linux")
            if "running" not in m.command("list"):
                raise Failure("the VM does not run")
            m.command("destroy linux")
            used.append(free_pages(m))
        t.log(f"pages used after each: {used}")
        if len(set(used[1:])) != 1:
            raise Failure(f"pages are lost: {used}")


@case(seconds=60)
def reset_from_both_sides(t):
    """`reset` on the console and `reboot` in the guest both end at a new shell."""
    with Machine(t, files={"demo.cfg": quiet(), **images()}) as m:
        shell(m)
        m.send("reboot\r")
        m.expect(r"This is Linux", timeout=120)
        shell(m)
        m.send(LEAVE)
        m.expect(re.escape(PROMPT))
        m.send("reset linux\r")
        m.expect(re.escape(PROMPT))
        m.send("console linux\r")
        m.expect(r"This is Linux", timeout=120)
        shell(m)


@case(seconds=10)
def the_machine_goes_off(t):
    with Machine(t, files={"demo.cfg": quiet().replace("autostart = true", "autostart = false"),
                           **images()}) as m:
        m.expect(re.escape(PROMPT))
        m.send("poweroff\r")
        if m.wait(30):
            raise Failure("QEMU was not switched off in order")
