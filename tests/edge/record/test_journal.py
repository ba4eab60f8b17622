import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import settings as searching
from hypothesis import strategies as st

from edge.clock import SimulatedClock, boot_id, clock_synced
from edge.errors import InputError, JournalError
from edge.record.journal import Journal
from edge.record.journal_file import FIRST, HEAD
from edge.record.verify import read_records, verify
from tests.programs import Program

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
ITEM = {"verdict": "pass", "reason": "Stempel für 'ok' \u2713", "findings": []}


def journal(path: Path) -> Journal:
    """A journal on a simulated clock, at noon."""
    return Journal(path, SimulatedClock(42), lambda: NOON)


def write(path: Path, items: int = 3) -> list[bytes]:
    """Write a whole run of *items* items and return the file's lines, line ends included."""
    with journal(path) as log:
        log.append("start", {"version": "0"})
        for _ in range(items):
            log.append("item", ITEM)
        log.append(
            "stop", {"counters": {"triggers": items, "pass": items, "reject": 0, "fault": 0}}
        )
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of this test lies."""
    return tmp_path / "journal.jsonl"


def test_a_record_carries_all_that_names_its_moment(path: Path) -> None:
    """Boot, number, monotonic and wall time, whether the clock was synced, the hash before."""
    first, second, *_ = write(path)
    assert first.startswith(HEAD)
    assert json.loads(second) == {
        "v": 1,
        "kind": "item",
        "sequence": 1,
        "boot_id": boot_id(),
        "monotonic_ns": 42,
        "wall_time": "2026-01-02T12:00:00.000+00:00",
        "clock_synced": clock_synced(),
        **ITEM,
        "previous": hashlib.sha256(first.rstrip(b"\n")).hexdigest(),
    }
    assert json.loads(first)["previous"] == FIRST


def test_numbers_and_chain_go_on_after_a_restart(path: Path) -> None:
    """Two runs are one journal: items 1 to 6, no gap, one chain."""
    write(path)
    write(path)
    records = read_records(path)
    assert [r["sequence"] for r in records if r["kind"] == "item"] == [1, 2, 3, 4, 5, 6]
    assert [r["sequence"] for r in records if r["kind"] != "item"] == [0, 3, 3, 6]
    found = verify(path)
    assert (found.records, found.items) == (10, 6)


@searching(max_examples=50)
@given(cut=st.data())
def test_a_power_cut_at_any_byte_loses_at_most_the_line_in_writing(cut: st.DataObject) -> None:
    """Cut anywhere: every line that was whole is still there, and a new run goes on behind it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        lines = write(path)
        content = b"".join(lines)
        keep = cut.draw(st.integers(0, len(content)))
        path.write_bytes(content[:keep])
        whole = [line for i, line in enumerate(lines) if keep >= len(b"".join(lines[: i + 1])) - 1]
        torn = content[len(b"".join(whole)) : keep]
        with journal(path) as log:
            log.append("start", {})
            log.append("item", ITEM)
        after = path.read_bytes().splitlines(keepends=True)
        assert after[: len(whole)] == whole
        kinds = [json.loads(line)["kind"] for line in after[len(whole) :]]
        assert kinds == (["repair"] if torn else []) + ["start", "item"]
        if torn:
            repair = json.loads(after[len(whole)])
            assert repair["removed_bytes"] == len(torn)
            assert repair["removed_sha256"] == hashlib.sha256(torn).hexdigest()
        assert verify(path).records == len(after)


@pytest.mark.parametrize(
    "garbage", [b"\0" * 700, b"\0" * 10 + b"\n\n", b'{"v": 1, "kind": 5}\nxx\n', b"\n"]
)
def test_garbage_after_the_last_line_is_taken_off_and_told(path: Path, garbage: bytes) -> None:
    """Some file systems leave zeros where the line should have been."""
    lines = write(path)
    path.write_bytes(b"".join(lines) + garbage)
    with journal(path):
        pass
    after = path.read_bytes().splitlines(keepends=True)
    assert after[:-1] == lines
    assert json.loads(after[-1])["removed_bytes"] == len(garbage)
    assert verify(path).items == 3


def test_a_file_that_is_no_journal_is_left_alone(path: Path) -> None:
    """A wrong name in the settings must not cut somebody's file short."""
    path.write_bytes(b"root:x:0:0\nhalf a line")
    with (
        pytest.raises(JournalError, match="is not a stampgate journal; move it away"),
        journal(path),
    ):
        pass
    assert path.read_bytes() == b"root:x:0:0\nhalf a line"


def test_a_device_is_no_journal() -> None:
    """Nothing is kept there."""
    with pytest.raises(JournalError, match="must be a plain file"), journal(Path("/dev/null")):
        pass


