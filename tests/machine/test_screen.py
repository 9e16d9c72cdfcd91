# SPDX-License-Identifier: BSD-2-Clause
"""A VM's text screen and keyboard on the terminal."""
import re
import time

from harness import Failure, Machine, case
from harness.linux import SHELL_SECONDS, Linux, linux_files
from harness.serial import PROMPT
from harness.terminal import Terminal


def check(condition, text):
    if not condition:
        raise Failure(text)


def look(m):
    m.command("console linux screen0", prompt="prompt --\n")
    return Terminal(m)


def leave(m):
    m.send("\x1d")
    m.expect(r"-- left vm linux;", timeout=SHELL_SECONDS)
    m.expect(PROMPT, timeout=SHELL_SECONDS)


def dumps(m, wanted):
    """The guest takes its time for keys, each of which it is given when it has taken the last."""
    deadline = time.monotonic() + SHELL_SECONDS
    while not re.search(wanted, said := m.command("screendump linux", SHELL_SECONDS), re.M):
        check(time.monotonic() < deadline, said)
        time.sleep(0.2)


@case(seconds=40)
def linux_on_the_screen(t):
    """The kernel's messages, a shell, and keys: letters, shifted ones, control, arrows; the power
    button at last."""
    with Machine(t, files=linux_files(cmdline="console=tty0")) as m:
        guest = Linux(m)
        guest.boot()
        guest.leave()
        screen = look(m)
        screen.expect(r"^\[ .*Run /init as init process$.*^This is Linux .*^demo:/root#$",
                      timeout=60)
        m.send("echo A$((6*7)) \"$(tty)\"\r")
        screen.expect(r"^A42 /dev/tty1$", timeout=SHELL_SECONDS)
        # Once it runs, the terminal takes ^C for a signal; before, for a byte of the line.
        m.send("echo B$((6*7)); sleep 1000 # \x08\x7f\r")
        screen.expect(r"; sleep 1000$\s*^B42$", timeout=SHELL_SECONDS)
        m.send("\x03")
        screen.expect(r"^B42$\s*(^\^C$)?\s*^demo:/root#$", timeout=SHELL_SECONDS)
        m.send("\x1b[A\x1b[A\r")  # twice up in the shell's history
        screen.expect(r"^A42 /dev/tty1$.*^A42 /dev/tty1$", timeout=SHELL_SECONDS)
        m.send("seq 1 300\r")
        screen.expect(r"^299$\s*^300$\s*^demo:/root#$", timeout=SHELL_SECONDS)
        leave(m)
        m.command("sendkey linux e c h o spc shift-b shift-8 shift-equal minus ret",
                  timeout=SHELL_SECONDS)
        dumps(m, r"^299\n300\n(.*\n)*demo:/root# echo B\*\+-\n")
        check("has no screen com1" in m.command("screendump linux com1"), "com1 is a screen")
        m.command("sendkey linux ctrl-l s e q spc 1 spc 3 0 0 ret", timeout=SHELL_SECONDS)
        screen = look(m)
        screen.expect(r"^277$.*^300$\s*^demo:/root#$", timeout=SHELL_SECONDS)
        leave(m)
        m.send("shutdown linux\r")
        m.expect(r"vm linux: stopped", timeout=SHELL_SECONDS)
