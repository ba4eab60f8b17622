import contextlib
import errno
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as searching
from hypothesis import strategies as st

from edge.clock import MonotonicClock
from edge.errors import JournalError
from edge.record.journal import Journal
from edge.record.journal_file import rotated_files
from edge.record.verify import read_records, verify
from tests.disk import (
    NOON,
    PATIENT_MS,
    Disk,
    item,
    journal,
    settings,
    shape,
    small_file_system,
    until,
)

REASONS = {
    errno.ENOSPC: "No space left on device",
    errno.EROFS: "Read-only file system",
    errno.EIO: "Input/output error",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of this test lies."""
    return tmp_path / "journal.jsonl"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that fails on demand."""
    return Disk(monkeypatch)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    with small_file_system(tmp_path / "small") as folder:
        yield folder


def fill(folder: Path) -> Path:
    """Put a file into *folder* that takes all the room there is, and return it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def write_and_fail(log: Journal, disk: Disk) -> Exception:
    """Write one item, and let the disk be full for the next."""
    log.append("item", item())
    disk.error = errno.ENOSPC
    log.append("item", item())
    return ZeroDivisionError()


def items(path: Path) -> list[int]:
    """The numbers of the items in the journal."""
    return [r["sequence"] for r in read_records(path) if r["kind"] == "item"]


@pytest.mark.parametrize("error", REASONS, ids=REASONS.get)
def test_disk_full_or_read_only_or_broken_decisions_go_on_and_no_record_is_missing(
    path: Path, disk: Disk, error: int
) -> None:
    """Nothing is raised, trouble says why; afterwards all lines are there, and a disk record."""
    with journal(path) as log:
        log.append("start", {})
        assert log.trouble == ""
        disk.error = error
        for _ in range(3):
            log.append("item", item("reject"))
        assert (
            log.trouble == f"{path}: the journal cannot be written ({REASONS[error]}); "
            "records waiting in memory: 3"
        )
        disk.error = 0
        until(lambda: not log.trouble)
        log.append("item", item())
    assert shape(path) == [
        ("start", 0),
        ("reject", 1),
        ("reject", 2),
        ("reject", 3),
        ("disk", 3),
        ("pass", 4),
    ]
    told = read_records(path)[4]
    assert (told["reason"], told["late_records"]) == (REASONS[error], 3)
    assert verify(path).items == 4


def test_a_line_that_the_disk_took_half_of_is_taken_back_at_once(path: Path, disk: Disk) -> None:
    """A reader of a full disk finds whole lines."""
    with journal(path) as log:
        log.append("start", {})
        before = path.read_bytes()
        disk.error = errno.ENOSPC
        log.append("item", item(reason="x" * 900))
        until(lambda: path.read_bytes() == before)
        disk.error = 0
    assert verify(path).items == 1


@pytest.mark.parametrize("sync", ["every-line", "grouped"])
def test_disk_full_and_memory_full_leaves_a_gap_record_that_counts(
    path: Path, disk: Disk, sync: str
) -> None:
    """Records that did not fit are counted by verdict; numbers, chain and counters still hold."""
    with journal(path, memory_kb=64, sync=sync) as log:
        log.append("start", {})
        disk.error = errno.ENOSPC
        for number in range(300):
            log.append("item", item("reject" if number % 3 else "fault"))
        assert log.trouble.endswith("more did not fit and are only counted")
        disk.error = 0
        until(lambda: "cannot be written" not in log.trouble)
        log.append("item", item())
        assert log.trouble == ""
        log.append("stop", {"counters": {"triggers": 301, "pass": 1, "reject": 200, "fault": 100}})
    records = read_records(path)
    (gap,) = [r for r in records if r["kind"] == "gap"]
    kept = [r for r in records if r.get("verdict") in ("reject", "fault")]
    assert [r["kind"] for r in records[-4:]] == ["gap", "disk", "item", "stop"]
    assert [r["sequence"] for r in kept] == list(range(1, len(kept) + 1))
    assert (gap["sequence"], gap["lost_items"], gap["lost_records"]) == (
        300,
        300 - len(kept),
        300 - len(kept),
    )
    assert gap["counted"]["reject"] + sum(r["verdict"] == "reject" for r in kept) == 200
    assert gap["counted"]["fault"] + sum(r["verdict"] == "fault" for r in kept) == 100
    assert sum(len(line) for line in path.read_bytes().splitlines()) < 70_000
    found = verify(path)
    assert (found.items, found.lost_items) == (len(kept) + 1, 300 - len(kept))


def test_slow_fsync_does_not_stop_the_line(path: Path, disk: Disk) -> None:
    """A sync hangs: the first item waits its patience, the others not at all; none is missing."""
    with Journal(path, MonotonicClock(), settings=settings(patience_ms=50)) as log:
        log.append("start", {})
        until(lambda: not log.trouble)
        disk.released.clear()
        for _ in range(20):
            log.append("item", item("reject"))
        assert log.trouble.startswith(f"{path}: the disk is slow; ")
        disk.released.set()
        until(lambda: not log.trouble)
        assert log.take_state()["slowest_sync_ms"] >= 40
    assert items(path) == list(range(1, 21))
    assert verify(path).items == 20


def test_what_is_still_in_memory_at_the_end_is_told(path: Path, disk: Disk) -> None:
    """One line, exit status 74; what was written is whole."""
    with pytest.raises(JournalError) as caught, journal(path) as log:
        write_and_fail(log, disk)
    assert str(caught.value) == (
        f"{path}: the journal cannot be written (No space left on device); "
        "lost now, records waiting in memory: 1; "
        "make room or permission there, or name another [journal] file"
    )
    assert items(path) == [1]


def test_an_error_under_way_is_not_hidden_by_the_journals_own(path: Path, disk: Disk) -> None:
    """The first thing that went wrong is the one to report."""
    with pytest.raises(ZeroDivisionError), journal(path) as log:
        raise write_and_fail(log, disk)


def test_a_full_disk_between_two_files_begins_the_next_one_later(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full file has its last name already, the next one cannot be made yet."""
    real, full = os.open, threading.Event()

    def no_room(name: object, flags: int, *rest: int) -> int:
        if full.is_set() and flags & os.O_EXCL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(name, flags, *rest)  # type: ignore[arg-type]

    with journal(path, file_items=2) as log:
        for _ in range(2):
            log.append("item", item())
        monkeypatch.setattr(os, "open", no_room)
        full.set()
        log.append("item", item())
        assert "No space left" in log.trouble
        assert not path.exists()
        full.clear()
        until(lambda: not log.trouble)
    assert shape(path) == [("pass", 1), ("pass", 2), ("continued", 2), ("pass", 3), ("disk", 3)]
    assert len(rotated_files(path)) == 1
    assert verify(path).items == 3


def test_a_dead_writing_thread_ends_the_service(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody foresaw it, so nobody knows what is on the disk: exit status 74, systemd restarts."""

    def broken(*_: object) -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("edge.record.journal_file.append_synced", broken)
    with pytest.raises(JournalError, match="the writing thread has died"), journal(path) as log:
        log.append("item", item())


def test_by_default_each_line_is_synchronised_before_append_returns(path: Path, disk: Disk) -> None:
    """What the disk was told, in order."""
    with journal(path) as log:
        for verdict in ("pass", "pass", "reject"):
            log.append("item", item(verdict))
        assert disk.calls == ["write 1", "sync"] * 3


def test_grouped_passes_share_a_sync_and_rejects_and_faults_have_their_own(
    path: Path, disk: Disk
) -> None:
    """Four passes fill a group; a reject takes the pass before it along."""
    with journal(path, sync="grouped", group_items=4, group_ms=60_000) as log:
        for verdict in ("pass", "pass", "pass", "pass", "pass", "reject", "fault", "pass"):
            log.append("item", item(verdict))
        assert disk.calls == [
            *["write 1"] * 4,
            "sync",
            "write 1",
            "write 1",
            "sync",
            "write 1",
            "sync",
            "write 1",
        ]
    assert disk.calls[-1] == "sync"


SLACK_MS = PATIENT_MS
"""Longest that a machine with other work may add to a wait, milliseconds."""


def test_grouped_no_pass_waits_longer_than_group_ms(path: Path, disk: Disk) -> None:
    """When no other item comes the group is closed by time: not at once, and within group_ms."""
    with journal(path, sync="grouped", group_items=1000, group_ms=300) as log:
        log.append("item", item())
        until(lambda: "sync" in disk.calls)
        assert disk.calls == ["write 1", "sync"]
        (waited_ms,) = disk.waited_ms
        assert waited_ms >= 300


def test_grouped_the_time_of_a_group_runs_from_its_first_pass_and_not_from_its_last(
    path: Path, disk: Disk
) -> None:
    """Passes that keep coming within group_ms of the one before do not put the sync off."""

    def three_syncs_while_passes_come() -> bool:
        log.append("item", item())
        return disk.calls.count("sync") >= 3

    with journal(path, sync="grouped", group_items=10**6, group_ms=50) as log:
        until(three_syncs_while_passes_come)
        assert all(50 <= waited_ms < 50 + SLACK_MS for waited_ms in disk.waited_ms)


def test_grouped_lines_are_rewritten_when_their_sync_fails(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed fdatasync all lines since the last good one are written again."""
    with journal(path, sync="grouped", group_items=3, group_ms=60_000) as log:
        log.append("item", item())
        log.append("item", item())
        failures = [OSError(errno.EIO, "Input/output error")]

        def fail_once(descriptor: int) -> None:
            if failures:
                raise failures.pop()
            disk.fdatasync(descriptor)

        monkeypatch.setattr(os, "fdatasync", fail_once)
        log.append("item", item())
        until(lambda: not log.trouble)
        assert disk.calls == ["write 1", "write 1", "write 1", "write 3", "sync"]
    assert items(path) == [1, 2, 3]
    assert verify(path).items == 3


VERDICTS = st.lists(
    st.sampled_from(["pass", "pass", "pass", "reject", "fault"]), min_size=1, max_size=12
)


def survivors(verdicts: Sequence[str], **policy: Any) -> list[str]:
    """Write *verdicts*, cut the power, start again, and return the verdicts of the items left."""
    with pytest.MonkeyPatch.context() as monkeypatch, tempfile.TemporaryDirectory() as folder:
        disk, before = Disk(monkeypatch), Path(folder) / "before"
        before.mkdir()
        with journal(before / "journal.jsonl", group_ms=60_000, **policy) as log:
            for verdict in verdicts:
                log.append("item", item(verdict))
            after = disk.after_power_cut(before, Path(folder) / "after")
        with journal(after) as log:
            log.append("start", {})
        verify(after)
        return [word for word, _ in shape(after) if word in ("pass", "reject", "fault")]


@searching(max_examples=25)
@given(VERDICTS, st.integers(1, 5))
def test_power_cut_every_line_loses_nothing_that_append_returned_for(
    verdicts: list[str], file_items: int
) -> None:
    """In one file or in several."""
    assert survivors(verdicts, file_items=file_items) == verdicts


@searching(max_examples=25)
@given(VERDICTS, st.integers(1, 5), st.integers(1, 4))
def test_power_cut_grouped_loses_fewer_than_a_group_and_passes_only(
    verdicts: list[str], file_items: int, group_items: int
) -> None:
    """The items left are the first ones; those lost are less than a group, and only passes."""
    left = survivors(verdicts, sync="grouped", group_items=group_items, file_items=file_items)
    lost = verdicts[len(left) :]
    assert left == verdicts[: len(left)]
    assert len(lost) < group_items
    assert set(lost) <= {"pass"}


def test_torn_tail_after_a_power_cut_is_repaired_and_reported(path: Path) -> None:
    """Half of the last line is on the disk: it is taken off, and a record keeps its text."""
    with journal(path) as log:
        log.append("item", item())
        log.append("item", item())
    content = path.read_bytes()
    path.write_bytes(content[:-50])
    with journal(path) as log:
        log.append("item", item("reject"))
    assert shape(path) == [("pass", 1), ("repair", 1), ("reject", 2)]
    torn = content[:-50].splitlines()[1]
    repair = read_records(path)[1]
    assert (repair["removed_bytes"], repair["removed_text"]) == (len(torn), torn[:400].decode())


def test_a_really_full_disk_stops_no_decision_and_costs_no_record(small_disk: Path) -> None:
    """A file system of a megabyte that somebody fills, and clears again."""
    path = small_disk / "journal.jsonl"
    with journal(path) as log:
        log.append("start", {})
        filler = fill(small_disk)
        for _ in range(50):
            log.append("item", item("reject", reason="x" * 400))
        assert "No space left on device" in log.trouble
        filler.unlink()
        until(lambda: not log.trouble)
    assert items(path) == list(range(1, 51))
    assert verify(path).records == 52


def test_a_service_started_on_a_really_full_disk_decides_too(small_disk: Path) -> None:
    """The journal is there; not even the start record fits."""
    path = small_disk / "journal.jsonl"
    with journal(path) as log:
        log.append("item", item(reason="x" * 4096))
    filler = fill(small_disk)
    with journal(path) as log:
        log.append("start", {"version": "x" * 5000})
        log.append("item", item())
        assert "No space left on device" in log.trouble
        filler.unlink()
        until(lambda: not log.trouble)
    assert shape(path) == [("pass", 1), ("start", 1), ("pass", 2), ("disk", 2)]


def test_read_only_at_the_start_is_refused_with_one_line(tmp_path: Path, small_disk: Path) -> None:
    """Nothing could be recorded there; systemd tries again, and the gate rejects meanwhile."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with (
        pytest.raises(
            JournalError,
            match=r"cannot be opened \(Read-only file system\); make room or permission",
        ),
        Journal(small_disk / "journal.jsonl", MonotonicClock(), lambda: NOON),
    ):
        pass
