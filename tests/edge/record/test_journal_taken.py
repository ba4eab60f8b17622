"""The journal taken away: while it is written, and between two starts."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.__main__ import main
from edge.clock import MonotonicClock, SimulatedClock
from edge.errors import InputError, JournalError
from edge.record.high_water import HighWater, Mark, parse_mark, read_mark
from edge.record.journal import SKIPPED, TOLD_NS, Journal
from edge.record.journal_file import JournalFile, parse_record, rotated_files
from edge.record.journal_lock import is_free, lock_path
from edge.record.verify import read_records, verify
from tests.disk import NOON, item, journal, settings, shape
from tests.paths import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of this test lies, alone in its folder."""
    (tmp_path / "log").mkdir()
    return tmp_path / "log" / "journal.jsonl"


def marked(path: Path, *, at_least: int = 0, clock: SimulatedClock | None = None) -> Journal:
    """Make a journal with a high-water mark beside its folder."""
    mark = path.parent.parent / "mark"
    return Journal(
        path, clock or SimulatedClock(42), lambda: NOON, settings(), mark=mark, at_least=at_least
    )


def write(log: Journal, count: int) -> None:
    """Write items."""
    for _ in range(count):
        log.append("item", item())


def renamed(path: Path) -> None:
    """Somebody archives it."""
    path.rename(path.parent.parent / "archive.jsonl")


def renamed_beside(path: Path) -> None:
    """Logrotate's way, with a new empty file."""
    path.rename(path.with_name("journal.jsonl.1"))
    path.touch()


def removed(path: Path) -> None:
    """Somebody wants room."""
    path.unlink()


def cut_to_nothing(path: Path) -> None:
    """Logrotate's copytruncate."""
    (path.parent.parent / "archive.jsonl").write_bytes(path.read_bytes())
    os.truncate(path, 0)


