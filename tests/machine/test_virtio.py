# SPDX-License-Identifier: BSD-2-Clause
"""Debian's drivers of virtio: disks and network cards of VMs."""
import re
import time
from collections import namedtuple

from harness import Failure, Machine, case
from harness.linux import (BOOT_SECONDS, SHELL_SECONDS, Linux, initrd_with, linux_cfg,
                           linux_files)
from harness.serial import PROMPT
from test_hotplug import in_use
from test_linux import check_dmesg

GONE = "the guest has let go of it"
EXT4 = ("crc16", "mbcache", "jbd2", "crc32c_generic", "ext4")


def front(name, url):
    return f'[device "{name}"]\n  type = pci-front\n  hostdev = {url}\n'


def backend(name, kind, frontend, **keys):
    lines = "".join(f"  {key.replace('_', '-')} = {value}\n" for key, value in keys.items())
    return f'[device "{name}"]\n  type = {kind}\n  frontend = {frontend}\n{lines}'


def check(condition, text):
    if not condition:
        raise Failure(text)


def write_and_compare(guest, mib):
    """Files of a file system, against the sums of what was written, read from the disk again."""
    piece = min(8, mib // 2)
    numbers = f"$(seq {mib // piece})"
    guest.sh(f"dd if=/dev/urandom of=/tmp/a bs=1M count={piece} 2>/dev/null; "
             "mount -t ext4 /dev/vda /mnt")
    guest.sh(f"for i in {numbers}; do (echo $i; cat /tmp/a) >/mnt/$i; done")
    wanted = guest.sh(f"for i in {numbers}; do (echo $i; cat /tmp/a) | md5sum; done", timeout=1200)
    guest.sh("umount /mnt; mount -t ext4 /dev/vda /mnt", timeout=1200)
    got = guest.sh(f"for i in {numbers}; do md5sum </mnt/$i; done", timeout=1200)
    check(wanted == got and len(set(got.split("\n"))) == mib // piece + 1,
          "files are not what they were")
    guest.sh("rm /mnt/1; umount /mnt")


@case(seconds=60, each=[{"mib": 4, "cpus": 1}, {"mib": 64, "cpus": 2}, {"mib": 1024, "cpus": 1}])
def disk(t, mib, cpus):
    """ext4 on an empty disk, a read-only one with 4 KiB blocks beside it."""
    files = linux_files(cpus=cpus, memory="192M")
    files["initrd"] = initrd_with(["/sbin/mke2fs", "/sbin/e2fsck"], EXT4)
    files["linux.cfg"] += (
        front("disk0", "virtio-blk:?serial=ALC-1")
        + backend("ram0", "ramdisk", "disk0", size=f"{mib + mib // 4 + 32}M")
        + front("disk1", "virtio-blk:")
        + backend("ram1", "ramdisk", "disk1", size="1M", read_only="true", block_size=4096))
    with Machine(t, files=files, memory=mib * 5 // 4 + 512) as m:
        guest = Linux(m)
        guest.boot()
        said = guest.sh("cd /sys/block; for i in vda/serial vda/ro vdb/ro vdb/queue/logical_block_size"
                        " vda/queue/physical_block_size; do cat $i; echo; done; ls vda/mq; cd")
        check(said.split() == ["ALC-1", "0", "1", "4096", "4096"] +
              [str(i) for i in range(cpus)], f"not these disks: {said}")
        check("virtio0-req.0" in guest.sh("cat /proc/interrupts"), "no MSI-X")
        guest.sh("mkdir /mnt; " + "; ".join(f"insmod /lib/modules/{name}.ko" for name in EXT4))
        guest.sh("/opt/mke2fs -q -t ext4 /dev/vda")
        write_and_compare(guest, mib)
        guest.sh("/opt/e2fsck -fn /dev/vda")
        guest.sh("! dd if=/dev/zero of=/dev/vdb count=1 2>/dev/null")
        check_dmesg(guest)
        guest.leave()
        said = m.command("info virtio-blk")
        done = re.search(r"disk0 of linux: \d+ bytes, queues: (\d+)\n"
                         r"  (\d+) requests in (\d+) turns, 0 failed; (\d+) bytes read, (\d+)", said)
        check(done and int(done[1]) == cpus and min(int(done[4]), int(done[5])) >> 20 >= mib and
              "disk1 of linux: 1048576 bytes" in said, said)
        return f"{int(done[2]) / int(done[3]):.1f} requests a turn"


READER = "(while dd if=/dev/vda of=/dev/null bs=8M count=12 iflag=direct 2>/dev/null; do :; done) &"


def disk_cfg(name, **options):
    return (linux_cfg(name, memory="160M", **options) + front(f"{name}-disk", "virtio-blk:")
            + backend(f"{name}-ram", "ramdisk", f"{name}-disk", size="128M"))


def bytes_read(m, name):
    said = m.command("info virtio-blk")
    found = re.search(rf"{name}-disk of {name}: .*\n.* (\d+) bytes read", said)
    check(found, said)
    return int(found[1])


def reads_on(m, name):
    """The disk of a VM that reads all the time."""
    before = bytes_read(m, name)
    for _ in range(200):
        if bytes_read(m, name) > before + (4 << 20):
            return
    raise Failure(f"{name} reads no more: {m.command('info virtio-blk')}")


def boot_and_read(m, guest, readers):
    guest.boot()
    for _ in range(readers):
        guest.sh(READER)


@case(seconds=100, each=[{"cpus": 1}, {"cpus": 2}])
def ends_while_it_reads(t, cpus):
    """A VM is reset, goes off and loses its disk while that has requests: the shell answers, the
    disk of another VM goes on, and nothing is left behind."""
    files = linux_files()
    files["linux.cfg"] = disk_cfg("linux", cpus=cpus)
    files["b.cfg"] = disk_cfg("b", autostart=False, console=False)
    with Machine(t, files=files, cpus=cpus, memory=640) as m:
        guest = Linux(m)
        boot_and_read(m, guest, 6)
        m.send("echo b >/proc/sysrq-trigger\r")
        m.expect("This is Linux", timeout=BOOT_SECONDS)
        boot_and_read(m, guest, 6)
        guest.leave()
        m.command("start b")
        m.command("console b", prompt="prompt --\n")
        boot_and_read(m, guest, 1)
        guest.leave()
        reads_on(m, "linux")
        m.command("console linux", prompt="prompt --\n")
        m.send("echo o >/proc/sysrq-trigger\r")
        m.expect_all(r"vm linux: stopped", r"back at the alcazar> prompt --\n(?:\[.*\n)*" + PROMPT,
                     timeout=SHELL_SECONDS)
        reads_on(m, "b")
        before = in_use(m)
        m.command("start linux")
        m.command("console linux", prompt="prompt --\n")
        boot_and_read(m, guest, 6)
        guest.leave()
        reads_on(m, "linux")
        m.send("device_del linux linux-disk\r")
        m.expect(GONE, timeout=SHELL_SECONDS)
        reads_on(m, "b")
        guest.enter("linux")
        guest.sh("wait; ! test -e /dev/vda")
        guest.leave()
        m.command("destroy linux")
        reads_on(m, "b")
        after = in_use(m)
        check(before == after, f"{before} in use before, {after} after")


Host = namedtuple("Host", "name address")
A, B = Host("a", "10.0.0.1"), Host("b", "10.0.0.2")


def net_cfg(host, **options):
    return (linux_cfg(host.name, memory="160M", **options) + front("net0", "virtio-net:")
            + backend("port0", "switch", "net0", switch="lan"))


def enter_network(guest, host, queues):
    guest.sh(f"ip addr add {host.address}/24 dev eth0; ip link set eth0 up")
    guest.sh("yes Alcazar | head -c 4194304 >/tmp/a")
    said = guest.sh("ls /sys/class/net/eth0/queues; cat /sys/class/net/eth0/mtu")
    wanted = [f"rx-{i}" for i in range(queues)] + [f"tx-{i}" for i in range(queues)] + ["1500"]
    check(said.split() == wanted, f"not this card: {said}")


def transfer(guest, sender, receiver, mib):
    """From one VM to the other, over TCP: the sums are one. No shell is attached."""
    data = f"for i in $(seq {mib // 4}); do cat /tmp/a; done"
    guest.enter(receiver.name)
    # Whoever of the two first finds the end of what is typed ends it for both.
    guest.sh("rm -f /tmp/sum; (sleep 9999 | nc -l -p 5000 | md5sum >/tmp/sum) &")
    guest.leave()
    guest.enter(sender.name)
    wanted = guest.sh(f"({data}) | md5sum", timeout=600)
    guest.sh(f"({data}) | nc {receiver.address} 5000", timeout=600)
    guest.leave()
    guest.enter(receiver.name)
    got = guest.sh("while [ ! -s /tmp/sum ]; do sleep 1; done; cat /tmp/sum", timeout=600)
    guest.sh("killall sleep")
    guest.leave()
    check(wanted == got, f"{wanted} was sent, {got} received")


@case(seconds=80, each=[{"mib": 4, "pings": 50}, {"mib": 256, "pings": 400}])
def network(t, mib, pings):
    """Two VMs at a switch, of which one has two pairs of queues: no ping is lost, TCP is what was
    sent, and hardly a segment was cut or summed by us."""
    files = linux_files()
    files["linux.cfg"] = net_cfg(A, cpus=2)
    files["b.cfg"] = net_cfg(B, console=False)
    with Machine(t, files=files, cpus=2, memory=768) as m:
        guest = Linux(m)
        guest.boot()
        enter_network(guest, A, 2)
        guest.leave()
        guest.enter(B.name)
        guest.sh("stty cols 999; dmesg -n 1")
        enter_network(guest, B, 1)
        said = guest.sh(f"ping -c {pings} -i 0.05 {A.address}", timeout=600)
        check(f"{pings} packets received, 0% packet loss" in said, said)
        check_dmesg(guest)
        guest.leave()
        transfer(guest, A, B, mib)
        transfer(guest, B, A, mib)
        said = m.command("info switch")
        moved = [int(number) for number in re.findall(r"sent +\d+ frames +(\d+) bytes", said)]
        check(len(moved) == 2 and min(moved) > mib << 20, said)
        check(said.count(" 0 summed or cut") == 2 and said.count("offload 0,") == 2, said)
        said = m.command("info virtio-net")
        check(said.count("link up") == 2 and "pairs of queues: 2 of 2" in said and
              said.count(" 0 that were none") == 2, said)


@case(seconds=60)
def iperf(t):
    """Both ways between two VMs, over TCP."""
    files = linux_files()
    files["initrd"] = initrd_with(["/usr/bin/iperf3"])
    files["linux.cfg"] = net_cfg(A)
    files["b.cfg"] = net_cfg(B, console=False)
    with Machine(t, files=files, cpus=2, memory=768) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh(f"ip addr add {A.address}/24 dev eth0; ip link set eth0 up; ip link set lo up")
        guest.leave()
        guest.enter(B.name)
        guest.sh(f"ip addr add {B.address}/24 dev eth0; ip link set eth0 up; ip link set lo up")
        guest.sh("/opt/iperf3 -s -D")
        guest.leave()
        guest.enter(A.name)
        moved = []
        for way in ("", "-R"):
            said = guest.sh(f"/opt/iperf3 -c {B.address} -t 3 -f k {way}", timeout=120)
            rate = re.search(r"([\d.]+) Kbits/sec +receiver", said)
            check(rate and float(rate[1]) > 1000, said)
            moved.append(f"{float(rate[1]) / 1000:.0f}")
        check_dmesg(guest)
        return " and ".join(moved) + " Mbit/s"


# Pings as soon and as long as there is a card; a line in /tmp/pings for each answer.
PINGER = ("(while :; do ip addr add {me}/24 dev eth0; ip link set eth0 up && "
          "ping -c 50 -i 0.02 {peer} >>/tmp/pings; sleep 0.02; done) 2>/dev/null &")


def plug_and_pull(m, name):
    """A card comes, is pinged through, and goes while it is."""
    m.command(f"device_add a pci-front,id={name},hostdev=virtio-net:,addr=9")
    m.command(f"device_add a switch,id={name}port,frontend={name},switch=lan")
    deadline = time.monotonic() + 60 * m.patience
    while time.monotonic() < deadline:
        said = m.command("info switch")
        frames = re.search(rf"{name}port.*\n(?:.*\n)*?.*received +(\d+) frames", said)
        check(frames, said)
        if int(frames[1]) >= 20:
            break
        time.sleep(0.1)
    else:
        raise Failure(f"nobody pings: {said}")
    said = m.command(f"device_del a {name}")
    if GONE not in said:
        m.expect(GONE, timeout=60)
    m.command(f"device_del a {name}port")


@case(seconds=60, each=[{"rounds": 4}, {"rounds": 100}])
def plugged_under_ping(t, rounds):
    """A network card comes and goes while the guest pings through it; nothing is left behind."""
    files = linux_files()
    files["linux.cfg"] = linux_cfg(A.name, memory="160M")
    files["b.cfg"] = net_cfg(B, console=False)
    with Machine(t, files=files, cpus=2, memory=768) as m:
        guest = Linux(m)
        guest.boot()
        guest.leave()
        guest.enter(B.name)
        guest.sh(f"stty cols 999; ip addr add {B.address}/24 dev eth0; ip link set eth0 up")
        guest.leave()
        guest.enter(A.name)
        guest.sh("for m in $(cat /etc/modules); do insmod /lib/modules/$m.ko; done")
        guest.sh(PINGER.format(me=A.address, peer=B.address))
        guest.leave()
        plug_and_pull(m, "card")  # drivers come, tables that stay are made
        before = in_use(m)
        for _ in range(rounds):
            plug_and_pull(m, "card")
        after = in_use(m)
        check(before == after, f"{before} in use before, {after} after {rounds} rounds")
        guest.enter(A.name)
        answers = int(guest.sh("grep -c ' bytes from ' /tmp/pings").split()[0])
        check(answers >= rounds, f"{answers} pings were answered")
        guest.sh("! test -e /sys/class/net/eth0")
        check_dmesg(guest)
        guest.leave()
        return f"{answers} pings answered"
