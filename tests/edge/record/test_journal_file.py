import functools
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import SimulatedClock
from edge.errors import InputError, JournalError
from edge.record.journal import DAY_NS
from edge.record.journal_file import rotated_files
from edge.record.verify import Discrepancy, Verified, read_records, verify
from tests.disk import NOON, item, journal, shape


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of this test lies."""
    return tmp_path / "journal.jsonl"


def run(path: Path, items: int, **settings: Any) -> None:
    """A whole run of *items* passes."""
    with journal(path, **settings) as log:
        log.append("start", {})
        for _ in range(items):
            log.append("item", item())
        log.append(
            "stop", {"counters": {"triggers": items, "pass": items, "reject": 0, "fault": 0}}
        )


def names(path: Path) -> list[str]:
    """All files of the folder but the lock, sorted."""
    return sorted(file.name for file in path.parent.glob("journal*"))


def test_a_new_file_begins_after_so_many_items_and_the_chain_goes_on(path: Path) -> None:
    """Seven items, three to a file: files are named by their first items, the chain spans them."""
    run(path, 7, file_items=3)
    assert names(path) == [
        "journal-000001-000000001.jsonl",
        "journal-000002-000000004.jsonl",
        "journal.jsonl",
    ]
    assert shape(path) == [
        ("start", 0), ("pass", 1), ("pass", 2), ("pass", 3),
        ("continued", 3), ("pass", 4), ("pass", 5), ("pass", 6),
        ("continued", 6), ("pass", 7), ("stop", 7),
    ]  # fmt: skip
    assert [(r["after"], r["counted"]) for r in read_records(path) if r["kind"] == "continued"] == [
        ("journal-000001-000000001.jsonl", {"pass": 3}),
        ("journal-000002-000000004.jsonl", {"pass": 6}),
    ]
    assert verify(path) == Verified(11, 7, files=3)


def test_the_numbers_and_files_go_on_after_a_restart(path: Path) -> None:
    """A second run behind full files."""
    run(path, 4, file_items=3)
    run(path, 3, file_items=3)
    assert names(path) == [
        "journal-000001-000000001.jsonl",
        "journal-000002-000000004.jsonl",
        "journal.jsonl",
    ]
    assert [number for word, number in shape(path) if word == "pass"] == [1, 2, 3, 4, 5, 6, 7]
    assert verify(path) == Verified(13, 7, files=3)


def test_a_new_file_begins_after_a_day_of_running(path: Path) -> None:
    """24 hours of the monotonic clock after the file's first line, even when no item came."""
    clock = SimulatedClock(42)
    with journal(path, clock=clock) as log:
        log.append("start", {})
        clock.sleep_until(42 + DAY_NS - 1)
        log.append("health", {})
        clock.sleep_until(42 + DAY_NS)
        log.append("health", {})
    assert names(path) == ["journal-000001-000000001.jsonl", "journal.jsonl"]
    assert shape(path) == [("start", 0), ("health", 0), ("continued", 0), ("health", 0)]


