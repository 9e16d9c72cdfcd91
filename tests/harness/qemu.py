# SPDX-License-Identifier: BSD-2-Clause
"""A machine in QEMU, driven over its serial line.

    with Qemu(t, firmware="uefi", cpus=1) as m:
        m.expect("alcazar> ")
        print(m.command("list"))
"""
import os
import shutil

from harness.cases import BUILD
from harness.serial import SerialMachine, make_iso

OVMF = "/usr/share/OVMF"
# One TSC tick an instruction, and every run the same to the tick. For one CPU.
ICOUNT = ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "base=2026-01-01,clock=vm"]


def by_ahci(disc):
    """A drive whose controller has DMA, which SeaBIOS uses: a kernel is loaded in half the time."""
    return ["-device", "ahci,id=ahci", "-drive", f"if=none,id=disc,media=cdrom,file={disc}",
            "-device", "ide-cd,bus=ahci.0,drive=disc,bootindex=0"]


class Qemu(SerialMachine):
    """QEMU with the demo's ISO, or with one made of `files`, `cmdline` and the image of
    another configuration's BUILD directory; iso=False: the bare machine, for `extra` to
    start something on. `com`: which serial line is driven. `resets`: a reset does not
    end it. Fewer than four CPUs, and those that run Linux, take turns in one thread:
    docs/testing.md, of FPU states.
    """

    def __init__(self, t, files=None, cmdline="", cpus=2, memory=1024, cpu="max,+svm",
                 firmware="bios", iso=True, build=BUILD, com=1, resets=False, extra=()):
        super().__init__(t)
        linux = files is None or any(name.startswith("vmlinuz") for name in files)
        in_turns = cpus <= 2 or linux
        accel = "tcg,thread=single" if in_turns else "tcg"
        command = ["qemu-system-x86_64", "-accel", accel, "-cpu", cpu, "-smp", cpus,
                   "-m", memory, "-display", "none", "-nic", "none",
                   *([] if resets else ["-no-reboot"]),
                   *(com - 1) * ["-serial", "null"], "-serial", "stdio", "-monitor", "none",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if iso:
            disc = make_iso(t, files, cmdline, build)
            command += (by_ahci(disc) if linux and files and firmware == "bios" else
                        ["-cdrom", disc, "-boot", "d"])
        if firmware == "uefi":
            variables = t.dir / "ovmf-vars.fd"
            shutil.copyfile(f"{OVMF}/OVMF_VARS_4M.fd", variables)
            t.later(variables.unlink)
            flash = "if=pflash,format=raw,unit="
            command += ["-M", "q35",
                        "-drive", f"{flash}0,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
                        "-drive", f"{flash}1,file={variables}"]
        theirs_in, self.input = os.pipe()
        self.output, theirs_out = os.pipe()
        try:
            self.start(command + list(extra), stdin=theirs_in, stdout=theirs_out)
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
