# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel to its shell: the demo, as a person uses it, and other shapes of it."""
import re
import struct
import time

from harness import Failure, Machine, case
from harness.linux import BOOT_SECONDS, SHELL_SECONDS, Linux, linux_cfg, linux_files
from harness.serial import PROMPT, UNPACKED

WARNING = 4  # the kernel's level; smaller numbers are worse

# What the kernel warns of, and why that is right here.
EXPECTED = (
    r"clocksource: Long readout interval",  # the emulator stood still meanwhile
    r"clocksource: .*skewed|Marking clocksource .* unstable",
    r"hrtimer: interrupt took \d+ ns",
    # Faults of the CPU model that Bochs emulates, whose microcode is as old as it.
    r"AMD Zen1 (FPDSS|DIV0) bug detected",
    r"Speculative Return Stack Overflow: ",
    r"RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable",
)
SUSPICIOUS = r"error|Firmware Bug|fail|unchecked MSR|\bBUG\b|WARNING|Call Trace|unable|timed out|lockup"
HARMLESS = r"use \"pci=nocrs\" and report a bug|This is not a bug|RAS: Correctable Errors"


def check_dmesg(guest):
    """No message that the same kernel would not give on real hardware."""
    bad = []
    for level, text in guest.dmesg():
        if any(re.search(known, text) for known in EXPECTED):
            continue
        if level <= WARNING or (re.search(SUSPICIOUS, text, re.I) and
                                not re.search(HARMLESS, text)):
            bad.append(text)
    if bad:
        raise Failure("dmesg: " + "; ".join(bad))


def check(condition, text):
    if not condition:
        raise Failure(text)


def mebibytes(guest):
    return int(re.search(r"MemTotal: +(\d+) kB", guest.sh("cat /proc/meminfo")).group(1)) >> 10


def check_cpus(guest, count):
    """All CPUs are there, and compute the same at the same time."""
    said = guest.sh("nproc; grep -c ^processor /proc/cpuinfo")
    check(said == f"{count}\n{count}\n", f"not {count} CPUs: {said}")
    jobs = " ".join(f"taskset -c {cpu} sh -c 'seq 1 20000 | md5sum' &" for cpu in range(count))
    sums = guest.sh(f"({jobs} wait)").split("\n")[:-1]
    check(len(sums) == count and len(set(sums)) == 1, f"they differ: {sums}")


def check_clock(guest):
    """A second in the guest is one outside, and its calendar is the machine's."""
    def uptime():
        before = time.monotonic()
        seconds = float(guest.sh("cat /proc/uptime").split()[0])
        return before, seconds, time.monotonic()

    before1, guest1, after1 = uptime()
    guest.sh("sleep 5")
    before2, guest2, after2 = uptime()
    least, most = before2 - after1, after2 - before1
    check(least - 0.2 <= guest2 - guest1 <= most + 0.2,
          f"{guest2 - guest1:.2f} s in the guest, {least:.2f} to {most:.2f} outside")
    check(guest2 - guest1 >= 5, "`sleep 5` is too short")
    before = time.time()
    date = int(guest.sh("date +%s"))
    check(before - 5 < date < time.time() + 5, f"the guest's date is {date}, not {before:.0f}")


def check_job_control(m, guest):
    check(guest.sh("tty") == "/dev/ttyS0\n", "the shell has no terminal")
    m.send("sh -c 'echo begun; exec sleep 9999'\r")
    m.expect(r"\nbegun\n", timeout=SHELL_SECONDS)
    m.send("\x03")
    guest.sh("true")


# The functions of the demo and Debian's drivers for them: the bridges and edu have none.
FUNCTIONS = {"00.0": "", "03.0": "", "04.0": "virtio-pci", "05.0": "virtio-pci",
             "06.0": "virtio-pci", "07.0": "virtio-pci", "1f.0": ""}


