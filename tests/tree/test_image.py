# SPDX-License-Identifier: BSD-2-Clause
"""The image that was built."""
import re
import subprocess

import kconfiglib
from harness import BUILD, ROOT, case, run_tool
from harness.tree import IMAGE as IMAGE_DIRS
from harness.tree import fail_if, files, text

IMAGE = BUILD / "alcazar.elf"
OBJECTS = BUILD / "image"  # of all configurations
ALLNO = ("BUILD=build/allno", "OBJECTS=build/image", "CONFIG=allno")
TREE = ROOT / "tests/tree"


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


@case(seconds=4)
def symbol_names(t):
    """Each function is found by its first and by its last byte, under its own name."""
    named = {}
    for line in run_tool(t, "nm", "-n", BUILD / "alcazar-nosymbols.elf").splitlines():
        address, kind, name = line.split()[:3]
        if kind in "tT" and int(address, 16) >= 2**64 - 2**31 and not name.startswith("image_"):
            named.setdefault(int(address, 16), name)
    starts = list(named)
    asked = [(at, f"{named[at]}+0") for at in starts]
    asked += [(behind - 1, f"{named[at]}+{behind - 1 - at}")
              for at, behind in zip(starts, starts[1:])]
    # Kept like that by a backtrace too.
    asked = [(at, said if len(named_as) < 64 else f"{named_as[:63]}+{offset}")
             for at, said in asked for named_as, offset in [said.split("+")]]
    asked += [(starts[0] - 1, "none"), (starts[-1] + 2**24, "none"), (0, "none")]
    program = t.dir / "symbols"
    run_tool(t, "gcc", "-I", ROOT, "-no-pie", "-mcmodel=large", "-o", program, TREE / "symbols.c",
             ROOT / "kernel/symbols.c", BUILD / "symbols.S",
             "-Wl,--defsym,IMAGE_BASE=0xffffffff80000000",
             f"-Wl,--defsym,image_text_end={starts[-1] + 2**20:#x}")
    (t.dir / "asked").write_text("".join(f"{at:x}\n" for at, _ in asked), encoding="ascii")
    said = run_tool(t, "sh", "-c", f"{program} <{t.dir}/asked").split()
    fail_if(t, [f"{at:x} is {name}, not {expected}"
                for (at, expected), name in zip(asked, said) if name != expected] +
            ([] if len(said) == len(asked) > 2000 else [f"{len(said)} of {len(asked)} answers"]),
            "functions under other names")


def built():
    """Date by name, of all that goes into the ISO and of what make remembers of its arguments."""
    # How check-build ended is written by every make of check, also by one that only tells (-n).
    found = [path for path in BUILD.iterdir() if path.is_file() and path.name != ".check-build"]
    for folder in ("image", "demo"):
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
            ([] if "alcazar.iso" in after and "image/kernel/log.c.o" in after else ["no ISO"]),
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
    run_tool(t, "make", *ALLNO, "iso", f"ISO={iso}",
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
    return run_tool(t, "make", "-s", *ALLNO, "left-out").split()


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
                if re.search(re.escape(f"build/image/{stem}") + r"[./]", linked)]
            + ([] if off else ["nothing is optional"]), "files that were not left out")


@case()
def counts_when_asked(t):
    """What a configuration makes of sources that others share is its own: VMX_COUNT's, of allyes."""
    counted = [build for build in ("allyes", ".")
               if " vmx_count_report" in run_tool(t, "nm", BUILD / build / "alcazar.elf")]
    fail_if(t, [] if counted == ["allyes"] else [f"images that count: {counted}"], "images")


@case()
def budgets(t):
    """The core and the image are as small as promised."""
    run_tool(t, ROOT / "scripts/budgets", IMAGE)


ONE_MAKEFILE = """
$(foreach s,$(SYMBOLS),$(eval CONFIG_$s := $s))
include $(wildcard $(DIRS:%=%/build.mk) $(DIRS:%=%/*/build.mk))
.PHONY: options
options: ; $(foreach s,$(SYMBOLS),$(info $s $(obj-$s)))
"""


def objects_of_options(t, symbols):
    """{symbol: the files that stand or fall with it}, where a folder is all that is in it."""
    makefile = t.dir / "options.mk"
    makefile.write_text(ONE_MAKEFILE)
    said = run_tool(t, "make", "-s", "-f", makefile, "options", f"SYMBOLS={' '.join(symbols)}",
                    f"DIRS={' '.join(IMAGE_DIRS)}")
    found = {symbol: set() for symbol in symbols}
    for line in said.splitlines():
        symbol, *names = line.split() or [""]
        for name in names if symbol in found else ():
            found[symbol] |= ({str(path) for path in ROOT.glob(f"{name}**/*.[cS]")} if name[-1] == "/"
                              else {str(ROOT / name)[:-2] + end for end in (".c", ".S")})
    return {symbol: {str(OBJECTS) + name.removeprefix(str(ROOT)) + ".o" for name in names}
            for symbol, names in found.items()}


def names_of(t, files_):
    """{file: (what it defines, what it needs)}; the names of local symbols do not count."""
    found = {}
    listing = t.dir / "names"  # too long for the case's log
    with open(listing, "w", encoding="ascii") as out:
        subprocess.run(["nm", "-A", *sorted(files_)], stdout=out, check=True)
    for line in listing.read_text(encoding="ascii").splitlines():
        name, _, rest = line.rpartition(":")
        *_, kind, symbol = rest.split()
        defines, needs = found.setdefault(name, (set(), set()))
        (needs if kind == "U" else defines if kind.isupper() or kind in "vw" else set()).add(symbol)
    return found


@case(seconds=3)
def each_option_alone_off(t):
    """What is left needs nothing of what one symbol of Kconfig leaves out, with those that depend
    on it: it links. (make builds all of them off, and on.)"""
    options = kconfiglib.Kconfig(str(ROOT / "Kconfig"), warn_to_stderr=False)
    symbols = [symbol.name for symbol in options.unique_defined_syms]
    objects = objects_of_options(t, symbols)
    names = names_of(t, [path for path in OBJECTS.rglob("*.o")
                         if (ROOT / path.relative_to(OBJECTS).with_suffix("")).exists()])

    def missing(left_out):
        left = [names[name] for name in names.keys() - left_out]
        return set().union(*(needs for _, needs in left)) - set().union(*(has for has, _ in left))

    others = missing(set())  # the linker script's, the libraries'
    problems = []
    for symbol in options.unique_defined_syms:
        if symbol.str_value != "y":
            continue
        symbol.set_value(0)
        off = {other for other in symbols if options.syms[other].str_value == "n"}
        lost = missing(set().union(*(objects[other] for other in off))) - others
        problems += [f"without {symbol.name}, nobody has {name}" for name in lost]
        symbol.unset_value()
    fail_if(t, problems + ([] if sum(map(bool, objects.values())) > 30 else ["no options found"]),
            "things that are left out and needed")
