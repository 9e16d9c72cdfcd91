# SPDX-License-Identifier: BSD-2-Clause
"""VMs with `cpu-model = common` go from AMD's virtualization to Intel's and back."""
import re

from harness import Bochs, Failure, Machine, case
from harness.linux import LEAVE, Linux, linux_cfg, linux_files
from harness.serial import PROMPT
from test_checkpoint import restores, saves, warnings, without_pci
from test_cpu_model import common
from test_guests import GUESTS, guest_cfg, verdict
from test_loadmod import check
from test_transfer import sends

SECONDS = 240
INTEL = "corei7_skylake_x"


def leaves_as(t, m, name, seconds=SECONDS):
    """The VM `guest` is saved and sent: the file."""
    m.send(LEAVE)
    m.expect(PROMPT, timeout=SECONDS)
    saves(m, "guest", name)
    check(sends(t, m, name, seconds=seconds) == 0, "rb failed")
    m.expect(rf"{name} is sent as {name}\.ckpt\n", SECONDS)
    m.expect(PROMPT, SECONDS)
    return t.dir / f"{name}.ckpt"


def comes_from(m, module):
    restores(m, f"module:{module}")
    m.send("console guest\r")
    m.expect("attached", timeout=SECONDS)


@case(seconds=300, qemu_alone="takes QEMU for the one vendor and Bochs for the other")
def there_and_back(t):
    """A guest does not notice where its registers have been."""
    files = {"guest.cfg": common(without_pci(guest_cfg("keep"))), "keep.elf": GUESTS / "keep.elf"}
    with Machine(t, files=files, cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        there = leaves_as(t, m, "there")
    files["guest.cfg"] = guest_cfg("keep", autostart=False, console=False)
    with Bochs(t, INTEL, files=files | {"there": there}, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        comes_from(m, "there")
        back = leaves_as(t, m, "back", seconds=2 * SECONDS)
    with Machine(t, files=files | {"back": back}, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        comes_from(m, "back")
        m.send("x")
        return verdict(m)


@case(seconds=60, qemu_alone="takes QEMU for the one vendor and Bochs for the other")
def one_goes_and_one_stays(t):
    """A guest goes on with the registers that it had; one that has seen QEMU's own CPU is refused."""
    files = {"guest.cfg": common(without_pci(guest_cfg("keep"))), "keep.elf": GUESTS / "keep.elf",
             "host.cfg": without_pci(guest_cfg("keep", vm="host", console=False))}
    with Machine(t, files=files, cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        goes = leaves_as(t, m, "goes")
        saves(m, "host", "stays")
        check(sends(t, m, "stays", seconds=SECONDS) == 0, "rb failed")
    files["guest.cfg"] = guest_cfg("keep", autostart=False, console=False)
    del files["host.cfg"]
    with Bochs(t, INTEL, files=files | {"goes": goes, "stays": t.dir / "stays.ckpt"}, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        for module, said in (("none", "no such module"),
                             ("stays", r"record 0 .machine host.: .*leaf 0x\w+ differs")):
            answer = m.command(f"restore module:{module}", SECONDS)
            if not re.search(said, answer):
                raise Failure(f"{module}: {answer}")
        comes_from(m, "goes")
        m.send("x")
        return verdict(m)


@case(seconds=600, qemu_alone="takes QEMU for the one vendor and Bochs for the other")
def linux_goes_over(t):
    """Booted on SVM, it goes on on VT-x, where its TSC counts at another rate: what ran runs on, and
    its clock as if nothing had been."""
    files = linux_files()
    files["linux.cfg"] = common(linux_cfg(memory="128M"))
    with Machine(t, files=files, cpus=2) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("md5sum /bin/busybox > /sum")
        guest.sh("(i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.1; done) &")
        known = guest.dmesg()
        count, up = int(guest.sh("cat /count")), float(guest.sh("cat /proc/uptime").split()[0])
        guest.leave()
        saves(m, "linux", "over")
        check(sends(t, m, "over", seconds=1200) == 0, "rb failed")
    files["linux.cfg"] = linux_cfg(memory="128M", autostart=False, console=False)
    with Bochs(t, INTEL, files=files | {"over": t.dir / "over.ckpt"}, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        restores(m, "module:over")
        guest = Linux(m)
        guest.enter("linux")
        guest.sh("md5sum -c /sum")
        if not 0 <= float(guest.sh("cat /proc/uptime").split()[0]) - up < 120:
            raise Failure(f"its clock jumped from {up}")
        guest.sh(f"sleep 2; [ $(cat /count) -gt {count} ]")
        news = guest.dmesg()[len(known):]
        # It finds that its TSC is not what it was, which is so, and stays with KVM's clock.
        others = [text for text in warnings(news)
                  if not re.search(r"^clocksource: |TSC unstable", text)]
        if others:
            raise Failure(f"{others}")
        clock = guest.sh("cat /sys/devices/system/clocksource/clocksource0/current_clocksource")
        if clock.strip() != "kvm-clock":
            raise Failure("it counts by a clock that has another rate now")
