import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.leftovers import descendants
from tests.paths import ROOT
from tests.programs import Program, eventually
from train.stopping import stop_requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_sets_the_event(number: signal.Signals) -> None:
    """And gives the program its earlier handlers back, so that a second one ends it as usual."""
    before = {known: signal.getsignal(known) for known in (signal.SIGINT, signal.SIGTERM)}
    with stop_requested() as stop:
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
        assert {known: signal.getsignal(known) for known in before} == before
    assert {known: signal.getsignal(known) for known in before} == before


def test_no_signal_can_interrupt_the_setting_of_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """set() takes a lock, so a handler that interrupted it would wait for itself for ever."""
    earlier: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: earlier.append(number))

    class Interrupted(threading.Event):
        def set(self) -> None:
            signal.raise_signal(signal.SIGTERM)
            super().set()

    monkeypatch.setattr(threading, "Event", Interrupted)
    try:
        with stop_requested() as stop:
            signal.raise_signal(signal.SIGINT)
            assert (stop.is_set(), earlier) == (True, [signal.SIGTERM])
    finally:
        signal.signal(signal.SIGTERM, before)


KILLED = """
import multiprocessing, os, signal, time
from train.stopping import end_with_parent

def serve():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    end_with_parent()
    print("begun", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    multiprocessing.get_context("forkserver").Process(target=serve).start()
    time.sleep(600)
"""


def test_what_a_killed_program_has_started_ends_with_it(tmp_path: Path) -> None:
    """Painters, their forkserver and the resource tracker: nobody else would ever end them."""
    (tmp_path / "killed.py").write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Program(sys.executable, tmp_path / "killed.py", environment=environment) as program:
        program.hear("begun")
        started = {status.process for status in descendants(program.pid)}
        assert len(started) == 3
        program.send(signal.SIGKILL)
        eventually(lambda: not started & {s.process for s in descendants() if s.state != "Z"})