def use_the_devices(guest):
    """A disk that keeps what is written, a card with a link, a second console, random numbers."""
    said = guest.sh("cd /sys/bus/pci/devices; for i in *; do echo $i "
                    "$(readlink $i/driver | sed s,.*/,,); done; cd").splitlines()
    found = {line.split()[0].removeprefix("0000:00:"): "".join(line.split()[1:]) for line in said}
    check(found == FUNCTIONS, f"PCI: {found}")
    sums = guest.sh("dd if=/dev/urandom of=/tmp/a bs=1M count=8 2>/dev/null; "
                    "dd if=/tmp/a of=/dev/vda bs=1M 2>/dev/null; sync; "
                    "echo 3 >/proc/sys/vm/drop_caches; md5sum </tmp/a; "
                    "dd if=/dev/vda bs=1M count=8 2>/dev/null | md5sum; rm /tmp/a").split("\n")
    check(sums[0] == sums[1], f"the disk: {sums}")
    check(guest.sh("ip link set eth0 up; sleep 1; cat /sys/class/net/eth0/carrier") == "1\n",
          "no link")
    check(guest.sh("cat /sys/class/misc/hw_random/rng_current") == "virtio_rng.0\n", "no rng")
    guest.sh("(sleep 2; echo said to hvc0 >/dev/hvc0) &")
    guest.m.expect("hvclog0: said to hvc0", timeout=SHELL_SECONDS)


def use_the_shell(guest):
    check(re.search(r"^Linux demo \S+ .*x86_64", guest.sh("uname -a")), "uname is odd")
    cpus = guest.sh("cat /proc/cpuinfo")
    check(len(re.findall(r"^processor\s", cpus, re.M)) == 1, "not one CPU in /proc/cpuinfo")
    check(re.search(r"^flags\s.*\bhypervisor\b", cpus, re.M), "no hypervisor flag")
    check(not re.search(r"^flags\s.*\b(svm|vmx)\b", cpus, re.M), "the guest is offered SVM")
    use_the_devices(guest)
    check(guest.sh("echo $((6 * 7))") == "42\n", "6 * 7 is not 42")
    check(440 <= mebibytes(guest) < 512, f"{mebibytes(guest)} MiB of 512")
    # Floating point, by more than one process at a time.
    series = "awk 'BEGIN { for (; i++ < 9999;) s += 1 / (i * i); print s }' & "
    check(guest.sh(f"({3 * series} wait)") == 3 * "1.64483\n", "floating point goes wrong")
    # More than the serial port and the console behind it hold, none of it lost.
    lines = guest.sh("seq 1 2000").split()
    check(lines == [str(n) for n in range(1, 2001)], "output is lost on the serial line")
    if guest.m.keeps_time:
        check_clock(guest)


def leave_and_return(m, guest):
    """Ctrl-], the VM's state, and back to what it said meanwhile."""
    guest.sh("(sleep 2; echo said in absence) &")
    guest.leave()
    check(re.search(r"^linux +running", m.command("list"), re.M), "list: linux is not running")
    check("interrupt" in m.command("info exits linux"), "info exits is empty")
    check("uart16550" in m.command("info devices linux"), "info devices shows no serial port")
    kept = guest.enter("linux")
    check("\n2000\n" in kept, "the kept output is not shown")
    if "said in absence" not in kept:
        m.expect("said in absence", timeout=SHELL_SECONDS)


def press_the_power_button(m, guest):
    """The guest switches itself off. It says that it listens when its acpid has the button open."""
    guest.sh("until ls -l /proc/$(pidof acpid)/fd 2>/dev/null | grep -q input/event; do sleep 1; done; "
             "grep -q LNXPWRBN /proc/bus/input/devices")
    guest.leave()
    m.send("shutdown linux\r")
    m.expect_all(r"vm linux: power-off: ACPI S5", r"vm linux: stopped", timeout=SHELL_SECONDS)


