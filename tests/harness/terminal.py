# SPDX-License-Identifier: BSD-2-Clause
"""A terminal for what a VM's screen is drawn with: what it shows is compared, not what it was sent."""
import re

from harness.cases import Failure

TOKEN = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|([^\x1b])", re.S)


class Terminal:
    """Shows what comes over the line of `machine` from now on."""

    def __init__(self, machine, columns=80, rows=30):
        self.m = machine
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0
        self.top, self.bottom = 0, rows - 1
        self.rest = ""

    def __str__(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)

    def line_feed(self):
        if self.y == self.bottom:
            del self.cells[self.top]
            self.cells.insert(self.bottom, [" "] * len(self.cells[0]))
        else:
            self.y += 1

    def control(self, params, final):
        numbers = [int(number) for number in re.findall(r"\d+", params)]
        if final == "H":
            self.y, self.x = [number - 1 for number in numbers] or (0, 0)
            self.y = min(self.y, len(self.cells) - 1)
        elif final == "J":
            self.cells = [[" "] * len(row) for row in self.cells]
        elif final == "K":
            row = self.cells[self.y]
            row[self.x :] = [" "] * (len(row) - self.x)
        elif final == "r":
            self.top, self.bottom = [n - 1 for n in numbers] or (0, len(self.cells) - 1)
        elif final not in "mhl":
            raise Failure(f"the terminal was sent {params}{final}")

    def feed(self, text):
        self.rest += text
        end = 0
        for token in iter(lambda: TOKEN.match(self.rest, end), None):
            end = token.end()
            if token.group(2):
                self.control(token.group(1), token.group(2))
            elif token.group(3) == "\n":
                self.line_feed()
            elif token.group(3) != "\r":
                self.cells[self.y][self.x] = token.group(3)
                self.x += 1
        self.rest = self.rest[end:]

    def expect(self, pattern, timeout=60):
        """Waits until the screen, its rows as lines, shows `pattern`."""
        while not re.search(pattern, str(self), re.M | re.S):
            try:
                self.feed(self.m.expect(r"(?s).+", timeout).group())
            except Failure:
                self.m.t.log(f"the screen shows\n{self}")
                raise
