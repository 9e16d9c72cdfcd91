# SPDX-License-Identifier: BSD-2-Clause
"""A machine in Bochs, driven as one in QEMU is. Bochs emulates VT-x, and SVM closer to
real CPUs than QEMU does; one TSC tick is one instruction. It paces the serial line by
its baud rate in emulated time, which `ips` (instructions a second) stretches."""
import os
import socket

from harness.cases import BUILD
from harness.serial import SerialMachine, make_iso

CONFIG = """\
plugin_ctrl: speaker=0
config_interface: textconfig
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
megs: {memory}
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0
clock: sync=none, time0=946684800
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
log: {log}
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
"""


class Bochs(SerialMachine):
    """Bochs with the demo's ISO, or with one made of `files`, `cmdline` and the image
    of another configuration's BUILD directory."""

    def __init__(self, t, files=None, cmdline="", cpus=1, memory=1024, model="ryzen",
                 ips=50000000, build=BUILD):
        super().__init__(t)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(30)
            (t.dir / "bochsrc").write_text(CONFIG.format(
                memory=memory, model=model, cpus=cpus, ips=ips, iso=make_iso(t, files, cmdline, build),
                port=server.getsockname()[1], log=t.dir / "bochs.log"))
            (t.dir / "go.dbg").write_text("continue\n")
            with open(os.devnull, "r+b") as null:
                self.start(["bochs", "-q", "-f", t.dir / "bochsrc", "-rc", t.dir / "go.dbg"],
                           stdin=null, stdout=null)
            try:
                line, _ = server.accept()
            except TimeoutError:
                self.input, self.output = os.open(os.devnull, os.O_WRONLY), os.open(
                    os.devnull, os.O_RDONLY)
                raise self._failure("Bochs did not open its serial line") from None
        self.input = line.detach()
        self.output = os.dup(self.input)
