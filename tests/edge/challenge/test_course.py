"""The challenge test on a simulated line: what it passes, and everything that it must not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.challenge.course import Course, Passing, Way
from edge.challenge.link import Request
from edge.challenge.quarantine import NO_RECORD, read_quarantine
from edge.errors import InputError
from edge.gate.peers import Peer
from edge.record.verify import verify
from tests.edge.challenge.rig import DELAY_MS, Box, Ways, box


def quarantined(made: Box) -> list[int]:
    """The numbers that the list of the quarantine holds."""
    found = read_quarantine(made.folder / "journal.jsonl")
    assert found.why
    return [row["sequence"] for row in found.rows]


def test_a_good_box_passes_and_the_journal_holds_the_whole_test(tmp_path: Path) -> None:
    """Seven items, the alarm, and a record of each step; READY beats all the while."""
    with box(tmp_path) as made:
        assert made.guided(), made.heard
        assert made.ready()
        assert made.heard[-1] == "challenge test PASSED"
        told = [record["what"] for record in made.records()]
        assert told == ["started", *["expected", "seen", "right"] * 7, "said", "passed"]
        assert [r["test_item"] for r in made.records("seen")] == [
            "bad", "bad", "bad", "bad", "good", "bad", "good",
        ]  # fmt: skip
        assert {r["proven_by"] for r in made.records("right")} == {"the wires"}
        assert made.records("passed")[0]["state"]["passed"]["sequence"] == 7
    verified = verify(tmp_path / "journal.jsonl")
    assert verified.items == 7
    assert [one.about for one in verified.discrepancies] == ["end"]  # the rig writes no stop


@pytest.mark.parametrize(
    ("ways", "why"),
    [
        (Ways(seen={"bad": "pass", "good": "pass"}), "a bad item was let pass (item 1)"),
        (Ways(seen={"bad": "reject", "good": "reject"}), "a good item was rejected (item 5)"),
        (Ways(seen={"bad": "fault", "good": "pass"}), "a bad item could not be judged (item 1)"),
        (Ways(slow_ms=DELAY_MS + 100), "the answer was late (item 1, bad)"),
        (Ways(valve=0), "a rejected item did not come to the bin"),
        (Ways(valve=2), "an item came to the bin that was not rejected"),
    ],
    ids=["passes bad", "rejects good", "cannot judge", "late", "valve dead", "confirm twice"],
)
def test_a_bad_box_fails_and_everything_is_in_quarantine(
    tmp_path: Path, ways: Ways, why: str
) -> None:
    """It fails by its own reason; READY rests and items are rejected until somebody signs."""
    with box(tmp_path, ways=ways) as made:
        assert not made.guided()
        assert made.records("failed")[0]["reason"].startswith(why)
        made.run(1000)
        assert not made.ready()
        assert made.fault()
        seen = len(made.verdicts())
        assert quarantined(made) == list(range(1, seen + 1))
        ways.seen, ways.slow_ms, ways.valve = {"good": "pass"}, 20.0, 1
        made.pass_by("good")
        assert made.verdicts()[-1] == ("reject", "challenge-quarantine")
        assert quarantined(made) == list(range(1, seen + 2))


def test_the_quarantine_is_right_to_the_item(tmp_path: Path) -> None:
    """It begins with the first product after the last passed test, and ends with the last."""
    with box(tmp_path) as made:
        made.pass_by("good", "good")
        assert made.guided()
        made.pass_by("good", "bad", "good")
        made.ways.seen["bad"] = "pass"
        assert not made.guided()
        assert quarantined(made) == [10, 11, 12, 13]
        (failed,) = made.records("failed")
        assert (failed["first"], failed["last"]) == (10, 13)
        rows = read_quarantine(tmp_path / "journal.jsonl").rows
        assert [row.get("test_item") or "" for row in rows] == ["", "", "", "bad"]


def test_numbers_without_a_record_are_in_quarantine_too(tmp_path: Path) -> None:
    """What was lost may have passed."""
    with box(tmp_path) as made:
        made.pass_by("good", "good", "good")
        made.ways.seen["bad"] = "pass"
        assert not made.guided()
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"item", "sequence": 2,' not in line))
    rows = read_quarantine(journal).rows
    assert [row["sequence"] for row in rows] == [1, 2, 3, 4]
    assert rows[1]["reason"] == NO_RECORD


@pytest.mark.parametrize(
    ("laid", "why"),
    [
        (["bad", "good"], "an item came that was not announced: "),
        ([], "nothing came for 5 s: item 3 of 7, bad: awaited at the photo-eye"),
        (["good"], "a bad item was let pass (item 3)"),
    ],
    ids=["one more", "none", "the wrong one"],
)
def test_the_wrong_items_fail(tmp_path: Path, laid: list[str], why: str) -> None:
    """Each announcement is for one item, of its kind."""
    with box(tmp_path, item_s=5.0) as made:
        assert not made.guided(laid=lambda kind, n: laid if n == 3 else [kind])
        assert made.records("failed")[0]["reason"].startswith(why)


def test_an_item_that_was_not_announced_fails_and_does_not_pass(tmp_path: Path) -> None:
    """A product that comes in between is rejected with its reason."""
    with box(tmp_path) as made:
        made.ask("start", occasion="start", by="Ada")
        made.run(1000)
        assert made.ask("state")["step"] == "announce"
        made.pass_by("good")
        assert made.records("failed")[0]["reason"] == "an item came that was not announced: 1"
        assert made.verdicts() == [("reject", "challenge-unannounced")]
        assert quarantined(made) == [1]


def test_a_typo_changes_nothing(tmp_path: Path) -> None:
    """The guide asks again; the service takes no other word either."""
    with box(tmp_path) as made:
        assert made.guided(typed=lambda _, n: {1: "bda", 2: "good", 3: ""}.get(n))
        assert sum(text.startswith("please type one of") for text in made.heard) == 3
        assert len(made.records("expected")) == 7
        made.ask("start", occasion="end", by="Ada")
        made.run(1000)
        assert made.ask("announce", kind="good")["why"] == "item 1 of 7 is a bad one, not 'good'"
        assert len(made.records("expected")) == 7


def test_a_test_that_is_abandoned_has_failed(tmp_path: Path) -> None:
    """By quit, by Ctrl-C, or by the end of the input."""

    def interrupt(_text: str, _number: int) -> str:
        raise KeyboardInterrupt

    def end(_text: str, _number: int) -> str:
        raise EOFError

    for number, typed in enumerate((lambda _text, n: "quit" if n == 2 else None, interrupt, end)):
        with box(tmp_path) as made:
            assert not made.guided(typed=typed)
            assert len(made.records("failed")) == number + 1
            assert made.records("failed")[-1]["reason"] == "it was not finished: it was abandoned"
            assert "FAILED" in made.heard[-2]


def test_ctrl_c_while_a_reply_is_on_its_way_is_told_as_failed(tmp_path: Path) -> None:
    """The reply that nobody took comes first; the guide waits for its own."""
    with box(tmp_path) as made:
        late: list[dict[str, Any]] = []
        asked, ask = 0, made.ask

        def interrupted(say: str, peer: Peer | None = None, **fields: Any) -> dict[str, Any]:
            nonlocal asked
            asked += 1
            late.append(ask(say, peer, **fields))
            if asked == 2:
                raise KeyboardInterrupt
            return late.pop(0)

        made.ask = interrupted  # type: ignore[method-assign]
        assert not made.guided()
        assert made.heard[-2] == "challenge test FAILED: it was not finished: it was abandoned"


def test_whoever_is_killed_in_the_middle_has_failed(tmp_path: Path) -> None:
    """The kernel says that his connection is gone."""
    with box(tmp_path) as made:
        made.ask("start", occasion="start", by="Ada")
        made.persons.gone.append(made.peer)
        made.run(500)
        assert made.records("failed")[0]["reason"].endswith("whoever ran it has gone")
        assert not made.ready()


def test_a_second_test_at_once_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    """Nor can another answer for the first one."""
    with box(tmp_path) as made:
        made.ask("start", occasion="start", by="Ada")
        made.run(1000)
        other = Peer(2, 0)
        for say, fields in (
            ("start", {"occasion": "start", "by": "Bob"}),
            ("announce", {"kind": "bad"}),
            ("answer", {"yes": True}),
            ("abandon", {}),
            ("sign", {"by": "Bob", "reason": "so"}),
        ):
            assert made.ask(say, other, **fields)["why"], say
        assert [record["what"] for record in made.records()] == ["started"]
        with pytest.raises(InputError, match="runs already"):
            made.guided()


@pytest.mark.parametrize("no_at", [3, 8])
def test_without_a_confirm_input_a_person_says_so_and_his_no_fails(
    tmp_path: Path, no_at: int
) -> None:
    """The record says that a person said it; a no about an item or the alarm ends the test."""
    with box(tmp_path, wired=False) as made:
        assert made.guided(), made.heard
        assert {r["proven_by"] for r in made.records("right")} == {"a person"}
        assert [r["said_by"] for r in made.records("said")] == ["Ada"] * 8
        answers = 0

        def no(text: str, _number: int) -> str | None:
            nonlocal answers
            answers += text.endswith("quit) ")
            return "no" if text.endswith("quit) ") and answers == no_at else None

        assert not made.guided(typed=no)
        assert (
            "says a person" in made.records("failed")[0]["reason"] + " says a person"[no_at != 8 :]
        )


def test_the_alarm_is_raised_while_it_is_asked_for_and_no_longer(tmp_path: Path) -> None:
    """FAULT is the alarm; it is low before and after."""
    shown: list[bool] = []
    with box(tmp_path) as made:

        def look(text: str, _number: int) -> None:
            made.run(50)
            shown.append(made.fault())

        assert made.guided(typed=look)
        made.run(200)
        assert shown == [False] * 7 + [True]
        assert not made.fault()


def test_the_station_is_not_asked_before_an_item_is_answered_for(tmp_path: Path) -> None:
    """A request waits for the item in hand: a decision never waits for a person."""
    with box(tmp_path) as made:
        made.lay("good")
        said: list[Any] = []
        requests = made.persons.requests

        def note() -> Iterator[Request]:
            said.append(made.verdicts())
            return requests()

        made.persons.requests = note  # type: ignore[method-assign]
        made.station.pass_item(made.clock.now_ns() + 10**9, made.stop)
        assert said[0] == [("pass", "found")]


def by_counts(**counters: int) -> Course:
    """A course whose line knows places by the belt's counts, with its first item on its way."""
    course = Course(1, "start", "Ada", Way(True, None, 0, 10**10), 0)
    course.tick(0, {})
    assert course.announce("bad", 1, {"confirmed": 4}) == ""
    course.see(Passing(1, 2, "reject", "kept", "no mark"))
    course.tick(10**9, {"confirmed": 4, **counters})
    return course


