# SPDX-License-Identifier: BSD-2-Clause
"""Booting over the network as docs/testbed.md has it, from QEMU's own server."""
import re
import shutil

from harness import BUILD, ROOT, Failure, case, run_tool
from harness.qemu import Qemu
from test_guests import GUESTS, guest_cfg

SECONDS = 240
CORES = {"bios": "grub/i386-pc/core.0", "uefi": "grub/x86_64-efi/core.efi"}


def server(t):
    """A folder with what the document puts there, but for a small guest in Linux's place."""
    text = (ROOT / "docs/testbed.md").read_text(encoding="utf-8")
    menu = re.search(r"^`/srv/tftp/grub/grub\.cfg`.*?^```\n(.*?)^```", text, re.M | re.S).group(1)
    root = t.dir / "tftp"
    shutil.rmtree(root, ignore_errors=True)
    t.later(lambda: shutil.rmtree(root))
    (root / "alcazar").mkdir(parents=True)
    run_tool(t, "grub-mknetdir", f"--net-directory={root}", "--subdir=grub")
    (root / "grub/grub.cfg").write_text(menu)
    run_tool(t, "strip", "-g", "-o", root / "alcazar/alcazar.elf", BUILD / "alcazar.elf")
    shutil.copy(GUESTS / "smoke.elf", root / "alcazar/vmlinuz")
    (root / "alcazar/initrd").write_bytes(b"nothing")
    (root / "alcazar/vm.cfg").write_text(
        guest_cfg("smoke").replace("module:smoke.elf", "module:vmlinuz"))
    for name in CORES.values():
        if name not in text:
            raise Failure(f"docs/testbed.md does not name {name}")
    return root


@case(seconds=20, each=[{"firmware": "bios"}, {"firmware": "uefi"}],
      qemu_alone="it has a server to boot from")
def pxe(t, firmware):
    net = f"user,id=net,tftp={server(t)},bootfile={CORES[firmware]}"
    with Qemu(t, iso=False, firmware=firmware,
              extra=["-netdev", net, "-device", "e1000,netdev=net", "-boot", "n"]) as m:
        m.expect(r"command line 'console=com1'", SECONDS)
        m.expect(r"(\d+) passed, 0 failed", SECONDS)
