# SPDX-License-Identifier: BSD-2-Clause
"""Our own end: what the serial line has then, and after a reset. Nothing that comes from outside
leads there, so that the code of a running machine is broken by way of QEMU's gdb stub."""
import re
import time

from harness import Failure, Machine, case
from harness.gdb import Gdb
from harness.monitor import Monitor
from harness.serial import PROMPT
from test_guests import guest_files

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


def card(m):
    """The panic that comes, to its end."""
    m.expect("PANIC: ", timeout=SECONDS, never=None)
    start = m.seen
    m.expect("halted: reset the machine\n", timeout=SECONDS, never="inside the panic")
    text = m.text[start : m.seen]
    if not re.search(r"^what to try: .{20}", text, re.M):
        raise Failure(f"it is not told what to try: {text}")
    if not re.search(r"^log:\n(  \[ *\d+\.\d{6}\] \S.*\n){8}", text, re.M):
        raise Failure(f"the last lines of the log are not there: {text}")
    return text


def report(m):
    """The panic that `list` leads to, to its end."""
    m.send("list\r")
    text = card(m)
    for register in "rip rsp rbp rax rbx rcx rdx rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 cr2".split():
        if not re.search(rf"\b{register} +[0-9a-f]{{16}}\b", text):
            raise Failure(f"no {register}: {text}")
    return text


def told_again(m, monitor, text):
    """After a reset the log has all of the panic, and after another one it has not."""
    monitor.reset()
    m.expect("warning: the machine's last run ended in a panic, which said:\n", timeout=SECONDS,
             never=None)
    start = m.seen
    m.expect(PROMPT, timeout=SECONDS, never=None)
    again = re.findall(r"warning: \| (.*)", m.text[start : m.seen])
    # A line of the log is cut after 240 bytes.
    wanted = [line[:200] for line in ("PANIC: " + text).split("\n") if line]
    if [line[:200] for line in again] != wanted:
        raise Failure(f"not {wanted}: {again}")
    monitor.reset()
    m.expect("boot: ready", timeout=SECONDS, never="last run")


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
        text = card(m)
        if not re.match(rf"machine check: the hardware reports an error\n.*APIC id {cpu}\n", text):
            raise Failure(f"no machine check on CPU {cpu}: {text}")
        if not re.search(r"^vector 18 #MC ", text, re.M):
            raise Failure(f"the exception is not named: {text}")
        if not stack and "rsp 0000000000000000" not in text:
            raise Failure(f"there was a stack: {text}")


@case(seconds=15, each=[{"firmware": "bios"}, {"firmware": "uefi"}],
      qemu_alone="its gdb stub breaks our code, its monitor resets")
def is_told_again_after_a_reset(t, firmware):
    """With what the guest did that ran on that CPU."""
    gdb, monitor = Gdb(t), Monitor(t)
    with Machine(t, files=guest_files("flood"), cpus=1, resets=True, firmware=firmware,
                 cmdline="autostart=no", extra=gdb.options + monitor.options) as m:
        m.expect(PROMPT, timeout=SECONDS)
        m.send("start guest; console guest\r")
        m.expect("flooding", timeout=SECONDS)
        m.send("\x1d")
        m.expect(PROMPT)
        gdb.write(BROKEN, bytes.fromhex(BREAKS["undefined"][0]))
        text = report(m)
        if not re.search(r"^vm guest, vcpu 0 ran last on this CPU: .*\n"
                         r"(  \[ *\d+\.\d+\] [0-9a-f]{16} +(\d+|\?)  \S.*\n){8}", text, re.M):
            raise Failure(f"the guest's last exits are not there: {text}")
        told_again(m, monitor, text)


@case(seconds=5, qemu_alone="its monitor makes machine checks")
def machine_check_names_its_bank(t):
    """In idle: QEMU asks no intercept, and would deliver it to a guest that runs."""
    monitor = Monitor(t)
    with Machine(t, files={}, cpus=1, extra=monitor.options) as m:
        m.expect(PROMPT, timeout=SECONDS)
        monitor.machine_check(bank=3, status=0xb200000000000135, address=0x12345000)
        text = card(m)
        for line in (r"machine check: the hardware reports an error\n",
                     r"^machine check status 5, \d+ banks\nbank 3: status b200000000000135 "
                     r"address 0000000012345000\n(?!bank)",
                     r"^what to try: the hardware is at fault"):
            if not re.search(line, text, re.M):
                raise Failure(f"no {line!r}: {text}")


@case(seconds=6, qemu_alone="its gdb stub breaks our code")
def out_of_memory_at_start_is_told(t):
    """The page allocator has nothing more from a point of start-up on."""
    gdb = Gdb(t)
    with Machine(t, files={}, extra=gdb.options + ["-S"]) as m:
        gdb.write("page_alloc", bytes.fromhex("31c0 c3"), reached="task_init")  # xor %eax,%eax; ret
        m.expect("PANIC: ", timeout=SECONDS, never=None)
        m.expect(r"out of memory for the scheduler: the machine has \d+ MiB free")
        m.expect("what to try: give the machine more memory")
        m.expect("halted: reset the machine")
