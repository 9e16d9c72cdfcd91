# SPDX-License-Identifier: BSD-2-Clause
"""Images of other configurations than the default one."""
from harness import BUILD, Failure, Machine, case


@case(seconds=5)
def everything_left_out(t):
    """Nothing that can be left out is in: it still starts, and says why it runs no VM."""
    with Machine(t, build=BUILD / "allno") as m:
        m.expect("alcazar> ")
        said = m.command("start linux")
        if "cannot run VMs" not in said:
            raise Failure(f"`start` says: {said}")


@case(seconds=40, each=[{"name": "allyes"}, {"name": "minimal"}])
def runs_the_demo(t, name):
    with Machine(t, build=BUILD / name) as m:
        m.expect(r"demo:/root# ", timeout=180)
