# SPDX-License-Identifier: BSD-2-Clause
"""The machine's second serial line: the log's, or the prompt's."""
from harness import Failure, Machine, case
from harness.serial import PROMPT

SECONDS = 60
ALONE = "the harness gives Bochs one line"


def check(condition, text):
    if not condition:
        raise Failure(text)


@case(seconds=4, qemu_alone=ALONE)
def log_on_the_second(t):
    """The log there, from the first line on, and nothing of it beside the prompt."""
    other = t.dir / "com2.log"
    with Machine(t, files={}, cmdline="log=com2", extra=["-serial", f"file:{other}"]) as m:
        m.expect(PROMPT, SECONDS)
        check("[    0." not in m.text, f"the log is on the console: {m.text}")
        check("Alcazar" in m.command("dmesg", SECONDS), "dmesg has no log")
        m.command("nonsense", SECONDS)
        said = other.read_text()
        check("] Alcazar " in said and "boot: ready after" in said, f"com2: {said}")
        check(PROMPT not in said and "nonsense" not in said, f"com2 has the shell: {said}")


@case(seconds=4, qemu_alone=ALONE)
def prompt_on_the_second(t):
    """And the log on the first alone."""
    with Machine(t, files={}, cmdline="console=com2 log=com1", com=2) as m:
        m.expect(PROMPT, SECONDS)
        check("[    0." not in m.text, f"the log is on the console: {m.text}")
        check("Alcazar" in m.command("about", SECONDS), "no shell")


@case(seconds=4, qemu_alone=ALONE)
def line_that_is_not_there(t):
    """It is no reason to be silent."""
    with Machine(t, files={}, cmdline="log=com2", extra=["-serial", "none"]) as m:
        m.expect(r"a serial line that is to take log lines is not there", SECONDS)
        m.expect(r"boot: ready after", SECONDS)
        m.expect(PROMPT, SECONDS)
