# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of tests/tree and tests/machine are written with."""
from harness.cases import ROOT, BUILD, Failure, case, run_tool
from harness.qemu import Machine

__all__ = ["ROOT", "BUILD", "Failure", "Machine", "case", "run_tool"]
