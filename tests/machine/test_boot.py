# SPDX-License-Identifier: BSD-2-Clause
"""From power-on to our first words."""
from harness import Bochs, Machine, case


@case(seconds=10, each=[{"firmware": "bios"}, {"firmware": "uefi"}])
def speaks(t, firmware):
    with Machine(t, firmware=firmware) as m:
        m.expect(r"(?i)alcazar", timeout=60)


@case(seconds=20, each=[{"model": "ryzen"}, {"model": "corei7_skylake_x"}])
def speaks_in_bochs(t, model):
    with Bochs(t, model=model) as m:
        m.expect(r"(?i)alcazar", timeout=120)
