# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with a config or an image is said in a line, and the rest goes on."""
import re

from harness import Failure, Machine, case
from harness.serial import DEMO

from test_guests import GUESTS, guest_cfg

VM = '[vm "{0}"]\n  memory = {1}\n  autostart = true\n[boot]\n  kernel = module:{2}\n'

# File, config, what the console must say of it.
BAD = [
    ("key.cfg", VM.format("key", "16M", "smoke.elf") + "  colour = red\n",
     r"key\.cfg:6: colour: .*expected"),
    ("cpus.cfg", '[vm "cpus"]\n  cpus = 99\n  memory = 16M\n', r"cpus\.cfg:2: cpus: .*1 to 16"),
    ("syntax.cfg", '[vm "syntax"\n', r"syntax\.cfg:1: "),
    ("type.cfg", VM.format("type", "16M", "smoke.elf") + '[device "x"]\n  type = nonsense\n',
     r"type\.cfg:\d+: .*nonsense"),
    ("gone.cfg", VM.format("gone", "16M", "gone.elf"), r"gone\.cfg:5: kernel: .*gone\.elf"),
    ("junk.cfg", VM.format("junk", "16M", "junk"), r"vm junk: .*junk.* no kernel"),
    ("short.cfg", VM.format("short", "256M", "short.bz"), r"vm short: .*cut short"),
    ("large.cfg", VM.format("large", "64G", "smoke.elf"), r"vm large: .*(memory|missing)"),
    ("small.cfg", VM.format("small", "16M", "vmlinuz"), r"vm small: .*vmlinuz needs \d+ KiB"),
    ("initrd.cfg", VM.format("initrd", "96M", "vmlinuz") + "  initrd = module:big\n",
     r"vm initrd: initrd big .*does not fit"),
]


@case(seconds=20)
def named_and_survived(t):
    files = {name: text for name, text, _ in BAD}
    files |= {"good.cfg": guest_cfg("smoke", vm="good"), "smoke.elf": GUESTS / "smoke.elf",
              "junk": bytes(range(256)) * 64, "vmlinuz": DEMO / "vmlinuz",
              "short.bz": (DEMO / "vmlinuz").read_bytes()[:1000000], "big": bytes(64 << 20)}
    with Machine(t, files=files) as m:
        m.expect(r"vm good: exit code 0", timeout=300)
        m.expect(r"vm small: not started", timeout=300)
        m.expect(r"alcazar> ", timeout=60)
        log = m.command("dmesg", timeout=60)
        unsaid = [name for name, _, said in BAD if not re.search(said, log)]
        if unsaid:
            raise Failure(f"nothing clear is said of {', '.join(unsaid)}:\n{log}")
        if "nobody" not in m.command("start nobody"):
            raise Failure("start does not name the VM that is not there")


@case(seconds=6)
def no_module_at_all(t):
    with Machine(t, files={}) as m:
        m.expect(r"alcazar> ", timeout=60)
        if "No VM" not in m.command("list"):
            raise Failure("list does not say that there is no VM")
