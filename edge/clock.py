"""Time for the box: the kernel's monotonic clock, a simulated one for tests, the stop request.

Everything on the box is timed by a :class:`Clock` that is handed in, so a test can compare whole
histories exactly.
"""

import ctypes
import functools
import os
import select
import threading
import time
from pathlib import Path
from typing import Protocol


class Timed(Protocol):
    """A part that acts at moments it names, such as a gate whose pulse begins on an arrival."""

    def next_ns(self) -> int | None:
        """Return when it must act next, in monotonic nanoseconds; None when nothing is ahead."""

    def act(self) -> None:
        """Do what is due by now."""


class Timer(Protocol):
    """A timer that calls :meth:`Timed.act` on time."""

    def wake(self) -> None:
        """Read the next moment again, as it may have changed.

        Raises RuntimeError when the timer has died.
        """

    def stop(self) -> None:
        """Stop the timer; returns when no call is in progress."""


class Stop:
    """A request to end, with its reason.

    Synchronization: :meth:`request` is safe in a signal handler (a pipe, because a handler that
    takes a lock held by the thread it interrupts would deadlock); the rest belongs to one
    thread.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._read, self._write = os.pipe()

    def request(self, reason: str) -> None:
        """Request the end; only the first reason counts."""
        if not self.reason:
            self.reason = reason
            os.write(self._write, b"!")

    def wait(self, timeout_s: float) -> bool:
        """Wait at most *timeout_s* seconds; return True when the end was requested."""
        return bool(select.select([self._read], [], [], max(0.0, timeout_s))[0])

    def fileno(self) -> int:
        """Return the descriptor for select(2): readable once the end was requested."""
        return self._read

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._read)
        os.close(self._write)


class Clock(Protocol):
    """A clock as the box uses it; all moments are monotonic nanoseconds."""

    def now_ns(self) -> int:
        """Return the present moment."""

    def sleep_until(self, t_ns: int) -> None:
        """Return at *t_ns* or a little later; at once when it has passed."""

    def wait_until(self, t_ns: int, stop: Stop) -> bool:
        """Like :meth:`sleep_until`, but return True as soon as *stop* is requested."""

    def start_timer(self, timed: Timed) -> Timer:
        """Start a timer that calls *timed* at its moments, whatever the caller is busy with."""


class MonotonicClock:
    """The kernel's CLOCK_MONOTONIC: it never jumps, whatever happens to the wall clock."""

    def now_ns(self) -> int:
        """Return the present moment."""
        return time.monotonic_ns()

    def sleep_until(self, t_ns: int) -> None:
        """Return at *t_ns* or a little later."""
        time.sleep(max(0, t_ns - self.now_ns()) / 1e9)

    def wait_until(self, t_ns: int, stop: Stop) -> bool:
        """Return at *t_ns*, or True as soon as *stop* is requested."""
        return stop.wait((t_ns - self.now_ns()) / 1e9)

    def start_timer(self, timed: Timed) -> Timer:
        """Start a thread that calls *timed* at its moments."""
        return _TimerThread(self, timed)


class _TimerThread:
    """A daemon thread that sleeps until *timed* is due.

    Synchronization: the condition is taken before any lock of *timed*; so *timed* must not hold its
    own lock in wake().
    """

    def __init__(self, clock: MonotonicClock, timed: Timed) -> None:
        self._clock, self._timed = clock, timed
        self._condition = threading.Condition()
        self._stopped = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="timer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        with self._condition:
            self._condition.notify()
        if self._failure is not None:
            raise RuntimeError(f"the timing thread has died: {self._failure!r}") from self._failure

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._timed.act()
        except BaseException as failure:  # noqa: BLE001 - raised by wake(), which ends the service
            self._failure = failure

    def _wait_for_work(self) -> bool:
        """Sleep until something is due; return False when the thread must end."""
        with self._condition:
            while not self._stopped:
                due_ns = self._timed.next_ns()
                left_s = None if due_ns is None else (due_ns - self._clock.now_ns()) / 1e9
                if left_s is not None and left_s <= 0:
                    return True
                self._condition.wait(left_s)
        return False


class SimulatedClock:
    """A clock that moves only when someone waits, and then at once.

    A part that is due on the way acts at its exact moment.

    Synchronization: one thread.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns
        self._parts: list[Timed] = []

    def now_ns(self) -> int:
        """Return the simulated moment."""
        return self._now_ns

    def sleep_until(self, t_ns: int) -> None:
        """Move time to *t_ns*, stopping at each moment at which something is due."""
        while (due := self._earliest()) is not None and due[0] <= t_ns:
            self._now_ns = max(self._now_ns, due[0])
            due[1].act()
        self._now_ns = max(self._now_ns, t_ns)

    def wait_until(self, t_ns: int, stop: Stop) -> bool:
        """Move time to *t_ns*; True, without moving, when *stop* was requested."""
        if stop.reason:
            return True
        self.sleep_until(t_ns)
        return False

    def start_timer(self, timed: Timed) -> Timer:
        """Call *timed* when simulated time reaches its moments."""
        self._parts.append(timed)
        return _SimulatedTimer(self._parts, timed)

    def _earliest(self) -> tuple[int, Timed] | None:
        moments = [(due, part) for part in self._parts if (due := part.next_ns()) is not None]
        return min(moments, key=lambda moment: moment[0], default=None)


class _SimulatedTimer:
    def __init__(self, timed_parts: list[Timed], timed: Timed) -> None:
        self._parts, self._timed = timed_parts, timed

    def wake(self) -> None:
        """Do nothing: the clock reads the next moment whenever it moves."""

    def stop(self) -> None:
        if self._timed in self._parts:
            self._parts.remove(self._timed)


def boot_id() -> str:
    """Return the kernel's id of this boot; moments of two boots cannot be compared."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def clock_synced() -> bool | None:
    """Return whether the kernel's wall clock is disciplined (NTP, PTP), from adjtimex(2).

    None when the kernel does not tell.
    """
    time_error = 5  # TIME_ERROR, the clock is not synchronised
    timex = ctypes.create_string_buffer(512)  # struct timex, all zero: read, change nothing
    state = int(_libc().adjtimex(timex))
    return None if state < 0 else state != time_error
