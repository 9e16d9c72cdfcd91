# SPDX-License-Identifier: BSD-2-Clause
"""VMs that are saved, destroyed and restored: they go on as if nothing had been."""
import re

from harness import Failure, Machine, case
from harness.linux import LEAVE, Linux, initrd_with, linux_cfg, linux_files
from harness.serial import PROMPT
from test_guests import GUESTS, guest_cfg, verdict
from test_life import pages_used
from test_linux import EXPECTED, WARNING
from test_virtio import EXT4, backend, front

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


def warnings(news):
    """Of what the kernel said since, what no emulator that copies memory for a while explains."""
    return [text for level, text in news
            if level <= WARNING and not any(re.search(known, text) for known in EXPECTED)]


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


@case(seconds=20, each=({"rounds": 2}, {"rounds": 8}))
def memory_is_of_one_moment(t, rounds):
    """A guest that has all of its memory written, by itself and by devices, while it is saved."""
    files = {"guest.cfg": guest_cfg("past", memory="128M", more=front("test0", "testdev:")),
             "past.elf": GUESTS / "past.elf"}
    with Machine(t, files=files, cpus=2) as m:
        m.expect("# counting", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        for n in range(rounds):
            saves(m, "guest", f"n{n}")
            m.command("destroy guest", SECONDS)
            restores(m, f"n{n}")
        m.command("console guest", prompt="prompt --\n")
        m.send("x")
        return verdict(m)


@case(seconds=10)
def ctrl_c_gives_up(t):
    """Nothing of it is left, and the VM runs on."""
    files = {"guest.cfg": guest_cfg("past", memory="128M", more=front("test0", "testdev:")),
             "past.elf": GUESTS / "past.elf"}
    with Machine(t, files=files) as m:
        m.expect("# counting", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        used = pages_used(m)
        m.send("save guest gone\r\x03")
        m.expect("vm guest is not saved: given up", timeout=SECONDS)
        m.expect(PROMPT, timeout=SECONDS)
        if "there are none" not in m.command("snapshots", SECONDS):
            raise Failure("there is a snapshot")
        if pages_used(m) != used:
            raise Failure(f"{pages_used(m)} pages are used, and {used} were before")
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
                ("save guest held", "a snapshot of that name is there already"),
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


def disk(name, **keys):
    """A snapshot-disk, and a ramdisk behind it, if it has keys."""
    return (f'[device "{name}"]\n  type = snapshot-disk\n'
            + (backend(f"{name}-ram", "ramdisk", name, **keys) if keys else ""))


def keeper(disks):
    """A VM that has disks."""
    return {"keeper.cfg": without_pci(guest_cfg("echo", vm="keeper", memory="16M",
                                                console=False, more=disks)),
            "echo.elf": GUESTS / "echo.elf"}


def keeper_files():
    """And a guest that waits."""
    return {"guest.cfg": without_pci(guest_cfg("keep")), "keep.elf": GUESTS / "keep.elf",
            "notes": "a page of notes\n" * 1024,
            **keeper(disk("snap", size="64M") + disk("small", size="16K") + disk("bare")
                     + disk("foreign", image="module:notes"))}


@case(seconds=15)
def a_disk_keeps_it(t):
    """Another VM's disk: a VM is saved to it twice, and goes on from there."""
    with Machine(t, files=keeper_files(), cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        for _ in range(2):
            saves(m, "guest", "disk:keeper.snap")
        listed = m.command("snapshots", SECONDS)
        if not re.search(r"disk:keeper\.snap +\d+ KiB of vm guest\n", listed):
            raise Failure(listed)
        m.command("destroy guest", SECONDS)
        restores(m, "disk:keeper.snap")
        m.command("snapshot-delete disk:keeper.snap", SECONDS)
        for line, said in (
                ("snapshots", r"disk:keeper\.snap +empty\n"),
                ("restore disk:keeper.snap as x", "disk:keeper.snap: the disk is empty"),
                ("snapshot-delete disk:keeper.snap", "disk:keeper.snap: the disk is empty")):
            answer = m.command(line, SECONDS)
            if not re.search(said, answer):
                raise Failure(f"{line}: expected {said}, got {answer}")
        m.send("console guest\r")
        m.expect("attached", timeout=SECONDS)
        m.send("x")
        return verdict(m)


@case(seconds=15, qemu_alone="two guests that wait with IF clear take Bochs's CPUs from all others")
def what_a_disk_refuses(t):
    """By name, and the VM runs on; and a keeper that is destroyed takes its disk with it."""
    with Machine(t, files=keeper_files(), cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        saves(m, "guest", "disk:keeper.snap")
        for line, said in (
                ("snapshots", r"disk:keeper\.bare +the disk has no backend"),
                ("snapshots", r"disk:keeper\.foreign +something else is on it"),
                ("snapshots", r"disk:keeper\.small +empty"),
                ("save keeper disk:keeper.snap", "the disk is vm keeper's own"),
                ("save guest disk:keeper.small",
                 r"room for \d+ KiB of it, and it may need \d+: the disk takes 8 KiB"),
                ("save guest disk:keeper.bare", "the disk has no backend"),
                ("save guest disk:keeper.foreign", "the disk has something else on it"),
                ("save guest disk:keeper.none", "no VM has such a snapshot-disk"),
                ("save guest disk:none.snap", "no VM has such a snapshot-disk"),
                ("save guest module:keep.elf", "nothing can be saved there"),
                ("restore disk:keeper.foreign", "the disk has something else on it"),
                ("restore disk:keeper.small", "the disk is empty"),
                ("restore disk:keeper.snap", "vm guest is there and not stopped"),
                ("restore disk:keeper.snap as keeper", "vm keeper is defined"),
                ("snapshot-delete disk:keeper.foreign", "the disk has something else on it"),
                ("snapshot-delete module:x", "it came with the boot"),
                ("list", "guest +running")):
            answer = m.command(line, SECONDS)
            if not re.search(said, answer):
                raise Failure(f"{line}: expected {said}, got {answer}")
        restores(m, "disk:keeper.snap", "other")
        m.command("destroy other", SECONDS)
        m.command("destroy keeper", SECONDS)
        if "no VM has such" not in m.command("restore disk:keeper.snap", SECONDS):
            raise Failure("the disk is still there")
        if "there are none" not in m.command("snapshots", SECONDS):
            raise Failure("it is still listed")
        m.send("console guest\r")
        m.expect("attached", timeout=SECONDS)
        m.send("x")
        return verdict(m)


@case(seconds=30)
def linux_goes_on(t):
    """With a shell that counts and PCI cards, from a disk; and a second one beside it from memory,
    under another name."""
    files = linux_files(memory="128M")
    files["linux.cfg"] += front("edu0", "edu:") + front("test0", "testdev:")
    files |= keeper(disk("snap", size="128M"))
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
        m.command("suspend keeper", SECONDS)  # its disk serves all the same
        saves(m, "linux", "first")
        saves(m, "linux", "disk:keeper.snap")
        m.command("destroy linux", SECONDS)
        restores(m, "disk:keeper.snap")
        restores(m, "first", "second")
        for vm in ("linux", "second"):
            guest.enter(vm)
            after = int(guest.sh("sleep 1; cat /count"))
            if after < before:
                raise Failure(f"{vm} counts from {before} to {after}")
            guest.sh("md5sum -c /sum")
            guest.sh(f"cat {CONFIGS} | cmp - /configs")
            news = guest.dmesg()[len(known):]
            if warnings(news):
                raise Failure(f"{vm}: {news}")
            guest.leave()


def grows(guest, file):
    """What counts its rounds in a file's lines still runs."""
    lines = int(guest.sh(f"wc -l < {file}"))
    guest.sh(f"for i in $(seq 90); do [ $(wc -l < {file}) -gt {lines} ] && break; sleep 1; done; "
             f"[ $(wc -l < {file}) -gt {lines} ]", timeout=SECONDS)


# Writes files of which none is like another, and looks at each on the disk again.
WRITER = ("(echo 4 > /proc/sys/vm/drop_caches; n=0; while :; do n=$((n+1)); f=/mnt/$((n % 4)); "
          "(echo $n; head -c 999999 /data) > $f; sync; echo 1 > /proc/sys/vm/drop_caches; "
          "(echo $n; head -c 999999 /data) | cmp - $f; echo >> /files; done) 2>> /wrong &")


def virtio_cfg():
    """Of a VM, all cards of virtio; two disks."""
    return (front("disk", "virtio-blk:") + backend("ram", "ramdisk", "disk", size="16M")
            + front("fs", "virtio-blk:") + backend("fsram", "ramdisk", "fs", size="16M")
            + front("net", "virtio-net:") + backend("port", "switch", "net", switch="lan")
            + front("con", "virtio-console:") + backend("conlog", "char-log", "con")
            + front("rng", "virtio-rng:?rate=64K"))


@case(seconds=60, each=({"rounds": 2}, {"rounds": 100}))
def virtio_goes_on(t, rounds):
    """Disks, a file system, network, console and random numbers of a Linux that uses all of them
    while it is saved, destroyed and restored; a neighbour answers its pings."""
    files = linux_files(memory="160M")
    files["initrd"] = initrd_with(["/sbin/mke2fs", "/sbin/e2fsck"], EXT4)
    files["linux.cfg"] += virtio_cfg()
    files["b.cfg"] = (linux_cfg("b", memory="96M", autostart=False, console=False)
                      + front("net", "virtio-net:") + backend("port", "switch", "net", switch="lan"))
    with Machine(t, files=files, memory=800) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up")
        guest.sh("dd if=/dev/urandom of=/data bs=1M count=8 2>/dev/null; dd if=/data of=/dev/vda "
                 "bs=64k oflag=direct 2>/dev/null; md5sum < /data > /sum; "
                 "touch /wrong /disk /files; mkdir /mnt")
        guest.sh("; ".join(f"insmod /lib/modules/{name}.ko" for name in EXT4))
        guest.sh("/opt/mke2fs -q -t ext4 /dev/vdb && mount -t ext4 /dev/vdb /mnt")
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
        guest.sh(WRITER)
        guest.sh("(while :; do head -c 64 /dev/hwrng >/dev/null || echo rng >> /wrong; "
                 "sleep 0.1; done) &")
        guest.sh("(ping 10.0.0.2 > /pings) &")
        known = guest.dmesg()
        guest.leave()
        for n in range(rounds):
            saves(m, "linux", f"n{n}")
            m.command("destroy linux", SECONDS)
            restores(m, f"n{n}")
            m.command(f"snapshot-delete n{n}", SECONDS)
        guest.enter("linux")
        grows(guest, "/disk")
        grows(guest, "/files")
        guest.sh("sleep 5; head -c 32 /dev/hwrng >/dev/null")
        guest.sh("(sleep 2; echo it is said > /dev/hvc0) &")
        m.expect("conlog: it is said", timeout=SECONDS)
        said = guest.sh("kill -INT $(pidof ping); sleep 1; tail -n 2 /pings")
        sent, came = map(int, re.search(r"(\d+) packets transmitted, (\d+) ", said).groups())
        # One may be on its way each time; the one that is sent last is, when it ends.
        if sent < 5 or came < sent - rounds - 1:
            raise Failure(f"pings are lost: {said}")
        wrong = guest.sh("cat /wrong")
        news = guest.dmesg()[len(known):]
        if wrong.strip() or warnings(news):
            raise Failure(f"{wrong} {news}")
        guest.sh("kill $(jobs -p) 2>/dev/null; sleep 3; umount /mnt && /opt/e2fsck -fn /dev/vdb")


REBIND = ("d=$(basename $(readlink /sys/class/net/eth0/device)); cd /sys/bus/virtio/drivers/virtio_net; "
          "echo $d > unbind; echo $d > bind; cd; sleep 1; ip addr add 10.0.0.2/24 dev eth0; "
          "ip link set eth0 up; sleep 1")


@case(seconds=40)
def twin_has_an_address_of_its_own(t):
    """Beside the VM that it was saved from it has no network until its driver has taken the new
    address; the other one's goes on."""
    files = linux_files(memory="128M")
    files["linux.cfg"] += front("net", "virtio-net:") + backend("port", "switch", "net", switch="lan")
    with Machine(t, files=files) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up")
        first = guest.sh("cat /sys/class/net/eth0/address").strip()
        guest.leave()
        saves(m, "linux", "held")
        restores(m, "held", "twin")
        cards = m.command("info virtio-net", SECONDS)
        if not re.search(rf"of linux: {first}, link up(.*\n)+.*of twin: {first}, link down \(another card",
                         cards):
            raise Failure(f"cards of twins: {cards}")
        guest.enter("twin")
        guest.sh("[ $(cat /sys/class/net/eth0/carrier) = 0 ]")
        guest.sh(REBIND)
        second = guest.sh("cat /sys/class/net/eth0/address").strip()
        if first == second:
            raise Failure(f"both have {first}")
        guest.sh("ping -c 3 -w 60 10.0.0.1")
        if warnings(guest.dmesg()):
            raise Failure(guest.dmesg())
        guest.leave()
        guest.enter("linux")
        guest.sh(f"[ $(cat /sys/class/net/eth0/carrier) = 1 ]; ip neigh show | grep -q {second}")


@case(seconds=60, each=({"rounds": 3}, {"rounds": 100}))
def linux_under_load(t, rounds):
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
        grows(guest, "/rounds1")
        grows(guest, "/rounds2")
        guest.sh("test ! -s /wrong")
        news = guest.dmesg()[len(known):]
        if warnings(news):
            raise Failure(f"{news}")
