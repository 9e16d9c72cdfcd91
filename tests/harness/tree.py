# SPDX-License-Identifier: BSD-2-Clause
"""The source tree, as the checks of tests/tree see it."""
import subprocess

from harness.cases import BUILD, ROOT, Failure

# The folders that the image is made of.
IMAGE = ("boot", "lib", "arch", "kernel", "drivers", "vmm", "devices", "admin")


def files(*suffixes, under=()):
    """Paths from the root of the files that git has or would add, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *under],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return sorted({name for name in listed
                   if name and name.endswith(suffixes or ("",)) and (ROOT / name).exists()})


def sources(*suffixes):
    """Those of the image."""
    return files(*suffixes, under=[folder for folder in IMAGE if (ROOT / folder).exists()])


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def image_flags():
    """The shell text of the compiler's flags for the image, without the compiler."""
    return (BUILD / "image/.cflags").read_text().split(" ", 1)[1].strip()


def fail_if(t, problems, what):
    """Fail with all the problems in the log."""
    for problem in problems:
        t.log(problem)
    if problems:
        raise Failure(f"{len(problems)} {what}; the first: {problems[0]}")
