"""A few of the trials of ``make soak-faults``; that one runs them all."""

from pathlib import Path

import pytest

from edge.record.seal import key_path
from tests.crash.eye import is_good
from tests.crash.injection import ERRORS, MAIN
from tests.crash.one_thread import Box
from tests.crash.processes import Processes
from tests.crash.trials import inject, kill

CALLS = {MAIN: range(1, 640, 29), "journal": range(1, 150, 19)}
"""Every so many calls of each thread; the errors take turns."""


@pytest.mark.parametrize("sealed", [False, True], ids=["without a seal", "sealed"])
def test_without_an_error_good_items_pass_and_bad_ones_do_not(sealed: bool, tmp_path: Path) -> None:
    """Else the trials would prove nothing: the second item, which the error meets, is a good one.

    The third and fourth come while it is in hand.
    """
    box = Box(tmp_path, sealed=sealed)
    with box.eye() as eye:
        box.pass_items(1)
        eye.work()
        box.pass_items(3)
        eye.work()
        box.arrive()
        eye.work()
    good = {tag: is_good(t_ns) for (_, tag), t_ns in box.seen.items()}
    assert good == {1: False, 2: True, 3: True, 4: False}
    assert {tag for _, tag in box.passed} == {2, 3}
    assert box.findings() == []
    box.close()


@pytest.mark.parametrize("thread", CALLS)
def test_an_error_at_any_call_costs_no_record_and_lets_nothing_pass(thread: str) -> None:
    """Each item has one record, chain and seal are whole, and what passed was good.

    After each round of the errors the journal is sealed, or is not any more.
    """
    wrong = {}
    for turn, at in enumerate(CALLS[thread]):
        error, sealed = list(ERRORS)[turn % len(ERRORS)], turn // len(ERRORS) % 2 == 1
        found, injector = inject(at, error, thread, sealed=sealed)
        if found:
            wrong[f"{error} at call {at}, {injector.where}"] = found
    assert wrong == {}


def test_the_calls_are_found_by_themselves() -> None:
    """Some hundreds: from the trigger to the record, in every part of the box on the way."""
    _, injector = inject(0, "Exception")
    assert injector.calls > 300
    seen = {inject(at, "Exception")[1].where.rsplit(":", 1)[0] for at in range(1, 500, 45)}
    assert len(seen) > 5


@pytest.mark.parametrize("victim", ["eye", "gate"])
def test_a_kill_at_a_message_costs_no_record(victim: str) -> None:
    """The next one of its kind takes over what is owed."""
    wrong = {}
    for at in range(2, 40, 5):
        for when in ("before", "after"):
            if found := kill(at, victim, when, sealed=at % 2 == 0)[0]:
                wrong[f"{when} message {at}"] = found
    assert wrong == {}


@pytest.mark.slow
def test_processes_that_are_killed_under_load_lose_no_item(tmp_path: Path) -> None:
    """The real ones, by SIGKILL."""
    processes = Processes(tmp_path, sealed=True)
    try:
        processes.kill_under_load("eye")
        processes.kill_under_load("gate")
        processes.kill_at_message("eye", 9, "before")
        processes.kill_at_message("gate", 9, "after")
        processes.end()
    finally:
        processes.stop_all()
    assert processes.findings() == []
    assert processes.seen > 10


def test_a_seal_that_does_not_fit_is_found(tmp_path: Path) -> None:
    """Else a sealed journal would prove no more than another: the key's file is taken away."""
    box = Box(tmp_path, sealed=True)
    for _ in range(2):
        with box.eye() as eye:
            box.pass_items(1)
            eye.work()
        key_path(box.journal).unlink(missing_ok=True)
    (found,) = box.findings()
    box.close()
    assert "bear no seal" in found
