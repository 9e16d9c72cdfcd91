# SPDX-License-Identifier: BSD-2-Clause
"""What includes what: the table of docs/architecture.md, and how includes are written."""
import pathlib
import re

from harness import ROOT, case, run_tool
from harness.tree import fail_if, image_flags, sources, text

# folder: the folders it may include from. The longest folder that a file is in counts.
MAY = {
    "lib": ["lib"],
    "arch": ["arch", "lib"],
    "kernel": ["kernel", "arch", "lib"],
    "drivers": ["drivers", "kernel", "arch", "lib"],
    "vmm": ["vmm", "kernel", "lib"],
    "vmm/svm": ["vmm/svm", "vmm", "kernel", "arch", "lib"],
    "vmm/vmx": ["vmm/vmx", "vmm", "kernel", "arch", "lib"],
    "devices": ["devices", "vmm", "kernel", "lib"],
    "devices/hostdev": ["devices", "vmm", "kernel", "lib", "drivers"],
    "devices/backend": ["devices", "vmm", "kernel", "lib", "drivers"],
    "devices/pci/passthrough": ["devices", "vmm", "kernel", "lib", "drivers"],
    "admin": ["admin", "vmm", "kernel", "lib"],
    "boot": [""],
}
# No one above includes a vendor's headers: they are reached through hv_ops.
PRIVATE = ["vmm/svm", "vmm/vmx"]
# What both vendors share of the architecture, and vmm may know: the machine's own
# CPU, which guests run on, and the numbers that the manuals give its registers.
SHARED_ARCH = {f"arch/x86_64/{name}.h"
               for name in ("percpu", "paging", "cpu", "cpuid", "msr", "exceptions")}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def within(path, folder):
    return not folder or path == folder or path.startswith(folder + "/")


def home(path):
    return max((folder for folder in MAY if within(path, folder)), key=len)


def allowed(source, header):
    if any(within(header, folder) and not within(source, folder) for folder in PRIVATE):
        return within(source, "boot")
    if within(source, "vmm") and header in SHARED_ARCH:
        return True
    return any(within(header, folder) for folder in MAY[home(source)])


@case()
def directions(t):
    """A lower layer does not know a higher one; see docs/architecture.md."""
    fail_if(t, [f"{source} includes {header}, which {home(source)} may not"
                for source in sources(".c", ".h", ".S")
                for header in INCLUDE.findall(text(source)) if not allowed(source, header)],
            "includes against the architecture")


@case()
def vendors_behind_hv_ops(t):
    """No question outside their folders whether the CPU is AMD's or Intel's, runs SVM or VT-x: what
    differs is in hv_ops, or in a table by what hv_ops says. Comments may name them."""
    name = r"(?:[a-z]+_)*(?:is_)?(?:svm|vmx|amd|intel|hygon)(?:_[a-z_]+)?"
    asks = re.compile(rf"\b(?:if|while|switch|for) \(.*\b{name}\b|\b{name}\b(?:\(.*\))? \?|"
                      rf"[=!]= {name}\b|\b{name}(?:\(.*\))? (?:[=!]=|&&|\|\|) ", re.I)
    # The names that CPUs have in CPUID 0: Genu-ineI-ntel, Auth-enti-cAMD, Hygo-nGen-uine.
    ids = re.compile(r"0x(756e6547|49656e69|6c65746e|68747541|69746e65|444d4163|6f677948)u?\b", re.I)
    problems = []
    for source in sources(".c", ".h", ".S"):
        if any(within(source, folder) for folder in PRIVATE + ["tests", "third-party"]):
            continue
        code = re.sub(r"/\*.*?\*/", lambda c: "\n" * c.group().count("\n"), text(source),
                      flags=re.S)
        problems += [f"{source}:{number}: {line.strip()}"
                     for number, line in enumerate(code.split("\n"), 1)
                     if asks.search(line) or ids.search(line)]
    fail_if(t, problems, "questions for the vendor outside vmm/svm and vmm/vmx")


@case()
def full_paths(t):
    fail_if(t, [f'{source}: "{header}" is no path from the root'
                for source in sources(".c", ".h", ".S")
                for header in INCLUDE.findall(text(source)) if not (ROOT / header).is_file()],
            "includes that are no full path")


@case()
def own_header_first(t):
    problems = []
    for source in sources(".c"):
        own = str(pathlib.Path(source).with_suffix(".h"))
        if (ROOT / own).is_file():
            first = re.search(r"^\s*#\s*include\s+(\S+)", text(source), re.M)
            if not first or first.group(1) != f'"{own}"':
                problems.append(f"{source} does not include {own} before all others")
    fail_if(t, problems, "sources that do not include their header first")


@case()
def headers_compile_alone(t):
    headers = sources(".h")
    run_tool(t, "bash", "-c",
             f"gcc {image_flags()} -Wno-unused -fsyntax-only -x c {' '.join(headers)}")
