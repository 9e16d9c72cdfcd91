# SPDX-License-Identifier: BSD-2-Clause
"""VMs that are saved, destroyed and restored: they go on as if nothing had been."""
import re

from harness import Failure, Machine, case
from harness.linux import LEAVE, Linux, linux_cfg, linux_files
from harness.serial import PROMPT
from test_guests import GUESTS, guest_cfg, verdict
from test_life import pages_used
from test_virtio import backend, front

CONFIGS = "/sys/bus/pci/devices/*/config"
SECONDS = 240  # for an answer, on a machine that has much else to do

# A PC but for its PCI bus.
BOARD = "".join(f'[device "{device}"]\n  type = {kind}\n' for device, kind in (
    ("lapic", "lapic"), ("ioapic", "ioapic"), ("pic", "pic"), ("pit", "pit"), ("rtc", "rtc"),
    ("pm", "pm"), ("reset", "reset-control"), ("ps2", "ps2"), ("fw-cfg", "fw-cfg"),
    ("pvclock", "pvclock"), ("vga", "vga"), ("acpi", "acpi"), ("com1", "uart16550")))
BOARD += ('[device "console0"]\n  type = char-console\n  frontend = com1\n'
          '[device "screen0"]\n  type = screen\n  frontend = vga\n  keyboard = ps2\n')


def without_pci(config):
    return config.replace("  memory =", "  machine = none\n  memory =", 1) + BOARD


def saves(m, vm, name):
    m.send(f"save {vm} {name}\r")
    m.expect(rf"vm {vm} is saved as {name}, (\d+) KiB", timeout=SECONDS)
    m.expect(PROMPT, timeout=SECONDS)


def restores(m, name, vm=None):
    m.send(f"restore {name}" + (f" as {vm}" if vm else "") + "\r")
    m.expect(f"{name} is restored and runs", timeout=SECONDS)
    m.expect(PROMPT, timeout=SECONDS)


