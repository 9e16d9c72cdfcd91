# SPDX-License-Identifier: BSD-2-Clause
"""Images of other configurations than the default one."""
from harness import BUILD, Failure, Machine, case
from harness.linux import linux_files


@case(seconds=5)
def everything_left_out(t):
    """Nothing that can be left out is in: it still starts, and says why it runs no VM."""
    with Machine(t, build=BUILD / "allno", files=linux_files()) as m:
        m.expect("alcazar> ")
        said = m.command("start linux")
        if "cannot run VMs" not in said:
            raise Failure(f"`start` says: {said}")


@case(seconds=40, each=[{"name": "allyes"}, {"name": "minimal"}])
def runs_the_demo(t, name):
    """The smallest that can has no PCI, and so gets a VM without."""
    files = linux_files(cmdline="console=ttyS0") if name == "minimal" else None
    with Machine(t, build=BUILD / name, files=files) as m:
        m.expect(r"demo:/root# ", timeout=180)