def test_by_the_belts_counts_an_item_is_over_when_the_bin_or_a_person_says_so() -> None:
    """No moment is known beforehand: the confirm tells, then a person, and never the time alone."""
    course = by_counts()
    assert course.words == "item 1 of 7, bad: on its way"
    course.tick(2 * 10**9, {"confirmed": 5})
    assert course.words == "item 1 of 7, bad: a person must say where it went"
    assert course.answer(True, 3 * 10**9, {"confirmed": 5}) == ""
    assert (course.step, course.done) == ("announce", 1)
    course = by_counts()
    course.tick(2 * 10**10, {"confirmed": 4})
    assert course.why == "a bad item was rejected, and the belt never brought it to the bin"


@pytest.mark.parametrize(("counters", "why"), [
    ({"unconfirmed": 1}, "a rejected item did not come to the bin"),
    ({"confirmed": 6}, "more came to the bin than the one test item"),
    ({"unexpected": 1}, "an item came to the bin that was not rejected"),
    ({"late": 1}, "the answer was late"),
    ({"unknown": 1}, "the gate did not know the item that was answered for"),
    ({"thrown_passes": 1}, "a good item was let pass, and thrown by the gate all the same"),
])  # fmt: skip
def test_each_count_of_the_gate_that_should_not_grow_fails(
    counters: dict[str, int], why: str
) -> None:
    """Whatever the place is measured by."""
    assert by_counts(**counters).why == why
