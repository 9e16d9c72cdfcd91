# SPDX-License-Identifier: BSD-2-Clause
"""Entries that the CPU refuses, and what `info vmcs` says before and after."""
import re

from harness import BUILD, MACHINES, Failure, Machine, case
from test_guests import guest_files


MANUALS = {"SVM": r"APM vol\. 2, 15\.5\.1", "VT-x": r"SDM vol\. 3C, 26\.3\.1\.1"}


def refused(m, manual):
    """The guest stands, is poked, and goes on: into a crash that is explained."""
    m.expect("flooding", timeout=120)
    m.send("\x1d")
    m.expect("alcazar> ")
    said = m.command("info vmcs guest.0")
    if "vm guest is running: `pause` it first" not in said:
        raise Failure(f"of a running VM: {said}")
    m.command("pause guest")
    said = m.command("info vmcs guest.0")
    if not re.search(r"all \d+ rules of .* that we know are kept", said):
        raise Failure(f"of a paused VM: {said}")
    m.command("poke guest.0 dr7 0x100000400")
    m.send("resume guest\r")
    m.expect(rf"vm guest: vcpu 0: .*: (Guest )?DR7 = 0x100000400: bits 63:32 must be 0 "
             rf"\({manual}", timeout=60)
    for part in (r"vcpu 0: last exits: ", r"\d+  entry-failed 0x[0-9a-f]+\n", r"what to try: ",
                 "vm guest: crashed"):
        m.expect(part)
    said = m.command("info vmcs guest.0")
    if not re.search(rf"broken: (Guest )?DR7 = 0x100000400: .*\({manual}", said):
        raise Failure(f"of the crashed VM: {said}")
    if said.count("broken") != 1:
        raise Failure(f"more than that is broken: {said}")


@case(seconds=20)
def refused_entry_is_explained(t):
    with Machine(t, files=guest_files("flood"), cpus=2, build=BUILD / "allyes") as m:
        refused(m, MANUALS[MACHINES[t.machine].vendor])
