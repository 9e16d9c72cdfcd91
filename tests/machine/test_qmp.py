# SPDX-License-Identifier: BSD-2-Clause
"""The protocol for programs, by the tool that comes with it."""
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading

from harness import ROOT, Failure, Machine, case
from harness.pseudo_terminal import PseudoTerminal
from test_guests import guest_cfg, guest_files, GUESTS

sys.path.insert(0, str(ROOT / "tools"))
from alcazar_qmp import Client, Line, QmpError  # noqa: E402

SECONDS = 150
REQUESTS = 1000


class MachineLine(Line):
    """A machine's serial line; what it says is kept with the case."""

    def __init__(self, m):
        super().__init__(m.output, m.input)
        self.m = m

    def read(self, seconds):
        data = super().read(seconds * self.m.patience)
        self.m.keep(data)
        return data


class Listener(Client):
    """Keeps all that comes in its order."""

    def __init__(self, m, **options):
        self.said = []
        super().__init__(MachineLine(m), seconds=SECONDS, **options)
        self.said.clear()

    def _sort(self, line):
        self.said.append(line)
        super()._sort(line)

    def ids(self):
        return [json.loads(line)["id"] for line in self.said if '"id": "' in line]


def check(condition, text):
    if not condition:
        raise Failure(text)


def refused(qmp, error_class, execute, **arguments):
    try:
        said = qmp.request(execute, **arguments)
    except QmpError as error:
        check(error.error_class == error_class, f"{execute}: {error.error_class}: {error}")
        return str(error)
    raise Failure(f"{execute} went well: {said}")


