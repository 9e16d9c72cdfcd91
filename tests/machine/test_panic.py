# SPDX-License-Identifier: BSD-2-Clause
"""Our own end: what the serial line has then. Nothing that comes from outside leads there, so
that the code of a running machine is broken by way of QEMU's gdb stub."""
import re
import time

from harness import Failure, Machine, case
from harness.gdb import Gdb
from harness.monitor import Monitor
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
    """A panic, to its end."""
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
        m.send("list\r")
        text = report(m)
        if not re.match(says, text):
            raise Failure(f"not {says!r}: {text}")
        names = re.findall(r"^  [0-9a-f]{16} (\w+)\+0x", text, re.M)
        if callers is not None and (not names or names[0] != BROKEN):
            raise Failure(f"the backtrace does not begin in {BROKEN}: {text}")
        if callers and "shell_run" not in names:
            raise Failure(f"the backtrace does not tell who called: {text}")


# SDM vol. 3B, 15.3.2: bank 0 has an uncorrected error, enabled, which has corrupted the context.
MCE = "mce {} 0 0xb200000000000000 0x4 0 0"
NO_STACK = "31e4 f4 ebfd"  # xor %esp,%esp; hlt; jmp to it


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"not so after {SECONDS} s")
        time.sleep(0.1)


@case(seconds=5, each=[{"cpu": 0, "stack": True}, {"cpu": 1, "stack": True},
                       {"cpu": 0, "stack": False}],
      qemu_alone="its monitor makes machine checks, its gdb stub breaks our code")
def machine_check_is_told(t, cpu, stack):
    """Whichever CPU it comes to, and where there is no stack: it has one of its own."""
    monitor, gdb = Monitor(t), Gdb(t)
    with Machine(t, files={}, cpus=2, extra=monitor.options + gdb.options) as m:
        m.expect(PROMPT, timeout=SECONDS)
        if not stack:
            gdb.write(BROKEN, bytes.fromhex(NO_STACK))
            m.send("list\r")
            m.expect("list\n", timeout=SECONDS)
            wait_for(lambda: "RSP=0000000000000000" in monitor.human("info registers"))
        monitor.human(MCE.format(cpu))
        text = report(m)
        if not re.match(rf"machine check: the hardware reports an error\n.*APIC id {cpu}\n", text):
            raise Failure(f"no machine check on CPU {cpu}: {text}")
        if not re.search(r"^vector 18 #MC ", text, re.M):
            raise Failure(f"the exception is not named: {text}")
        if not stack and "rsp 0000000000000000" not in text:
            raise Failure(f"there was a stack: {text}")
