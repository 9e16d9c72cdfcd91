# SPDX-License-Identifier: BSD-2-Clause
"""The console, as somebody uses and misuses it who sits at the serial line."""
import base64
import re
import zlib

from harness import BUILD, Failure, Machine, case
from harness.linux import LEAVE
from harness.serial import PROMPT
from test_guests import GUESTS, guest_cfg, guest_files, verdict

SECONDS = 120  # for an answer, on a machine that has much else to do
COMMANDS = ("about", "console", "define", "destroy", "device_add", "device_del", "dmesg", "dominfo", "echo", "help", "info",
            "list", "loadmod", "mux", "nmi", "pause", "poweroff", "qmp", "reboot", "reset", "resume",
            "screendump", "sendkey", "set", "shutdown", "start", "suspend", "top", "trace", "undefine",
            "vcpuinfo", "watch", "x", "xp")
TOPICS = ("cpus", "devices", "exits", "hv", "irqs", "memory", "modules", "msrs", "paging",
          "registers", "timers", "tlb", "vcpu", "vmcs")

# What is typed, and what must be in the answer.
ANSWERS = (
    ("", ""),
    ("   ", ""),
    ("help start", r"start VM +start a VM"),
    ("help info", r"info memory "),
    ("help restore", r"restore NAME\|disk:OWNER\.DEVICE\|module:MODULE \[as VM\] let a VM go on"),
    ("help nonsense", r"nonsense: no such command; `help` lists"),
    ("help device", r"uart16550 +16550A"),
    ("help device uart16550", r"io +number +first I/O port, 0x0 to 0xfff8 \(default 0x3f8\)"),
    ("help hostdev", r"testdev +a device with one of everything"),
    ("help hostdev edu", r"dma_mask +number +the bits of an address .*\(default 0xfffffff\)"),
    ("help hostdev nonsense", r"nonsense: no such host device"),
    ("info hostdevs", r"no host device is open"),
    ("help device nonsense", r"nonsense: no such type of device"),
    ("nonsense", r"nonsense: no such command; `help` lists"),
    ("LIST", r"LIST: no such command"),
    ("list echo", r"usage: list\n"),
    ("start", r"usage: start VM\n"),
    ("start echo echo", r"usage: start VM\n"),
    ("start nobody", r"nobody: no such VM; `list` shows them"),
    ("destroy", r"usage: destroy VM\n"),
    ("destroy nobody", r"nobody: no such VM"),
    ("destroy echo", r"vm echo: cannot destroy: it is defined"),
    ("reset echo", r"vm echo: cannot reset: it is defined"),
    ("pause echo", r"vm echo: cannot pause: it is defined"),
    ("resume echo", r"vm echo: cannot resume: it is defined"),
    ("console", r"usage: console VM \[ID\]\n"),
    ("console nobody", r"nobody: no such VM"),
    ("console echo", r"vm echo has no console: it is not started"),
    ("console echo screen0", r"vm echo has no console: it is not started"),
    ("info nonsense", r"info nonsense: no such topic"),
    ("info exits", r"usage: info exits VM\n"),
    ("info exits nobody", r"nobody: no such VM"),
    ("info exits echo", r"all +0\n"),
    ("info devices", r"usage: info devices VM\n"),
    ("info devices echo", r"ID +TYPE"),
    ("info memory now", r"usage: info memory\n"),
    ("info cpus", r"CPU +ENTITIES.*\n +0 .*\n +1 "),
    ("info memory", r"\d+ MiB, \d+ MiB free, \d+ pages used"),
    ("info hv", r"(SVM|VT-x), revision 0?x?[0-9a-f]+"),
    ("info paging", r"executable: 0;"),
    ("dmesg", r"\] Alcazar \d(.*\n)+.*boot: ready after"),
    ("dmesg now", r"usage: dmesg\n"),
    ("start 1 2 3 4 5 6 7 8 9 10 11 12", r"usage: start VM\n"),
    ("start" + 40 * " 1", r"start: too many words\n"),
    ("echo a 'b  c'\"d\"", r"^a b  cd\n"),
    ("echo 'a", r"echo: a quote is not closed\n"),
    ("nonsense; echo $?", r"no such command.*\n127\n"),
    ("start nobody; echo \"$?\" '$?'", r"no such VM.*\n3 \$\?\n"),
    ("list nobody;echo $?;echo $?", r"usage: list\n2\n0\n"),
    ("# start echo", r"^$"),
    ("help start", r"for example: start linux\n"),
    ("shutdown echo", r"vm echo is defined: `start` it first"),
    ("nmi echo", r"vm echo is defined: `start` it first"),
    ("sendkey echo a", r"vm echo is defined: `start` it first"),
    ("sendkey echo nokey", r"sendkey: nokey: expected up to 4 keys"),
    ("screendump echo", r"vm echo is defined: `start` it first"),
    ("suspend echo", r"vm echo: cannot pause: it is defined"),
    ("vcpuinfo echo", r"vm echo is defined: `start` it first"),
    ("vcpuinfo nobody", r"nobody: no such VM"),
    ("dominfo echo", r"state: +defined\n(.*\n)*vCPUs: +1\nmemory: +64 MiB\n"),
    ("info irqs echo", r"vm echo is defined: `start` it first"),
    ("info timers nobody", r"nobody: no such VM"),
    ("info registers", r"vm echo is defined: `start` it first"),
    ("info registers echo.x", r"echo.x: no such VM"),
    ("info registers nobody.0", r"nobody: no such VM"),
    ("info tlb echo.0", r"vm echo is defined: `start` it first"),
    ("info modules", r"echo.elf +\d+ bytes\n"),
    ("x 0", r"vm echo is defined: `start` it first"),
    ("x/4096000 0", r"x/4096000: expected /COUNT"),
    ("xp/ii 0", r"xp/ii: expected /COUNT"),
    ("xp/xg here", r"here: expected an address"),
    ("list/x", r"list/x: no such command"),
    ("undefine nobody", r"nobody: no such VM"),
    ("define nobody", r"define: nobody: no such module"),
    ("define echo.elf", r"define: echo.elf: failed \(error 22\), see the log"),
    ("loadmod ../x", r"loadmod: ../x: expected a name"),
    ("loadmod echo.elf", r"loadmod: echo.elf: there is a module of that name"),
    ("set", r"log +info .*\npaging +auto .*\ncolour +off "),
    ("set log all", r"set log all: expected error\|warn\|info\|debug"),
    ("set log", r"log +info "),
    ("about", r"^Alcazar \d(.*\n)+CPUs: +2, TSC"),
    ("watch 0 list", r"watch: 0: expected a number from 1 to"),
    ("watch 1 top", r"watch: top: expected a command that ends by itself"),
    ("top 0", r"top: 0: expected a number from 1 to"),
    ("top 1", r"NAME +CPU +EXITS/S\necho +0.0% +0\n"),
    ("%s%n%p %llx", r"%s%n%p: no such command"),
    ("start " + 100 * "x", 100 * "x" + ": no such VM"),
    ("start ../../etc", r"\.\./\.\./etc: no such VM"),
)


