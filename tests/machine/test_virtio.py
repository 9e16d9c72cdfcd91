# SPDX-License-Identifier: BSD-2-Clause
"""Debian's drivers of virtio: disks and network cards of VMs."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, initrd_with, linux_cfg, linux_files
from test_linux import check_dmesg

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
    guest.sh("dd if=/dev/urandom of=/tmp/a bs=1M count=8 2>/dev/null; mount -t ext4 /dev/vda /mnt")
    guest.sh(f"for i in $(seq {mib // 8}); do (echo $i; cat /tmp/a) >/mnt/$i; done")
    wanted = guest.sh(f"for i in $(seq {mib // 8}); do (echo $i; cat /tmp/a) | md5sum; done",
                      timeout=1200)
    guest.sh("umount /mnt; mount -t ext4 /dev/vda /mnt", timeout=1200)
    got = guest.sh(f"for i in $(seq {mib // 8}); do md5sum </mnt/$i; done", timeout=1200)
    check(wanted == got and len(set(got.split("\n"))) == mib // 8 + 1, "files are not what they were")
    guest.sh("rm /mnt/1; umount /mnt")


@case(seconds=60, each=[{"mib": 64, "cpus": 2}, {"mib": 1024, "cpus": 1}])
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
        said = m.command("info memory")
        return f"{mib} MiB written and read"


def net_cfg(name, **options):
    return (linux_cfg(name, memory="160M", **options) + front("net0", "virtio-net:")
            + backend("port0", "switch", "net0", switch="lan"))


def transfer(guest, m, sender, receiver, address, mib):
    """From the VM whose shell this is to the other, over TCP: the sums are one."""
    guest.leave()
    guest.enter(receiver)
    guest.sh("nc -l -p 5000 </dev/null | md5sum >/tmp/sum &")
    guest.leave()
    guest.enter(sender)
    sent = guest.sh(f"for i in $(seq {mib // 4}); do cat /tmp/a; done | tee /tmp/pipe | "
                    f"nc {address} 5000; md5sum </tmp/sent", timeout=600)
    guest.leave()
    guest.enter(receiver)
    got = guest.sh("while [ ! -s /tmp/sum ]; do sleep 1; done; cat /tmp/sum", timeout=600)
    check(sent == got, f"{sent} was sent, {got} received")


@case(seconds=80, each=[{"mib": 32, "pings": 100}])
def network(t, mib, pings):
    """Two VMs at a switch."""
    files = linux_files()
    files.pop("linux.cfg")
    files["a.cfg"] = net_cfg("a")
    files["b.cfg"] = net_cfg("b", console=False)
    with Machine(t, files=files, cpus=2, memory=768) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up")
        guest.leave()
        guest.enter("b")
        guest.sh("stty cols 999; dmesg -n 1; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up")
        said = guest.sh(f"ping -c {pings} -i 0.05 10.0.0.1", timeout=300)
        check(re.search(rf"{pings} packets received, 0% packet loss", said), said)
        print(guest.sh("ip addr; cat /proc/interrupts; ethtool -k eth0 || true; ls /sys/class/net/eth0/queues"))
        guest.sh("dd if=/dev/urandom of=/tmp/a bs=1M count=4 2>/dev/null")
        check_dmesg(guest)
        guest.leave()
        print(m.command("info switch"))
