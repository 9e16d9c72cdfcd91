# SPDX-License-Identifier: BSD-2-Clause
"""Static checkers, clean."""
import re

from harness import ROOT, Failure, case, run_tool
from harness.tree import image_flags, sources


@case(seconds=5)
def sparse(t):
    # newlib's headers are not ours to mend: of the warnings, those on them are out.
    flags = re.sub(r"-(Wall|Wextra|Werror|Wundef|Wvla)\b", "", image_flags())
    output = run_tool(
        t, "bash", "-c", f"for f in {' '.join(sources('.c'))}; do sparse {flags} -Wno-undef "
        "-include tests/tree/sparse.h $f; done 2>&1", timeout=600)
    if output.strip():
        raise Failure(f"sparse: {output.strip().splitlines()[0]}")


@case(seconds=10)
def cppcheck(t):
    # Tables are bounded by two symbols of the linker's, which cppcheck takes for two objects;
    # panic() ends no va_list because nothing comes after it.
    run_tool(t, "cppcheck", "-q", "--enable=warning,portability,performance", "--std=c11", "-I.",
             "--inline-suppr", "--error-exitcode=1", "--suppress=comparePointers",
             "--suppress=va_end_missing", *sources(".c"), cwd=ROOT, timeout=600)
