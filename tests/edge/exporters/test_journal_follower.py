import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import JournalError
from edge.exporters import journal_follower
from edge.exporters.journal_follower import TAKEN_BACK, Cursor, Entry, JournalFollower
from edge.record.journal_file import rotated_files
from edge.record.verify import read_records
from tests.disk import item, journal
from tests.edge.exporters.journals import START, numbers, read_all, write_items

Follow = Callable[..., JournalFollower]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Makes followers, and closes them when the test is over."""
    made: list[JournalFollower] = []

    def make(path: Path, cursor: Cursor | None = None) -> JournalFollower:
        made.append(JournalFollower(path, cursor))
        return made[-1]

    yield make
    for follower in made:
        follower.close()


def test_each_record_comes_once_and_in_order_over_all_rotations(tmp_path: Path) -> None:
    """As the journal itself is read, and no link of the chain is broken."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 23, file_items=5)
    assert len(rotated_files(path)) == 4
    entries = read_all(path)
    assert [entry.record for entry in entries] == read_records(path)
    assert not any(entry.broken for entry in entries)


def test_a_restart_at_any_record_goes_on_with_the_next_one(tmp_path: Path) -> None:
    """Also when the file has been rotated meanwhile, or the cursor is a file's last record."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 12, file_items=5)
    cursors = [entry.cursor for entry in read_all(path)]
    write_items(path, 7, file_items=5)
    records = read_records(path)
    for place, cursor in enumerate([Cursor(), *cursors]):
        rest = read_all(path, Cursor.from_object(json.loads(json.dumps(cursor.as_object()))))
        assert [entry.record for entry in rest] == records[place:]


def test_a_follower_that_runs_goes_on_into_files_that_come(tmp_path: Path) -> None:
    """It is there before the journal, and reads behind each record as it is written."""
    path = tmp_path / "journal.jsonl"
    with JournalFollower(path) as follower:
        assert follower.read(10) == []
        seen = []
        with journal(path, file_items=3) as written:
            written.append("start", START)
            for _ in range(10):
                written.append("item", item())
                seen += follower.read(100)
        seen += follower.read(100)
        assert [entry.record for entry in seen] == read_records(path)
        assert (follower.behind_bytes, follower.lost, follower.damaged) == (0, "", 0)


def test_the_end_of_a_line_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """Half a line is nothing yet."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 2)
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    with JournalFollower(path) as follower:
        assert numbers(follower.read(100)) == [1, 2]
        with path.open("ab") as file:
            file.write(content[-9:])
        assert [entry.record["kind"] for entry in follower.read(100)] == ["stop"]


def test_lines_that_the_writer_takes_back_and_writes_again_come_once(tmp_path: Path) -> None:
    """After a sync that failed it cuts the file, and appends the same lines later."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 5)
    content = path.read_bytes()
    with JournalFollower(path) as follower:
        assert len(follower.read(100)) == 7
        os.truncate(path, len(content) - 300)
        assert follower.read(100) == []
        path.write_bytes(content)
        assert (follower.read(100), follower.lost) == ([], "")


@pytest.mark.parametrize("restarted", [False, True])
def test_where_other_lines_came_in_their_place_the_last_ones_are_read_again(
    tmp_path: Path, follow: Follow, restarted: bool
) -> None:
    """A kill costs lines that were not on the disk; their numbers may be given to other items."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    follower = follow(path)
    before = follower.read(100)
    path.write_bytes(b"".join(lines[:4]))  # start and three items
    write_items(path, 9)
    if restarted:
        follower = follow(path, follower.cursor)
    again = follower.read(100)
    assert follower.lost == "taken back"
    records = read_records(path)
    assert [entry.record for entry in again] == records
    assert numbers(again) == list(range(1, 13))
    assert before[-1].record not in records


def test_of_many_items_only_those_are_read_again_that_can_have_been_taken_back(
    tmp_path: Path,
) -> None:
    """As many as may wait for one sync."""
    path = tmp_path / "journal.jsonl"
    write_items(path, TAKEN_BACK + 50, sync="grouped")
    lines = path.read_bytes().splitlines(keepends=True)
    cursor = read_all(path, most=5000)[-1].cursor
    path.write_bytes(b"".join(lines[:-10]))
    write_items(path, 20, sync="grouped")
    assert numbers(read_all(path, cursor, most=5000))[:2] == [51, 52]


