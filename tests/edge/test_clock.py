import os
import signal
import threading
import time

from edge.clock import Clock, MonotonicClock, SimulatedClock, Stop
from tests.programs import PATIENCE_S, eventually


class Alarm:
    """Acts once at each of its moments and notes when."""

    def __init__(self, clock: Clock, moments: list[int]) -> None:
        self._clock, self._moments = clock, sorted(moments)
        self.acted: list[int] = []

    def next_ns(self) -> int | None:
        """The first moment left."""
        return self._moments[0] if self._moments else None

    def act(self) -> None:
        """Note the present moment."""
        self._moments.pop(0)
        self.acted.append(self._clock.now_ns())


def test_simulated_time_stops_at_each_moment_of_those_it_attends() -> None:
    """Two alarms, in the order of their moments, each exact; those after the wait do not act."""
    clock = SimulatedClock(100)
    one, other = Alarm(clock, [110, 130, 900]), Alarm(clock, [120])
    clock.start_timer(one)
    timer = clock.start_timer(other)
    clock.sleep_until(200)
    assert (one.acted, other.acted, clock.now_ns()) == ([110, 130], [120], 200)
    timer.stop()
    timer.stop()
    clock.sleep_until(150)
    assert clock.now_ns() == 200


def test_a_moment_that_has_passed_is_acted_on_at_once_and_time_never_runs_back() -> None:
    """An alarm set for the past acts now."""
    clock = SimulatedClock(100)
    alarm = Alarm(clock, [50])
    clock.start_timer(alarm)
    clock.sleep_until(100)
    assert alarm.acted == [100]


def test_the_thread_acts_not_before_its_moment_and_hears_of_a_new_one() -> None:
    """A moment that comes up while the thread would sleep for another hour."""
    clock = MonotonicClock()
    begin = clock.now_ns()
    alarm = Alarm(clock, [begin + 3600 * 10**9])
    timer = clock.start_timer(alarm)
    alarm._moments.insert(0, begin + 50_000_000)
    timer.wake()
    eventually(lambda: alarm.acted)
    timer.stop()
    (acted,) = alarm.acted
    assert acted - begin >= 50_000_000


def test_a_stop_from_a_signal_handler_ends_a_wait_at_once(stop: Stop) -> None:
    """The first reason counts."""
    before = signal.signal(signal.SIGUSR1, lambda *_: stop.request("SIGUSR1"))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        timer.start()
        until = time.monotonic_ns() + round(PATIENCE_S * 1e9)
        assert MonotonicClock().wait_until(until, stop)
        assert time.monotonic_ns() < until
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    stop.request("another")
    assert stop.reason == "SIGUSR1"
    assert stop.wait(0)


def test_without_a_stop_the_wait_lasts(stop: Stop) -> None:
    """And says so."""
    clock = MonotonicClock()
    until = clock.now_ns() + 20_000_000
    assert not clock.wait_until(until, stop)
    assert clock.now_ns() >= until
    assert not stop.wait(-1)