@case(seconds=10)
def registers_go_on(t):
    """General, vector, debug and model-specific registers of a guest that waits."""
    files = {"guest.cfg": without_pci(guest_cfg("keep")), "keep.elf": GUESTS / "keep.elf"}
    with Machine(t, files=files, cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        saves(m, "guest", "held")
        m.command("destroy guest", SECONDS)
        restores(m, "held")
        m.send("console guest\r")
        m.expect("attached", timeout=SECONDS)
        m.send("x")
        return verdict(m)


@case(seconds=12)
def timers_go_on(t):
    """Two vCPUs with all timers; three times in a row, and nothing is lost by it."""
    files = {"guest.cfg": without_pci(guest_cfg("ticks", cpus=2)),
             "ticks.elf": GUESTS / "ticks.elf"}
    with Machine(t, files=files, cpus=2) as m:
        m.expect("# ticking", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        used = 0
        for n in range(3):
            saves(m, "guest", f"n{n}")
            m.command("destroy guest", SECONDS)
            restores(m, f"n{n}")
            m.command(f"snapshot-delete n{n}", SECONDS)
            if n == 1:
                used = pages_used(m)
        if pages_used(m) != used:
            raise Failure(f"{pages_used(m)} pages are used, and {used} were a round before")
        m.command("console guest", prompt="prompt --\n")
        m.send("x")
        return verdict(m)


@case(seconds=10)
def what_is_refused(t):
    """Before anything is touched, by name."""
    files = {"guest.cfg": without_pci(guest_cfg("echo", memory="16M", console=False)),
             "pci.cfg": guest_cfg("echo", vm="pci", memory="16M", console=False,
                                  autostart=False),
             "echo.elf": GUESTS / "echo.elf"}
    with Machine(t, files=files) as m:
        m.expect(PROMPT, timeout=SECONDS)
        saves(m, "guest", "held")
        for line, said in (
                ("save guest held", "snapshot held is there already"),
                ("save guest a/b", "expected a name"),
                ("save pci pci", "vm pci is not saved: it is defined: start it first"),
                ("save none x", "no such VM"),
                ("restore held", "vm guest is there and not stopped: destroy it, or restore"),
                ("restore held with x", "expected restore NAME"),
                ("restore held as pci", "vm pci is defined: undefine it first, or take another"),
                ("restore none", "no such snapshot"),
                ("restore held as a/b", "record 1 .config guest.: it is not a config"),
                ("snapshot-delete none", "no such snapshot")):
            answer = m.command(line, SECONDS)
            if not re.search(said, answer):
                raise Failure(f"{line}: expected {said}, got {answer}")
        if "held" not in m.command("snapshots", SECONDS):
            raise Failure("the snapshot is gone")
        restores(m, "held", "other")
        if not re.search(r"guest +running.*other +running", m.command("list", SECONDS), re.S):
            raise Failure("two VMs run by now")


@case(seconds=30)
def linux_goes_on(t):
    """With a shell that counts and PCI cards; a second one from the same checkpoint, under another
    name."""
    files = linux_files(memory="128M")
    files["linux.cfg"] += front("edu0", "edu:") + front("test0", "testdev:")
    with Machine(t, files=files) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("md5sum /bin/busybox > /sum")
        guest.sh("(i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.1; done) &")
        guest.sh("sleep 1")
        guest.sh(f"cat {CONFIGS} > /configs")
        known = guest.dmesg()
        before = int(guest.sh("cat /count"))
        guest.leave()
        saves(m, "linux", "first")
        m.command("destroy linux", SECONDS)
        restores(m, "first")
        restores(m, "first", "second")
        for vm in ("linux", "second"):
            guest.enter(vm)
            after = int(guest.sh("sleep 1; cat /count"))
            if after < before:
                raise Failure(f"{vm} counts from {before} to {after}")
            guest.sh("md5sum -c /sum")
            guest.sh(f"cat {CONFIGS} | cmp - /configs")
            news = guest.dmesg()[len(known):]
            if any(level <= 4 for level, _ in news):
                raise Failure(f"{vm}: {news}")
            guest.leave()


def virtio_cfg(name):
    """Of a VM, all cards of virtio."""
    return (front("disk", "virtio-blk:") + backend("ram", "ramdisk", "disk", size="16M")
            + front("net", "virtio-net:") + backend("port", "switch", "net", switch="lan")
            + front("con", "virtio-console:") + backend("conlog", "char-log", "con")
            + front("rng", "virtio-rng:?rate=64K"))


@case(seconds=60)
def virtio_goes_on(t, rounds=3):
    """Disk, network, console and random numbers of a Linux that uses all of them while it is saved,
    destroyed and restored; a neighbour answers its pings."""
    files = linux_files(memory="128M")
    files["linux.cfg"] += virtio_cfg("linux")
    files["b.cfg"] = (linux_cfg("b", memory="96M", autostart=False, console=False)
                      + front("net", "virtio-net:") + backend("port", "switch", "net", switch="lan"))
    with Machine(t, files=files, memory=640) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up")
        guest.sh("dd if=/dev/urandom of=/data bs=1M count=8 2>/dev/null; dd if=/data of=/dev/vda "
                 "bs=64k oflag=direct 2>/dev/null; md5sum < /data > /sum; touch /wrong /disk")
        guest.leave()
        m.command("start b", SECONDS)
        m.command("console b", prompt="prompt --\n")
        guest.boot()
        guest.sh("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up")
        guest.leave()
        guest.enter("linux")
        guest.sh("ping -c 3 -w 60 10.0.0.2")
        guest.sh("(while :; do dd if=/dev/vda bs=64k count=128 iflag=direct 2>/dev/null | md5sum | "
                 "cmp -s - /sum || echo disk >> /wrong; echo >> /disk; done) &")
        guest.sh("(while :; do head -c 64 /dev/hwrng >/dev/null || echo rng >> /wrong; "
                 "sleep 0.1; done) &")
        known = guest.dmesg()
        guest.leave()
        for n in range(rounds):
            saves(m, "linux", f"n{n}")
            m.command("destroy linux", SECONDS)
            restores(m, f"n{n}")
            m.command(f"snapshot-delete n{n}", SECONDS)
        guest.enter("linux")
        before = int(guest.sh("wc -l < /disk"))
        guest.sh("ping -c 3 -w 60 10.0.0.2")
        guest.sh("sleep 5; head -c 32 /dev/hwrng >/dev/null")
        guest.sh("(sleep 2; echo it is said > /dev/hvc0) &")
        m.expect("conlog: it is said", timeout=SECONDS)
        guest.sh(f"for i in $(seq 90); do [ $(wc -l < /disk) -gt {before} ] && break; sleep 1; done; "
                 f"[ $(wc -l < /disk) -gt {before} ]")
        wrong = guest.sh("cat /wrong")
        news = guest.dmesg()[len(known):]
        if wrong.strip() or any(level <= 4 for level, _ in news):
            raise Failure(f"{wrong} {news}")


@case(seconds=60)
def linux_under_load(t, rounds=3):
    """Two vCPUs that compute checksums, time after time saved, destroyed and restored."""
    files = linux_files(memory="128M", cpus=2)
    with Machine(t, files=files, cpus=2) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("md5sum /bin/busybox > /sum; touch /wrong")
        for n in (1, 2):
            guest.sh(f"(while :; do md5sum -c -s /sum || echo bad >> /wrong; "
                     f"echo >> /rounds{n}; done) &")
        known = guest.dmesg()
        guest.leave()
        for n in range(rounds):
            saves(m, "linux", f"n{n}")
            m.command("destroy linux", SECONDS)
            restores(m, f"n{n}")
            m.command(f"snapshot-delete n{n}", SECONDS)
        guest.enter("linux")
        before = guest.sh("wc -l < /rounds1; wc -l < /rounds2").split()
        guest.sh("sleep 5")
        after = guest.sh("wc -l < /rounds1; wc -l < /rounds2").split()
        if not all(int(a) > int(b) for a, b in zip(after, before)):
            raise Failure(f"checksums stand still: {before}, {after}")
        guest.sh("test ! -s /wrong")
        news = guest.dmesg()[len(known):]
        if any(level <= 4 for level, _ in news):
            raise Failure(f"{news}")