def check(condition, text):
    if not condition:
        raise Failure(text)


def answers(m):
    for line, wanted in ANSWERS:
        said = m.command(line, SECONDS)
        check(re.search(wanted, said), f"{line!r}: not {wanted!r} but {said!r}")
    said = m.command("help", SECONDS)
    for name in COMMANDS:
        check(re.search(rf"^  {name}\b", said, re.M), f"help does not list {name}")
        told = m.command(f"help {name}", SECONDS)
        check(told.strip().startswith(name) and re.search(rf"for example: .*\b{name}\b", told),
              f"no help for {name}: {told}")
    said = m.command("info", SECONDS)
    for topic in TOPICS:
        check(re.search(rf"^  info {topic}\b.*: \w", said, re.M), f"info does not list {topic}")


def alive(m):
    """The shell answers, with an empty line before."""
    m.send("\x03")
    check(re.search(r"^echo +", m.command("list", SECONDS), re.M), "list does not list")


def keys(m):
    """Editing: what is executed is what one sees."""
    m.send("lixx\x7f\x7fst\r")  # DEL
    m.expect(r"NAME +STATE", SECONDS)
    m.send("xxlist\x01\x1b[3~\x1b[3~\r")  # Ctrl-A, Delete
    m.expect(r"NAME +STATE", SECONDS)
    m.send("st\x1b[D\x1b[Dli\x05\r")  # left, Ctrl-E
    m.expect(r"NAME +STATE", SECONDS)
    m.send("nonsense\x15list\r")  # Ctrl-U
    m.expect(r"NAME +STATE", SECONDS)
    m.send("\x1b[A\x1b[A\x1b[B\r")  # up, up, down: the last line
    m.expect(r"NAME +STATE", SECONDS)
    m.send("li\t\r")  # Tab
    m.expect(r"NAME +STATE", SECONDS)
    m.send("dest\tec\t\r")
    m.expect(r"vm echo: cannot destroy", SECONDS)
    m.send("destroy nonsense\x17ec\t\r")  # Ctrl-W
    m.expect(r"vm echo: cannot destroy", SECONDS)
    m.send("\x12lis\r")  # Ctrl-R
    m.expect(r"NAME +STATE", SECONDS)
    m.send("info exi\tec\t\r")
    m.expect(r"injected +0", SECONDS)
    m.send("device_add echo uart16\tio\x15help device uart\t\r")
    m.expect(r"16550A serial port", SECONDS)
    m.expect(PROMPT, SECONDS)


