# SPDX-License-Identifier: BSD-2-Clause
"""Linux with Debian's own drivers on virtio-console and virtio-rng."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, linux_cfg, linux_files

PACKED = 34  # feature bit: VIRTIO_F_RING_PACKED
DEVICES = """
[device "hvc0"]
  type = pci-front
  addr = 4
  hostdev = virtio-console:?ports=3&packed=PACKED
[device "hvc0-log"]
  type = char-log
  frontend = hvc0
[device "agent"]
  type = virtio-port
  console = hvc0
  name = org.alcazar.agent
[device "agent-end"]
  type = char-pair
  frontend = agent
  name = cable
[device "com2"]
  type = uart16550
  io = 0x2f8
  irq = 3
[device "com2-end"]
  type = char-pair
  frontend = com2
  name = cable
[device "rng0"]
  type = pci-front
  addr = 5
  hostdev = virtio-rng:?packed=PACKED
"""


def machine_files(devices, **options):
    return {**linux_files(**options), "linux.cfg": linux_cfg(**options) + devices}


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_bound(guest, packed):
    """Both have drivers, which use queues of that format and did not complain."""
    features = guest.sh("for d in /sys/bus/virtio/devices/*; do test -e $d/driver && cat $d/features; done")
    bits = [line[PACKED] for line in features.split()]
    check(bits == ["1" if packed == "on" else "0"] * 2, f"drivers and features: {features}")
    said = guest.sh("dmesg | grep -iE 'virtio|hvc|hwrng' || true")
    check(not re.search(r"error|fail|warn|unable|bad|invalid", said, re.I), f"dmesg: {said}")


def check_rng(guest):
    """It is the kernel's source, and gives what cannot be packed."""
    current = guest.sh("cat /sys/class/misc/hw_random/rng_current")
    check(current.startswith("virtio_rng"), f"the source is {current}")
    guest.sh("dd if=/dev/hwrng of=/tmp/random bs=4096 count=16 iflag=fullblock 2>/dev/null")
    size, packed = guest.sh("wc -c </tmp/random; gzip -c /tmp/random | wc -c").split()
    check(int(size) == 65536 and int(packed) > 65536, f"{size} bytes, {packed} when packed")
    sums = guest.sh("for i in 1 2; do dd if=/dev/hwrng bs=64 count=1 2>/dev/null | md5sum; done")
    check(len(set(sums.split("\n")[:2])) == 2, f"it says the same twice: {sums}")


def check_console(guest, m):
    """hvc0 is a terminal, and what goes there is in the log."""
    guest.sh("(sleep 2; echo hello from hvc0 >/dev/hvc0) &")
    m.expect(r"hvc0-log: hello from hvc0\n")
    guest.sh("stty -F /dev/hvc0 >/dev/null")


def check_port(guest):
    """A port by its name, both ways, with a serial line at the other end of the cable."""
    guest.sh("cat /sys/class/virtio-ports/vport*p1/name | grep -qx org.alcazar.agent")
    guest.sh("mknod /tmp/port c $(sed 's/:/ /' /sys/class/virtio-ports/vport*p1/dev)")
    guest.sh("stty -F /dev/ttyS1 raw -echo 115200")
    guest.sh("timeout 20 head -n 1 /dev/ttyS1 >/tmp/heard & sleep 1; echo from the port >/tmp/port; "
             "wait; grep -qx 'from the port' /tmp/heard")
    guest.sh("timeout 20 head -n 1 /tmp/port >/tmp/heard & sleep 1; echo to the port >/dev/ttyS1; "
             "wait; grep -qx 'to the port' /tmp/heard")


def check_hot_plug(guest, m):
    """A port that comes while the guest runs, and goes."""
    guest.leave()
    m.command("device_add virtio-port,id=late,console=hvc0,port=2,name=late")
    guest.enter("linux")
    guest.sh("for i in $(seq 50); do grep -qx late /sys/class/virtio-ports/vport*p2/name && break; "
             "sleep 0.1; done; grep -x late /sys/class/virtio-ports/vport*p2/name")
    guest.leave()
    m.command("device_del late")
    guest.enter("linux")
    guest.sh("for i in $(seq 50); do ls -d /sys/class/virtio-ports/vport*p2 || break; sleep 0.1; "
             "done; ! ls -d /sys/class/virtio-ports/vport*p2")


@case(seconds=40, each=[{"interrupts": "msix", "packed": "on"},
                        {"interrupts": "intx", "packed": "off"}],
      qemu_alone="devices that no vendor has a part in")
def linux_binds(t, interrupts, packed):
    cmdline = "console=ttyS0 quiet" + (" pci=nomsi" if interrupts == "intx" else "")
    with Machine(t, files=machine_files(DEVICES.replace("PACKED", packed), cmdline=cmdline)) as m:
        guest = Linux(m)
        guest.boot()
        check_bound(guest, packed)
        lines = guest.sh("grep virtio /proc/interrupts || true")
        check(("MSI" in lines) == (interrupts == "msix"), f"interrupts: {lines}")
        check_rng(guest)
        check_console(guest, m)
        check_port(guest)
        check_hot_plug(guest, m)
