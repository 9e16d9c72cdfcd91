# SPDX-License-Identifier: BSD-2-Clause
"""Host devices behind PCI's front-end, from the administrator's side."""
import re

from harness import Failure, Machine, case
from harness.serial import PROMPT
from test_guests import front_cfg, guest_files

SECONDS = 120
# What is refused, and what the log says of it.
REFUSED = (
    ("hostdev=ghost:", r"bad: hostdev: 'ghost:': no host device of that scheme"),
    ("hostdev=edu", r"bad: hostdev: 'edu': expected a host device's URL"),
    ("hostdev=edu:?mask=1", r"bad: hostdev: 'mask' is no argument of it: expected dma_mask"),
    ("hostdev=edu:,addr=3", r"bad: wants PCI function 03.0, which is device test0's"),
    ("hostdev=edu:,addr=3.9", r"bad: key addr: '3.9': expected DEVICE.FUNCTION"),
    ("hostdev=edu:,bus=pci7", r"bus: device bad needs device pci7"),
    ("hostdev=edu:,rom=module:x", r"bad: rom: expected on, off or module:NAME"),
)


def ask(m, command, expected):
    said = m.command(command, SECONDS)
    if not re.search(expected, said):
        raise Failure(f"`{command}` says: {said}")
    return said


@case(seconds=6)
def shell(t):
    """What is shown, what is refused, and what comes and goes."""
    devices = (front_cfg("edu0", "edu:?dma_mask=0xffff") + front_cfg("empty", "null:", addr=9)
               + front_cfg("test0", "testdev:?big=8G", addr=3, rom="off"))
    files = guest_files("echo", console=False, more=devices)
    with Machine(t, files=files) as m:
        m.expect(r"nobody is there: slot 09.0 stays empty", SECONDS)
        m.expect(PROMPT, SECONDS)
        shown = ask(m, "info hostdevs", r"edu0 of guest: edu:\?dma_mask=0xffff at 00:[0-9a-f]+.0\n"
                                        r" +region 0 +0x100000 bytes of memory\n")
        for expected in (r"empty of guest: null: at nowhere",
                         r"test0 of guest: testdev:\?big=8G at 00:03.0",
                         r"region 1 +0x40 bytes of ports\n",
                         r"region 2 +0x200000000 bytes of memory, 64-bit, prefetchable\n"):
            if not re.search(expected, shown):
                raise Failure(f"no {expected} in: {shown}")
        before = m.command("info devices guest", SECONDS)
        for keys, why in REFUSED:
            ask(m, f"device_add pci-front,id=bad,{keys}", r"failed \(error")
            ask(m, "dmesg", why)
        ask(m, "device_add pci-front,id=more,hostdev=edu:,dma=0x200000+64K", "vm guest has device more")
        ask(m, "info hostdevs", r"more of guest: edu: at 00:.*\n(  [rc].*\n)+"
                                r"  DMA +0x10000 bytes from 0x200000 on\n")
        ask(m, "device_del test0", "no device test0 any more")
        ask(m, "device_add pci-front,id=test0,hostdev=testdev:?big=8G,addr=3,rom=off", "has device")
        ask(m, "device_del more", "no device more any more")
        if sorted(m.command("info devices guest", SECONDS).split("\n")) != sorted(
                before.split("\n")):
            raise Failure(f"the devices are not as before: {before}")
        m.command("destroy guest", SECONDS)
        ask(m, "info hostdevs", "no host device is open")
