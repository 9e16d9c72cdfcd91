# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of tests/tree and tests/machine are written with."""
from harness.bochs import Bochs
from harness.cases import BUILD, ROOT, Failure, case, run_tool
from harness.qemu import Machine

__all__ = ["ROOT", "BUILD", "Bochs", "Failure", "Machine", "case", "run_tool"]
