# SPDX-License-Identifier: BSD-2-Clause
"""What the documents tell people to type exists."""
import pathlib
import re
import shlex

from harness import ROOT, case, run_tool
from harness.tree import fail_if, files, image_flags, text


def commands(name):
    """The lines of a document's code blocks that call make or a script of ours."""
    for block in re.findall(r"^```\w*\n(.*?)^```|((?:^    .*\n)+)", text(name), re.M | re.S):
        for line in "".join(block).split("\n"):
            line = line.strip().removeprefix("$ ").split("  #")[0].split(" # ")[0].strip()
            if re.match(r"(sudo )?(make|scripts/|tests/run|\.ci/)", line):
                yield line.removeprefix("sudo ")


@case(seconds=5)
def commands_exist(t):
    problems = []
    for name in files(".md"):
        for line in commands(name):
            t.log(f"{name}: {line}")
            words = shlex.split(line.split(" && ")[0])
            if words[0] == "make":
                # A directory of the reader's own stands for one that exists.
                words = [re.sub(r"^VM=.*", "VM=configs/demo", word) for word in words
                         if not word.startswith("-j")]
                output = run_tool(t, *words, "-n", "--no-print-directory", check=False)
                if re.search(r"^make: \*\*\*", output, re.M):
                    problems.append(f"{name}: `{line}` does not work")
            elif not (ROOT / words[0]).is_file():
                problems.append(f"{name}: there is no {words[0]}")
    fail_if(t, problems, "commands that do not exist")


@case()
def support_has_tests(t):
    """Each line of SUPPORT.md that says "supported" names tests, and all that are named exist."""
    problems = []
    for line in text("SUPPORT.md").split("\n"):
        row = [cell.strip() for cell in line.split("|")]
        if len(row) != 5:
            continue
        tests = re.findall(r"`(\w+/[\w/]+\.(?:py|c))`", row[3])
        problems += [f"{row[1]}: there is no tests/{name}" for name in tests
                     if not (ROOT / "tests" / name).exists()]
        if row[2].startswith("supported") and not tests:
            problems.append(f"{row[1]}: no test")
    fail_if(t, problems, "claims without a test")


@case()
def commands_are_described(t):
    """docs/console.md shows each command and topic of the shell with the help that it has."""
    page = text("docs/console.md")
    said = re.findall(r"(?:COMMAND|INFO_TOPIC)\(\w+, (.*?)\);",
                      "".join(text(name) for name in files(".c", under=["admin", "boot", "devices"])), re.S)
    missing = [help for entry in said for help in re.findall(r'\.help = "([^"]*)"', entry)
               if help not in page]
    fail_if(t, missing if said else ["no command was found"], "commands that are not described")


@case()
def examples_compile(t):
    """C in a document is a whole file, in our format, and compiles into the image."""
    for name in files(".md", under=["docs"]):
        for number, code in enumerate(re.findall(r"^```c\n(.*?)^```", text(name), re.M | re.S)):
            source = t.dir / f"{pathlib.Path(name).stem}-{number}.c"
            source.write_text(code)
            run_tool(t, "clang-format", "--dry-run", "--Werror",
                     f"--style=file:{ROOT}/.clang-format", source)
            run_tool(t, "bash", "-c", f"gcc {image_flags()} -fsyntax-only {source}")


@case()
def links_exist(t):
    problems = []
    for name in files(".md"):
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text(name)):
            if not ((ROOT / name).parent / link).exists():
                problems.append(f"{name}: there is no {link}")
    fail_if(t, problems, "links to nothing")
