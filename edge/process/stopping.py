"""SIGTERM and SIGINT as a request to stop."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from edge.clock import Stop


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turn SIGTERM and SIGINT into a request to stop; the handlers found before are put back."""
    stop = Stop()

    def request(number: int, _frame: FrameType | None) -> None:
        stop.request(signal.Signals(number).name)

    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.close()
