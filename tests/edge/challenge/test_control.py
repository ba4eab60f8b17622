"""When a challenge test is due, what is in quarantine, and who lets the line run again."""

import dataclasses
from pathlib import Path

import pytest

from edge.challenge import control, state
from edge.challenge.quarantine import read_quarantine
from edge.challenge.state import UNREADABLE, Mark, Moment, State, age_ns, overdue, read_state
from edge.clock import SimulatedClock
from edge.gate.peers import Peer
from edge.record.journal_file import last_challenge, rotated_files
from edge.sections.service import ServiceSettings
from tests.edge.challenge.rig import HOUR_MS, MS, WALL_NS, Ways, box

HOUR_NS = HOUR_MS * MS


def journal(folder: Path) -> Path:
    """The rig's journal."""
    return folder / "journal.jsonl"


def listed(folder: Path) -> list[int]:
    """The numbers that the list of the quarantine holds."""
    return [row["sequence"] for row in read_quarantine(journal(folder)).rows]


def test_without_settings_and_tests_nothing_is_held_or_written(tmp_path: Path) -> None:
    """The defaults leave a box as it was."""
    with box(tmp_path) as made:
        made.pass_by("good")
        assert (made.ready(), made.fault(), made.records()) == (True, False, [])
        assert made.verdicts() == [("pass", "found")]


def test_a_signature_releases_the_quarantine_and_the_journal_keeps_it(tmp_path: Path) -> None:
    """Name, reason, the user that the kernel names, and the range, in a record of its own."""
    with box(tmp_path, ways=Ways(valve=0)) as made:
        assert not made.guided()
        made.run(500)
        assert not made.ready()
        made.ways.valve = 1
        made.pass_by("good")
        made.lines.push("reset", made.clock.now_ns())
        view = made.ask("sign", by="Eve", reason="valve mended, items 1 to 2 destroyed")
        assert (view["why"], view["hold"]) == ("", "")
        made.run(500)
        (signed,) = made.records("signed")
        assert signed["reason"] == "Eve: valve mended, items 1 to 2 destroyed"
        assert (signed["first"], signed["last"], signed["user"]) == (1, 2, 0)
        assert made.ready()
        made.pass_by("good")
        assert made.verdicts()[-1] == ("pass", "found")
        assert made.ask("sign", by="Eve", reason="again")["why"] == "nothing is in quarantine"


def test_whoever_lacks_the_right_or_a_name_signs_nothing(tmp_path: Path) -> None:
    """The kernel says who asks; a name alone is no right."""
    with box(tmp_path) as made:
        assert not made.guided(typed=lambda _text, _number: "quit")
        stranger = made.ask("sign", Peer(7, 4_000_000), by="Eve", reason="so")
        assert stranger["why"].startswith("only root and members of the group stampgate-sign")
        assert made.ask("sign", reason="so")["why"].startswith("a signature needs a name")
        assert made.ask("sign", by="Eve")["why"].startswith("a signature needs a name")
        assert made.records("signed") == []
        assert made.challenges.hold


def test_a_passed_test_alone_does_not_release_a_quarantine(tmp_path: Path) -> None:
    """The items are still in doubt, and somebody must say what became of them."""
    with box(tmp_path) as made:
        made.pass_by("good")
        assert not made.guided(typed=lambda _text, _number: "quit")
        assert made.guided()
        made.run(500)
        assert not made.ready()
        assert listed(tmp_path) == list(range(1, 9))
        assert made.ask("sign", by="Eve", reason="so")["hold"] == ""


def test_a_quarantine_outlives_restarts_and_new_files(tmp_path: Path) -> None:
    """READY does not beat once, not even before the first look; old files may be many."""
    with box(tmp_path) as made:
        made.pass_by("good")
        assert not made.guided(typed=lambda _text, _number: "quit")
    for number in range(3):
        with box(tmp_path, SimulatedClock((number + 2) * 25 * HOUR_NS)) as made:
            made.run(1000)
            assert [e.level for e in made.transitions if e.line == "ready"] == [0]
            made.pass_by("good")
            assert made.verdicts()[-1] == ("reject", "challenge-quarantine")
    assert len(rotated_files(journal(tmp_path))) == 3
    assert listed(tmp_path) == [1, 2, 3, 4]


