import contextlib
import os
from collections.abc import Iterator

import pytest

from edge.clock import SimulatedClock
from edge.gate.log import AT_ONCE, LONGEST, ONE_NS, Log

BEGIN = "stampgate-edge gate: "


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read(end: int) -> list[str]:
    """The lines that were written."""
    return os.read(end, 1 << 20).decode().splitlines()


def test_a_line_is_one_printable_line(pipe: tuple[int, int]) -> None:
    """Whatever stands in it; a long one is cut."""
    log = Log(SimulatedClock(), pipe[1])
    assert log.say("x\nstampgate-edge gate: all well\x1b[2J \ud800")
    assert log.say("ä" * 9000)
    first, second = read(pipe[0])
    assert first.startswith(f"{BEGIN}x\\")
    assert first.isprintable()
    assert len(second.encode()) == LONGEST - (LONGEST - len(BEGIN)) % 2


def test_too_many_lines_are_counted_and_the_next_one_says_so(pipe: tuple[int, int]) -> None:
    """One more each second; what must be said is said."""
    clock = SimulatedClock()
    log = Log(clock, pipe[1])
    said = [log.say(str(number)) for number in range(AT_ONCE + 7)]
    assert said == [True] * AT_ONCE + [False] * 7
    assert read(pipe[0]) == [f"{BEGIN}{number}" for number in range(AT_ONCE)]
    clock.sleep_until(ONE_NS)
    assert log.say("next")
    assert not log.say("and one more")
    assert log.say("must be said", always=True)
    assert read(pipe[0]) == [
        f"{BEGIN}(7 lines left out) next",
        f"{BEGIN}(1 lines left out) must be said",
    ]
    clock.sleep_until(1000 * ONE_NS)
    assert [log.say("again") for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]


def test_a_stream_that_nobody_reads_holds_nobody_up(pipe: tuple[int, int]) -> None:
    """Its lines are left out; the gate's moments are not."""
    os.set_blocking(pipe[1], False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe[1], b"x" * 4096)
    os.set_blocking(pipe[1], True)
    assert not Log(SimulatedClock(), pipe[1]).say("nobody reads this")


def test_a_stream_that_is_closed_ends_nothing() -> None:
    """As after systemd's log has ended."""
    reader, writer = os.pipe()
    os.close(reader)
    assert not Log(SimulatedClock(), writer).say("nobody is there")
    os.close(writer)
    assert not Log(SimulatedClock(), writer).say("nothing is there")
