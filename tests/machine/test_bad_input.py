# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong with modules, configs, images and machines: a clear line each, and the rest
goes on."""
import re
import struct

from harness import Failure, Machine, case
from harness.linux import linux_cfg
from harness.serial import DEMO, PROMPT
from test_guests import GUESTS, guest_cfg, guest_files, verdict

SECONDS = 120  # for an answer, on a machine that has much else to do

VM = '[vm "x"]\n  memory = 16M\n'
BOOT = "[boot]\n  kernel = module:smoke.elf\n"

# A config and what is said of it, behind its file's name.
CONFIGS = (
    ("", r": \[vm \"NAME\"\] is missing: expected a section"),
    ("hello\n", r":1: expected \[section \"id\"\], key = value, or a # comment"),
    ("memory = 16M\n", r":1: memory: expected a \[section\] before the first key"),
    ("[vm\n", r":1: expected \[section\] or"),
    ('[vm "x]\n', r":1: the quotes around the section's id do not close"),
    ('[vm "x"] y\n', r":1: expected \] and nothing more"),
    ('[vm ""]\nmemory = 16M\n', r":1: \[vm \"\"\]: expected a name of 1 to 31"),
    ('[vm "a b"]\nmemory = 16M\n', r":1: \[vm \"a b\"\]: expected a name"),
    (f'[vm "{"n" * 32}"]\nmemory = 16M\n', r":1: \[vm \"n+\"\]: expected a name of 1 to 31"),
    ('[vm "x"]\n', r":1: \[vm\]: memory is missing: expected memory = SIZE"),
    ('[vm "x"]\n\nmemory = lots\n', r":3: memory: expected whole MiB, .*, got 'lots'"),
    ('[vm "x"]\nmemory = 1000000\n', r":2: memory: expected whole MiB"),
    ('[vm "x"]\nmemory = 99999999999G\n', r":2: memory: expected whole MiB"),
    ('[vm "x"]\nmemory =\n', r":2: memory: expected whole MiB"),
    (VM + "cpus = 0\n", r":3: cpus: expected 1 to 16, got '0'"),
    (VM + "cpus = 17\n", r":3: cpus: expected 1 to 16, got '17'"),
    (VM + "cpus = -1\n", r":3: cpus: expected 1 to 16, got '-1'"),
    (VM + "cpus = 2\ncpus = 2\n", r":4: cpus: given already in line 3"),
    (VM + "autostart = maybe\n", r":3: autostart: expected true or false, got 'maybe'"),
    (VM + "console = 2\n", r":3: console: expected true or false, got '2'"),
    (VM + "machine = amiga\n", r":3: machine: expected pc or none, got 'amiga'"),
    (VM + "colour = blue\n", r":3: colour: no such key: expected one of cpus, memory"),
    (VM + VM, r":3: \[vm \"x\"\]: there is one already in line 1"),
    (VM + BOOT + "kernle = x\n", r":5: kernle: no such key: expected one of kernel, initrd"),
    (VM + BOOT + "kernel = module:a\n", r":5: kernel: given already in line 4"),
    (VM + "[disk]\n", r":3: \[disk\]: no such section: expected vm, boot or device"),
    (VM + '[device "d"]\n', r":3: type: missing in device d: expected type = NAME"),
    (VM + '[device "d"]\ntype = nonsense\n', r":4: type: no device type 'nonsense' is built in"),
    (VM + '[device ""]\ntype = pit\n', r":3: \[device \"\"\]: expected an id of 1 to 63"),
    (VM + '[device "c"]\ntype = uart16550\nio = 70000\n', r":5: io: expected a number from 0 to"),
    (VM + '[device "c"]\ntype = uart16550\nspeed = 1\n', r":5: speed: type uart16550 has no such "
     r"key: expected one of type, io, irq"),
    (VM + '[device "c"]\ntype = char-console\n', r":3: frontend: missing in device c"),
    (VM + '[device "c"]\ntype = char-console\nfrontend = z\n', r":5: frontend: device c needs "
     r"device z: expected a \[device \"z\"\] section"),
    (VM + '[device "a"]\ntype = char-console\nfrontend = b\n[device "b"]\ntype = char-console\n'
     "frontend = a\n", r":\d+: frontend: device (\w) needs device \w, which itself needs \1 first"),
    ("[vm \"x\"]\nmemory = " + 5000 * "9" + "\n", r":2: the line is longer than 4096 bytes"),
    (bytes(range(256)), r":1: control characters: this is no text file"),
    ("# nothing\n" * 8000, r": 80000 bytes: expected a config of at most 65536"),
)


def check(condition, text):
    if not condition:
        raise Failure(text)


@case(seconds=8)
def bad_configs(t):
    """One boot with a config of each kind of error; a good VM runs beside."""
    files = {f"bad-{i:02}.cfg": text for i, (text, _) in enumerate(CONFIGS)}
    files["good.cfg"] = guest_cfg("smoke", vm="good", memory="16M")
    files["twin.cfg"] = guest_cfg("smoke", vm="good", memory="16M")
    files["smoke.elf"] = GUESTS / "smoke.elf"
    with Machine(t, files=files) as m:
        begun = m.seen
        passed, failed, _ = verdict(m, timeout=SECONDS)
        check(passed and not failed, "the good VM fails")
        m.seen = begun  # the log may be faster than the guest's last line
        m.expect_all("vm good: stopped",
                     rf"-- vm good has ended; back at the alcazar> prompt --\n(?:\[.*\n)*{PROMPT}",
                     timeout=SECONDS)
        for i, (text, wanted) in enumerate(CONFIGS):
            check(re.search(rf"\] error: bad-{i:02}.cfg{wanted}", m.text),
                  f"bad-{i:02}.cfg, {text[:60]!r}: not {wanted!r}")
        check(re.search(r'twin\.cfg:1: \[vm "good"\]: good\.cfg defines a VM of that name', m.text),
              "no word of two VMs of one name")
        check(len(m.command("list", SECONDS).splitlines()) == 2, "a VM that should not be")


def elf32(entry=0x100000, load=0x100000, filesz=64, memsz=64, machine=3, phnum=1, phoff=52):
    """A small Multiboot kernel, as wrong as asked."""
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, machine, 1, entry, phoff, 0, 0,
                         52, 32, phnum, 0, 0, 0)
    segment = struct.pack("<8I", 1, 128, load, load, filesz, memsz, 7, 4096)
    multiboot = struct.pack("<3I", 0x1badb002, 0, 0xffffffff & -0x1badb002)
    return (header + segment).ljust(96, b"\0") + multiboot.ljust(32, b"\0") + b"\xf4" * 64


def patched(image, offset, text):
    return image[:offset] + text + image[offset + len(text):]


def images():
    """{name: (image, [vm] and [boot] lines, what `start` says)}"""
    linux = (DEMO / "vmlinuz").read_bytes()
    no_kernel = r"is no kernel that can be booted: expected a Linux bzImage"
    return {
        "text": (b"not a kernel\n", "", no_kernel),
        "one-byte": (b"x", "", no_kernel),
        "zeros": (bytes(65536), "", no_kernel),
        "half": (linux[: len(linux) // 2], "", r"bytes: cut short, its header tells of \d+"),
        "setup": (linux[:0x300], "", r"bytes: cut short"),
        "old": (patched(linux[:0x4000], 0x206, b"\x01\x02"), "",
                r"boot protocol 2\.01, loaded high: expected a bzImage with 2\.02 or later"),
        "low": (patched(linux[:0x4000], 0x211, b"\0"), "", r"loaded low: expected a bzImage"),
        "high": (patched(patched(linux, 0x234, b"\0"), 0x258, struct.pack("<Q", 5 << 30)), "",
                 r"needs \d+ KiB of memory from 0x140000000 on, .*none can be entered there"),
        "long-line": (linux, "cmdline = " + 3000 * "x",
                      r"cmdline is 3000 characters long, the kernel takes 2047"),
        "modules": (linux, "module = module:text", r"takes an initrd, no modules"),
        "elf-cut": (elf32(filesz=4096, memsz=4096), "", r"reaches beyond the file: cut short\?"),
        "elf-high": (elf32(load=0xf0000000, entry=0xf0000000), "", r"is not in the VM's RAM"),
        "elf-low": (elf32(load=0x1000, entry=0x1000), "", r"is not in the VM's RAM from 1 MiB"),
        "elf-huge": (elf32(memsz=0xffffffff), "", r"is not in the VM's RAM"),
        "elf-shrinks": (elf32(filesz=64, memsz=32), "", r"reaches beyond the file"),
        "elf-entry": (elf32(entry=0x500000), "", r"its entry is in none of its segments"),
        "elf-empty": (elf32(phnum=0), "", r"its entry is in none of its segments"),
        "elf-headers": (elf32(phoff=0xfffffff0), "", r"program header 0 is outside the file"),
        "elf-arm": (elf32(machine=40), "", r"expected an x86 ELF executable"),
        "big-initrd": (elf32(), "initrd = module:vmlinuz",
                       r"module vmlinuz \(\d+ KiB\) does not fit behind the kernel, .* of 4 MiB: "
                       r"raise memory"),
    }


def images_files():
    files = {"vmlinuz": (DEMO / "vmlinuz").read_bytes(), "initrd": DEMO / "initrd"}  # packed
    for name, (image, lines, _) in images().items():
        files[name] = image
        memory = "4M" if image.startswith(b"\x7fELF") else "128M"
        files[f"{name}.cfg"] = (f'[vm "{name}"]\nmemory = {memory}\n'
                                f"[boot]\nkernel = module:{name}\n{lines}\n")
    # The kernel needs 63.6 MiB from 2 MiB on: nothing is left for the initrd.
    files["no-room.cfg"] = linux_cfg("no-room", memory="66M", autostart=False)
    files["no-boot.cfg"] = '[vm "no-boot"]\nmemory = 16M\n'
    files["no-module.cfg"] = '[vm "no-module"]\nmemory = 16M\n[boot]\n\nkernel = module:nope\n'
    files["no-url.cfg"] = '[vm "no-url"]\nmemory = 16M\n[boot]\nkernel = vmlinuz\n'
    files["too-big.cfg"] = linux_cfg("too-big", memory="100G", autostart=False)
    files["twins.cfg"] = ('[vm "twins"]\nmemory = 16M\n[boot]\nkernel = module:elf-empty\n'
                          '[device "com2"]\ntype = uart16550\nio = 0x3fc\nirq = 3\n')
    return files


STARTS = {
    "no-room": r"initrd initrd \(\d+ KiB\) does not fit behind the kernel: \d+ KiB are there; "
               r"raise memory",
    "no-boot": r"no-boot\.cfg: \[boot\]: kernel is missing: expected kernel = module:NAME",
    "no-module": r"no-module\.cfg:5: kernel: expected module:NAME of a loaded module, "
                 r"got 'module:nope'; there are big-initrd, ",
    "no-url": r"no-url\.cfg:4: kernel: expected module:NAME of a loaded module, got 'vmlinuz'",
    "too-big": r"not enough memory: 102400 MiB wanted, \d+ MiB free, \d+ MiB missing",
    "twins": r"com2.*com1",
}


def pages_used(m):
    return int(re.search(r"(\d+) pages used", m.command("info memory", SECONDS)).group(1))


@case(seconds=12)
def bad_images(t):
    """Each is refused when its VM is started, and takes no memory with it."""
    starts = STARTS | {name: wanted for name, (_, _, wanted) in images().items()}
    with Machine(t, files=images_files()) as m:
        m.expect(PROMPT, timeout=SECONDS)
        m.command("start text", SECONDS)  # our own tables grow once
        before = pages_used(m)
        for name, wanted in starts.items():
            said = m.command(f"start {name}", SECONDS)
            check(re.search(rf"error: .*{wanted}", said), f"{name}: not {wanted!r} but {said!r}")
            check(f"start {name}: failed" in said, f"{name}: {said!r}")
        check(pages_used(m) == before, f"{pages_used(m) - before} pages are gone")
        check("running" not in m.command("list", SECONDS), "one of them runs")


@case(seconds=5)
def no_module(t):
    with Machine(t, files={}) as m:
        m.expect(r"no VM: give the boot loader a module whose name ends in \.cfg", timeout=SECONDS)
        m.expect(PROMPT, timeout=SECONDS)
        check("No VM is defined" in m.command("list", SECONDS), "list does not say why")


@case(seconds=6)
def small_machine(t):
    """64 MiB: the demo does not fit, a small VM runs."""
    files = guest_files("smoke", memory="16M")
    files |= {"demo.cfg": DEMO / "demo.cfg", "vmlinuz": DEMO / "vmlinuz", "initrd": DEMO / "initrd"}
    with Machine(t, files=files, memory=64) as m:
        m.expect(r"vm linux: not enough memory: 512 MiB wanted, \d+ MiB free, \d+ MiB missing",
                 timeout=SECONDS)
        passed = verdict(m, timeout=SECONDS)
        m.expect(PROMPT, timeout=SECONDS)
        check("failed" in m.command("start linux", SECONDS), "linux starts")
        return passed


@case(seconds=5, each=[
    {"cpu": "qemu64", "says": r"the CPU has AMD SVM but no nested paging"},
    {"cpu": "qemu64,-svm", "says": r"the CPU does not report AMD SVM .*-cpu max,\+svm"},
])
def cpu_without(t, cpu, says):
    """A CPU that cannot run VMs: says why, and is at the prompt."""
    with Machine(t, files=guest_files("smoke"), cpu=cpu) as m:
        m.expect(says, timeout=SECONDS)
        m.expect("vm guest: cannot start: this machine cannot run VMs", timeout=SECONDS)
        m.expect(PROMPT, timeout=SECONDS)
        check("failed" in m.command("start guest", SECONDS), "it starts")
        check("No virtualization" in m.command("info hv", SECONDS), "info hv says otherwise")
        check("guest" in m.command("list", SECONDS), "the VM is not listed")


@case(seconds=8, each=[{"cpu": "EPYC"}, {"cpu": "Opteron_G5"}])
def older_cpu(t, cpu):
    """SVM with less in it will do."""
    with Machine(t, files=guest_files("smoke"), cpu=cpu) as m:
        return verdict(m, timeout=SECONDS)
