# SPDX-License-Identifier: BSD-2-Clause
"""What Debian's lspci says of projected devices: what their documents say."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, initrd_with, linux_files
from test_linux import check_dmesg

URLS = ("edu:", "testdev:", "virtio-blk:", "virtio-net:", "virtio-console:", "virtio-rng:")


def virtio(vectors, config_size):
    """The layout of docs/virtio.md: four structures, the window to them, MSI-X."""
    config = ([rf"Vendor Specific Information: VirtIO: DeviceCfg\n\t\tBAR=0 offset=00002000 "
               rf"size={config_size:08x}\n"] if config_size else [])
    return [
        r"Region 0: Memory at \w+ \(64-bit, non-prefetchable\) \[size=16K\]",
        r"Region 2: Memory at \w+ \(32-bit, non-prefetchable\) \[size=4K\]",
        r"Vendor Specific Information: VirtIO: CommonCfg\n\t\tBAR=0 offset=00000000 size=00000040\n",
        r"Vendor Specific Information: VirtIO: ISR\n\t\tBAR=0 offset=00001000 size=00000001\n",
        *config,
        r"Vendor Specific Information: VirtIO: Notify\n\t\tBAR=0 offset=00003000 size=\w+ "
        r"multiplier=00000004\n",
        rf"MSI-X: Enable\+ Count={vectors} Masked-\n\t\tVector table: BAR=2 offset=00000000\n"
        rf"\t\tPBA: BAR=2 offset=00000800\n",
        r"Kernel driver in use: virtio-pci\n",
    ]


# By vendor and device: its class, and what is said of it.
DEVICES = {
    # QEMU's docs/specs/edu.rst.
    "1234:11e8": ("00ff", [
        r"\(rev 10\)",
        r"Interrupt: pin A routed to IRQ \d+\n",
        r"Region 0: Memory at \w+ \(32-bit, non-prefetchable\) \[size=1M\]",
        r"MSI: Enable- Count=1/1 Maskable- 64bit\+",
    ]),
    # docs/testdev.md.
    "1234:7e57": ("ff00", [
        r"Interrupt: pin A routed to IRQ \d+\n",
        r"Region 0: Memory at \w+ \(32-bit, non-prefetchable\) \[size=4K\]",
        r"Region 1: I/O ports at \w+ \[size=64\]",
        r"Region 2: Memory at \w{9,} \(64-bit, prefetchable\) \[size=64K\]",
        r"Region 4: Memory at \w+ \(32-bit, prefetchable\) \[size=16K\]",
        r"Region 5: Memory at \w+ \(32-bit, non-prefetchable\) \[size=64K\]",
        r"Expansion ROM at \w+ \[disabled\] \[size=4K\]",
        r"Vendor Specific Information: Len=10",
        r"Power Management version 3\n",
        r"Status: D0 ",
        r"MSI: Enable- Count=1/4 Maskable\+ 64bit\+",
        r"MSI-X: Enable- Count=8 Masked-\n\t\tVector table: BAR=5 offset=00000000\n"
        r"\t\tPBA: BAR=5 offset=00008000\n",
    ]),
    "1af4:1042": ("0180", virtio(2, 0x40)),
    "1af4:1041": ("0200", virtio(4, 0xc)),
    "1af4:1043": ("0780", virtio(11, 0xc)),
    "1af4:1044": ("00ff", virtio(2, 0)),
}


@case(seconds=20)
def shows_each_device(t):
    files = linux_files(memory="192M")
    files["initrd"] = initrd_with(["/usr/bin/lspci"])
    for i, url in enumerate(URLS):
        files["linux.cfg"] += f'[device "d{i}"]\n  type = pci-front\n  hostdev = {url}\n'
    with Machine(t, files=files) as m:
        guest = Linux(m)
        guest.boot()
        said = guest.sh("/opt/lspci -nvv 2>/dev/null")
        shown = {found[2]: found for found in
                 re.finditer(r"^00:\w\w\.\d (\w{4}): (\w{4}:\w{4}).*\n(?:\t.*\n)*", said + "\n", re.M)}
        for ids, (kind, wanted) in DEVICES.items():
            if ids not in shown or shown[ids][1] != kind:
                raise Failure(f"no {ids} of class {kind}: {said}")
            for pattern in wanted:
                if not re.search(pattern, shown[ids][0]):
                    raise Failure(f"{ids}: no {pattern} in {shown[ids][0]}")
        check_dmesg(guest)
        return f"{sum(len(wanted) for _, wanted in DEVICES.values())} properties"
