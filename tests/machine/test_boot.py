# SPDX-License-Identifier: BSD-2-Clause
"""From power-on to our first words."""
from harness import Machine, case


@case(seconds=10, each=[{"firmware": "bios"}, {"firmware": "uefi"}])
def speaks(t, firmware):
    with Machine(t, firmware=firmware) as m:
        m.expect(r"(?i)alcazar", timeout=60)