def ask_all(qmp):
    """REQUESTS of them, the first half before any answer is read; what was asked, in order."""
    asked = []
    for n in range(REQUESTS):
        name = ("query-status", "dominfo", "query-exits", "echo", "query-irqs")[n % 5]
        arguments = {"text": [str(n), "b c"]} if name == "echo" else {"vm": "loud"}
        if n % 100 == 50:
            name, arguments = ("pause", "resume")[n // 100 % 2], {"vm": "loud"}
        asked.append(qmp.send(name, **arguments))
        if n >= REQUESTS // 2:
            qmp.answer(asked[-1])
    return asked


@case(seconds=40, each=[{"cpus": 1}, {"cpus": 2}], qemu_alone="a thousand requests take Bochs long")
def loses_nothing_under_flood(t, cpus):
    """A guest writes to its console without end, on this line, another resets without end: every answer comes, whole, once and in order, and the events of what was asked."""
    files = {**guest_files("flood", vm="loud"), "resets.elf": GUESTS / "resets.elf",
             "resets.cfg": guest_cfg("resets", vm="noisy", console=False)}
    with Machine(t, files=files, cpus=cpus) as m:
        m.expect("flooding", timeout=SECONDS)
        qmp = Listener(m)
        qmp.request("console-attach", vm="loud")
        qmp.said.clear()
        asked = ask_all(qmp)
        check(qmp.ids() == asked, f"{len(qmp.ids())} answers to {len(asked)} requests, or not in order")
        odd = [line for line in qmp.said if not line.startswith('{"')]
        check(not odd, f"{len(odd)} lines are none of the protocol's: {odd[:1]}")
        events = [event["event"] for event in qmp.events
                  if event["data"].get("vm") != "noisy" and event["event"] != "CONSOLE"]
        check("EVENTS_LOST" in events or events == 5 * ["STOP", "RESUME"], f"events: {events}")
        text = "".join(event["data"]["text"] for event in qmp.events if event["event"] == "CONSOLE")
        # It does not ask whether it may, and so loses what the line has no time for.
        check(re.fullmatch("# flooding\\n[0-o]{10000,}", text), f"it has said: {text[:100]!r}")
        check(len(qmp.events) > 50, "the other guest does not reset")
        check(qmp.request("qmp_quit") == {}, "qmp_quit")
        m.expect("alcazar> ", timeout=SECONDS)


@case(seconds=10, qemu_alone="so much takes Bochs long")
def answers_in_the_shell(t):
    """Without the protocol's line: an answer is a whole line, whatever the log says meanwhile."""
    with Machine(t, files=guest_files("resets", vm="chatty", console=False)) as m:
        m.expect("vm chatty: reset", timeout=SECONDS)
        for n in range(40):
            m.send('{"execute": "query-schema", "id": %d}\r' % n)
            if n >= 3:
                said = m.expect(rf'\n(\{{"return": .*"id": {n - 3}\}})\n', SECONDS).group(1)
                check(len(json.loads(said)["return"]) > 40, said)
                m.seen -= 1  # the next line's begin
        check(m.text.count("vm chatty: reset") > 10, "the log was quiet")
        m.command("destroy chatty", SECONDS)
        m.command("list", SECONDS)


BAD = (b"{", b'{"execute": "list"', b'{"execute": "list"]', b'{"execute": "nope"}', b"list", b"}",
       b'{"execute": "list", "id": ' + 3000 * b"[" + b"}", b"{\xff\xfe}", b'{"execute": "li\x01st"}',
       b'{"execute": "destroy", "arguments": {"vm": "guest", "vm": "guest"}}',
       b'{"execute": "destroy", "arguments": {"vm": "gone"}}', b'{"execute": "destroy"}',
       b'{"execute": "destroy", "arguments": {"vm": "guest", "now": 1}}', 9000 * b"x",
       b'{"execute": "destroy", "arguments": {"vm": "guest"}, "id": "' + 9000 * b"x" + b'"}')


@case(seconds=10)
def bad_lines(t):
    """One error each, nothing done, and the next request is answered."""
    with Machine(t, files=guest_files("echo", console=False)) as m:
        m.expect("vm guest: starts", timeout=SECONDS)
        with Listener(m) as qmp:
            for bad in BAD:
                qmp.said.clear()
                qmp._write(bad + b"\r")
                check(qmp.request("list")[0]["state"] == "running", f"{bad[:80]} did something")
                errors = [line for line in qmp.said if line.startswith('{"error": {"class": ')]
                check(len(errors) == 1, f"{bad[:80]}: {len(errors)} errors")
            refused(qmp, "GenericError", "console", vm="guest")
            refused(qmp, "GenericError", "watch", seconds=1, command="list")
            refused(qmp, "GenericError", "human-monitor-command", **{"command-line": "top"})


@case(seconds=20)
def events(t):
    files = {**guest_files("triple", autostart=False, console=False),
             "other.cfg": guest_cfg("echo", vm="other", autostart=False, console=False)}
    files["echo.elf"] = GUESTS / "echo.elf"
    with Machine(t, files=files) as m:
        m.expect("alcazar> ", timeout=SECONDS)
        with Listener(m, log=True) as qmp:
            check(qmp.greeting["version"]["package"].startswith("Alcazar "), "no greeting")
            qmp.request("start", vm="guest")
            check(qmp.event("START")["data"] == {"vm": "guest"}, "START")
            data = qmp.event("GUEST_PANICKED")["data"]
            check(data["vm"] == "guest" and "triple fault" in data["reason"], data)
            while "crashed; `reset`" not in qmp.event("LOG")["data"]["line"]:
                pass
            check(qmp.request("list", vm="guest")[0]["state"] == "crashed", "it has not crashed")
            qmp.request("destroy", vm="guest")
            check(qmp.event("SHUTDOWN")["data"] == {"vm": "guest", "guest": False}, "SHUTDOWN")
            for name, event in (("start", "START"), ("pause", "STOP"), ("resume", "RESUME"),
                                ("reset", "RESET"), ("shutdown", "POWERDOWN")):
                qmp.request(name, vm="other")
                check(qmp.event(event, 0)["data"]["vm"] == "other", event)
            qmp.request("console-attach", vm="other")
            check(qmp.request("console-write", text="hello\r") == {"taken": 6}, "console-write")
            text = ""
            while "hello" not in text:
                text += qmp.event("CONSOLE")["data"]["text"]
            qmp.request("device_add", vm="other", type="uart16550", id="more", io=0x2e8, irq=5)
            check("more" in [d["id"] for d in qmp.request("query-devices", vm="other")], "more")
            qmp.request("device_del", vm="other", id="more")
            data = qmp.event("DEVICE_DELETED", 0)["data"]
            check(data == {"vm": "other", "device": "more"}, data)
            qmp.request("destroy", vm="other")
            check(qmp.event("CONSOLE_CLOSED")["data"] == {"vm": "other"}, "CONSOLE_CLOSED")
            qmp.request("start", vm="other")
            refused(qmp, "DeviceNotFound", "device_del", vm="other", id="more")
            refused(qmp, "DeviceNotFound", "start", vm="nobody")
            refused(qmp, "CommandNotFound", "nothing")
            qmp.request("define-config", config="[vm \"third\"]\n  cpus = 2\n  memory = 16M\n"
                                                "[boot]\n  kernel = module:echo.elf\n")
            names = {vm["name"]: vm["vcpus"] for vm in qmp.request("query-status")}
            check(names == {"guest": 1, "other": 1, "third": 2}, names)
            for topic in qmp.request("query-commands"):
                check(topic["name"] not in ("console", "top", "watch"), topic)


class Socket:
    """A listening socket that carries the machine's line, for one client after the other."""

    def __init__(self, m, family, address):
        self.m = m
        self.server = socket.socket(family, socket.SOCK_STREAM)
        self.server.bind(address)
        self.server.listen()
        self.server.settimeout(SECONDS)
        self.thread = threading.Thread(target=self._carry)
        self.thread.start()

    def _carry(self):
        client = self.server.accept()[0]
        while True:
            ready = select.select([client, self.m.output], [], [], SECONDS)[0]
            if client in ready:
                data = client.recv(4096)
                if not data:
                    break
                os.write(self.m.input, data)
            if self.m.output in ready:
                data = os.read(self.m.output, 4096)
                self.m.keep(data)
                client.sendall(data)
        client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.server.close()


def tool(t, line, *words, status=0, **options):
    command = [ROOT / "tools/alcazar-qmp", "--timeout", str(SECONDS), line, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS, **options)
    t.log(f"$ {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    check(done.returncode == status, f"{words} ended with {done.returncode}: {done.stderr}")
    return done.stdout + done.stderr


@case(seconds=15, qemu_alone="the tool's clock is the wall's")
def tool_on_every_line(t):
    """A pseudo-terminal, TCP and a Unix socket; the line in the shell, in a VM's console, or with
    half a line typed."""
    with Machine(t, files=guest_files("echo")) as m:
        m.expect("attached to vm guest", timeout=SECONDS)
        with PseudoTerminal(m) as line:
            said = tool(t, line.name, "list")
            check(json.loads(said)[0]["state"] == "running", said)
            said = tool(t, line.name, "pause", "vm=guest", "--events", "--seconds", "1")
            check("vm guest is paused" in said and '"event": "STOP"' in said, said)
            said = tool(t, line.name, "echo", "text=a", "text=b c")
            check(said == "a b c\n", said)
            said = tool(t, line.name, "start", "vm=nobody", status=1)
            check("DeviceNotFound: nobody: no such VM" in said, said)
            said = tool(t, line.name, input='list vm=guest\n{"execute": "nope", "id": 5}\n',
                        status=0)
            check('"state": "paused"' in said and '"CommandNotFound"' in said, said)
        m.send("half a li")
        with tempfile.TemporaryDirectory() as folder, Socket(m, socket.AF_UNIX, f"{folder}/line"):
            check("Alcazar" in tool(t, f"unix:{folder}/line", "about"), "about")
        with Socket(m, socket.AF_INET, ("127.0.0.1", 0)) as line:
            port = line.server.getsockname()[1]
            tool(t, f"tcp:127.0.0.1:{port}", "resume", "vm=guest")
        tool(t, "/dev/null/nothing", "list", status=2)
        m.send("\x03")
        m.expect("alcazar> ", timeout=SECONDS)
        check("running" in m.command("list"), "it does not run")