def test_a_new_file_begins_with_a_new_boot_if_the_old_one_holds_items(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box switched off each evening has a file a day; one that restarts in a loop does not."""
    for boot, items in (("a", 0), ("b", 0), ("c", 2), ("d", 1)):
        monkeypatch.setattr("edge.record.journal.boot_id", lambda boot=boot: boot)
        run(path, items)
    assert names(path) == ["journal-000001-000000001.jsonl", "journal.jsonl"]
    assert [(r["boot_id"], r["kind"]) for r in read_records(path)][-5:] == [
        ("c", "stop"), ("d", "continued"), ("d", "start"), ("d", "item"), ("d", "stop")
    ]  # fmt: skip
    assert verify(path).items == 3


@pytest.mark.parametrize("days", [-14, 1], ids=["two weeks back", "a day ahead"])
def test_wall_clock_two_weeks_back_changes_nothing_but_the_wall_time_field(
    tmp_path: Path, days: int
) -> None:
    """Two runs of one history, one with a clock that jumps: same files, numbers and moments."""
    seen = {}
    for name, jump in (("steady", timedelta()), ("jump", timedelta(days=days))):
        (tmp_path / name).mkdir()
        path, clock, jumped = tmp_path / name / "journal.jsonl", SimulatedClock(42), [timedelta()]

        def wall(jumped: list[timedelta] = jumped) -> datetime:
            return NOON + jumped[0]

        with journal(path, wall, clock, file_items=3) as log:
            for number in range(7):
                jumped[0] = jump if number >= 2 else timedelta()
                clock.sleep_until(42 + number * 1000)
                log.append("item", item())
        verify(path)
        without = [
            {k: v for k, v in r.items() if k not in ("wall_time", "previous")}
            for r in read_records(path)
        ]
        seen[name] = (names(path), without)
    assert seen["steady"] == seen["jump"]
    assert read_records(tmp_path / "jump" / "journal.jsonl")[-1]["wall_time"] == (
        NOON + timedelta(days=days)
    ).isoformat(timespec="milliseconds")


def test_a_journal_of_one_file_goes_on_and_is_rotated_like_any_other(path: Path) -> None:
    """What an earlier release wrote, which knew no settings, is the first file."""
    run(path, 2)
    run(path, 2, file_items=1)
    assert names(path)[0] == "journal-000001-000000001.jsonl"
    assert verify(path).items == 4


@functools.cache
def two_files() -> dict[str, bytes]:
    """Return the files of a run of four items, three to a file, by name."""
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "journal.jsonl", 4, file_items=3)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@given(cut=st.data())
def test_a_power_cut_at_any_byte_of_the_last_file_is_repaired(cut: st.DataObject) -> None:
    """Down to an empty file, and to none: between two files there is a moment without one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        for name, content in two_files().items():
            path.with_name(name).write_bytes(content)
        content = path.read_bytes()
        keep = cut.draw(st.integers(-1, len(content)))
        if keep < 0:
            path.unlink()
        else:
            path.write_bytes(content[:keep])
        whole = [
            i
            for i in range(1, content.count(b"\n") + 1)
            if keep >= len(b"\n".join(content.split(b"\n")[:i]))
        ]
        first = shape(rotated_files(path)[0])
        kept = [("continued", 3), ("pass", 4), ("stop", 4)][: len(whole)]
        last = (kept or [("", 3)])[-1][1]
        with journal(path) as log:
            assert log.next_sequence == last + 1
            log.append("start", {})
            log.append("item", item())
        seen = shape(path)
        added = [word for word in seen[len(first) + len(kept) :] if word[0] != "repair"]
        assert seen[: len(first) + len(kept)] == first + kept
        assert added == [
            *([] if kept else [("continued", last)]),
            ("start", last),
            ("pass", last + 1),
        ]
        assert verify(path).items == last + 1


def test_a_full_file_is_checked_alone_and_with_those_after_it(path: Path, tmp_path: Path) -> None:
    """Older files may be kept elsewhere; counters still add up, and verify says from where on."""
    run(path, 8, file_items=3)
    first, second = rotated_files(path)
    beyond = (Discrepancy("open", "from item 4 on: the files before it are not here"),)
    assert verify(second) == Verified(4, 3, first_item=4, discrepancies=beyond)
    shutil.move(first, tmp_path / "elsewhere")
    assert verify(path) == Verified(8, 5, files=2, first_item=4, discrepancies=beyond)


def test_a_missing_file_in_the_middle_is_named(path: Path) -> None:
    """By the numbers, before any hash is compared."""
    run(path, 8, file_items=2)
    rotated_files(path)[1].unlink()
    with pytest.raises(
        InputError,
        match=r"journal-000003-000000005.jsonl: must follow file number 2, not journal-0",
    ):
        verify(path)


def test_a_changed_line_of_a_full_file_is_named_with_its_file(path: Path) -> None:
    """The last line of a full file is held by the first of the next."""
    run(path, 4, file_items=3)
    (first,) = rotated_files(path)
    first.write_bytes(first.read_bytes().replace(b"for a test", b"for a jest"))
    with pytest.raises(
        InputError, match=r"journal-000001-000000001.jsonl: line 3 must carry the hash"
    ):
        verify(path)
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join(lines).replace(b"jest", b"test", 2))
    with pytest.raises(
        InputError, match=r"journal.jsonl: line 1 must carry the hash of the line before"
    ):
        verify(path)


def test_a_journal_that_is_being_written_can_be_verified(path: Path) -> None:
    """A line of which only a part is there yet is no fault as long as somebody writes."""
    with journal(path) as log:
        log.append("item", item())
        whole = path.read_bytes()
        path.write_bytes(whole + b'{"v": 1, "kind": "it')
        assert verify(path) == Verified(1, 1)
        path.write_bytes(whole)
    path.write_bytes(whole + b'{"v": 1, "kind": "it')
    with pytest.raises(InputError, match="line 2 must be a whole record; it was cut"):
        verify(path)


def test_a_full_file_that_lost_its_end_is_not_built_upon(path: Path) -> None:
    """It was on the disk before it got its name, so this is no power cut."""
    run(path, 3, file_items=3)
    path.unlink()
    (first,) = rotated_files(path)
    first.write_bytes(first.read_bytes()[:-9])
    with (
        pytest.raises(
            JournalError, match=r"journal-000001-000000001.jsonl: must end with a whole record"
        ),
        journal(path),
    ):
        pass


def test_zeros_in_place_of_a_new_file_are_taken_off(path: Path) -> None:
    """Some file systems keep the length and lose the content."""
    path.write_bytes(b"\0" * 300)
    with journal(path):
        pass
    assert [(r["kind"], r["removed_bytes"]) for r in read_records(path)] == [("repair", 300)]
