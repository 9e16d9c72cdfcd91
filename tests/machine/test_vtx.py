# SPDX-License-Identifier: BSD-2-Clause
"""Guests on VT-x, which Bochs emulates: a CPU with all that we use, and one of the first."""
from harness import Bochs, case
from test_guests import guest_files, verdict

FULL = "corei7_skylake_x"
EARLY = "corei7_sandy_bridge_2600k"  # no PAUSE-loop exits, 1 GiB pages, accessed flags


@case(seconds=12, each=[{"name": name} for name in
                        ("smoke", "io", "msrs", "mmio", "irq", "reset", "step")])
def runs(t, name):
    with Bochs(t, files=guest_files(name), model=FULL) as m:
        return verdict(m)


@case(seconds=12, each=[{"name": name} for name in ("smoke", "irq")])
def runs_early(t, name):
    with Bochs(t, files=guest_files(name), model=EARLY) as m:
        return verdict(m)


@case(seconds=30)
def runs_smp(t):
    """Four virtual CPUs on two physical ones."""
    with Bochs(t, files=guest_files("smp", cpus=4), model=FULL, cpus=2) as m:
        return verdict(m)


@case(seconds=12)
def triple_fault_stops_only_its_vm(t):
    with Bochs(t, files=guest_files("triple"), model=FULL) as m:
        m.expect(r"vm guest: .*triple fault", timeout=60)
        m.expect(r"alcazar> ")
        m.send("start guest\r")
        m.expect(r"vm guest: .*triple fault", timeout=60)
