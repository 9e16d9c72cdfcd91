# SPDX-License-Identifier: BSD-2-Clause
"""What exits and a Linux boot cost is within the budgets of tests/bench."""
from harness import ROOT, case, run_tool


@case(seconds=60, qemu_alone="starts its machines itself")
def within_budget(t):
    run_tool(t, ROOT / "tests/bench/run", "--short", timeout=2400)