def pages(m):
    """Only who answers as a terminal gets pages."""
    check("--More--" not in m.command("help", SECONDS), "a script gets pages")
    m.send("\x1b[10;80R\rhelp\r")
    m.expect(r"\x1b\[6n", SECONDS)
    m.send("\x1b[10;80R")
    m.expect(r"--More--", SECONDS)
    m.send(" ")
    m.expect(r"--More--", SECONDS)
    m.send("q")
    m.expect(PROMPT, SECONDS)
    m.send("list\r")
    m.expect(r"NAME +STATE", SECONDS)
    m.send("help\r")  # and whoever does not answer any more gets all
    m.expect(r"leaves a VM's console\.\n", SECONDS)
    m.expect(PROMPT, SECONDS)


def labgrid(m, line):
    """A command as labgrid's UBootDriver gives it: (what it printed, its status)."""
    marker = "ABCDEFGHIJ"
    said = m.command(f"echo '{marker[:4]}''{marker[4:]}'; {line}; echo \"$?\"; "
                     f"echo '{marker[:4]}''{marker[4:]}';", SECONDS).split("\n")
    said = said[said.index(marker) + 1:]
    said = said[:said.index(marker)]
    return said[:-1], int(said[-1])


def scripts(m):
    said, status = labgrid(m, "list")
    check(said[0].startswith("NAME ") and len(said) == 2 and status == 0, f"{said} {status}")
    check(labgrid(m, "nonsense")[1] == 127, "an unknown command has a wrong status")
    check(labgrid(m, "pause echo")[1] == 1, "a command that failed has a wrong status")


def goes_on(m):
    """What goes on until a key is pressed."""
    m.send("watch 1 list\r")
    for _ in range(2):
        m.expect(r"echo +defined(.*\n)+-- every 1 s; a key ends it --", SECONDS)
    m.send("x")
    m.expect(PROMPT, SECONDS)
    m.send("top\r")
    m.expect(r"NAME +CPU", SECONDS)
    m.send("x")
    m.expect(PROMPT, SECONDS)


def noise(m):
    """No byte, sequence or length of what is typed does harm."""
    m.send("".join(chr(byte) for byte in range(32) if chr(byte) not in "\r\n"))
    alive(m)
    m.send_bytes(bytes(range(127, 256)))
    alive(m)
    m.send("\x1b[999999999999;1;1;1m\x1b[\x1b[\x1bO\x1b]0;title\x07\x1b[200~\x1b[1;5D\x1b")
    alive(m)
    m.send(3000 * "y" + "\r")
    m.expect(r"y{100,240}: no such command", SECONDS)
    alive(m)


