# SPDX-License-Identifier: BSD-2-Clause
"""Four serial ports of a PC, and what can be behind them."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, linux_cfg, linux_files

# As on a PC, two ports share a line.
PORTS = (("com2", 0x2f8, 3), ("com3", 0x3e8, 4), ("com4", 0x2e8, 3))


def serial_ports(*backends):
    """com2 to com4, and devices behind ports: (type, frontend, other keys)."""
    text = "".join(f'[device "{name}"]\n  type = uart16550\n  io = {io:#x}\n  irq = {irq}\n'
                   for name, io, irq in PORTS)
    for index, (kind, frontend, keys) in enumerate(backends):
        text += f'[device "b{index}"]\n  type = {kind}\n  frontend = {frontend}\n{keys}'
    return text


def check(condition, text):
    if not condition:
        raise Failure(text)


@case(seconds=40)
def four_ports(t):
    """Linux has four; com2 is a cable to com3 of the same VM, com4 goes to the log."""
    files = linux_files(memory="192M")
    files["linux.cfg"] += serial_ports(("char-pair", "com2", "  name = loop\n"),
                                       ("char-pair", "com3", "  name = loop\n"),
                                       ("char-log", "com4", ""))
    with Machine(t, files=files, cpus=1) as m:
        guest = Linux(m)
        guest.boot()
        said = guest.sh("dmesg | grep ttyS")
        for number, (io, irq) in enumerate([(0x3f8, 4)] + [port[1:] for port in PORTS]):
            check(re.search(rf"ttyS{number} at I/O {io:#x} \(irq = {irq}, .*16550A", said), said)
        guest.sh("for p in 1 2 3; do stty -F /dev/ttyS$p raw -echo -echoctl; done")
        guest.sh("(sleep 1; seq 1 2999 > /dev/ttyS1) & head -n 2999 /dev/ttyS2 | md5sum > /tmp/got")
        check(guest.sh("cat /tmp/got") == guest.sh("seq 1 2999 | md5sum"), "bytes are lost")
        guest.sh("echo from the guest > /dev/ttyS3")
        guest.leave()
        check("vm linux: b2: from the guest\n" in m.command("dmesg"), "the log does not have it")


@case(seconds=60)
def two_vms(t):
    """Both ways at once between two VMs."""
    cable = serial_ports(("char-pair", "com2", "  name = cable\n"))
    files = linux_files(name="alice", memory="192M")
    files["linux.cfg"] += cable
    files["other.cfg"] = linux_cfg("bob", memory="192M", console=False) + cable
    exchange = ("stty -F /dev/ttyS1 raw -echo; (head -n 5000 /dev/ttyS1 | md5sum > /tmp/got) & "
                "{send}; wait; cat /tmp/got")
    with Machine(t, files=files, cpus=2, memory=768) as m:
        guest = Linux(m)
        guest.boot()
        guest.leave()
        m.command("console bob", prompt="prompt --\n")
        guest.boot()
        # Bob's modem lines: alice has not opened her end.
        guest.sh("stty -F /dev/ttyS1 raw -echo; exec 5<>/dev/ttyS1; sleep 1; "
                 "(head -n 5000 <&5 | md5sum > /tmp/got; seq 5001 10000 >&5) &")
        guest.leave()
        guest.enter("alice")
        got = guest.sh(exchange.format(send="seq 1 5000 > /dev/ttyS1"))
        check(got == guest.sh("seq 5001 10000 | md5sum"), f"from bob to alice: {got}")
        guest.leave()
        guest.enter("bob")
        check(guest.sh("cat /tmp/got") == guest.sh("seq 1 5000 | md5sum"), "from alice to bob")
        # One end goes while the other runs on.
        guest.leave()
        m.command("destroy alice", timeout=60)
        guest.enter("bob")
        guest.sh("timeout 5 sh -c 'echo nobody hears > /dev/ttyS1'")
