# SPDX-License-Identifier: BSD-2-Clause
"""What guests can reach is fuzzed."""
import re

from harness import case
from harness.tree import fail_if, files, sources, text


@case()
def device_types(t):
    """Each type of devices/ is named by a fuzzer, or by what it links of tests/host."""
    fuzzers = [text(name) for name in files(".c", under=["tests/host"])
               if re.search(r"/fuzz_\w+\.c$", name)]
    linked = {name for fuzzer in fuzzers for line in re.findall(r"test-sources: (.*) \*/", fuzzer)
              for name in line.split() if re.match(r"tests/host/.*\.c$", name)}
    fuzzed = "".join(fuzzers + [text(name) for name in linked])
    types = [(name, type_) for name in sources(".c") if name.startswith("devices/")
             for type_ in re.findall(r'^DEVICE_TYPE\(\w+, \.name = "([\w-]+)"', text(name), re.M)]
    fail_if(t, [f"{name}: {type_} is in no fuzzer" for name, type_ in types
                if f'"{type_}"' not in fuzzed and f"type = {type_}\\n" not in fuzzed] +
            ([] if len(types) > 20 else ["the types are not found"]),
            "device types that are not fuzzed")