def test_files_that_were_archived_are_no_reason_to_read_what_is_left_twice(
    tmp_path: Path, follow: Follow
) -> None:
    """The records behind the cursor's item follow."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 20, file_items=5)
    cursor = next(entry.cursor for entry in read_all(path) if entry.record["sequence"] == 7)
    for file in rotated_files(path)[:2]:
        file.unlink()
    follower = follow(path, cursor)
    assert numbers(follower.read(100)) == list(range(11, 21))
    assert follower.lost == "gone"


def test_a_file_that_another_program_renamed_away_costs_no_record(tmp_path: Path) -> None:
    """The next file begins with the hash of its last line."""
    path = tmp_path / "journal.jsonl"
    with JournalFollower(path) as follower, journal(path) as written:
        written.append("start", START)
        written.append("item", item())
        assert numbers(follower.read(100)) == [1]
        path.rename(tmp_path / "mine.txt")
        written.append("item", item())
        later = follower.read(100)
        assert (numbers(later), follower.lost) == ([2], "")
        assert later[0].record["kind"] == "continued"
        assert not any(entry.broken for entry in later)


def test_another_journal_is_read_from_its_beginning(tmp_path: Path, follow: Follow) -> None:
    """A box that was set up anew numbers its items from 1: none of them is passed over."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 9)
    cursor = read_all(path)[-1].cursor
    path.unlink()
    with journal(path) as written:
        written.append("start", {**START, "version": "2"})
    write_items(path, 4)
    follower = follow(path, cursor)
    assert numbers(follower.read(100)) == [1, 2, 3, 4]
    assert follower.lost == "another journal"


def test_lines_that_do_not_come_again_are_not_waited_for_for_ever(
    tmp_path: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box that was killed and stays off leaves a shorter file."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 9)
    cursor = read_all(path)[-1].cursor
    os.truncate(path, cursor.offset - cursor.length)
    follower = follow(path, cursor)
    assert (follower.read(100), follower.lost) == ([], "")
    monkeypatch.setattr(journal_follower, "PATIENCE_S", 0.0)
    assert numbers(follower.read(100)) == list(range(1, 10))
    assert follower.lost == "taken back"


def test_lines_that_are_no_record_are_counted_and_passed_over(
    tmp_path: Path, follow: Follow
) -> None:
    """Short ones, and one longer than any record, also behind a restart in their midst."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"garbage\r\n", b"x" * (3 << 20) + b"\n", *lines[2:]]))
    follower = follow(path)
    entries = []
    while follower.cursor.offset < path.stat().st_size:
        entries += follower.read(1)
        follower = follow(path, follower.cursor)
    assert numbers(entries) == [1, 2, 3]
    assert [entry.broken for entry in entries] == [False, False, True, False, False]
    whole = follow(path)
    whole.read(100)
    assert whole.damaged >= 2


def test_a_record_that_was_removed_breaks_the_chain(tmp_path: Path) -> None:
    """It is told, and what follows is read all the same."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    entries = read_all(path)
    assert numbers(entries) == [1, 3, 4, 5]
    assert [entry.broken for entry in entries].count(True) == 1


def test_no_lock_is_asked_and_nothing_is_written(tmp_path: Path) -> None:
    """The folder may be one in which the reader may read alone."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 5, file_items=2)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert len(read_all(path)) == 9
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


def test_a_fifo_in_the_place_of_the_journal_is_refused(tmp_path: Path) -> None:
    """It would be waited for until somebody writes."""
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(JournalError, match="must be a plain file"):
        JournalFollower(tmp_path / "journal.jsonl").read(1)


@pytest.mark.parametrize(
    "wrong",
    [None, {}, {"file": ""}, {**Cursor().as_object(), "offset": -1},
     {**Cursor().as_object(), "sequence": True}, {**Cursor().as_object(), "more": 1}],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(wrong: object) -> None:
    """A state file may have been written by anybody."""
    with pytest.raises(ValueError, match="no cursor"):
        Cursor.from_object(wrong)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_history_of_reads_restarts_and_rotations_gives_each_record_once(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is written between two reads, and wherever the reader starts anew."""
    path = tmp_path_factory.mktemp("j") / "journal.jsonl"
    seen = list[Entry]()
    with JournalFollower(path) as follower:
        for _ in range(data.draw(st.integers(1, 5))):
            items, file_items = data.draw(st.integers(0, 6)), data.draw(st.integers(1, 4))
            write_items(path, items, file_items=file_items)
            for _ in range(data.draw(st.integers(0, 3))):
                seen += follower.read(data.draw(st.integers(1, 9)))
                if data.draw(st.booleans()):
                    follower.close()
                    with JournalFollower(path, follower.cursor) as another:
                        seen += another.read(data.draw(st.integers(1, 9)))
                        follower.cursor = another.cursor
        seen += follower.read(1000)
    assert [entry.record for entry in seen] == read_records(path)
    assert not any(entry.broken for entry in seen)