def paste(m):
    """Many lines at once: each is executed, none is lost."""
    lines = [f"start vm-{n}" for n in range(200)]
    m.send("\r".join(lines) + "\r")
    for n in range(200):
        m.expect(rf"vm-{n}: no such VM", SECONDS)
    alive(m)
    # Quicker than any line, and much more than we have space for: the other end waits.
    lines = [f"echo {n}-{40 * 'x'}-'{n}'\r" for n in range(1400)]
    m.paste("".join(lines).encode())
    m.expect(rf"\n1399-{40 * 'x'}-1399\n", SECONDS)
    said = set(re.findall(r"^(\d+)-x{40}-(\d+)$", m.text, re.M))
    check(said == {(str(n), str(n)) for n in range(1400)}, "a line was lost or broken")
    alive(m)


@case(seconds=15)
def commands(t):
    with Machine(t, files=guest_files("echo", vm="echo", autostart=False), cpus=2) as m:
        m.expect(r"`help` lists the commands", SECONDS)
        m.expect(PROMPT, SECONDS)
        answers(m)
        keys(m)
        scripts(m)
        goes_on(m)
        noise(m)
        paste(m)
        pages(m)


@case(seconds=12)
def all_over_the_line(t):
    """A VM of a kernel and a config that both come over the serial line; then it goes again."""
    kernel = (GUESTS / "echo.elf").read_bytes()
    with Machine(t, files={}) as m:
        m.expect(PROMPT, SECONDS)
        m.send("loadmod echo.elf\r")
        m.expect(r"Send the file as base64", SECONDS)
        m.paste(base64.encodebytes(kernel) + b".\n")
        m.expect(rf"module echo.elf: {len(kernel)} bytes, CRC-32 {zlib.crc32(kernel):08x}\n",
                 SECONDS)
        m.expect(PROMPT, SECONDS)
        config = guest_cfg("echo", vm="echo", autostart=False)
        m.send("define\r")
        m.expect(r"Paste a VM's config", SECONDS)
        m.send(config + ".\r")
        m.expect(r"vm echo: defined by pasted config: 1 CPU, 64 MiB", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.send("define\r" + config + ".\r")
        m.expect(r"defines a VM of that name", SECONDS)
        m.expect(r"define: pasted config: failed", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.command("start echo", SECONDS)
        m.command("console echo", SECONDS, prompt="# echoing\n")
        type_to(m, "from the line")
        m.send(LEAVE)
        m.expect(PROMPT, SECONDS)
        check("is running: destroy it first" in m.command("undefine echo", SECONDS),
              "a VM that runs is undefined")
        m.command("destroy echo", SECONDS)
        check("vm echo is undefined" in m.command("undefine echo", SECONDS), "not undefined")
        check("No VM is defined" in m.command("list", SECONDS), "it is still there")
        check("no such VM" in m.command("start echo", SECONDS), "it can still be started")


def inspects(m):
    """A VM that runs, looked at from outside."""
    said = m.command("info registers", SECONDS)
    check(re.search(r"^RIP 00000000001\w{5}  RFLAGS", said, re.M) and
          re.search(r"^CR0 +0{8}8\w{7}  CR2", said, re.M), said)
    check("RAX" in m.command("info registers echo.0", SECONDS), "no registers of echo.0")
    check("has vCPUs 0 to 0" in m.command("info registers echo.1", SECONDS), "too many vCPUs")
    said = m.command("info tlb echo", SECONDS)
    check(re.search(r"^0{16}-\w{16} -> 0{12} .w", said, re.M), said)
    # The kernel's Multiboot header is where it was loaded, and by both kinds of addresses.
    rip = re.search(r"RIP (\w+)", m.command("info registers", SECONDS))[1]
    virtual = m.command(f"x/4xb echo.0 0x{rip}", SECONDS)
    check(re.search(rf"^{rip}:( 0x\w\w){{4}}$", virtual, re.M), virtual)
    check(virtual == m.command(f"xp/4xb 0x{rip}", SECONDS), "x and xp differ")
    check("no RAM of the VM there" in m.command("xp 0x10000000", SECONDS), "RAM beyond the end")
    said = m.command(f"x/3i echo.0 0x{rip}", SECONDS)
    check(len(re.findall(r"^\w{16}:( \w\w)+ +[a-z]\w+", said, re.M)) == 3, said)
    said = m.command("info irqs echo", SECONDS)
    check(re.search(r"^ +4 +1 +(low|high)$", said, re.M), said)
    said = m.command("info timers echo", SECONDS)
    check(re.search(r"^the guest's clock: \d+ us\n(.+ (off|due|in \d+ us)\n)+", said), said)
    said = m.command("vcpuinfo echo", SECONDS)
    check(re.search(r"^ +0 +[01] +\d+ ms +\d+ +\d+ (halted|runs)$", said, re.M), said)
    said = m.command("dominfo echo", SECONDS)
    check(re.search(r"^state: +running$", said, re.M) and re.search(r"^exits: +\d{3}", said, re.M),
          said)
    check(re.search(r"^echo +\d+\.\d% +\d+$", m.command("top 1", SECONDS), re.M), "top")
    check("power button is pressed" in m.command("shutdown echo", SECONDS), "no power button")
    check(re.search(r"^echo +running", m.command("list", SECONDS), re.M), "it does not run on")


def type_to(m, text):
    m.send(text)
    m.expect(re.escape(text), SECONDS)


@case(seconds=10)
def vm_console(t):
    """A guest that sends back what it gets: attached, left, paused, reset, ended."""
    with Machine(t, files=guest_files("echo", vm="echo")) as m:
        m.expect(r"-- attached to vm echo; Ctrl-\] returns", SECONDS)
        m.expect(r"# echoing", SECONDS)
        type_to(m, "one two")
        type_to(m, "\x01\x02\x07\x1b[A\x1c\x1e\x1f\t")  # all but Ctrl-] is the guest's
        # Typed faster than a guest takes it.
        type_to(m, "".join(f"{n:03}," for n in range(800)))
        type_to(m, "last words")
        m.send(LEAVE + "list\r")  # at once: what comes behind it is the shell's
        m.expect(r"-- left vm echo; `console echo` attaches again --", SECONDS)
        m.expect(r"echo +running", SECONDS)
        m.expect(PROMPT, SECONDS)
        check("console0" in m.command("info devices echo", SECONDS), "no console0")
        inspects(m)
        check(re.search(r"io +\d{3}", m.command("info exits echo", SECONDS)), "no exits")

        kept = m.command("console echo", SECONDS, prompt="last words")
        check("one two" in kept and "799," in kept, "what was said before is not shown")
        type_to(m, "three")
        m.send(LEAVE)
        m.expect(PROMPT, SECONDS)

        m.command("pause echo", SECONDS)
        check(re.search(r"echo +paused", m.command("list", SECONDS)), "not paused")
        check(re.search(r"(?i)\brip\b", m.command("info vmcs echo.0", SECONDS)), "no registers")
        m.command("console echo", SECONDS, prompt="three")
        m.send("to a paused VM" + LEAVE)
        m.expect(PROMPT, SECONDS)
        m.command("resume echo", SECONDS)
        m.command("console echo", SECONDS, prompt="to a paused VM")
        m.send(LEAVE)
        m.expect(PROMPT, SECONDS)

        check("vm echo: cannot start: it is running" in m.command("start echo", SECONDS),
              "started twice")
        m.command("reset echo", SECONDS)
        m.command("console echo", SECONDS, prompt="three")
        m.expect(r"# echoing", SECONDS)
        type_to(m, "four")
        m.send("\x04")
        typed = m.seen
        check(verdict(m, SECONDS)[:2] == (1, 0), "the guest fails")
        m.seen = typed  # the log may be faster than the guest's last line
        m.expect_all(r"vm echo: stopped",
                     rf"-- vm echo has ended; back at the alcazar> prompt --\n(?:\[.*\n)*{PROMPT}",
                     timeout=SECONDS)
        check(re.search(r"echo +stopped", m.command("list", SECONDS)), "not stopped")
        said = m.command("console echo", SECONDS)
        check("-- vm echo has ended; what it said last: --" in said and "four" in said,
              f"what a stopped VM said is lost: {said}")
        m.command("start echo", SECONDS)
        m.command("destroy echo", SECONDS)


REGISTERS = ("rip", "rsp", "r15", "rflags", "cr0", "cr2", "cr3", "cr4", "cr8", "dr7", "efer", "pat",
             "star", "lstar", "kernel-gs", "sysenter-eip", "dr3", "xcr0")


def reload(m, vcpu, rounds):
    """All of a vCPU out and in again, while it is paused."""
    for _ in range(rounds):
        m.command("pause " + vcpu.split(".")[0], SECONDS)
        said = m.command(f"reload {vcpu}", SECONDS)
        check(re.search(r"^reloaded, \d{4} bytes", said), said)
        said = m.command(f"info vcpu {vcpu}", SECONDS)
        for name in REGISTERS:
            check(re.search(rf"(^|  ){name} +[0-9a-f]{{16}}", said, re.M), f"no {name}: {said}")
        m.command("resume " + vcpu.split(".")[0], SECONDS)


@case(seconds=10)
def vcpu_is_taken_out_and_put_in(t):
    """A guest that holds a value in each register, and one that sleeps, do not notice it."""
    files = guest_files("keep", vm="keep", autostart=False)
    files |= {name.replace("guest", "echo"): what
              for name, what in guest_files("echo", vm="echo", autostart=False).items()}
    # Two CPUs: in Bochs nothing interrupts a guest whose IF is clear.
    with Machine(t, files=files, cpus=2, build=BUILD / "allyes") as m:
        m.expect(PROMPT, SECONDS)
        for vm, begins in (("keep", "# holding"), ("echo", "# echoing")):
            m.command(f"start {vm}", SECONDS)
            m.command(f"console {vm}", SECONDS, prompt=begins)
            m.send(LEAVE)
            m.expect(PROMPT, SECONDS)
            check("`pause` it first" in m.command(f"info vcpu {vm}.0", SECONDS), "it runs")
            reload(m, f"{vm}.0", 5)
            m.command(f"console {vm}", SECONDS, prompt="prompt --\n")
            if vm == "echo":
                type_to(m, "still awake")
                m.send("\x04")
            else:
                m.send("x")
            passed, failed, why = verdict(m, SECONDS)
            check(passed == 1 and not failed, f"{vm}: {why}")
            m.expect(PROMPT, SECONDS)


@case(seconds=10, each=[{"firmware": "bios"}, {"firmware": "uefi"}])
def machine_resets_and_goes_off(t, firmware):
    with Machine(t, files={}, firmware=firmware, resets=True) as m:
        m.expect(PROMPT, SECONDS)
        m.send("reboot\r")
        m.expect(r"Resetting the machine", SECONDS)
        m.expect(r"\] Alcazar \d", SECONDS)
        m.expect(PROMPT, SECONDS)
        m.send("poweroff\r")
        check(m.wait(SECONDS) == 0, "the machine did not go off cleanly")


@case(seconds=30, each=[{"name": "flood", "cpus": 1}, {"name": "spin", "cpus": 2}])
def machine_resets_under_guests(t, name, cpus):
    """Every CPU has been in guests, and one is in one now, when it is told to leave."""
    with Machine(t, files=guest_files(name, cpus=cpus), cpus=cpus, resets=True) as m:
        for again in (True, False):
            m.expect(r"flooding|# spinning", SECONDS)
            m.send("\x1d")
            m.expect(PROMPT, SECONDS)
            m.send("reboot\r" if again else "poweroff\r")
        check(m.wait(SECONDS) == 0, "the machine did not go off cleanly")
