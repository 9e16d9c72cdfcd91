# SPDX-License-Identifier: BSD-2-Clause
"""The machines that the cases of tests/machine run on, and which of them `make check` runs.

A case says what it needs and is multiplied by these machines; its name ends in the
machine's: machine/guests/runs[smoke,qemu]. Another model is another entry of MACHINES.
"""
from typing import NamedTuple


class Kind(NamedTuple):
    vendor: str  # what the hypervisor runs guests by
    model: str  # of Bochs's CPUs; empty: QEMU
    check: str  # what `make check` runs there: "all", "long" (all but SLOW), or "short" (SHORT)


MACHINES = {
    "qemu": Kind("SVM", "", "all"),
    "ryzen": Kind("SVM", "ryzen", "short"),
    "corei7_sandy_bridge_2600k": Kind("VT-x", "corei7_sandy_bridge_2600k", "short"),
    "corei7_haswell_4770": Kind("VT-x", "corei7_haswell_4770", "short"),
    "corei7_skylake_x": Kind("VT-x", "corei7_skylake_x", "long"),
}

# By what the names of cases begin with. SHORT: each thing that a vendor's code does, once,
# and Linux, with another beside it (on ryzen; LONG has the others).
SHORT = (
    "machine/guests/runs[",
    "machine/guests/runs_smp[2",
    "machine/guests/triple_fault_stops_only_its_vm",
    "machine/start/starts[2,1024",
    "machine/entry_failure/",
    "machine/linux/side_by_side[1,(1, 1)",
    "machine/console/machine_resets_and_goes_off",
)
# Long in Bochs: more boots of Linux, memory that it has to fill, many CPUs, many commands.
SLOW = (
    "machine/start/starts[4,6144",
    "machine/linux/demo",
    "machine/linux/memory_above_4g",
    "machine/linux/little_memory",
    "machine/linux/pci_buses",
    "machine/linux/side_by_side[1,(1, 2)",
    "machine/linux/side_by_side[2",
    "machine/linux/side_by_side[4",
    "machine/life/linux_is_destroyed",
    "machine/configurations/runs_the_demo",
    "machine/guests/runs_smp[4",
    "machine/hotplug/under_load[60",
    "machine/hotplug/fronts_under_load",
    "machine/hotplug/linux_is_told",
    "machine/screen/",
    "machine/serial_ports/",
    "machine/generic/generic",
    "machine/virtio/disk",
    "machine/cpu_model/",
    "machine/checkpoint/linux",
    "machine/checkpoint/virtio_goes_on",
    "machine/checkpoint/twin",
    "machine/virtio/network",
    "machine/virtio/plugged_under_ping",
    "machine/virtio/iperf",
    "machine/lspci/",
    "machine/console/commands",
    "machine/bad_input/bad_images",
    "machine/life/guest_ends_ten_times",
    "machine/virtio/ends_while_it_reads",
    "machine/memtest/",
)

# For `make check-all` alone: minutes everywhere.
LONG = ("machine/hotplug/under_load[1000", "machine/hotplug/fronts_under_load[1000",
        "machine/virtio/disk[1024", "machine/virtio/network[256",
        "machine/virtio/plugged_under_ping[100", "machine/cross_vendor/there_and_back",
        "machine/cross_vendor/linux", "machine/checkpoint/virtio_goes_on[100",
        "machine/checkpoint/linux_under_load[100",
        "machine/checkpoint/memory_is_of_one_moment[8",
        "machine/msr_areas/run_linux", "machine/transfer/linux",
        "machine/life/linux_is_destroyed[10", "machine/mux/a_flood_beside_an_echo[64",
        # More of what others do on another number of CPUs.
        "machine/linux/side_by_side[2", "machine/hotplug/under_load[60,2",
        "machine/hotplug/fronts_under_load[60,2", "machine/virtio/ends_while_it_reads[2",
        "machine/qmp/loses_nothing_under_flood[2",
        # Linux in Bochs boots on one model of each vendor, twice at once.
        "machine/linux/side_by_side[1,(1, 1),corei7_sandy_bridge",
        "machine/linux/side_by_side[1,(1, 1),corei7_haswell",
        # Other cases start by UEFI as well: a console, a card after a reset, the network.
        "machine/linux/demo[uefi",
        # And what another one, or a larger one, shows there.
        "machine/linux/side_by_side[1,(1, 1),qemu", "machine/virtio/disk[4,1,qemu",
        "machine/virtio/iperf", "machine/serial_ports/two_vms", "machine/memtest/finds_no_error[x64")

# What a case asks for that only QEMU gives: its argument, the value (None: any), and why.
QEMU_ALONE = (
    ("firmware", "uefi", "Bochs has no UEFI firmware"),
    ("cpu", None, "a CPU model of QEMU's"),
)


# What a machine cannot run, by what a name begins with, and why. `VT-x` is all of its machines.
NOT_THERE = (
    ("ryzen", "machine/guests/runs[step", "Bochs 2.7 tells a #DB exit before it writes DR6"),
    ("ryzen", "machine/guests/runs[debug", "Bochs 2.7 tells a #DB exit before it writes DR6"),
    ("qemu", "machine/guests/runs[debug", "QEMU 7.2 has neither INT1 nor DR7.GD"),
    ("qemu", "machine/guests/runs[tasks_odd",
     "QEMU 7.2 tells the old task's EIP of a fault in the new one"),
    *((model, "machine/guests/runs[held", "Bochs 2.7 looks whether a virtual interrupt is pending, "
       "not whether it is masked, when one of the machine comes (HandleExtInterrupt())")
      for model in ("corei7_haswell_4770", "corei7_skylake_x")),
    ("ryzen", "machine/guests/destroyed_while_it_spins",
     "Bochs 2.7 does not interrupt a guest whose IF is clear, and SVM has no preemption timer"),
    *((model, "machine/console/machine_resets_under_guests[spin",
       "after a reset with two CPUs, the BIOS of Bochs 2.7 ends with a keyboard error")
      for model, kind in MACHINES.items() if kind.model),
)


def alone(arguments):
    """Why a case with these arguments is for QEMU alone, or None."""
    return next((why for key, value, why in QEMU_ALONE
                 if key in arguments and value in (None, arguments[key])), None)


def runs_on(name, machine):
    where = (machine, MACHINES[machine].vendor) if machine else ()
    return not any(place in where and name.startswith(what) for place, what, _ in NOT_THERE)


def in_check(case):
    """Does `make check` run the case?"""
    what = MACHINES[case.machine].check if case.machine else "all"
    return not case.name.startswith(LONG) and (
            what == "all" or what == "long" and not case.name.startswith(SLOW) or
            what == "short" and case.name.startswith(SHORT))