def test_a_service_that_is_killed_in_the_middle_has_failed_at_its_next_start(
    tmp_path: Path,
) -> None:
    """The journal has a start and no end; also when the last line was cut in half."""
    with box(tmp_path) as made:
        made.pass_by("good")
        made.ask("start", occasion="start", by="Ada")
        made.run(1000)
        made.ask("announce", kind="bad")
    journal(tmp_path).write_bytes(journal(tmp_path).read_bytes()[:-40])
    with box(tmp_path) as made:
        assert made.records("failed")[0]["reason"] == control.INTERRUPTED
        assert (made.ready(), listed(tmp_path)) == (False, [1])


def test_a_service_that_stops_ends_the_test_as_failed(tmp_path: Path) -> None:
    """In good order, too."""
    with box(tmp_path) as made:
        made.ask("start", occasion="start", by="Ada")
        made.challenges.end("the service stopped: SIGTERM")
        assert made.records("failed")[0]["reason"] == (
            "it was not finished: the service stopped: SIGTERM"
        )


def test_a_start_asks_for_a_test_where_the_settings_say_so(tmp_path: Path) -> None:
    """READY rests and items are rejected until one was passed; nobody must sign."""
    for _ in range(2):
        with box(tmp_path, at_start=True) as made:
            assert not made.ready()
            made.pass_by("good")
            assert made.verdicts()[-1] == ("reject", "challenge-due")
            assert made.guided()
            made.run(500)
            assert made.ready()
            made.pass_by("good")
            assert made.verdicts()[-1] == ("pass", "found")


def test_a_changeover_asks_for_a_test_until_the_setup_is_the_old_one(tmp_path: Path) -> None:
    """Settings and model are those of the last passed test, or a test is due."""
    with box(tmp_path, at_changeover=True) as made:
        assert "a challenge test is due" in made.challenges.hold
        assert made.guided()
        assert made.challenges.hold == ""
        made.challenges.adopt(made.config, "another")
        made.run(300)
        assert not made.ready()
        made.challenges.adopt(made.config, "setup")
        made.run(300)
        assert made.ready()
    with box(tmp_path, at_changeover=True, setup="another model") as made:
        assert "settings or model" in made.challenges.hold