@case(seconds=60, each=[{"firmware": "bios"}, {"firmware": "uefi"}])
def demo(t, firmware):
    """What `make run` boots."""
    with Machine(t, firmware=firmware) as m:
        m.expect(r"attached to vm linux; Ctrl-\] returns", timeout=BOOT_SECONDS)
        guest = Linux(m)
        guest.boot()
        check_dmesg(guest)
        use_the_shell(guest)
        check_job_control(m, guest)
        leave_and_return(m, guest)
        if firmware == "uefi":  # what loads it again is another's memory, what it does is the same
            return
        m.send("reboot\r")
        m.expect(r"Linux version", timeout=BOOT_SECONDS)
        guest.boot()
        check(guest.sh("echo again") == "again\n", "no shell after `reboot`")
        press_the_power_button(m, guest)
        check(re.search(r"^linux +stopped", m.command("list"), re.M), "list: not stopped")


def with_initrd_limit(limit):
    """The kernel's image with a header that wants its initrd below `limit`."""
    image = bytearray(UNPACKED.read_bytes())
    struct.pack_into("<I", image, 0x22c, limit - 1)  # boot.rst: initrd_addr_max
    return bytes(image)


def pci_addresses(guest, device):
    """The first and last addresses of a PCI device's regions and windows, those that it has."""
    lines = guest.sh(f"cat /sys/bus/pci/devices/{device}/resource").splitlines()
    regions = [tuple(int(word, 16) for word in line.split()[:2]) for line in lines]
    return [region for region in regions if region[1]]


@case(seconds=50)
def pci_buses(t):
    """Two buses behind bridges: numbered, with windows and memory-mapped configuration, and no
    complaint from the kernel."""
    files = linux_files(memory="256M", cmdline="console=ttyS0")
    files["linux.cfg"] += ('[device "br1"]\n  type = pci-bridge\n  addr = 4.0\n'
                           '[device "br2"]\n  type = pci-bridge\n  bus = br1\n')
    with Machine(t, files=files) as m:
        m.expect(r"attached to vm linux; Ctrl-\] returns", timeout=BOOT_SECONDS)
        guest = Linux(m)
        guest.boot()
        check_dmesg(guest)
        listed = guest.sh("cd /sys/bus/pci/devices; for i in *; do "
                          "echo $i $(cat $i/vendor $i/device $i/class); done; cd").splitlines()
        check(listed == ["0000:00:00.0 0x1b36 0x0008 0x060000",
                         "0000:00:04.0 0x1b36 0x0001 0x060400",
                         "0000:00:1f.0 0x8086 0x0484 0x060100",
                         "0000:01:00.0 0x1b36 0x0001 0x060400"], f"on the buses: {listed}")
        messages = guest.sh("dmesg")
        check(re.search(r"PCI: (ECAM|MMCONFIG).*\[mem 0xe0000000-0xe0ffffff\]", messages),
              "the kernel does not use the memory-mapped configuration")
        check("PCI bridge to [bus 01-02]" in messages and "PCI bridge to [bus 02]" in messages,
              "the kernel numbers the buses otherwise")
        check(not re.search(r"can't claim|no compatible bridge window|failed to assign", messages),
              "the kernel does not like the bridges' windows")
        outer = pci_addresses(guest, "0000:00:04.0")  # ports, memory, prefetchable memory
        inner = pci_addresses(guest, "0000:01:00.0")
        check(len(outer) == len(inner) == 3, f"windows: {outer} around {inner}")
        for (first, last), (begin, end) in zip(outer, inner):
            check(0 < first <= begin < end <= last, f"windows: {outer} around {inner}")
        check(inner[2][0] >= 1 << 32, "the prefetchable window is below 4 GiB")
        guest.leave()
        tree = m.command("info pci linux")
        check(re.search(r"00:04\.0 0604: 1b36:0001 br1.*\n +buses 01 to 02 behind it\n"
                        r" +01:00\.0 0604: 1b36:0001 br2", tree), f"info pci: {tree}")


