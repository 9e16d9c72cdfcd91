# SPDX-License-Identifier: BSD-2-Clause
"""Linux with Debian's own drivers on virtio-console and virtio-rng."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, linux_cfg, linux_files

BUS = '[device "pci0"]\n  type = pci\n'
VIRTIO_ID = "0x1af4"
DEVICES = """
[device "hvc0"]
  type = pci-front
  addr = 4
  hostdev = virtio-console:?ports=3
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
  hostdev = virtio-rng:
"""


def machine_files(devices, **options):
    return {**linux_files(**options), "linux.cfg": linux_cfg(**options) + devices}


def check(condition, text):
    if not condition:
        raise Failure(text)


def check_bound(guest, count):
    """As many virtio devices with drivers, and none of the latter complained."""
    found = guest.sh("ls -d /sys/bus/virtio/devices/*/driver | wc -l")
    check(int(found) == count, f"{found.strip()} virtio devices have drivers, not {count}")
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


@case(seconds=40, each=[{"interrupts": "msix"}, {"interrupts": "intx"}],
      qemu_alone="devices that no vendor has a part in")
def linux_binds(t, interrupts):
    cmdline = "console=ttyS0 quiet" + (" pci=nomsi" if interrupts == "intx" else "")
    with Machine(t, files=machine_files(DEVICES, cmdline=cmdline)) as m:
        guest = Linux(m)
        guest.boot()
        check_bound(guest, 2)
        lines = guest.sh("grep virtio /proc/interrupts || true")
        check(("MSI" in lines) == (interrupts == "msix"), f"interrupts: {lines}")
        check_rng(guest)
        check_console(guest, m)
        check_port(guest)
