"""The frame of the fuzzers: it finds a crash, counts what it tried, and stops in time."""

import sys

import pytest
from hypothesis import strategies

from tests.fuzz import __main__ as command
from tests.fuzz.fuzzing import ROUND, SHORT, Fuzzer


def _refuses_seven(number: int) -> None:
    if number == 7:
        raise ZeroDivisionError("seven")


NUMBERS = strategies.integers(0, 20)
SOUND = Fuzzer("sound", strategies.integers(), str)
UNSOUND = Fuzzer("unsound", NUMBERS, _refuses_seven)


def test_a_short_run_raises_what_the_parser_raised() -> None:
    """And tries as many inputs as it says."""
    with pytest.raises(ZeroDivisionError, match="seven"):
        UNSOUND.short()
    given: list[int] = []
    Fuzzer("counted", strategies.integers(), given.append).short()
    assert len(given) == SHORT


def test_a_long_run_ends_at_a_crash_or_when_its_time_is_over() -> None:
    """What it tried is counted."""
    sound = SOUND.long(1e-9)
    assert (sound.inputs, sound.crash) == (ROUND, None)
    assert isinstance(UNSOUND.long(600.0).crash, ZeroDivisionError)


def test_the_command_names_each_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1 for a crash, 0 for none, 2 for a name that nobody has."""
    monkeypatch.setattr(command, "fuzzers", lambda: {"sound": SOUND, "unsound": UNSOUND})
    monkeypatch.setattr(sys, "argv", ["fuzz", "--seconds", "1e-9"])
    assert command.main() == 1
    said = capsys.readouterr()
    assert "unsound" in said.out
    assert "ZeroDivisionError: seven" in said.err
    monkeypatch.setattr(sys, "argv", ["fuzz", "--seconds", "1e-9", "sound"])
    assert command.main() == 0
    monkeypatch.setattr(sys, "argv", ["fuzz", "nobody"])
    with pytest.raises(SystemExit):
        command.main()
    assert "no fuzzer nobody; there are sound, unsound" in capsys.readouterr().err
