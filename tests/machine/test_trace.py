# SPDX-License-Identifier: BSD-2-Clause
"""`trace`: the flight recorder of VMs that run, stand still and are gone."""
import re

from harness import Failure, Machine, case
from harness.serial import PROMPT
from test_guests import guest_files

EXIT = r"\[ *(\d+\.\d+)\] [0-9a-f]{16} +(\d+|\?)  (\S.*)"


def exits(m, args):
    """(time, cost, reason) of each exit, by vCPU."""
    said = m.command(f"trace {args}", timeout=60)
    found = {}
    for vcpu, text in re.findall(r"vcpu (\d+): \d+ exits\n(.*?)(?=vm guest, |\Z)", said, re.S):
        found[int(vcpu)] = re.findall(EXIT, text)
    times = [[float(time) for time, _, _ in some] for some in found.values()]
    if any(some != sorted(some) for some in times):
        raise Failure(f"not in their order: {said}")
    return found


@case(seconds=12)
def shows_what_a_vm_does(t):
    with Machine(t, files=guest_files("flood"), cpus=2) as m:
        m.expect("flooding", timeout=120)
        m.send("\x1d")
        m.expect(PROMPT)
        for _ in range(50):  # it has just begun
            running = exits(m, "guest 200")[0]
            if len(running) == 200:
                break
        if len(running) != 200 or not any("io out 0x3f8, 1 bytes: " in why for _, _, why in running):
            raise Failure(f"of a running VM: {running}")
        m.command("pause guest")
        still = exits(m, "guest.0 5")
        if exits(m, "guest 5") != still or len(still[0]) != 5:
            raise Failure(f"of a paused VM: {still}")
        if not still[0][-1][0] > running[-1][0]:
            raise Failure("the paused VM's last exit is older than the running one's")
        said = m.command("trace guest.1")
        if "has no vCPU 1 now" not in said:
            raise Failure(said)
        m.command("destroy guest")
        said = m.command("trace guest")
        if "is not started" not in said:
            raise Failure(said)
