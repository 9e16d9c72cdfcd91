# SPDX-License-Identifier: BSD-2-Clause
"""The start-up on machines of many kinds: what it finds and what it says of it."""
import json
import re
import socket

from harness import Bochs, Failure, Machine, case
from harness.qemu import ICOUNT
from test_guests import guest_files, verdict

READY_MS = 100  # from GRUB's hand-over to the prompt


def cpus_run(m, count):
    found = m.expect(r"smp: (\d+) CPUs run", timeout=90)
    if int(found.group(1)) != count:
        raise Failure(f"{found.group(1)} CPUs run, not {count}")


@case(seconds=8, each=[
    {"cpus": 1, "memory": 64}, {"cpus": 2, "memory": 1024}, {"cpus": 4, "memory": 6144},
    {"cpus": 2, "memory": 512, "firmware": "uefi"}, {"cpus": 4, "memory": 6144, "firmware": "uefi"},
    {"cpus": 2, "memory": 256, "cpu": "EPYC"}, {"cpus": 1, "memory": 256, "cpu": "Opteron_G5"},
])
def starts(t, **needs):
    with Machine(t, files={}, **needs) as m:
        cpus_run(m, needs["cpus"])
        m.expect(r"paging: W\^X holds in all \d+ pages")
        m.expect(r"boot: ready")
        m.expect("alcazar> ")
        paging = m.command("info paging")
        if "executable: 0; for user mode: 0; below our addresses: 0" not in paging:
            raise Failure(f"the live page tables allow too much: {paging}")


def inject_nmi(path):
    """QEMU's button: one NMI for each CPU."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        answers = line.makefile("r")
        answers.readline()
        for command in ("qmp_capabilities", "inject-nmi"):
            line.sendall(json.dumps({"execute": command}).encode())
            while "return" not in json.loads(answers.readline()):
                pass


@case(seconds=6, qemu_alone="its monitor has the NMI button")
def hardware_nmi_is_told(t):
    path = t.dir / "qmp"
    with Machine(t, files={}, cpus=2, extra=["-qmp", f"unix:{path},server=on,wait=off"]) as m:
        m.expect("alcazar> ", timeout=90)
        inject_nmi(path)
        m.expect(r"nmi: CPU 1 took 1 from the hardware, 1 in all")
        if not re.search(r"^ +1 .* 1$", m.command("info cpus").replace("\r", ""), re.M):
            raise Failure("info cpus does not count it")


@case(seconds=5)
def cpus_are_limited(t):
    with Machine(t, files={}, cpus=4, cmdline="cpus=3") as m:
        cpus_run(m, 3)
        m.expect("alcazar> ")


@case(seconds=4, each=[{"cpu": "max,-lm", "says": "no 64-bit mode"},
                       {"cpu": "max,-nx", "says": "no NX bit"}])
def old_cpu_is_refused(t, cpu, says):
    with Machine(t, files={}, cpu=cpu) as m:
        m.expect(rf"alcazar: this CPU has {says}")


@case(seconds=5)
def bad_command_line_is_named(t):
    with Machine(t, files={}, cmdline="cpus=none colour=blue") as m:
        m.expect(r"'cpus=none' is not understood, expected a number")
        m.expect(r"'colour=blue' is not understood, expected console=")
        m.expect("alcazar> ")


@case(seconds=5)
def too_little_memory_is_told(t):
    with Machine(t, files={}, memory=16) as m:
        m.expect(r"memory: too little: \d+ MiB are free, at least \d+ MiB are needed")
        m.expect("alcazar> ")


@case(seconds=5, qemu_alone="reads the report on its CPU")
def hv_is_reported(t):
    """`info hv`, on QEMU's SVM: what is used, what is there, what is done without."""
    with Machine(t, files={}, cpus=1) as m:
        m.expect("alcazar> ", timeout=60)
        report = m.command("info hv")
        for line in (r"^SVM, revision 1, 16 ASIDs", r"^  nested paging +used$",
                     r"^  virtual GIF +has, not used$", r"^  next RIP saved +missing: .*decoding"):
            if not re.search(line, report, re.M):
                raise Failure(f"no line like {line} in: {report}")


