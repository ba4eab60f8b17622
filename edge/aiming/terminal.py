"""The figures of the camera in a terminal: one line that is updated, or plain lines in a file."""

import re
import shutil
import sys
from typing import TextIO

from edge.aiming.view import View, short_line
from edge.clock import Clock
from edge.printing import print_line, print_over

NUMBER = re.compile(r"[0-9.]+")
"""What may differ between two tellings of one trouble."""
APART_NS = 1_000_000_000
"""Least time between two plain lines, where nothing can be updated."""


class TerminalLine:
    """Shows each view in the terminal *file*, or a line a second where *file* is none.

    Synchronization: one thread.
    """

    def __init__(self, clock: Clock, file: TextIO | None = None) -> None:
        self._clock, self._file = clock, file or sys.stdout
        self._is_terminal = self._file.isatty()
        self._last_ns: int | None = None
        self._trouble = ""

    def show(self, view: View) -> None:
        """Show a view; a new trouble is a line of its own, which stays."""
        if (words := NUMBER.sub("", view.trouble)) != self._trouble:
            self._trouble = words
            if view.trouble:
                self.end()
                print_line(f"aim: {view.trouble}", self._file, flush=True)
        if self._is_terminal:
            width, line = shutil.get_terminal_size().columns, view.as_line()
            print_over(line if len(line) < width else short_line(view), width, self._file)
            self._last_ns = self._clock.now_ns()
        elif self._last_ns is None or self._clock.now_ns() - self._last_ns >= APART_NS:
            print_line(view.as_line(), self._file, flush=True)
            self._last_ns = self._clock.now_ns()

    def end(self) -> None:
        """Leave the updated line, so that what follows has one of its own."""
        if self._is_terminal and self._last_ns is not None:
            print_line(file=self._file, flush=True)
            self._last_ns = None