def cut_in_half(path: Path) -> None:
    """In the middle of a line."""
    os.truncate(path, path.stat().st_size // 2)


def by_a_fifo(path: Path) -> None:
    """A writer without a reader would hang there."""
    path.unlink()
    os.mkfifo(path)


def by_a_folder(path: Path) -> None:
    """With something in it."""
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def by_a_link(path: Path) -> None:
    """To where nothing can be kept."""
    path.unlink()
    path.symlink_to("/dev/full")


def by_a_loop(path: Path) -> None:
    """A link to itself."""
    path.unlink()
    path.symlink_to(path.name)


def by_another_file(path: Path) -> None:
    """An editor saves what it had read."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-100])


def written_over(path: Path) -> None:
    """The same file with other content, longer than before."""
    path.write_bytes(b"x" * (2 * path.stat().st_size))


def locked_by_mode(path: Path) -> None:
    """The next start could not open it."""
    path.chmod(0)


ATTACKS: list[Callable[[Path], None]] = [
    renamed,
    renamed_beside,
    removed,
    cut_to_nothing,
    cut_in_half,
    by_a_fifo,
    by_a_folder,
    by_a_link,
    by_a_loop,
    by_another_file,
    written_over,
    locked_by_mode,
]
WHOLE = (removed, by_a_fifo, by_a_folder, by_a_link, by_a_loop, by_another_file, locked_by_mode)
"""Those after which no record is missing."""


def numbers(path: Path) -> list[int]:
    """The numbers of the items in the file being written."""
    return [r["sequence"] for r in read_records(path) if r["kind"] == "item"]


@pytest.mark.parametrize("sync", ["every-line", "grouped"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_journal_taken_away_is_noticed_at_the_next_item_and_goes_on_in_a_new_file(
    path: Path, attack: Callable[[Path], None], sync: str
) -> None:
    """The chain is carried on, nothing that lay in the way is lost, and FAULT says what was done.

    Where the records are still somewhere within reach, the journal is whole.
    """
    with journal(path, sync=sync) as log:
        log.append("start", {})
        write(log, 3)
        log.flush()
        last = read_records(path)[-1]
        attack(path)
        write(log, 1)
        assert f"{path}: the journal was " in log.trouble
        assert "by another program, and a new file goes on" in log.trouble
        write(log, 2)
        log.append("stop", {"counters": {"triggers": 6, "pass": 6, "reject": 0, "fault": 0}})
    lines = [
        line for file in (*rotated_files(path), path) for line in file.read_bytes().split(b"\n")
    ]
    here = [r for r in map(parse_record, lines) if r is not None and r["sequence"] >= 3]
    begin = next(r for r in here if r["kind"] == "continued")
    assert [r["sequence"] for r in here if r["kind"] == "item" and r["sequence"] > 3] == [4, 5, 6]
    assert begin["after"] == "journal-000001-000000001.jsonl"
    told = next(r for r in here if r["kind"] == "repair")
    assert told["reason"].startswith("the file before ")
    assert f'"previous": "{last["previous"]}"' in told["last_lines"][-1]
    if attack in WHOLE:
        assert verify(path).items == 6
        assert len(rotated_files(path)) == 1
    elif attack is not cut_in_half:
        assert verify(path).first_item == 4


@pytest.mark.parametrize("attack", [renamed, cut_to_nothing])
def test_what_was_archived_can_be_put_back_and_all_is_whole(
    path: Path, attack: Callable[[Path], None]
) -> None:
    """Under the name that the next file says."""
    with journal(path) as log:
        write(log, 2)
        attack(path)
        write(log, 2)
        after = read_records(path)[0]["after"]
    (path.parent.parent / "archive.jsonl").rename(path.with_name(after))
    assert verify(path).items == 4


def test_what_lay_in_its_place_is_renamed_and_kept(path: Path) -> None:
    """Twice."""
    with journal(path) as log:
        write(log, 1)
        by_a_folder(path)
        write(log, 1)
        by_a_fifo(path)
        write(log, 1)
    assert (path.with_name("journal.jsonl.aside-1") / "inside").exists()
    assert path.with_name("journal.jsonl.aside-2").is_fifo()
    assert verify(path).items == 3


def test_a_journal_cut_in_half_is_named_by_verify(path: Path) -> None:
    """What is left of it keeps its place; the line where records are missing is told."""
    with journal(path) as log:
        write(log, 3)
        cut_in_half(path)
        write(log, 1)
    with pytest.raises(InputError, match=r"journal-000001-000000001.jsonl: line 2 must be a whole"):
        verify(path)


def test_it_is_noticed_without_an_item_too(path: Path) -> None:
    """By the idle tick; what was done is shown for a minute, then it is over."""
    clock = SimulatedClock(42)
    with journal(path, clock=clock) as log:
        write(log, 1)
        removed(path)
        log.check()
        assert "was removed by another program" in log.trouble
        clock.sleep_until(clock.now_ns() + TOLD_NS)
        assert log.trouble == ""
        log.check()
    assert shape(path) == [("pass", 1), ("continued", 1), ("repair", 1)]


def test_what_another_program_writes_behind_our_lines_is_cut_off_and_told(path: Path) -> None:
    """It would break the chain."""
    with journal(path) as log:
        write(log, 1)
        with path.open("ab") as file:
            file.write(b"hello\n")
        write(log, 1)
        assert "was written into by another program" in log.trouble
    assert shape(path) == [("pass", 1), ("repair", 1), ("pass", 2)]
    assert read_records(path)[1]["removed_text"] == "hello\n"
    assert verify(path).items == 2


def test_a_folder_that_is_gone_is_made_again(path: Path) -> None:
    """Or FAULT stays, where that is not allowed; the records wait meanwhile."""
    with journal(path) as log:
        write(log, 2)
        path.parent.rename(path.parent.with_name("moved"))
        write(log, 2)
    assert numbers(path) == [3, 4]
    assert verify(path).first_item == 3


@pytest.mark.parametrize("moment", ["removed", "renamed"])
def test_lines_that_waited_when_the_file_was_taken_are_in_a_file_or_told(
    path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It happens between the look at it and the write: the writing thread sees it itself."""
    real, attacks = JournalFile.add, [removed if moment == "removed" else renamed]

    def late(file: JournalFile, lines: bytes, sync: bool, *, taken: bool = False) -> None:
        if attacks and b'"sequence": 3' in lines:
            attacks.pop()(path)
        real(file, lines, sync, taken=taken)

    monkeypatch.setattr(JournalFile, "add", late)
    with journal(path) as log:
        write(log, 5)
    if moment == "removed":
        assert verify(path).items == 5
    else:
        assert numbers(path.parent.parent / "archive.jsonl") == [1, 2, 3]
        assert numbers(path) == [4, 5]


def reader(path: Path, how: int) -> int:
    """Open the journal as a reader that locks it; return the descriptor."""
    descriptor = os.open(path, os.O_RDWR)
    if how:
        fcntl.flock(descriptor, how)
    else:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
    return descriptor


@pytest.mark.parametrize("how", [fcntl.LOCK_SH, fcntl.LOCK_EX, 0], ids=["shared", "own", "lockf"])
def test_a_reader_that_locks_the_journal_is_in_nobodys_way(path: Path, how: int) -> None:
    """Neither at the start, nor at a line, nor at the next file."""
    with journal(path) as log:
        write(log, 1)
    descriptor = reader(path, how)
    try:
        with journal(path, file_items=2) as log:
            write(log, 3)
    finally:
        os.close(descriptor)
    assert verify(path).items == 4


def test_a_question_at_the_moment_of_the_start_does_not_stop_it(path: Path) -> None:
    """`verify-log` asks whether somebody writes; it holds the lock for a moment."""
    descriptor = os.open(lock_path(path), os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    clock_s = [0.0]

    def sleep(seconds: float) -> None:
        clock_s[0] += seconds
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.record.journal_lock.time.sleep", sleep)
        with journal(path) as log:
            write(log, 1)
    os.close(descriptor)
    assert clock_s[0] > 0
    assert is_free(path)


def test_another_writer_is_refused_also_when_the_journal_was_moved(path: Path) -> None:
    """The claim does not go with the file."""
    with journal(path) as log:
        write(log, 1)
        renamed(path)
        with pytest.raises(JournalError, match="is being written by another"), journal(path):
            pass
        assert not is_free(path)


# Between two starts


def test_numbers_go_on_when_the_journal_was_moved_aside(path: Path) -> None:
    """The new file carries the chain on, and says what is gone."""
    with marked(path) as log:
        write(log, 3)
    renamed(path)
    with marked(path) as log:
        assert log.lacking == "the file up to item 3 is gone: journal-000001-000000001.jsonl"
        assert "lacks records" in log.trouble
        log.append("start", {})
        write(log, 1)
    assert shape(path) == [("continued", 3), ("start", 3), ("pass", 4)]
    assert verify(path).first_item == 4
    (path.parent.parent / "archive.jsonl").rename(path.with_name("journal-000001-000000001.jsonl"))
    assert verify(path).items == 4


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_numbers_go_on_when_the_tail_was_cut_off(path: Path, lines: int) -> None:
    """Or an older copy was put in its place: what is gone is counted in the chain."""
    with marked(path) as log:
        write(log, 4)
        log.append("stop", {"counters": {"triggers": 4, "pass": 4, "reject": 0, "fault": 0}})
    content = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(content[: 4 - lines]))
    with marked(path) as log:
        assert log.lacking == f"its last records are gone, {lines} items among them"
        write(log, 1)
    missing = read_records(path)[-2]
    assert (missing["kind"], missing["items"], missing["sequence"]) == ("missing", lines, 4)
    assert missing["taken_sha256"] == hashlib.sha256(content[-1].rstrip(b"\n")).hexdigest()
    assert shape(path)[-1] == ("pass", 5)
    found = verify(path)
    assert found.missing_items == lines
    assert [d.weight for d in found.discrepancies if "taken away" in d.text] == ["amiss"]


def test_a_journal_that_lacks_nothing_says_nothing(path: Path) -> None:
    """Also one whose mark is behind it, as a power cut leaves it."""
    with marked(path) as log:
        write(log, 2)
    mark = path.parent.parent / "mark"
    old = mark.read_bytes()
    with marked(path) as log:
        write(log, 2)
    mark.write_bytes(old)
    with marked(path) as log:
        assert (log.lacking, log.trouble) == ("", "")
        write(log, 1)
    assert numbers(path) == [1, 2, 3, 4, 5]


def test_a_mark_of_another_journal_counts_for_nothing(path: Path, tmp_path: Path) -> None:
    """Two services, one setting."""
    with marked(path) as log:
        write(log, 3)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "journal.jsonl"
    mark = tmp_path / "mark"
    with Journal(other, SimulatedClock(), lambda: NOON, settings(), mark=mark) as log:
        assert log.next_sequence == 1


def test_a_number_that_a_picture_bears_is_not_given_again(path: Path) -> None:
    """Its record was lost with a killed process; another number says so."""
    with marked(path) as log:
        write(log, 2)
    with marked(path, at_least=5) as log:
        assert (log.lacking, log.next_sequence) == ("", 6)
        write(log, 1)
    assert shape(path) == [("pass", 1), ("pass", 2), ("missing", 5), ("pass", 6)]
    assert read_records(path)[2]["reason"] == SKIPPED
    assert verify(path).items == 3


def test_pictures_before_the_first_journal_count_too(path: Path) -> None:
    """An empty journal beside old pictures."""
    with marked(path, at_least=7) as log:
        write(log, 1)
    assert shape(path) == [("missing", 7), ("pass", 8)]
    assert verify(path).items == 1


@given(st.binary(max_size=300))
def test_no_content_of_a_mark_is_taken_for_another_or_raises(content: bytes) -> None:
    """Garbage is no mark."""
    assert parse_mark(content, b"/journal.jsonl") is None


@given(st.integers(0, 10**18), st.integers(0, 10**8), st.integers(0, 10**18))
def test_a_mark_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, sequence: int, rotated: int, first_item: int
) -> None:
    """By the journal that wrote it."""
    folder = tmp_path_factory.mktemp("mark")
    mark, of = Mark(sequence, "ab" * 32, rotated, first_item), folder / "journal.jsonl"
    water = HighWater(folder / "mark", of)
    assert water.open() is None
    water.note(mark)
    water.close()
    assert read_mark(folder / "mark", of) == mark
    assert read_mark(folder / "mark", folder / "other.jsonl") is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_mark_that_is_no_file_costs_the_mark_alone(
    path: Path, make: Callable[[Any], None]
) -> None:
    """It protects the journal, and is not worth a decision."""
    make(path.parent.parent / "mark")
    with marked(path) as log:
        write(log, 1)
    assert verify(path).items == 1


