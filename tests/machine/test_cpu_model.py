# SPDX-License-Identifier: BSD-2-Clause
"""`cpu-model = common`: a Linux sees the same CPU on every machine, whoever made that."""
import re

from harness import Failure, Machine, case
from harness.linux import Linux, linux_cfg, linux_files

FLAGS = set("fpu de pse tsc msr pae mce cx8 apic mtrr pge mca cmov pat pse36 clflush mmx "
            "fxsr sse sse2 ht syscall nx lm nopl cpuid tsc_known_freq pni ssse3 cx16 sse4_1 sse4_2 "
            "x2apic popcnt hypervisor lahf_lm arat tsc_adjust".split())
SYNTHETIC = {"pti"}  # Linux's own, of what it does about a CPU that nobody vouches for


def common(config):
    return config.replace("  memory =", "  cpu-model = common\n  memory =", 1)


@case(seconds=30)
def common_cpu(t):
    files = linux_files()
    files["linux.cfg"] = common(linux_cfg(memory="128M", cpus=2))
    with Machine(t, files=files, cpus=2) as m:
        guest = Linux(m)
        guest.boot()
        info = guest.sh("cat /proc/cpuinfo")
        for key, value in (("vendor_id", "AlcazarGuest"), ("cpu family", "15"), ("model", "1"),
                           ("model name", "Alcazar common x86-64-v2 CPU"), ("stepping", "0"),
                           ("clflush size", "64"),
                           ("address sizes", "36 bits physical, 48 bits virtual")):
            if len(re.findall(rf"^{key}\s*: {value}$", info, re.M)) != 2:
                raise Failure(f"{key} is not {value}, or not of two CPUs: {info}")
        for flags in re.findall(r"^flags\s*: (.*)$", info, re.M):
            if set(flags.split()) - SYNTHETIC != FLAGS:
                raise Failure(f"other flags: {set(flags.split()) ^ FLAGS}")
        # What goes on counting when the TSC's rate changes.
        source = guest.sh("cat /sys/devices/system/clocksource/clocksource0/current_clocksource")
        if source.strip() != "kvm-clock":
            raise Failure(f"the clock source is {source}")
