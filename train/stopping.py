"""Ctrl-C and SIGTERM as a request to stop, so that what is being written is finished first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requested() -> Iterator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets; a second ends the program as usual.

    Synchronization: enter in the main thread. Poll ``is_set()``, which takes no lock, and never
    ``wait()`` in the main thread: ``set()`` takes the event's lock, and a signal handler that takes
    a lock which the thread it interrupts is holding waits for ever. For the same reason the handler
    puts the earlier handlers back before it sets the event: no second one can interrupt ``set()``.
    A main thread that must sleep until a signal comes needs :class:`edge.clock.Stop`, a pipe.
    """
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def request(_number: int, _frame: FrameType | None) -> None:
        for known, handler in before.items():
            signal.signal(known, handler)
        stop.set()

    for number in before:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
