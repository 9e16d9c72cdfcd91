# SPDX-License-Identifier: BSD-2-Clause
"""Static checkers, clean."""
import re

from harness import Failure, case, run_tool
from harness.tree import image_flags, sources


@case(seconds=5)
def sparse(t):
    # Without those that newlib's headers would set off; a cast is there to cut what it cuts.
    flags = re.sub(r"-(Wall|Wextra|Werror|Wundef|Wvla)\b", "", image_flags())
    flags += " -Wno-undef -Wno-cast-truncate -include tests/tree/sparse.h"
    output = run_tool(t, "bash", "-c", f"for f in {' '.join(sources('.c'))}; do "
                      f"sparse {flags} $f; done 2>&1", timeout=600)
    if output.strip():
        raise Failure(f"sparse: {output.strip().splitlines()[0]}")


# What cppcheck sees wrong in sound code.
CPPCHECK_WRONG = [
    "comparePointers",  # tables are bounded by two symbols of the linker's
    "va_end_missing",  # panic() ends no va_list because nothing comes after it
    "internalAstError",  # MIN() is beyond its parser
    "ctuuninitvar",  # a structure that is handed on half filled, to be filled
]


@case(seconds=10)
def cppcheck(t):
    run_tool(t, "cppcheck", "-q", "--enable=warning,portability,performance", "--std=c11", "-I.",
             "--inline-suppr", "--error-exitcode=1",
             *(f"--suppress={name}" for name in CPPCHECK_WRONG), *sources(".c"), timeout=600)
