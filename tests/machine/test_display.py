# SPDX-License-Identifier: BSD-2-Clause
"""Log and prompt on the screen of the machine itself, letter by letter: VGA's text memory, and the
pixels of a framebuffer."""
import re
import time

from harness import Failure, Machine, case
from harness.cases import BUILD
from harness.monitor import Monitor
from harness.serial import PROMPT

SECONDS = 120  # for an answer, on a machine that has much else to do
VGA_MEMORY, VGA_COLUMNS, VGA_ROWS, VGA_GREY = 0xB8000, 80, 25, 7
FONT_FIRST, FONT_WIDTH, FONT_HEIGHT = 0x20, 8, 13
CURSOR_ROW = 0xFF
BLACK, TEXT = b"\0\0\0", b"\xc0\xc0\xc0"


def vga_text(monitor):
    """(the rows, the cursor is not in them)."""
    cells = monitor.memory(VGA_MEMORY, 2 * VGA_COLUMNS * VGA_ROWS)
    if set(cells[1::2]) != {VGA_GREY}:
        raise Failure(f"attributes: {set(cells[1::2])}")
    text = cells[0::2].decode("latin-1")
    return [text[at:at + VGA_COLUMNS] for at in range(0, len(text), VGA_COLUMNS)], None


def font():
    """From a letter's rows to the letter, by the table that the image is made with."""
    table = (BUILD / "font/font_glyphs.h").read_text()
    letters = {}
    for number, line in enumerate(re.findall(r"^\t\{(.*?)\}", table, re.M)):
        letters[bytes(int(dots, 16) for dots in line.split(","))] = chr(FONT_FIRST + number)
    return letters


def pixel_text(monitor):
    """(the rows, column and row of the cursor)."""
    width, height, pixels = monitor.picture()
    letters = font()
    dot = 2 if width >= 1920 else 1
    values = {BLACK: "0", TEXT: "1"}
    rows, cursor = [], None
    for y in range(height // (FONT_HEIGHT * dot)):
        lines = []  # of dots
        for line in range(y * FONT_HEIGHT, (y + 1) * FONT_HEIGHT):
            at = line * dot * width * 3
            lines.append("".join(values.get(pixels[i:i + 3], "?")
                                 for i in range(at, at + width * 3, 3 * dot)))
        row = ""
        for x in range(width // (FONT_WIDTH * dot)):
            cell = [line[x * FONT_WIDTH:(x + 1) * FONT_WIDTH] for line in lines]
            if "?" in "".join(cell):
                raise Failure(f"a colour that is not ours, row {y}, column {x}")
            dots = bytes(int(line, 2) for line in cell)
            if dots[-1] == CURSOR_ROW:
                dots, cursor = dots[:-1] + b"\0", (x, y)
            if dots not in letters:
                raise Failure(f"no letter of ours at row {y}, column {x}: {dots.hex()}")
            row += letters[dots]
        rows.append(row)
    return rows, cursor


def shows(t, firmware, look):
    """What the serial line has said last is what the screen shows last."""
    monitor = Monitor(t)
    with Machine(t, files={}, firmware=firmware, extra=monitor.options) as m:
        m.expect(PROMPT, timeout=SECONDS)
        said = m.command("help list", timeout=SECONDS).strip("\n").split("\n")
        want = [f"{PROMPT}help list", *said, PROMPT.rstrip()]
        deadline = time.monotonic() + SECONDS / 4
        while True:
            try:
                rows, cursor = look(monitor)
                text = [row.rstrip() for row in rows]
                while text and not text[-1]:
                    text.pop()
                if text[-len(want):] != want:
                    raise Failure(f"the screen ends with {text[-len(want):]}, not with {want}")
                if not any(re.match(r"\[ *\d+\.\d+\] .*boot: ready", row) for row in text):
                    raise Failure(f"no log on the screen: {text}")
                if cursor not in (None, (len(PROMPT), len(text) - 1)):
                    raise Failure(f"the cursor is at {cursor}")
                return
            except Failure:  # it may be drawing still
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)


@case(seconds=8, qemu_alone="its monitor tells what video memory has")
def vga_shows_what_the_line_says(t):
    shows(t, "bios", vga_text)


@case(seconds=20, each=[{"firmware": "uefi"}])
def framebuffer_shows_what_the_line_says(t, firmware):
    shows(t, firmware, pixel_text)
