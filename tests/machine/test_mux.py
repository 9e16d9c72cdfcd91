# SPDX-License-Identifier: BSD-2-Clause
"""Shell, log and guests' consoles at once on one serial line, by tools/alcazar-mux's module."""
import importlib.machinery
import importlib.util
import random
import re
import sys

from harness import ROOT, Failure, Machine, case
from harness.gdb import Gdb
from harness.mux import Streams, Tool, alcazar_mux
from harness.serial import PROMPT
from test_guests import guest_cfg, guest_files

sys.path.insert(0, str(ROOT / "tools"))
from alcazar_qmp import Client, open_line  # noqa: E402

SECONDS = 120  # for an answer, on a machine that has much else to do
RESETS = "after a reset with two CPUs, the BIOS of Bochs 2.7 ends with a keyboard error"


def check(condition, text):
    if not condition:
        raise Failure(text)


def files(**guests):
    """A VM for each: its name, and the guest that it runs."""
    every = {}
    for vm, guest in guests.items():
        every |= guest_files(guest)
        every[f"{vm}.cfg"] = guest_cfg(guest, vm=vm, autostart=False, console=False)
    del every["guest.cfg"]
    return every


@case(seconds=20)
def two_guests_and_the_shell(t):
    with Machine(t, files=files(one="echo", two="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.expect("shell", b"alcazar> ", SECONDS)
        check("mux is on: com1 carries" in s.command("mux", SECONDS), "not on")
        for vm in ("one", "two"):
            s.command(f"start {vm}", SECONDS)
            s.expect(f"{vm}.com1", b"# echoing", SECONDS)
        s.expect("log", b"vm two: starts with", SECONDS)
        check(b"] vm one" not in s.heard["shell"], "the log is in the shell's stream")
        for n in range(20):
            s.type("one.com1", b"first %d." % n)
            s.type("two.com1", b"second %d." % n)
            check("running" in s.command("list", SECONDS), "the shell does not answer")
        s.expect("one.com1", b"first 19.", SECONDS)
        s.expect("two.com1", b"second 19.", SECONDS)
        check("has a viewer already" in s.command("console one", SECONDS), "two viewers")
        s.command("destroy two", SECONDS)
        s.wait("the channel's end", lambda: len(s.channels) == 3, SECONDS)
        s.command("start two", SECONDS)
        s.expect("two.com1", b"# echoing", SECONDS)
        check(not s.errors and not s.bad and not any(c.lost for c in s.channels.values()),
              f"errors: {s.errors} {s.bad}")
        s.command("mux on", SECONDS)
        # Back to a plain line.
        s.type("shell", b"mux off\r")
        s.wait("plain text", lambda: not s.up, SECONDS)
        m.seen = len(m.text)
        check("running" in m.command("list", SECONDS), "no usable shell")
        m.command("console one", SECONDS, prompt="prompt --\n")
        m.send("plain")
        m.expect("plain", SECONDS)


def everything_but(size, *bytes_):
    """So many bytes, of which an echo changes none."""
    source = random.Random(6)
    allowed = [byte for byte in range(256) if byte not in bytes_]
    return bytes(source.choice(allowed) for _ in range(size))


@case(seconds=60, each=[{"kib": 16}, {"kib": 64}],
      qemu_alone="so much, there and back, takes Bochs too long")
def a_flood_beside_an_echo(t, kib):
    """One guest that says more than the line holds, one that takes no input, one that echoes."""
    with Machine(t, files=files(flood="flood", deaf="echo", echo="echo"), cpus=4) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        for vm, says in (("flood", b"# flooding"), ("deaf", b"# echoing"), ("echo", b"# echoing")):
            s.command(f"start {vm}", SECONDS)
            s.expect(f"{vm}.com1", says, SECONDS)
        s.command("pause deaf", SECONDS)
        s.type("deaf.com1", 3000 * b"x")
        sent = everything_but(kib << 10, 4, 13)
        before = len(s.heard["echo.com1"])
        s.type("echo.com1", sent)
        flooded = len(s.heard["flood.com1"])
        for _ in range(5):
            check("running" in s.command("list", SECONDS), "the shell does not answer")
        check(len(s.heard["echo.com1"]) < before + len(sent), "it was over before")
        s.wait("all of the echo", lambda: len(s.heard["echo.com1"]) >= before + len(sent),
               10 * SECONDS)
        check(s.heard["echo.com1"][before:] == sent, "the echo differs from what was sent")
        said = s.heard["flood.com1"][flooded:]
        check(len(said) > 10000, f"the flood said {len(said)} bytes")
        s.command("resume deaf", SECONDS)
        s.expect("deaf.com1", 3000 * b"x", SECONDS)
        # Whose bytes nobody reads waits, alone.
        s.stuck.add("flood.com1")
        stuck = len(s.heard["flood.com1"])
        for _ in range(5):
            s.command("list", SECONDS)
        check(len(s.heard["flood.com1"]) - stuck <= 4096, "more than was allowed")
        check(not s.errors and not s.bad, f"errors: {s.errors} {s.bad}")


BROKEN = (
    ("bad CRC", b"\0\x06\x02\x03\x04\x05\x06\x03\x07\x08\0"),
    ("bad stuffing", b"\0\x70ab\0"),
    ("too short", b"\0\x03ab\0"),
    ("too long", b"\0" + 300 * b"a" + b"\0"),
    ("no such channel", alcazar_mux.frame(200, 0, b"to nobody")),
    ("no such channel", alcazar_mux.frame(alcazar_mux.LOG, 0, b"to the log")),
    ("bad message", None),
)


@case(seconds=20)
def errors(t):
    """What is wrong is counted and answered, and what is right beside it arrives."""
    with Machine(t, files=files(echo="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        for n, (text, data) in enumerate(BROKEN):
            s.type("echo.com1", b"before %d " % n)
            if data:
                s.write(data)
            else:
                s._tell(b"\x77")
            s.type("echo.com1", b"behind %d " % n)
            s.expect("echo.com1", b"before %d behind %d " % (n, n), SECONDS)
            s.wait(f"an error: {text}", lambda: text in s.errors, SECONDS)
        # More than was allowed: what fits is taken.
        channel = s.channel("echo.com1")
        s.command("pause echo", SECONDS)
        s.write(b"".join(alcazar_mux.frame(channel.number, channel.sent + at, 128 * b"z")
                         for at in range(0, 4096, 128)))
        s.wait("an error", lambda: "more than was allowed" in s.errors, SECONDS)
        channel.sent = (channel.sent + 4096) & 0xFFFF
        s.command("resume echo", SECONDS)
        s.expect("echo.com1", 1024 * b"z", SECONDS)
        # Bytes that were lost on their way do not use the window up.
        for n in range(20):
            channel.sent = (channel.sent + 200) & 0xFFFF
            s.type("echo.com1", b"number %d." % n)
            s.expect("echo.com1", b"number %d." % n, SECONDS)
        check("bytes are missing" in s.errors, "no gap is told")
        check(s.errors["no such channel"] == 2 and s.errors["bad CRC"] == 1, f"{s.errors}")


@case(seconds=30)
def noise(t):
    """A line that loses and changes bytes, both ways; then another session, and none."""
    with Machine(t, files=files(echo="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        source = random.Random(7)
        noisy = [True]

        def spoil(data):
            if not noisy[0]:
                return data
            return bytes(byte ^ 1 << source.randrange(8) if source.random() < 0.002 else byte
                         for byte in data if source.random() > 0.001)

        noisy[0] = False
        s = Streams(m, spoil)
        s.write = lambda data: m.send_bytes(spoil(data))
        s.begin()
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        noisy[0] = True
        for n in range(300):
            s.type("echo.com1", b"line %d of many. " % n)
            s.once(0.01)
        s.wait("bad frames on both sides", lambda: s.bad and s.errors, SECONDS)
        noisy[0] = False
        # The windows have not shrunk for good, and nobody is confused.
        before = len(s.heard["echo.com1"])
        s.type("echo.com1", 5000 * b"q")
        s.wait("an echo", lambda: s.heard["echo.com1"][before:].count(b"q") >= 5000, SECONDS)
        s.type("shell", b"\x03")
        check("running" in s.command("list", SECONDS), "no shell")
        # Another session takes over from one that said no goodbye.
        other = Streams(m)
        other.begin()
        check("running" in other.command("list", SECONDS), "no second session")
        other.expect("echo.com1", b"# echoing", SECONDS)
        # A person without a tool.
        m.send_bytes(b"\0\0\0\0\0mux off\r")
        other.wait("plain text", lambda: not other.up, SECONDS)
        m.send("\x03")  # a frame that was on its way is typed
        m.seen = len(m.text)
        check("running" in m.command("list", SECONDS), "no usable shell")


@case(seconds=30, qemu_alone=RESETS)
def starts_anew(t):
    """The machine is reset under the session, which comes back by itself."""
    with Machine(t, files=files(echo="echo"), cpus=2, resets=True) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        s.type("shell", b"reboot\r")
        s.wait("frames again", lambda: s.restarts == 2 and 1 in s.channels, SECONDS)
        check(b"boot: ready after" in s.heard["text"], "what it said meanwhile is lost")
        s.type("shell", b"\x03")
        check("defined" in s.command("list", SECONDS), "no shell after the reset")
        s.command("start echo", SECONDS)
        s.expect("echo.com1", b"# echoing", SECONDS)
        s.type("echo.com1", b"once more")
        s.expect("echo.com1", b"once more", SECONDS)


@case(seconds=20, qemu_alone=RESETS)
def tool(t):
    """tools/alcazar-mux itself: links to terminals, that outlive a reset; the line is text again."""
    with Machine(t, files=files(echo="echo"), cpus=2, resets=True) as m:
        m.expect(PROMPT, SECONDS)
        with Tool(t, m) as tool_:
            folder = tool_.folder
            shell = tool_.reader("shell")
            shell.expect(b"alcazar> ")
            for _ in range(2):
                shell.type(b"start echo\r")
                shell.expect(b"vm echo is started\r\n")
                echo = tool_.reader("echo.com1")
                echo.expect(b"# echoing")
                echo.type(b"through the tool")
                echo.expect(b"through the tool")
                tool_.reader("log").expect(b"vm echo: starts with")
                shell.type(b"reboot\r")
                shell.expect(b"boot: ready after")
                shell.expect(b"mux on\r\n")
                shell.type(b"\r")
                shell.expect(b"alcazar> ")
            check(tool_.stop() == 0, "the tool failed")
            check(not list(folder.iterdir()), "links are left")
        m.seen = len(m.text)
        m.send("\x03")
        check("defined" in m.command("list", SECONDS), "no usable shell")


class Heard(alcazar_mux.Session):
    """A session without a line."""

    def __init__(self):
        super().__init__(lambda data: None)
        self.said, self.plain = b"", b""

    def data(self, channel, data):
        self.said += data

    def text(self, data):
        self.plain += data


@case(qemu_alone="no machine is in it")
def line_that_stalls(t):
    """In the middle of a frame: the rest still belongs to it. But a machine that was reset there
    says text."""
    hello = alcazar_mux.frame(alcazar_mux.CONTROL, 0, bytes([alcazar_mux.HELLO, 1, 246]))
    opened = alcazar_mux.frame(alcazar_mux.CONTROL, 3, bytes([alcazar_mux.OPEN, 0, 0]) + b"shell")
    for at in range(1, 20):
        heard = Heard()
        heard.feed(hello + opened, now=1)
        sent = alcazar_mux.frame(alcazar_mux.SHELL, 0, b"in two pieces")
        heard.feed(sent[:at], now=2)
        heard.tick(now=4)
        heard.feed(sent[at:], now=4.5)
        check(heard.said == b"in two pieces" and not heard.plain, f"cut at {at}: {vars(heard)}")
        heard.feed(sent[:at] + b"Alcazar", now=5)
        heard.tick(now=9)
        check(heard.plain.endswith(b"Alcazar"), f"cut at {at}: {heard.plain}")


@case(qemu_alone="no machine is in it")
def text_waits_for_the_answer(t):
    """What is typed between `mux on` and the hello would be lost among the frames; a machine that
    does not answer still gets it."""
    hello = alcazar_mux.frame(alcazar_mux.CONTROL, 0, bytes([alcazar_mux.HELLO, 1, 246]))
    heard = Heard()
    heard.start(now=1)
    check(heard.awaits_frames(), "it does not wait for the answer")
    heard.feed(b"mux on\r\n" + hello, now=2)
    check(heard.up and not heard.awaits_frames(), "it waits where frames have come")
    heard.feed(b"\0\0GRUB loading", now=3)
    heard.tick(now=9)
    check(not heard.up and heard.awaits_frames(), "silence is not asked")
    heard.tick(now=15)
    check(not heard.awaits_frames(), "it waits for ever")


@case(qemu_alone="no machine is in it")
def names_of_terminals(t):
    """Names that would be one file get one each, and keep it."""
    loader = importlib.machinery.SourceFileLoader("tool", str(ROOT / "tools/alcazar-mux"))
    spec = importlib.util.spec_from_loader("tool", loader)
    tool_ = importlib.util.module_from_spec(spec)
    loader.exec_module(tool_)
    folder = t.dir / "terminals"
    folder.mkdir(exist_ok=True)
    session = tool_.Terminals(lambda data: None, folder)
    names = ("a.com1", ".a.com1", "..a.com1", "a/com1", "a com1", "..", "shell", "a.com1", ".a.com1")
    files = [session.terminal(name).link.name for name in names]
    for terminal in session.terminals.values():
        terminal.close()
    check(files == ["a.com1", "a.com1_", "a.com1__", "a_com1", "a_com1_", "_", "shell", "a.com1",
                    "a.com1_"], f"{files}")
    check(not list(folder.iterdir()), "links are left")


@case(seconds=30)
def protocol_beside_the_consoles(t):
    """A program in the shell's channel, a guest that floods its own: every answer comes, in order,
    events too, and nothing that is not the protocol's."""
    with Machine(t, files=files(flood="flood", echo="echo"), cpus=2) as m:
        m.expect(PROMPT, SECONDS)
        with Tool(t, m) as tool_:
            tool_.reader("shell").expect(b"alcazar> ")
            with Client(open_line(str(tool_.path("shell"))), seconds=SECONDS * m.patience) as qmp:
                for vm in ("flood", "echo"):
                    qmp.request("start", vm=vm)
                loud, echo = tool_.reader("flood.com1"), tool_.reader("echo.com1")
                loud.expect(b"# flooding")
                echo.expect(b"# echoing")
                asked = [qmp.send("echo", text=[str(n)]) for n in range(100)]
                echo.type(b"in between")
                for n, request in enumerate(asked):
                    said = qmp.answer(request)["output"]
                    check(said == f"{n}\n", f"request {n} is answered by {said!r}")
                echo.expect(b"in between")
                for command, event in (("pause", "STOP"), ("resume", "RESUME")):
                    qmp.request(command, vm="echo")
                    check(qmp.event(event)["data"]["vm"] == "echo", f"another's {event}")
                loud.expect(b"no")  # of its characters; it goes on
                tool_.reader("log").expect(b"vm echo: starts with")
            shell = tool_.reader("shell")
            shell.type(b"echo back in the shell\r")
            shell.expect(b"\nback in the shell\r\n")


@case(seconds=8, each=[{"log": ""}, {"log": "log=com2"}],
      qemu_alone="its gdb stub breaks our code")
def panic(t, log):
    """It is told in frames, in the log's channel, and can be read without a tool on the same line."""
    gdb = Gdb(t)
    with Machine(t, files={}, cpus=2, cmdline=log, extra=[*gdb.options, "-serial", "null"]) as m:
        m.expect(PROMPT, SECONDS)
        s = Streams(m)
        s.begin()
        s.command("list", SECONDS)
        gdb.write("command_list", bytes.fromhex("0f0b"))  # ud2
        before = len(s.heard["log"])
        s.type("shell", b"list\r")
        s.expect("log", b"halted: reset the machine\n", SECONDS)
        card = s.heard["log"][before:].decode()
        check(re.search(r"PANIC: .*unexpected #UD", card), f"no panic: {card}")
        check(re.search(r"^what to try: .{20}", card, re.M), f"what to try is not there: {card}")
        check(re.search(r"^  [0-9a-f]{16} command_list\+0x", card, re.M), f"no backtrace: {card}")
        check(re.search(r"^log:\n(  \[ *\d+\.\d+\] \S.*\n){8}", card, re.M), f"no log: {card}")
        check(not s.bad and not s.errors, f"{s.bad} bad frames, {s.errors}")
        # A terminal shows the frames' bytes as they are.
        for words in ("PANIC: ", "unexpected #UD", "what to try: ", "halted: reset the machine"):
            check(words in m.text, f"{words!r} is cut on the line")
