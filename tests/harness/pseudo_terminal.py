# SPDX-License-Identifier: BSD-2-Clause
"""A machine's serial line as a terminal, for a program that wants to talk over one."""
import os
import pty
import select
import threading
import tty


class PseudoTerminal:
    """Carries the line of `machine` to `name` and back until it is closed; nobody else reads the
    line meanwhile. `spoil` is given what the program sends, and returns what arrives; `garble` the
    same for what the machine sends, which is then no text to keep, but for its end."""

    def __init__(self, machine, spoil=None, garble=None):
        self.m = machine
        self.spoil = spoil
        self.garble = garble
        self.tail = b""
        self.ours, self.theirs = pty.openpty()
        tty.setraw(self.theirs)
        self.name = os.ttyname(self.theirs)
        self.over = False
        self.thread = threading.Thread(target=self._carry)
        self.thread.start()

    def _carry(self):
        while not self.over:
            ready = select.select([self.ours, self.m.output], [], [], 0.1)[0]
            if self.ours in ready:
                data = os.read(self.ours, 4096)
                os.write(self.m.input, self.spoil(data) if self.spoil else data)
            # Who has ended reads nothing any more, and the terminal holds so much.
            if self.m.output in ready and select.select([], [self.ours], [], 0.1)[1]:
                data = os.read(self.m.output, 1024)
                if self.garble:
                    self.tail = (self.tail + data)[-500:]
                    data = self.garble(data)
                else:
                    self.m.keep(data)
                os.write(self.ours, data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.over = True
        self.thread.join()
        if self.tail:
            self.m.keep(self.tail)
        os.close(self.ours)
        os.close(self.theirs)
