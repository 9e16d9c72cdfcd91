# SPDX-License-Identifier: BSD-2-Clause
"""VMs that are saved, destroyed and restored: they go on as if nothing had been."""
from harness import Failure, Machine, case
from harness.linux import LEAVE, Linux, linux_files
from harness.serial import PROMPT
from test_guests import GUESTS, guest_cfg, verdict

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
    with Machine(t, files=files) as m:
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


@case(seconds=30)
def linux_goes_on(t):
    """With a shell that counts; a second one from the same checkpoint, under another name."""
    files = linux_files(memory="128M")
    files["linux.cfg"] = without_pci(files["linux.cfg"])
    with Machine(t, files=files) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("md5sum /bin/busybox > /sum")
        guest.sh("(i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.1; done) &")
        guest.sh("sleep 1")
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
            news = guest.dmesg()[len(known):]
            if any(level <= 4 for level, _ in news):
                raise Failure(f"{vm}: {news}")
            guest.leave()
