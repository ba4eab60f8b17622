import signal
import threading

import pytest

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