def test_only_one_may_write(path: Path) -> None:
    """Two services on one journal would break the chain for both."""
    with (
        journal(path),
        pytest.raises(JournalError, match="is being written by another stampgate-edge"),
        journal(path),
    ):
        pass


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the next step."""
    with (
        pytest.raises(JournalError, match=r"cannot be opened .* name another"),
        journal(tmp_path / "no" / "j.jsonl"),
    ):
        pass


def test_append_returns_when_the_line_is_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the disk was told, in order: the whole line, then to keep it."""
    calls: list[str] = []
    write_real, sync_real = os.write, os.fdatasync

    def note_write(descriptor: int, content: bytes) -> int:
        calls.append("write " + str(content.endswith(b"\n")))
        return write_real(descriptor, content)

    def note_sync(descriptor: int) -> None:
        calls.append("sync")
        sync_real(descriptor)

    with journal(path) as log:
        monkeypatch.setattr(os, "write", note_write)
        monkeypatch.setattr(os, "fdatasync", note_sync)
        log.append("start", {})
        assert calls == ["write True", "sync"]
        monkeypatch.undo()


Lines = list[bytes]
CHANGES: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "a word changed": (
        lambda lines: [*lines[:2], lines[2].replace(b"pass", b"reject"), *lines[3:]],
        "line 4 must carry",
    ),
    "a verdict made up": (
        lambda lines: [*lines[:2], lines[2].replace(b"pass", b"fail"), *lines[3:]],
        "line 3 must be",
    ),
    "a line removed": (
        lambda lines: [*lines[:2], *lines[3:]],
        "line 3 must carry the hash of the line before",
    ),
    "lines swapped": (
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        "line 2 must carry",
    ),
    "the head removed": (lambda lines: lines[1:], "line 1 must carry"),
    "a line added": (lambda lines: [*lines, b"{}\n"], "line 6 must be a whole record"),
    "the tail cut": (lambda lines: [*lines[:-1], lines[-1][:-1]], "line 5 must be a whole record"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_verify_names_the_line_where_the_chain_breaks(path: Path, change: str) -> None:
    """Whatever was done to the file between two lines."""
    edit, message = CHANGES[change]
    path.write_bytes(b"".join(edit(write(path))))
    with pytest.raises(InputError) as caught:
        verify(path)
    assert message in str(caught.value)


@given(place=st.data(), value=st.integers(0, 255))
def test_no_byte_of_a_line_can_change_unseen_once_another_line_follows(
    place: st.DataObject, value: int
) -> None:
    """The last line alone is not yet held by a hash."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        lines = write(path)
        content = bytearray(b"".join(lines))
        at = place.draw(st.integers(0, len(content) - len(lines[-1]) - 1))
        assume(content[at] != value)
        content[at] = value
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"line \d+ must"):
            verify(path)


def test_verify_counts_after(path: Path) -> None:
    """A stop record whose counters do not add up is found even when the chain is whole."""
    with journal(path) as log:
        log.append("start", {})
        log.append("item", ITEM)
        log.append("stop", {"counters": {"triggers": 2, "pass": 2, "reject": 0, "fault": 0}})
    with pytest.raises(InputError, match=r"line 3 must count .*'triggers': 1"):
        verify(path)


def test_a_missing_journal_is_an_input_error(path: Path) -> None:
    """One line, no traceback."""
    with pytest.raises(InputError, match="No such file"):
        verify(path)


@pytest.fixture(params=["every-line", "grouped"])
def killed_writer(path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    """A program that appends as fast as it can and says so, until it is killed."""
    code = (
        "import sys; from pathlib import Path\n"
        "from edge.record.journal import Journal; from edge.clock import MonotonicClock\n"
        "from edge.config import JournalSettings\n"
        "settings = JournalSettings(sync=sys.argv[2], patience_ms=10_000, file_items=15)\n"
        "with Journal(Path(sys.argv[1]), MonotonicClock(), settings=settings) as log:\n"
        "    while True:\n"
        "        log.append('item', {'verdict': 'pass'})\n"
        "        print(log.next_sequence - 1, flush=True)\n"
    )
    with Program(sys.executable, "-c", code, str(path), request.param) as writer:
        yield writer


def test_kill_9_loses_no_line_that_append_returned_for(path: Path, killed_writer: Program) -> None:
    """Killed at any point after twenty lines: the kernel has them, be they on the disk or not."""
    killed_writer.out_lines(20)
    killed_writer.kill()
    said = [int(line) for line in killed_writer.out.splitlines() if line]
    with journal(path):
        pass
    assert verify(path).items >= max(said)