@case(seconds=40, each=[
    {"model": "core2_penryn_t9600", "why": 'no VT-x: .*without "enable EPT"'},
    {"model": "corei5_lynnfield_750", "why": 'no VT-x: .*without "unrestricted guest"'},
    {"model": "turion64_tyler", "why": "no SVM: .*no nested paging"},
])
def cpu_without_what_vms_need_is_told(t, model, why):
    """The reason of the vendor that the CPU is of, the other's too, and a prompt all the same."""
    with Bochs(t, files={}, model=model) as m:
        m.expect("vmm: this machine cannot run VMs", timeout=90)
        for reason in (why, "no VT-x: ", "no SVM: "):
            if not re.search("vmm: " + reason, m.text):
                raise Failure(f"the log does not say '{reason}'")
        m.expect("alcazar> ", timeout=90)
        if "the log (`dmesg`) says why" not in m.command("info hv"):
            raise Failure("`info hv` does not say where the reason is")


@case(seconds=5, each=[{"without": "hpet=off", "clock": "the PM timer"},
                       {"without": "acpi=off", "clock": "the PIT"}],
      qemu_alone="its machine can be built without HPET and ACPI")
def time_by_older_clocks(t, without, clock):
    """The TSC is measured by what there is, and a guest's clocks agree with it."""
    with Machine(t, files=guest_files("time"), cpus=1, extra=["-M", f"pc,{without}"]) as m:
        m.expect(rf"time: TSC \d+\.\d+ MHz by {clock}", timeout=90)
        return verdict(m)


@case(seconds=8, each=[{"files": {}}, {"files": None}], qemu_alone="counts by its icount")
def ready_in_time(t, files):
    """By the machine's own clock, where an instruction takes a nanosecond; the demo's VM
    starts after."""
    with Machine(t, files=files, cpus=1, extra=ICOUNT) as m:
        took = int(m.expect(r"boot: ready after (\d+) ms", timeout=120).group(1))
        if took >= READY_MS:
            raise Failure(f"ready after {took} ms, budget {READY_MS}")


@case(seconds=6)
def command_line_is_obeyed(t):
    """autostart=no, loglevel=debug."""
    with Machine(t, files=guest_files("smoke"), cmdline="autostart=no loglevel=debug") as m:
        m.expect(r"command line 'autostart=no loglevel=debug'", timeout=120)
        m.expect(r"boot: memory 0+-0x[0-9a-f]+ RAM", timeout=120)
        m.expect("alcazar> ", timeout=120)
        if not re.search(r"^guest +defined", m.command("list"), re.M):
            raise Failure("the VM was started")
        m.command("start guest")
        m.expect("vm guest: stopped", timeout=120)


@case(seconds=5)
def only_errors_are_said(t):
    """loglevel=error: nothing but the prompt; the log has it all."""
    with Machine(t, files={}, cmdline="loglevel=error") as m:
        m.expect("alcazar> ", timeout=120)
        if re.search(r"^\[ *\d+\.\d+\]", m.text, re.M):
            raise Failure("loglevel=error, and yet it speaks")
        if "boot: ready after" not in m.command("dmesg"):
            raise Failure("the log is not kept")


@case(seconds=5)
def console_on_com2(t):
    with Machine(t, files=guest_files("smoke"), cmdline="console=com2", com=2) as m:
        m.expect(r"\] Alcazar \d", timeout=120)
        passed, failed, why = verdict(m)
        m.expect("alcazar> ", timeout=120)
        if "guest" not in m.command("list"):
            raise Failure("the shell does not listen on COM2")
        return passed, failed, why


@case(seconds=40, each=[{"model": "corei7_sandy_bridge_2600k"}, {"model": "corei7_skylake_x"}])
def vt_x_is_turned_on(t, model):
    """On both CPUs; what the older one lacks is told at the start, and by `info hv`."""
    with Bochs(t, files={}, model=model, cpus=2) as m:
        m.expect("vmm: virtualization by VT-x", timeout=90)
        m.expect("alcazar> ", timeout=90)
        if "cannot be turned on" in m.text:
            raise Failure("a CPU refuses")
        report = m.command("info hv", timeout=90)
        old = "sandy_bridge" in model
        if old != ("vmx: without PAUSE-loop exiting, 1 GiB pages, accessed" in m.text):
            raise Failure("the start does not tell what is missing, or what is not")
        for line in (r"^  enable EPT +used$", r"^  IA-32e mode guest +used when needed$",
                     r"^  1 GiB pages +" + ("missing: 2 MiB" if old else "used$")):
            if not re.search(line, report, re.M):
                raise Failure(f"no line like {line} in: {report}")
