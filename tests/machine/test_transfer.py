# SPDX-License-Identifier: BSD-2-Clause
"""Checkpoints leave the machine and come back, over its serial line."""
import signal
import subprocess
import time

from harness import ROOT, Failure, Machine, case
from harness.linux import LEAVE, Linux, linux_cfg, linux_files
from harness.mux import Tool
from harness.pseudo_terminal import PseudoTerminal
from harness.serial import PROMPT, die_with_parent
from test_checkpoint import keeper_files, restores, saves, without_pci
from test_guests import GUESTS, guest_cfg, verdict
from test_loadmod import BLOCK, Spoil, check

SECONDS = 60
BEGINS = r"Ctrl-C twice gives up\.\n"


def may_be_interrupted():
    """A program that is started by one in the background ignores what it ignores: Ctrl-C."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def talks(t, m, command, spoil=None, garble=None, stop_after=None, seconds=4 * SECONDS):
    """A program of the other end's on the line, until it ends: its exit status. `stop_after`:
    somebody presses Ctrl-C after so many bytes."""
    with PseudoTerminal(m, spoil, garble) as terminal, \
            open(terminal.name, "r+b", buffering=0) as line:
        process = subprocess.Popen(command, stdin=line, stdout=line, stderr=subprocess.PIPE,
                                   text=True, errors="replace", preexec_fn=may_be_interrupted,
                                   cwd=t.dir)
        deadline = time.monotonic() + seconds
        while stop_after and (garble or spoil).count < stop_after and time.monotonic() < deadline:
            time.sleep(0.001)
        if stop_after:
            process.send_signal(signal.SIGINT)
        try:
            said = process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{command} does not end: {process.communicate()[1][-500:]}") from None
        time.sleep(0.5)  # what it said last stays in the terminal for so long
    t.log(said[-2000:])
    (garble or spoil).check()
    return process.returncode


def sends(t, m, name, garble=None, **options):
    """`send NAME` and rb; rb's status."""
    m.send(f"send {name}\r")
    m.expect(BEGINS, SECONDS)
    return talks(t, m, ["rb", "-vv", "-y"], garble=garble or Spoil(), **options)


def receives(t, m, name, file, spoil=None, **options):
    m.send(f"receive {name}\r")
    m.expect(BEGINS, SECONDS)
    return talks(t, m, ["sb", "-k", "-vv", file], spoil=spoil or Spoil(), **options)


def gives_up(m, how):
    """What sb has in its buffer may come behind its CANs, and make them a block's data; rb may throw
    away its own: then we hear of nothing, and a person's Ctrl-C is quicker than ten tries."""
    try:
        m.expect(how, 5)
    except Failure:
        m.send("\x03\x03")
        m.expect(how, SECONDS)


def is_whole(t, name):
    """By the tool's word."""
    tool = subprocess.run([ROOT / "tools/alcazar-checkpoint", "-q", t.dir / name])
    check(tool.returncode == 0, "not what was saved")


