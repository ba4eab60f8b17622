"""Ctrl-C and SIGTERM in a run: asked once where somebody sits, obeyed at once elsewhere."""

import io
import signal
from collections.abc import Callable

import pytest

from train.learn import interruption as interruptions
from train.learn.interruption import Interruption, interruptible


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """A terminal at which somebody types; returns what was said to them."""

    def typed(answer: str) -> list[str]:
        said = list[str]()
        monkeypatch.setattr(interruptions, "in_terminal", lambda: True)
        monkeypatch.setattr(interruptions, "say", said.append)
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        return said

    return typed


def poll(interruption: Interruption, training: bool = True) -> str:
    """What is asked for after a Ctrl-C."""
    signal.raise_signal(signal.SIGINT)
    return interruption.poll(lambda: "9 minutes of training", training)


@pytest.mark.parametrize(
    ("typed", "training", "answer"),
    [
        ("\n", True, "go on"),
        ("f\n", True, "finish"),
        ("F \n", True, "finish"),
        ("s\n", True, "stop"),
        ("stop\n", False, "stop"),
        ("\n", False, "go on"),
        ("f\n", False, "go on"),
        ("", True, "stop"),
    ],
)
def test_ctrl_c_in_a_terminal_asks_and_says_what_is_still_to_come(
    terminal: Callable[[str], list[str]], typed: str, training: bool, answer: str
) -> None:
    """An end of the input is a terminal that has gone: stop."""
    said = terminal(typed)
    with interruptible(alone=True) as interruption:
        assert poll(interruption, training) == answer
        assert interruption.poll(lambda: "", training) == answer
    assert "still to come: 9 minutes of training; only then can the run be exported" in said[0]
    assert ("threshold" in said[1]) is training
    assert len(said) == 2
    assert interruption.waited_s > 0.0


def test_it_asks_once(terminal: Callable[[str], list[str]]) -> None:
    """Who went on and presses again means it."""
    said = terminal("\n\n")
    with interruptible(alone=True) as interruption:
        assert poll(interruption) == "go on"
        assert poll(interruption, training=False) == "stop"
    assert len(said) == 2


def test_a_second_ctrl_c_at_the_question_stops(
    terminal: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends the reading, and nothing else."""

    class Pressed:
        def readline(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "never"

    terminal("")
    monkeypatch.setattr("sys.stdin", Pressed())
    with interruptible(alone=True) as interruption:
        assert poll(interruption) == "stop"


@pytest.mark.parametrize(
    ("number", "alone", "seen"),
    [
        (signal.SIGINT, True, False),
        (signal.SIGTERM, True, True),
        (signal.SIGINT, False, True),
    ],
)
def test_without_a_terminal_a_signal_stops(
    terminal: Callable[[str], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    alone: bool,
    seen: bool,
) -> None:
    """So do SIGTERM, and a run of several processes, of which none may wait for an answer."""
    said = terminal("\n")
    monkeypatch.setattr(interruptions, "in_terminal", lambda: seen)
    with interruptible(alone) as interruption:
        assert interruption.poll(lambda: "", training=True) == "go on"
        signal.raise_signal(number)
        assert interruption.poll(lambda: "", training=True) == "stop"
    assert said == []


def test_a_second_signal_that_nobody_has_heeded_ends_the_program_as_usual() -> None:
    """A run that hangs can be ended; the handlers before are put back."""
    before = signal.getsignal(signal.SIGINT)
    with interruptible(alone=True):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_another_process_heard_stops_this_one() -> None:
    """The processes stop together."""
    answers = []
    interruption = Interruption(alone=False)
    for stopped in (False, True):
        interruption.note(stopped)
        answers.append(interruption.answer)
    assert answers == ["go on", "stop"]