def test_an_overdue_test_quarantines_what_came_since(tmp_path: Path) -> None:
    """To the item; a test that is passed in time begins the time anew."""
    with box(tmp_path, every_hours=1.0) as made:
        assert "no challenge test was passed yet" in made.challenges.hold
        assert made.guided()
        made.clock.sleep_until(made.clock.now_ns() + HOUR_NS // 2)
        made.pass_by("good")
        assert 0.49 < made.challenges.note["hours_left"] < 0.5
        assert made.guided()
        made.clock.sleep_until(made.clock.now_ns() + HOUR_NS - 20_000 * MS)
        made.pass_by("good", "good")
        assert made.ready()
        made.run(25_000)
        assert not made.ready()
        (told,) = made.records("quarantine")
        assert told["reason"] == "no challenge test was passed for 1 hours"
        assert (told["first"], told["last"]) == (16, 17)
        assert listed(tmp_path) == [16, 17]
        assert made.ask("sign", by="Eve", reason="looked through")["hold"] == ""


def test_an_overdue_test_without_an_item_since_is_only_due(tmp_path: Path) -> None:
    """A night in which the line stood still puts nothing in doubt."""
    with box(tmp_path, every_hours=1.0) as made:
        assert made.guided()
        made.clock.sleep_until(made.clock.now_ns() + 2 * HOUR_NS)
        made.run(1200)
        assert (made.ready(), made.records("quarantine")) == (False, [])
        assert made.guided()
        made.run(500)
        assert made.ready()


@pytest.mark.parametrize(("later_ns", "synced", "held"), [
    (HOUR_NS // 2, True, False),
    (HOUR_NS // 2, False, True),
    (-HOUR_NS, True, True),
    (2 * HOUR_NS, True, True),
])  # fmt: skip
def test_over_a_restart_of_the_machine_only_a_synchronised_clock_is_believed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    later_ns: int,
    synced: bool,
    held: bool,
) -> None:
    """A clock that jumped back, or that nobody set, makes a test due."""
    with box(tmp_path, every_hours=1.0) as made:
        assert made.guided()
        made.pass_by("good")
    monkeypatch.setattr(control, "boot_id", lambda: "another boot")
    with box(tmp_path, every_hours=1.0, wall_ns=WALL_NS + later_ns, synced=synced) as made:
        assert bool(made.challenges.hold) == held
        assert len(made.records("quarantine")) == held


def test_records_that_are_missing_put_everything_in_doubt(tmp_path: Path) -> None:
    """One of them may have told that a test failed."""
    with box(tmp_path) as made:
        assert made.guided()
        made.pass_by("good")
        made.station.journal.lacking = "its last records are gone"
        made.challenges.begin()
        assert "in quarantine" in made.challenges.hold


def test_a_test_does_not_begin_while_the_journal_cannot_hold_it(tmp_path: Path) -> None:
    """What is not on the disk would be forgotten with the power."""
    with box(tmp_path) as made:
        made.station.journal._tell("was renamed")
        view = made.ask("start", occasion="start", by="Ada")
        assert view["why"].startswith("the journal is in trouble")
        assert made.records() == []


def test_in_shadow_no_test_begins(tmp_path: Path) -> None:
    """Its bad items could not be thrown."""
    with box(tmp_path) as made:
        shadow = dataclasses.replace(made.config, service=ServiceSettings(mode="shadow"))
        made.challenges.adopt(shadow, "setup")
        assert "locked off" in made.ask("start", occasion="start", by="Ada")["why"]
        assert made.records() == []


AT = Moment("boot", 10 * HOUR_NS, WALL_NS, synced=True)


@pytest.mark.parametrize(("changes", "ago_ns"), [
    ({"monotonic_ns": 11 * HOUR_NS, "wall_ns": WALL_NS - 9 * HOUR_NS}, HOUR_NS),
    ({"monotonic_ns": 11 * HOUR_NS, "wall_ns": WALL_NS + 5 * HOUR_NS}, 5 * HOUR_NS),
    ({"monotonic_ns": 11 * HOUR_NS, "wall_ns": WALL_NS + 5 * HOUR_NS, "synced": False}, HOUR_NS),
    ({"monotonic_ns": 9 * HOUR_NS}, None),
    ({"boot_id": "b", "monotonic_ns": HOUR_NS, "wall_ns": WALL_NS + 2 * HOUR_NS}, 2 * HOUR_NS),
    ({"boot_id": "b", "monotonic_ns": HOUR_NS, "wall_ns": WALL_NS + HOUR_NS - 1}, None),
    ({"boot_id": "b", "monotonic_ns": HOUR_NS, "wall_ns": WALL_NS - HOUR_NS}, None),
    ({"boot_id": "b", "monotonic_ns": HOUR_NS, "synced": False}, None),
], ids=str)  # fmt: skip
def test_time_since_errs_towards_longer_ago(changes: dict[str, object], ago_ns: int | None) -> None:
    """Monotonic within a boot; the longer one where both tell; nobody knows otherwise."""
    now = dataclasses.replace(AT, **changes)  # type: ignore[arg-type]
    assert age_ns(AT, now) == ago_ns
    told = overdue(State(since=Mark(3, AT)), 1.0, now)
    assert bool(told) == (ago_ns is None or ago_ns >= HOUR_NS)
    assert overdue(State(since=Mark(3, AT)), 0.0, now) == ""


def test_a_state_comes_back_as_it_was_and_a_damaged_one_quarantines_everything() -> None:
    """Whatever does not fit is no word of a passed test."""
    whole = State(4, "", Mark(9, AT, "s"), Mark(12, AT), 10, "why", 8)
    assert read_state(whole.as_object()) == whole
    assert read_state(None) == State()
    damages: tuple[dict[str, object], ...] = (
        {"number": "4"}, {"passed": 9}, {"passed": {}}, {"first": -1}, {"why": 7},
        {"since": {**whole.as_object()["since"], "sequence": True}},
        {"passed": {"sequence": 9, "setup": "", "moment": {"boot_id": "b"}}},
    )  # fmt: skip
    for damage in damages:
        assert read_state({**whole.as_object(), **damage}) == State(first=1, why=UNREADABLE), damage
    for name in state.State.__dataclass_fields__:
        fields = {k: v for k, v in whole.as_object().items() if k != name}
        assert read_state(fields).why == UNREADABLE


def test_the_last_state_is_found_behind_many_items_and_not_in_their_texts(tmp_path: Path) -> None:
    """A reason that quotes such a record is none; a line longer than a piece is read whole."""
    path = tmp_path / "journal.jsonl"
    head = '"sequence": 1, "previous": "", '
    kept = '{"v": 1, "kind": "challenge", ' + head + '"what": "passed", "state": {"n": %d}}\n'
    item = '{"v": 1, "kind": "note", ' + head + '"reason": "\\n{\\"v\\": 1, \\"kind\\": %s"}\n'
    path.write_text(kept % 1 + kept % 2 + item % ("x" * 5000) * 600)
    assert last_challenge(path) == {"n": 2}
    path.write_text(item % "x")
    assert last_challenge(path) is None