def fails(t, m, file):
    """Given up at either end, before and in the middle, and a file that is damaged: nothing is kept,
    and the shell is there."""
    before = m.command("info memory", SECONDS)
    stream = bytearray(file.read_bytes())
    for line in ("receive no", "send held"):
        m.send(f"{line}\r")
        m.expect(BEGINS, SECONDS)
        m.send("\x03\x03")
        m.expect(r"(no|held): given up", SECONDS)
        m.expect(PROMPT, SECONDS)
    check(receives(t, m, "no", file, stop_after=50 * BLOCK) != 0, "sb was not stopped")
    gives_up(m, r"receive: no: (the other end gave up|too many blocks.*|given up); nothing is kept")
    m.expect(PROMPT, SECONDS)
    file.rename(t.dir / "whole.ckpt")
    check(sends(t, m, "held", Spoil(), stop_after=50 * BLOCK) != 0, "rb was not stopped")
    (t.dir / "whole.ckpt").rename(file)
    gives_up(m, r"send: held: (the other end gave up|too many blocks|given up)")
    m.expect(PROMPT, SECONDS)
    stream[len(stream) // 2] ^= 1
    bad = t.dir / "bad.ckpt"
    bad.write_bytes(stream)
    check(receives(t, m, "no", bad) == 0, "sb failed")
    m.expect(r"receive: no: record \d+ \(\w+\): it is damaged \(CRC32C\); nothing", SECONDS)
    m.expect(PROMPT, SECONDS)
    bad.write_bytes(bytes(len(stream)))
    receives(t, m, "no", bad)
    m.expect(r"receive: no: the header is not a checkpoint's; nothing is kept", SECONDS)
    m.expect(PROMPT, SECONDS)
    after = m.command("info memory", SECONDS)
    check(after == before, f"memory is not as before: {before}{after}")
    check(m.command("snapshots", SECONDS).count("KiB") == 1, "not one snapshot")


@case(seconds=30, qemu_alone="a program's seconds are the wall's")
def goes_and_comes_back(t):
    """By lrzsz, a block broken each way, to a machine that was off meanwhile."""
    files = {"guest.cfg": without_pci(guest_cfg("keep")), "keep.elf": GUESTS / "keep.elf"}
    with Machine(t, files=files, cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        saves(m, "guest", "held")
        # In by_mux it runs meanwhile: that takes QEMU several times as long.
        m.command("suspend guest", SECONDS)
        check(sends(t, m, "held", Spoil(at=20 * BLOCK + 500)) == 0, "rb failed")
        m.expect(r"held is sent as held\.ckpt\n", SECONDS)
        m.expect(PROMPT, SECONDS)
        is_whole(t, "held.ckpt")
        fails(t, m, t.dir / "held.ckpt")
    files["guest.cfg"] = guest_cfg("keep", autostart=False, console=False)
    with Machine(t, files=files, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        check(receives(t, m, "came", t.dir / "held.ckpt", Spoil(at=30 * BLOCK + 7)) == 0,
              "sb failed")
        m.expect(r"came is here, and whole", SECONDS)
        m.expect(PROMPT, SECONDS)
        restores(m, "came")
        m.send("console guest\r")
        m.expect("attached", timeout=SECONDS)
        m.send("x")
        return verdict(m)


@case(seconds=30, qemu_alone="a program's seconds are the wall's")
def from_a_disk(t):
    """What a disk keeps goes out as a file, and comes in to the machine's memory."""
    with Machine(t, files=keeper_files(), cpus=2) as m:
        m.expect("# holding", timeout=SECONDS)
        m.send(LEAVE)
        m.expect(PROMPT, timeout=SECONDS)
        saves(m, "guest", "disk:keeper.snap")
        m.command("suspend guest; suspend keeper", SECONDS)
        check(sends(t, m, "disk:keeper.snap") == 0, "rb failed")
        m.expect(r"disk:keeper\.snap is sent as keeper\.snap\.ckpt\n", SECONDS)
        m.expect(PROMPT, SECONDS)
        is_whole(t, "keeper.snap.ckpt")
        check(receives(t, m, "came", t.dir / "keeper.snap.ckpt") == 0, "sb failed")
        m.expect(r"came is here, and whole", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.command("destroy guest; destroy keeper", SECONDS)
        restores(m, "came")
        m.send("console guest\r")
        m.expect("attached", timeout=SECONDS)
        m.send("x")
        return verdict(m)


def by_channel(t, tool, command):
    """A program on the tool's terminal for the transfer."""
    with open(tool.path("transfer"), "r+b", buffering=0) as line:
        process = subprocess.run(command, stdin=line, stdout=line, stderr=subprocess.PIPE,
                                 cwd=t.dir, timeout=SECONDS * 4)
    t.log(process.stderr.decode(errors="replace")[-1000:])
    check(process.returncode == 0, f"{command} failed")


@case(seconds=30, qemu_alone="a program's seconds are the wall's")
def by_mux(t):
    """The same in a channel of a framed line, by tools/alcazar-mux; Ctrl-C in the shell gives up."""
    files = {"guest.cfg": without_pci(guest_cfg("keep", console=False)),
             "keep.elf": GUESTS / "keep.elf"}
    with Machine(t, files=files, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        with Tool(t, m) as tool:
            shell = tool.reader("shell")
            shell.expect(b"alcazar> ")
            tool.reader("guest.com1").expect(b"# holding")
            shell.type(b"save guest held\r")
            shell.expect(b"is saved as held")
            shell.type(b"send held\r")
            shell.expect(b"rb < transfer > transfer. Ctrl-C gives up.")
            by_channel(t, tool, ["rb", "-y"])
            shell.expect(b"held is sent as held.ckpt")
            is_whole(t, "held.ckpt")
            shell.type(b"send held\r")
            shell.expect(b"Ctrl-C gives up.")
            shell.type(b"\x03")
            shell.expect(b"send: held: given up")
            shell.type(b"destroy guest; snapshot-delete held; receive came\r")
            shell.expect(b"sb -k FILE < transfer > transfer")
            by_channel(t, tool, ["sb", "-k", "held.ckpt"])
            shell.expect(b"came is here, and whole")
            shell.type(b"restore came\r")
            shell.expect(b"came is restored and runs")
            guest = tool.reader("guest.com1")
            guest.type(b"x")
            guest.expect(b"1 passed, 0 failed")


@case(seconds=600, qemu_alone="a program's seconds are the wall's")
def linux_comes_back(t):
    """Linux is saved and sent, the machine goes off, another one boots, takes it back, and the shell is
    where it was."""
    files = linux_files(memory="96M")
    with Machine(t, files=files) as m:
        guest = Linux(m)
        guest.boot()
        guest.sh("md5sum /bin/busybox > /sum; there=before")
        guest.leave()
        saves(m, "linux", "first")
        check(sends(t, m, "first", seconds=1800) == 0, "rb failed")
        m.expect(r"first is sent", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.send("poweroff\r")
        m.process.wait(SECONDS)
    files["linux.cfg"] = linux_cfg(memory="96M", autostart=False, console=False)
    with Machine(t, files=files) as m:
        guest = Linux(m)
        m.expect(PROMPT, SECONDS)
        check(receives(t, m, "came", t.dir / "first.ckpt", seconds=1800) == 0, "sb failed")
        m.expect(r"came is here, and whole", SECONDS)
        m.expect(PROMPT, SECONDS)
        restores(m, "came")
        guest.enter("linux")
        check(guest.sh("echo $there").strip() == "before", "another shell")
        guest.sh("md5sum -c /sum")
