# SPDX-License-Identifier: BSD-2-Clause
"""A case: a function that passes by returning and fails by raising.

    from harness import case, Failure

    @case(seconds=20)
    def boots(t): ...

    @case(each=[{"firmware": "bios"}, {"firmware": "uefi"}])
    def prints(t, firmware): ...

    @case(qemu_alone="counts on a clock that is the wall's")
    def sleeps(t): ...

`t` is the case's context: t.log(text) keeps a line that is shown when the case
fails, t.dir is a folder of its own, t.later(function) runs when it is over, t.machine
names the machine of harness.machines that it is for. `seconds` is what it takes, about:
long cases start first.
"""
import os
import pathlib
import re
import subprocess

from harness.machines import MACHINES, alone, runs_on

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"

registered = {}  # by name: a file that two others import is read twice


class Failure(Exception):
    """The case failed, and this says why."""


class Context:
    def __init__(self, name, machine=None):
        self.name = name
        self.machine = machine
        self.dir = self.folder(name)
        self.dir.mkdir(parents=True, exist_ok=True)
        for old in self.dir.iterdir():
            if old.is_file():
                old.unlink()
        self._log = open(self.dir / "log", "w", encoding="utf-8", errors="replace")
        self._later = []
        self.cpu_seconds = 0  # of its emulators

    @staticmethod
    def folder(name):
        return LOGS / re.sub(r"[^A-Za-z0-9._/-]+", "-", name).strip("-")

    def log(self, text):
        self._log.write(text.rstrip("\n") + "\n")
        self._log.flush()

    def later(self, function):
        self._later.append(function)

    def close(self):
        while self._later:
            self._later.pop()()
        self._log.close()


class Case:
    def __init__(self, name, function, seconds=1, arguments=None, machine=None, alone=None):
        self.name = name
        self.function = function
        self.seconds = seconds
        self.arguments = arguments or {}
        self.machine = machine
        self.alone = alone  # why it is for QEMU and no other machine

    def run(self):
        """Returns (how many tests passed, how many failed, the reason)."""
        t = Context(self.name, self.machine)
        self.cpu_seconds = 0
        try:
            result = self.function(t, **self.arguments)
            return result if isinstance(result, tuple) else (1, 0, "")
        except Failure as failure:
            t.log(str(failure))
            return 0, 1, str(failure).splitlines()[0]
        except Exception as error:
            import traceback

            t.log(traceback.format_exc())
            return 0, 1, f"{type(error).__name__}: {error}"
        finally:
            t.close()
            self.cpu_seconds = t.cpu_seconds


def case(seconds=1, each=({},), qemu_alone=None):
    """Register the function below, once for each set of arguments, and in tests/machine for
    each machine too; but for QEMU alone with `qemu_alone`, which says why. A `model` among
    the arguments is the one CPU, of Bochs's, that it is for."""

    def register(function):
        # tests/machine/test_boot.py: machine/boot
        path = pathlib.Path(function.__code__.co_filename).resolve()
        group = f"{path.parent.name}/{path.stem.removeprefix('test_')}"
        for arguments in each:
            why = qemu_alone or alone(arguments)
            machines = ("qemu",) if why else MACHINES
            if path.parent.name != "machine" or "model" in arguments:
                machines = (None,)
            for machine in machines:
                words = [*map(str, arguments.values()), *filter(None, [machine])]
                name = f"{group}/{function.__name__}" + (f"[{','.join(words)}]" if words else "")
                if runs_on(name, machine):
                    registered[name] = Case(name, function, seconds, arguments, machine, why)
        return function

    return register


def run_tool(t, *command, timeout=300, check=True, **options):
    """Run a program; its output goes to the log and is returned."""
    line = "$ " + " ".join(str(word) for word in command)
    t.log(line if len(line) < 300 else line[:300] + " …")
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=options.pop("cwd", ROOT),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            text=True,
            errors="replace",
            **options,
        )
    except subprocess.TimeoutExpired as late:
        t.log((late.stdout or b"").decode(errors="replace"))
        raise Failure(f"{os.path.basename(str(command[0]))} took more than {timeout} s") from None
    t.log(done.stdout)
    if check and done.returncode:
        said = next((line for line in done.stdout.splitlines() if line.strip()), "nothing said")
        raise Failure(f"{os.path.basename(str(command[0]))} ended with {done.returncode}: {said}")
    return done.stdout