def test_a_file_of_somebody_else_is_not_taken_for_the_mark(path: Path) -> None:
    """It keeps its content."""
    other = path.parent.parent / "mark"
    other.write_text("a shopping list\n")
    with marked(path) as log:
        write(log, 1)
    assert other.read_text() == "a shopping list\n"


def test_a_killed_writer_leaves_mark_and_journal_in_step(path: Path) -> None:
    """Kill -9 in the middle of writing: the next start misses nothing."""
    program = (
        "import sys, pathlib\n"
        "from edge.clock import MonotonicClock\n"
        "from edge.record.journal import Journal\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "with Journal(path, MonotonicClock(), mark=path.parent.parent / 'mark') as log:\n"
        "    while True:\n"
        "        log.append('item', {'verdict': 'pass'})\n"
        "        print(log.next_sequence - 1, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 20:
            pass
        writer.kill()
    mark = path.parent.parent / "mark"
    with Journal(path, MonotonicClock(), lambda: NOON, settings(), mark=mark) as log:
        assert log.lacking == ""
        write(log, 1)
    assert verify(path).missing_items == 0


@pytest.mark.parametrize("attack", [cut_to_nothing, cut_in_half, renamed, None])
def test_verify_log_knows_by_the_mark_what_was_taken_from_a_journal_at_rest(
    path: Path,
    tmp_path: Path,
    attack: Callable[[Path], None] | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before the service starts again; the chain of what is left is whole."""
    with Journal(path, SimulatedClock(), lambda: NOON, settings(), mark=tmp_path / "mark") as log:
        log.append("start", {})
        write(log, 3)
        log.append("stop", {"counters": {"triggers": 3, "pass": 3, "reject": 0, "fault": 0}})
    if attack is cut_in_half:
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    elif attack is not None:
        attack(path)
        path.touch()
    config = tmp_path / "edge.toml"
    config.write_text(f'[journal]\nfile = "{path}"\nmark = "{tmp_path}/mark"\n')
    status = main(["verify-log", "--config", str(config)])
    said = capsys.readouterr().out
    assert ("was written up to item 3, by [journal] mark" in said) == (attack is not None)
    assert status == (0 if attack is None else 1)
