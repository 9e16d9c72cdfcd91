# SPDX-License-Identifier: BSD-2-Clause
"""The programs of tests/host as cases."""
import os
import re

from harness.cases import BUILD, ROOT, Case, Failure, run_tool

SECONDS = 1200  # on a machine that has much else to do; a minute is usual
FUZZ_RUNS = 20000  # or what the source says behind "fuzz-runs:"


def _run(t, program):
    if not program.exists():
        raise Failure(f"{program.relative_to(ROOT)} was not built")
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
                       UBSAN_OPTIONS="print_stacktrace=1", ASAN_OPTIONS="detect_leaks=1")
    reason = ""
    try:
        run_tool(t, program, timeout=SECONDS, env=environment)
    except Failure as failure:
        reason = str(failure)
    output = (t.dir / "log").read_text(errors="replace")
    passed = len(re.findall(r"^ok ", output, re.M))
    # What this machine cannot show cmocka calls "not ok 2 # SKIP name".
    failed = len(re.findall(r"^not ok \d+ (?!# SKIP )", output, re.M))
    if reason and not failed:  # it crashed
        failed = 1
    if not reason and not passed:
        failed, reason = 1, "the program ran no tests"
    if failed:
        names = re.findall(r"^not ok \d+ - (\S+)", output, re.M)
        reason = ", ".join(names) or reason
    return passed, failed, reason


def _fuzz(t, program, seeds, runs):
    """A fixed number of inputs from a fixed seed: the same every time, and soon over."""
    if not program.exists():
        raise Failure(f"{program.relative_to(ROOT)} was not built")
    corpus = t.dir / "corpus"
    corpus.mkdir(exist_ok=True)
    for old in corpus.iterdir():
        old.unlink()
    run_tool(t, program, "-seed=1", f"-runs={runs}", "-max_len=2048", "-timeout=10",
             f"-artifact_prefix={t.dir}/", "-verbosity=0", corpus,
             *([seeds] if seeds.is_dir() else []), timeout=SECONDS,
             env=dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1"))


def host_cases():
    found = []
    for source in sorted(ROOT.glob("tests/host/*/fuzz_*.c")):
        subject = source.stem.removeprefix("fuzz_")
        program = BUILD / "host" / source.parent.name / source.stem
        runs = re.search(r"fuzz-runs: (\d+)", source.read_text(encoding="utf-8"))
        found.append(Case(f"host/{source.parent.name}/fuzz-{subject}", _fuzz,
                          arguments={"program": program,
                                     "seeds": source.parent / f"seeds_{subject}",
                                     "runs": int(runs[1]) if runs else FUZZ_RUNS}))
    for source in sorted(ROOT.glob("tests/host/*/test_*.c")):
        name = f"{source.parent.name}/{source.stem.removeprefix('test_')}"
        program = BUILD / "host" / source.parent.name / source.stem
        found.append(Case(f"host/{name}", _run, arguments={"program": program}))
    return found
