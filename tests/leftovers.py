"""A pytest plugin: a test that leaves a process running fails, and the process is killed.

Every process that descends from this one counts: children, children of a forkserver, and orphans,
which the kernel hands to this process as their subreaper (prctl(2)). Linux only.
"""

import contextlib
import ctypes
import gc
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

GRACE_S = 30.0
"""How long a process that was asked to end may take for it, on a machine that has other work."""
PR_SET_CHILD_SUBREAPER = 36
"""From linux/prctl.h."""

LEFT: list[str] = []
"""What the test that is being torn down has left: a number and a command line each."""


class Process(NamedTuple):
    """A process: its number, which is given again, and its start time in ticks, which is not."""

    pid: int
    began: int


class Status(NamedTuple):
    """What /proc/PID/stat says of a process (proc(5)): Z is the state of one that has ended."""

    process: Process
    parent: int
    state: str


def adopt_orphans() -> None:
    """Become the subreaper of all descendants, so that a child's death hides none of its own."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(of: int | None = None) -> list[Status]:
    """Return the processes that descend from process *of*, this one by default, parents first.

    Those that have ended and were not waited for are among them.
    """
    if of is None and not _has_children():
        return []
    children: dict[int, list[Status]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (status := _status(folder)) is not None:
            children.setdefault(status.parent, []).append(status)
    found, parents = list[Status](), [os.getpid() if of is None else of]
    for parent in parents:
        found += children.get(parent, [])
        parents += [status.process.pid for status in children.get(parent, [])]
    return found


def _has_children() -> bool:
    """Whether this process has any: one system call that spares reading all of /proc."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _status(folder: Path) -> Status | None:
    try:
        state, parent, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return None
    return Status(Process(int(folder.name), int(rest[17])), int(parent), state)


def kill(processes: Iterable[Process]) -> None:
    """Kill *processes* and wait until none of them runs."""
    left = set(processes)
    while left:
        left &= {s.process for s in descendants() if s.state != "Z"}
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.001)


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Kill what was started in the block and still runs after it, and note it in :data:`LEFT`.

    Python's own helpers stay: the forkserver and the resource tracker serve the tests that follow.
    """
    before = {status.process for status in descendants()}
    yield
    left = _left_since(before)
    deadline = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = _left_since(before)
    LEFT.extend(_command(process.pid) for process in left)
    kill(left)
    _forget(left)
    _reap(before)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Fail the test that is being torn down when it has left something.

    Only now: pytest's own check, which tells of a dropped Popen, runs after the fixtures, and would
    tell the next test of it if one of them had failed.
    """
    try:
        return (yield)
    finally:
        if LEFT:
            commands = "; ".join(LEFT)
            LEFT.clear()
            pytest.fail(f"left running, and killed now: {commands}", pytrace=False)


def _left_since(before: set[Process]) -> list[Process]:
    helpers = _helpers()
    return [
        status.process
        for status in descendants()
        if status.state != "Z"
        and status.process not in before
        and status.process.pid not in helpers
    ]


def _helpers() -> set[int | None]:
    """Return the numbers of this process's forkserver and resource tracker, None if not started."""
    tracker: Any = multiprocessing.resource_tracker._resource_tracker
    server: Any = multiprocessing.forkserver._forkserver
    return {tracker._pid, server._forkserver_pid}


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        words = ""
    return f"{pid} {' '.join(words.split(chr(0))).strip() or 'without a command line'}"


def _forget(killed: Iterable[Process]) -> None:
    """Settle the Popen objects of *killed*: their warnings would hit a test that follows."""
    numbers = {process.pid for process in killed}
    if not numbers:
        return
    for thing in gc.get_objects():
        if issubclass(type(thing), subprocess.Popen) and thing.pid in numbers:
            thing.poll()
            for stream in (thing.stdin, thing.stdout, thing.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()


def _reap(before: set[Process]) -> None:
    """Wait for the children that have ended since, adopted orphans among them."""
    for status in descendants():
        if status.state == "Z" and status.parent == os.getpid() and status.process not in before:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(status.process.pid, os.WNOHANG)


@pytest.fixture(scope="session", autouse=True)
def nothing_left_by_the_session() -> Iterator[None]:
    """Let nothing outlive the session: a fixture's process fails the last test."""
    adopt_orphans()
    with nothing_left():
        yield


@pytest.fixture(scope="module", autouse=True)
def nothing_left_by_the_module(nothing_left_by_the_session: None) -> Iterator[None]:
    """Let nothing outlive the module: a fixture's process fails the module's last test."""
    with nothing_left():
        yield


@pytest.fixture(autouse=True)
def nothing_left_by_the_test(nothing_left_by_the_module: None) -> Iterator[None]:
    """Let nothing outlive the test."""
    with nothing_left():
        yield
