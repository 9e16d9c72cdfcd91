# SPDX-License-Identifier: BSD-2-Clause
"""A machine in Bochs, driven as one in QEMU is. Bochs emulates VT-x, and SVM closer to
real CPUs than QEMU does; one TSC tick is one instruction.

Its clock is its instructions': a second is `ips` of them, whatever the wall's clock says,
and it paces the serial line by the baud rate in that time. Few instructions a second make
short waits; a second of a VM's is over the sooner, too. The screen is served to VNC
viewers at the first free port from 5900 on, so several run side by side.
"""
import contextlib
import fcntl
import os
import re
import socket

from harness.cases import BUILD, LOGS
from harness.serial import DEMO, UNPACKED, SerialMachine, make_iso

CONFIG = """\
plugin_ctrl: speaker=0
config_interface: textconfig
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot
vgaromimage: file=/usr/share/vgabios/vgabios.bin
memory: guest={memory}, host={host_memory}
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0
clock: sync=none, time0=1767225600
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com{com}: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
log: {log}
panic: action=fatal{cpus_report}
error: action=report
info: action=report
debug: action=ignore
"""
# What every exit of a guest that it runs well writes into Bochs's log.
USUAL = re.compile(r"SVM VMEXIT: |^\d+[id]\[|lt_dlhandle")
OFF = "ACPI control: soft power off"
# Instructions a second. Linux's clock ticks 250 times in one; a tick is some 10 000 of them.
IPS, LINUX_IPS = 20000000, 100000000
# What Linux is told where Bochs is at fault. Its XSAVEC puts what follows the SSE registers 160
# bytes before where its XRSTOR looks for it: a process that is interrupted loses the upper
# halves of YMM0-15 and all of ZMM16-31, which is what glibc copies memory with there.
LINUX_ARGUMENTS = {"corei7_skylake_x": "clearcpuid=xsavec"}
# What we are told with Linux: of VT-x's virtual interrupts Bochs delivers those that RFLAGS.IF holds
# back when one of the machine's comes (machine/guests/runs[held), and Linux has x2APIC.
LINUX_CMDLINE = {"corei7_haswell_4770": "apicv=no", "corei7_skylake_x": "apicv=no"}


def for_linux(files, model):
    """The files of an ISO, with what this CPU's faults make Linux need, and a kernel that is unpacked
    already."""
    more = LINUX_ARGUMENTS.get(model)
    if files:
        files = {name: UNPACKED if file == DEMO / "vmlinuz" else file
                 for name, file in files.items()}
    if not more:
        return files
    if files is None:
        files = {name: DEMO / name for name in ("demo.cfg", "vmlinuz", "initrd")}
    changed = dict(files)
    for name, file in files.items():
        text = file.read_text() if isinstance(file, os.PathLike) and name.endswith(".cfg") else file
        if isinstance(text, str) and "vmlinuz" in text:
            changed[name] = re.sub(r"(?m)^( *cmdline *=.*)$", rf"\1 {more}", text)
    return changed


def guest_may_fault(model, cpus):
    """With SVM a guest's triple fault is a panic of Bochs's, which stops it at its debugger,
    before it is an exit. Our own hangs it then: with VT-x, Bochs ends."""
    return "" if model.startswith("core") else "".join(f", cpu{n}=report" for n in range(cpus))


@contextlib.contextmanager
def _alone():
    """While no other Bochs starts: two that take the same port for their screens at the same time end
    with "could not bind any port"."""
    with open(LOGS / "bochs.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Bochs(SerialMachine):
    """Bochs with the demo's ISO, or with one made of `files`, `cmdline` and the image of
    another configuration's BUILD directory. `com`: which serial line is driven. A reset
    does not end it, and the CPUs take turns always."""

    keeps_time = False

    # Every instruction is interpreted: what it waits for may take longer.
    patience = 3

    def __init__(self, t, model, files=None, cmdline="", cpus=1, memory=1024, build=BUILD,
                 com=1, resets=True, firmware="bios", ips=None):
        assert resets and firmware == "bios"
        super().__init__(t)
        ips = ips or (LINUX_IPS if files is None or "vmlinuz" in files else IPS)
        if files is None or "vmlinuz" in files:
            cmdline = f"{cmdline} {LINUX_CMDLINE.get(model, '')}".strip()
        self.bochs_log = t.dir / "bochs.log"
        with socket.create_server(("127.0.0.1", 0)) as server:
            # Before that it compares the names of its memory's blocks, each with all.
            server.settimeout(120 * max(1, memory / 1024))
            (t.dir / "bochsrc").write_text(CONFIG.format(
                memory=memory, host_memory=min(memory, 2048), model=model, cpus=cpus, ips=ips,
                com=com, port=server.getsockname()[1], iso=make_iso(t, for_linux(files, model), cmdline, build),
                log=self.bochs_log,
                cpus_report=guest_may_fault(model, cpus)))
            (t.dir / "go.dbg").write_text("continue\n" * 10000)
            try:
                with open(os.devnull, "r+b") as null, _alone():
                    self.start(["bochs", "-q", "-f", t.dir / "bochsrc", "-rc", t.dir / "go.dbg"],
                               stdin=null, stdout=null)
                    line, _ = server.accept()
            except TimeoutError:
                self.input, self.output = os.open(os.devnull, os.O_WRONLY), os.open(
                    os.devnull, os.O_RDONLY)
                raise self._failure("Bochs did not open its serial line") from None
        self.input = line.detach()
        self.output = os.dup(self.input)

    def _log_tail(self):
        if not self.bochs_log.exists():
            return ""
        with open(self.bochs_log, "rb") as log:
            log.seek(max(0, self.bochs_log.stat().st_size - (1 << 20)))
            return log.read().decode("utf-8", errors="replace")

    def _complaints(self, last=25):
        """The last lines of Bochs's log that say something: rules of VMRUN and of VM entry
        that were broken, a CPU's triple fault."""
        lines = self._log_tail().splitlines()
        return "\n".join([line for line in lines if not USUAL.search(line)][-last:])

    def close(self):
        super().close()
        # Millions of exits make it long.
        if self.bochs_log.exists() and self.bochs_log.stat().st_size > 1 << 20:
            self.bochs_log.write_text(self._complaints(1000))

    def _failure(self, why):
        failure = super()._failure(why)
        failure.args = (f"{failure}\nBochs says:\n{self._complaints()}",)
        return failure

    def wait(self, timeout=60):
        """As QEMU's. Bochs ends with 1 whatever happened; its log tells."""
        super().wait(timeout)
        return 0 if OFF in self.bochs_log.read_text(errors="replace") else 1