@case(seconds=40)
def memory_above_4g(t):
    """5 GiB: the part behind the hole for devices is used, by an initrd as well."""
    files = linux_files(memory="5G", kernel="vmlinuz-high", cmdline="console=ttyS0")
    files["vmlinuz-high"] = with_initrd_limit(16 << 20)
    del files["vmlinuz"]
    with Machine(t, files=files, cpus=1, memory=7168) as m:
        guest = Linux(m)
        guest.boot()
        check(4700 <= mebibytes(guest) < 5120, f"{mebibytes(guest)} MiB of 5120")
        check("100000000-17fffffff : System RAM" in guest.sh("cat /proc/iomem"),
              "the memory above 4 GiB is not what it should be")
        ramdisk = re.search(r"RAMDISK: \[mem 0x([0-9a-f]+)-", m.text)
        check(int(ramdisk.group(1), 16) >= 1 << 32, f"{ramdisk.group()}: below 4 GiB")
        # Above 4 GiB is what this kernel prefers to give away.
        normal = "awk '/zone +Normal/ {z = 1} z && /pages free/ {print $3; exit}' /proc/zoneinfo"
        before = int(guest.sh(normal))
        guest.sh("dd if=/dev/zero of=/tmp/a bs=1M count=200 2>/dev/null")
        check(before - int(guest.sh(normal)) > 100 << 8, "that memory is not used")
        check_dmesg(guest)
        guest.poweroff("linux")


@case(seconds=15)
def little_memory(t):
    """The least that this kernel runs in, and less than it can be put into."""
    files = linux_files(memory="128M", cmdline="console=ttyS0")
    files["tiny.cfg"] = linux_cfg("tiny", memory="48M", autostart=False)
    with Machine(t, files=files, cpus=1, memory=256) as m:
        guest = Linux(m)
        guest.boot()
        check(mebibytes(guest) < 128, f"{mebibytes(guest)} MiB of 128")
        check_dmesg(guest)
        guest.leave()
        m.command("reset linux", timeout=SHELL_SECONDS)
        m.command("console linux", prompt="Run /init", timeout=BOOT_SECONDS)
        m.expect("Run /init", timeout=BOOT_SECONDS)  # the first was before the reset
        guest.boot()
        guest.poweroff("linux")
        said = m.command("start tiny", timeout=SHELL_SECONDS)
        check(re.search(r"vmlinuz needs \d+ KiB of memory .*has 48 MiB: raise memory", said), said)


@case(seconds=40, each=[{"machine_cpus": 1, "vcpus": (1, 1)},
                        {"machine_cpus": 1, "vcpus": (1, 2)}, {"machine_cpus": 2, "vcpus": (2, 1)},
                        {"machine_cpus": 4, "vcpus": (4, 2)}])
def side_by_side(t, machine_cpus, vcpus):
    """Two VMs of two configs, each with its console, on fewer and more CPUs than they have."""
    files = linux_files(name="alice", cpus=vcpus[0], memory="192M")
    files["other.cfg"] = linux_cfg("bob", cpus=vcpus[1], memory="192M", console=False)
    with Machine(t, files=files, cpus=machine_cpus, memory=768) as m:
        guest = Linux(m)
        guest.boot()
        check_cpus(guest, vcpus[0])
        guest.sh("echo alice > /tmp/name")
        guest.leave()
        listed = m.command("list")
        check(all(re.search(rf"^{vm} +running", listed, re.M) for vm in ("alice", "bob")), listed)
        m.command("console bob", prompt="prompt --\n")
        guest.boot()
        check_cpus(guest, vcpus[1])
        check_dmesg(guest)
        guest.sh("test ! -e /tmp/name")
        guest.leave()
        guest.enter("alice")
        check(guest.sh("cat /tmp/name") == "alice\n", "alice is not alice")
        check_dmesg(guest)
        guest.poweroff("alice")
        check(re.search(r"^alice +stopped.*\nbob +running", m.command("list"), re.M),
              "bob does not run alone")
        guest.enter("bob")
        guest.poweroff("bob")
