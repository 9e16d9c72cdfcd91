# SPDX-License-Identifier: BSD-2-Clause
"""VT-x with lists of MSRs in the place of fields of the VMCS (`msr-areas=yes`), which no CPU that
there is needs."""
import re

from harness import BUILD, Bochs, Failure, case
from harness.linux import Linux, linux_files
from test_guests import guest_files, verdict
from test_linux import check_dmesg

OLD, NEW = "corei7_sandy_bridge_2600k", "corei7_skylake_x"


def machine(t, model, **options):
    return Bochs(t, model, cmdline="msr-areas=yes", **options)


@case(seconds=6, each=[{"model": OLD, "name": "smoke"}, {"model": OLD, "name": "msrs"},
                       {"model": NEW, "name": "modes"}])
def runs(t, model, name):
    """What it runs by is the guest's: EFER, long mode that it enters and leaves by itself."""
    with machine(t, model, files=guest_files(name)) as m:
        m.expect(r"vmx: .*, MSR areas\n", timeout=60)
        return verdict(m)


@case(seconds=20, each=[{"model": NEW}])
def are_shown(t, model):
    """By `info hv` and `info vmcs`; an entry that is not loaded is named when the CPU refuses it."""
    with machine(t, model, files=guest_files("flood"), cpus=2) as m:
        m.expect("flooding", timeout=120)
        m.send("\x1d")
        m.expect("alcazar> ")
        said = m.command("info hv")
        for line in (r"^MSR areas: IA32_EFER IA32_PAT$",
                     r"^  load IA32_PAT +has, not used: an MSR area does it$"):
            if not re.search(line, said, re.M):
                raise Failure(f"no line like {line} in: {said}")
        m.command("pause guest")
        said = m.command("info vmcs guest.0")
        for line in (r"^MSR area: IA32_EFER \(0xc0000080\): the guest's 0{13}d00, ours 0{13}d00$",
                     r"^MSR area: IA32_PAT \(0x277\): the guest's 0007040600070406, ours ",
                     r"^all \d+ rules of .* that we know are kept"):
            if not re.search(line, said, re.M):
                raise Failure(f"no line like {line} in: {said}")


REFUSED = {
    "efer": ("0x1d00", r"1 of the MSR list, IA32_EFER \(0xc0000080\)",
             "a value for IA32_EFER must not have bits that this CPU"),
    "pat": ("0x306", r"2 of the MSR list, IA32_PAT \(0x277\)",
            "each byte of a value for IA32_PAT must be"),
}


@case(seconds=10, each=[{"model": NEW, "register": register} for register in REFUSED])
def refused_one_is_named(t, model, register):
    value, entry, rule = REFUSED[register]
    with machine(t, model, files=guest_files("flood"), cpus=2, build=BUILD / "allyes") as m:
        m.expect("flooding", timeout=120)
        m.send("\x1d")
        m.expect("alcazar> ")
        m.command("pause guest")
        m.command(f"poke guest.0 {register} {value}")
        m.send("resume guest\r")
        m.expect(rf"vcpu 0: VM entry: entry {entry} = {value}, is not taken \(SDM vol\. 3C, 26\.4\)")
        m.expect(rf"VM-entry MSR-load address = 0x[0-9a-f]+: {rule}")
        m.expect("vm guest: crashed")
        said = m.command("info vmcs guest.0")
        if not re.search(rf"^broken: entry {entry} = {value}", said, re.M):
            raise Failure(f"of the crashed VM: {said}")


@case(seconds=100, each=[{"model": OLD}])
def run_linux(t, model):
    with machine(t, model, files=linux_files()) as m:
        guest = Linux(m)
        guest.boot()
        check_dmesg(guest)
        guest.poweroff("linux")
