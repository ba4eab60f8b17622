"""Items at the photo-eye of simulated lines, as fast as the eye takes them."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.edge.processes import Service

AHEAD = 1
"""Items that are told and not yet written down. With a second one the picture of the first would
often begin after the second's trigger, and be nobody's."""
EDGES = (b'{"line": "trigger", "level": 1}', b'{"line": "trigger", "level": 0}')
"""An item covers the photo-eye, and leaves it."""
COUNTED = re.compile(r"STATUS=(\d+) items")


class Belt:
    """Lets an item pass as soon as the eye can take it: none is lost because it came too soon.

    How far the eye is, it says itself, to its supervisor after each item. *inputs*: the socket of
    the simulated lines.

    Synchronization: one thread.
    """

    def __init__(self, eye: Service, inputs: Path) -> None:
        self.passed = 0
        """Items that passed the photo-eye."""
        self.done = 0
        """Items of those that the eye has written down."""
        self._eye, self._inputs = eye, inputs

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.connect(str(self._inputs))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def carry(self, items: int) -> Iterator[int]:
        """Let *items* more pass; yields now and then how many of all are done.

        Raises InputError when the eye ends.
        """
        last = self.passed + items
        while self.done < last:
            while self.passed < min(last, self.done + AHEAD):
                for edge in EDGES:
                    self._socket.send(edge)
                self.passed += 1
            self._listen()
            yield self.done

    def settle(self) -> None:
        """Wait until the eye has written down all that passed. Raises InputError when it ends."""
        while self.done < self.passed:
            self._listen()

    def _listen(self) -> None:
        counted = COUNTED.search(self._eye.hear())
        self.done = int(counted[1]) if counted is not None else self.done
