# SPDX-License-Identifier: BSD-2-Clause
"""How files look: format, licence line, sizes, words that do not belong."""
import re

from harness import ROOT, case, run_tool
from harness.tree import fail_if, files, sources, text

FILE_LINES = 500
FUNCTION_LINES = 60
LICENCE = "SPDX-License-Identifier: BSD-2-Clause"
# Files without comments of their own.
NO_LICENCE = ("LICENSE", ".gitignore")


@case()
def clang_format(t):
    run_tool(t, "clang-format", "--dry-run", "--Werror", *files(".c", ".h"))


@case()
def licence_line(t):
    """On the first line, or on the second behind a script's #!."""
    problems = []
    for name in files():
        content = (ROOT / name).read_bytes()
        if name in NO_LICENCE or name.endswith(".txt") or b"\0" in content:
            continue
        lines = content.decode("utf-8", errors="replace").split("\n")[:2]
        if not any(LICENCE in line for line in lines[: 2 if lines[0].startswith("#!") else 1]):
            problems.append(f"{name} does not begin with {LICENCE}")
    fail_if(t, problems, "files without a licence line")


@case()
def file_sizes(t):
    sizes = {name: text(name).count("\n") for name in files(".c", ".h", ".S", ".py", ".mk")}
    fail_if(t, [f"{name} has {lines} lines of {FILE_LINES}"
                for name, lines in sizes.items() if lines > FILE_LINES],
            "files that are too long")


@case()
def function_sizes(t):
    """By the format: a function's braces, and nobody else's, stand alone in column 0."""
    problems = []
    for name in files(".c", ".h"):
        start = None
        lines = text(name).split("\n")
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start + 2 > FUNCTION_LINES:
                    problems.append(f"{name}:{start - 1}: {lines[start - 2].strip()}: "
                                    f"{number - start + 2} lines of {FUNCTION_LINES}")
                start = None
    fail_if(t, problems, "functions that are too long")


@case()
def no_conditionals(t):
    """What the configuration leaves out is not linked: no #if in .c files."""
    problems = [f"{name}:{text(name)[: match.start()].count(chr(10)) + 1}: {match.group().strip()}"
                for name in sources(".c")
                for match in re.finditer(r"^[ \t]*#[ \t]*if.*", text(name), re.M)]
    fail_if(t, problems, "conditionals in .c files")


@case()
def no_errno(t):
    """errno is one variable for all CPUs (third-party/newlib/stubs.c): no one can trust it."""
    problems = [f"{name}: uses errno" for name in sources(".c", ".h")
                if re.search(r"(?<![\w<])errno(?![\w.])", re.sub(r"/\*.*?\*/|\"[^\"\n]*\"", "",
                                                                text(name), flags=re.S))]
    fail_if(t, problems, "uses of errno")


@case()
def nothing_left_to_do(t):
    words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
    fail_if(t, [f"{name}: {words.search(text(name)).group()}" for name in files(".c", ".h", ".S",
            ".py", ".mk", ".md") if words.search(text(name))], "notes of what is not done")
