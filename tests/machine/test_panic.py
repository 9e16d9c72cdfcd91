# SPDX-License-Identifier: BSD-2-Clause
"""Our own end: what the serial line has then. Nothing that comes from outside leads there, so
that the code of a running machine is broken by way of QEMU's gdb stub."""
import re

from harness import Failure, Machine, case
from harness.gdb import Gdb
from harness.serial import PROMPT

SECONDS = 120  # for an answer, on a machine that has much else to do
BROKEN = "command_list"  # what the shell calls for `list`

# What is there instead, what is said of it, and whether the callers are named.
BREAKS = {
    "undefined": ("0f0b", r"unexpected #UD", True),  # ud2
    # xor %eax,%eax; mov (%rax),%rax
    "null": ("31c0 488b00", r"page fault: read at 0: nothing there", True),
    # movb $0, 0(%rip): itself
    "read_only": ("c605f9ffffff 00", r"page fault: write at 0x\w+: forbidden there", True),
    # mov %rsp,%rax; jmp *%rax
    "no_execute": ("4889e0 ffe0", r"page fault: \w+ at 0x\w+: forbidden there", None),
    # mov $1,%ebp; ud2
    "no_frames": ("bd01000000 0f0b", r"unexpected #UD", False),
    # push %rbp; mov %rsp,%rbp; call of itself
    "overflow": ("55 4889e5 e8f7ffffff", r"double fault, stack at 0x\w+: it may have overflowed",
                 False),
}


def report(m):
    """The panic that `list` leads to, to its end."""
    m.send("list\r")
    m.expect("PANIC: ", timeout=SECONDS, never=None)
    start = m.seen
    m.expect("halted: reset the machine\n", timeout=SECONDS, never="inside the panic")
    text = m.text[start : m.seen]
    for register in "rip rsp rbp rax rbx rcx rdx rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 cr2".split():
        if not re.search(rf"\b{register} +[0-9a-f]{{16}}\b", text):
            raise Failure(f"no {register}: {text}")
    return text


@case(seconds=8, each=[{"how": how, "cpus": 2} for how in BREAKS] + [
    {"how": "undefined", "cpus": 1}, {"how": "undefined", "cpus": 4}],
      qemu_alone="its gdb stub breaks our code")
def is_told(t, how, cpus):
    code, says, callers = BREAKS[how]
    gdb = Gdb(t)
    with Machine(t, files={}, cpus=cpus, extra=gdb.options) as m:
        m.expect(PROMPT, timeout=SECONDS)
        gdb.write(BROKEN, bytes.fromhex(code))
        text = report(m)
        if not re.match(says, text):
            raise Failure(f"not {says!r}: {text}")
        names = re.findall(r"^  [0-9a-f]{16} (\w+)\+0x", text, re.M)
        if callers is not None and (not names or names[0] != BROKEN):
            raise Failure(f"the backtrace does not begin in {BROKEN}: {text}")
        if callers and "shell_run" not in names:
            raise Failure(f"the backtrace does not tell who called: {text}")
