# SPDX-License-Identifier: BSD-2-Clause
"""The image that was built."""
import re

from harness import BUILD, ROOT, case, run_tool
from harness.tree import IMAGE as IMAGE_DIRS
from harness.tree import fail_if, files, text

IMAGE = BUILD / "alcazar.elf"


@case(seconds=3)
def no_fpu_instructions(t):
    """The guest's FPU and SSE state is live in the registers while we run."""
    code = run_tool(t, "bash", "-c", f"objdump -d {IMAGE} | grep -E "
                    r"'%([xyz]mm|mm[0-7]|st\b|k[0-7]\b)|\s(f(n?init|n?save|rstor|ld|st)\w*|emms)\s'"
                    " | head -n 20", check=False)
    fail_if(t, code.strip().splitlines(), "FPU or SSE instructions")


@case()
def segments(t):
    """No segment is both writable and executable."""
    headers = run_tool(t, "readelf", "-lW", IMAGE)
    loads = re.findall(r"^\s+LOAD\s.*?\s((?:R|W|E| ){3})\s+0x\w+$", headers, re.M)
    fail_if(t, [] if len(loads) == 4 else [f"{len(loads)} segments"], "unexpected numbers")
    fail_if(t, [f"a segment with {rights}" for rights in loads if "W" in rights and "E" in rights],
            "segments that are writable and executable")


@case()
def multiboot2(t):
    run_tool(t, "grub-file", "--is-x86-multiboot2", IMAGE)


@case()
def symbol_table(t):
    """The second link moved no function away from the name that the first gave it."""
    def functions(name):
        listing = run_tool(t, "nm", BUILD / name)
        return sorted(line for line in listing.splitlines() if line.split()[1] in "tT")

    first, second = functions("alcazar-nosymbols.elf"), functions("alcazar.elf")
    fail_if(t, sorted(set(first) ^ set(second)), "functions that moved")


def built():
    """Date by name, of all that goes into the ISO and of what make remembers of its arguments."""
    found = [path for path in BUILD.iterdir() if path.is_file()]
    for folder in (*IMAGE_DIRS, "demo"):
        found += [path for path in (BUILD / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(BUILD)): path.stat().st_mtime_ns for path in found}


@case(seconds=3)
def nothing_to_do(t):
    """A second make says nothing and leaves every file as it is."""
    # Before it builds anything under the feet of other tests.
    run_tool(t, "make", "-q", "all", "iso")
    before = built()
    said = run_tool(t, "make", "all", "iso").splitlines()
    after = built()
    fail_if(t, [f"make says: {line}" for line in said
                if not re.match(r"make(\[\d+\])?: (Nothing to be done|Entering|Leaving)", line)] +
            [f"{name} is new" for name, date in after.items() if before.get(name) != date] +
            ([] if "alcazar.iso" in after and "kernel/log.c.o" in after else ["no ISO"]),
            "things that a second make does")


@case(seconds=3)
def headers_rebuild(t):
    """A change of a header rebuilds what includes it."""
    plan = run_tool(t, "make", "-n", "-W", "lib/compiler.h", "all")
    includers = [name for name in files(".c", under=["kernel", "lib"])
                 if '"lib/compiler.h"' in text(name)]
    fail_if(t, [f"{name} is not compiled again" for name in includers
                if f" {name}" not in plan] + ([] if includers else ["no file includes it"]),
            "sources that a header's change leaves alone")


@case(seconds=5)
def own_vms_on_the_iso(t):
    """`make iso VM=…` puts one's directories there, names them to GRUB, and leaves the demo out."""
    for vm in ("one", "two"):
        folder = t.dir / vm
        folder.mkdir(exist_ok=True)
        (folder / f"{vm}.cfg").write_text(f'[vm "{vm}"]\n  memory = 16M\n')
        (folder / f"{vm}.elf").write_bytes(b"image of " + vm.encode())
    # Not the build that other tests use: it would take the demo off their ISO.
    iso = t.dir / "own.iso"
    run_tool(t, "make", "BUILD=build/allno", "CONFIG=allno", "iso", f"ISO={iso}",
             f"VM={t.dir / 'one'} {t.dir / 'two'}", "CMDLINE=cpus=1")
    listing = run_tool(t, "xorriso", "-indev", iso, "-find", "/", "-type", "f")
    run_tool(t, "xorriso", "-osirrox", "on", "-indev", iso, "-extract",
             "/boot/grub/grub.cfg", t.dir / "grub.cfg")
    grub = (t.dir / "grub.cfg").read_text()
    wanted = ["one.cfg", "one.elf", "two.cfg", "two.elf"]
    fail_if(t, [f"{name} is not on the ISO" for name in wanted if f"/{name}'" not in listing] +
            [f"{name} is no module" for name in wanted
             if not re.search(rf"^\s*module2 .*/{name} {name}$", grub, re.M)] +
            [f"{name} is on the ISO" for name in ("vmlinuz", "demo.cfg") if name in listing] +
            ([] if re.search(r"^\s*multiboot2 \S+ cpus=1$", grub, re.M) else ["no command line"]),
            "faults of the ISO")


def optional(t):
    """All that symbols of Kconfig stand for: what is left out when all of them are off."""
    return run_tool(t, "make", "-s", "BUILD=build/allno", "CONFIG=allno", "left-out").split()


@case()
def kconfig_and_makefiles(t):
    """Every symbol of Kconfig stands for files that exist, and every build.mk for a symbol."""
    defined = set(re.findall(r"^config (\w+)", text("Kconfig"), re.M))
    used = {symbol for makefile in files("build.mk")
            for symbol in re.findall(r"\bobj-\$\(CONFIG_(\w+)\)", text(makefile))}
    problems = [f"{name} of a build.mk does not exist" for name in optional(t)
                if not any((ROOT / (name.removesuffix(".o") + end)).exists()
                           for end in (".c", ".S", ""))]
    problems += [f"Kconfig: {symbol} stands for no file" for symbol in sorted(defined - used)]
    problems += [f"CONFIG_{symbol} is not in Kconfig" for symbol in sorted(used - defined)]
    fail_if(t, problems, "symbols or files without the other")


@case()
def left_out(t):
    """What is switched off is not in the image of the all-no configuration."""
    linked = text("build/allno/alcazar.map")
    off = optional(t)
    stems = [name.removesuffix(".o").rstrip("/") for name in off]
    fail_if(t, [f"{stem} is in build/allno/alcazar.elf" for stem in stems
                if re.search(re.escape(f"build/allno/{stem}") + r"[./]", linked)]
            + ([] if off else ["nothing is optional"]), "files that were not left out")


@case()
def budgets(t):
    """The core and the image are as small as promised."""
    run_tool(t, ROOT / "scripts/budgets", IMAGE)
