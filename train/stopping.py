"""Ctrl-C and SIGTERM as a request to stop; processes that end together with the one they serve."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for
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


def end_with_parent() -> None:
    """Let this process of :mod:`multiprocessing` end when the one that started it is gone.

    Whoever was killed ends nobody, and a child of a forkserver is no child of it for the kernel:
    neither its death signal nor ``getppid`` tells. Each has the reading end of a pipe that the
    other holds, though, which becomes ready when that one ends, however it ends. Synchronization: a
    thread of its own waits for it; call once, when the process begins.
    """
    threading.Thread(target=_exit_after_parent, name="parent watch", daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
