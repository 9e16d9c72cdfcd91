# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of tests/tree and tests/machine are written with."""
from harness.bochs import Bochs
from harness.cases import BUILD, ROOT, Failure, case, run_tool
from harness.machines import MACHINES
from harness.qemu import Qemu

__all__ = ["ROOT", "BUILD", "MACHINES", "Bochs", "Failure", "Machine", "case", "run_tool"]


def Machine(t, **options):
    """The machine that the case `t` is for, with what the case needs: as Qemu and Bochs take."""
    model = MACHINES[t.machine].model
    return Bochs(t, model, **options) if model else Qemu(t, **options)
