# SPDX-License-Identifier: BSD-2-Clause
"""memtest86+ as Debian ships it: a kernel of others, by Linux's boot protocol, and a judge of RAM."""
import re
import time

from harness import Failure, Machine, case
from harness.cases import BUILD
from harness.serial import PROMPT

CACHE = BUILD / "cache"
LAST = 10  # it fades bits, for minutes
SECONDS = 300  # for the tests, on a machine that has much else to do


def look(m):
    """Its screen, of which it shows all at once: the number of the test, the errors."""
    screen = m.command("screendump memtest", SECONDS)
    if "<Enter> to start testing" in screen:
        m.command("sendkey memtest ret", SECONDS)
    test = re.search(r"Test #(\d+)", screen)
    errors = re.search(r"Errors: (\d+)", screen)
    return screen, int(test[1]) if test else -1, int(errors[1]) if errors else 0


@case(seconds=15, each=[{"bits": "ia32", "cpus": 2}, {"bits": "x64", "cpus": 1}])
def finds_no_error(t, bits, cpus):
    """Its tests but the last, which waits, by all CPUs at once in the VM's RAM. `ia32` is entered
    in 32 bits."""
    name = f"memtest86+{bits}.bin"
    cfg = (f'[vm "memtest"]\ncpus = {cpus}\nmemory = 16M\n'
           f"[boot]\nkernel = module:{name}\n")
    with Machine(t, files={"memtest.cfg": cfg, name: CACHE / name}, cpus=2) as m:
        m.expect(PROMPT, timeout=SECONDS)
        m.command("start memtest", SECONDS)
        end = time.monotonic() + SECONDS * m.patience
        screen, test, errors = look(m)
        while test < LAST and not errors:
            if time.monotonic() > end:
                raise Failure(screen)
            time.sleep(0.5)
            screen, test, errors = look(m)
        wanted = "Errors: 0", f"CPU: {cpus} Core", "Memory  :   16MB"
        if not all(text in screen for text in wanted):
            raise Failure(screen)
        m.command("destroy memtest", SECONDS)
