"""What verify-log can know of a journal that somebody laid hands on, and says."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.errors import JournalError
from edge.record.journal import Journal
from edge.record.journal_file import HEAD, LONGEST_LINE, rotated_files
from edge.record.verify import verify
from edge.record.verify_pictures import verify_pictures
from tests.disk import NOON, item, journal, settings

ITEMS = 35
SECOND = "journal-000002-000000011.jsonl"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound journal of 35 items in four files, and the pictures of its rejects."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "evidence").mkdir()
    clock = SimulatedClock(0)
    passed = 0
    with journal(folder / "journal.jsonl", clock=clock, file_items=10) as log:
        log.append("start", {"version": "x"})
        for number in range(1, ITEMS + 1):
            clock.sleep_until(number * 1_000_000_000)
            fields = picture(folder, number) if number % 3 == 0 else {}
            passed += not fields
            log.append("item", item("reject" if fields else "pass", **fields))
        counters = {"triggers": ITEMS, "pass": passed, "reject": ITEMS - passed, "fault": 0}
        log.append("stop", {"reason": "SIGTERM", "counters": counters})
    return folder


def picture(folder: Path, number: int) -> dict[str, str]:
    """Write the picture of an item; return its record's fields."""
    path = folder / "evidence" / f"{number:09}-{number:09}-reject.jpg"
    path.write_bytes(b"\xff\xd8" + bytes([number]) * 50 + b"\xff\xd9")
    return {"evidence": path.name, "evidence_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture
def box(sound: Path, tmp_path: Path) -> Path:
    """A copy of it, to do harm to."""
    return Path(shutil.copytree(sound, tmp_path / "box"))


def lines(folder: Path, name: str = "journal.jsonl") -> list[bytes]:
    """The lines of one file."""
    return (folder / name).read_bytes().splitlines(keepends=True)


def put(folder: Path, those: Iterable[bytes], name: str = "journal.jsonl") -> None:
    """Write the lines of one file."""
    (folder / name).write_bytes(b"".join(those))


def rechain(folder: Path) -> None:
    """Write the whole chain anew, as somebody can who may write all files."""
    path, previous = folder / "journal.jsonl", "0" * 64
    for file in [*rotated_files(path), path]:
        fresh = []
        for line in file.read_bytes().splitlines():
            record = json.loads(line) | {"previous": previous}
            fresh.append(json.dumps(record, ensure_ascii=False).encode())
            previous = hashlib.sha256(fresh[-1]).hexdigest()
        file.write_bytes(b"".join(line + b"\n" for line in fresh))


def change(folder: Path, at: int, **fields: Any) -> None:
    """Change fields of a record of the last file, and write the chain anew."""
    those = lines(folder)
    those[at] = json.dumps(json.loads(those[at]) | fields).encode() + b"\n"
    put(folder, those)
    rechain(folder)


def fifo(path: Path) -> None:
    """Put a FIFO in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def folder_instead(path: Path) -> None:
    """Put a folder in the place of a file."""
    path.unlink()
    path.mkdir()


def device(path: Path) -> None:
    """Put a device in the place of a file."""
    path.unlink()
    path.symlink_to("/dev/zero")


def first_file_renamed(box: Path) -> None:
    """The first file is gone, and the second and third are called the first and second."""
    one, two, three = rotated_files(box / "journal.jsonl")
    one.unlink()
    two.rename(one)
    three.rename(box / "journal-000002-000000021.jsonl")


def all_but_an_empty_one(box: Path) -> None:
    """Nothing is left but an empty file."""
    for file in box.glob("journal*"):
        file.unlink()
    put(box, [])


def twice(box: Path) -> None:
    """The third record of the last file comes twice, in a chain written anew."""
    put(box, lines(box)[:3] + lines(box)[2:])
    rechain(box)


def swapped(box: Path) -> None:
    """Two records in the other order, numbered and chained anew."""
    those = lines(box)
    those[2], those[3] = those[3], those[2]
    put(box, those)
    change(box, 2, sequence=32)
    change(box, 3, sequence=33)


def after_the_stop(box: Path) -> None:
    """An item behind the stop record, in a chain written anew."""
    put(box, [*lines(box), lines(box)[-2]])
    change(box, -1, sequence=36)


def untouched(_: Path) -> None:
    """Do no harm."""


def last_full_file_is_a_fifo(box: Path) -> None:
    """And the one being written is gone."""
    fifo(rotated_files(box / "journal.jsonl")[-1])
    (box / "journal.jsonl").unlink()


def a_key_twice(box: Path) -> None:
    """The kind of the last record."""
    put(box, [*lines(box)[:-1], lines(box)[-1].replace(b'"kind": "stop"', b'"kind": "stop", ' * 2)])


def a_wrong_sum(box: Path) -> None:
    """Of the stop record, where the start and what was counted since are not here."""
    for file in rotated_files(box / "journal.jsonl"):
        file.unlink()
    change(box, 0, counted=None)
    change(box, -1, counters={"triggers": 36, "pass": 24, "reject": 11, "fault": 0})


def items_left_out(box: Path) -> None:
    """Two of them, in a chain written anew."""
    put(box, lines(box)[:2] + lines(box)[4:])
    rechain(box)


Harm = Callable[[Path], object]
HARMS: dict[str, tuple[Harm, int, str]] = {
    "none": (untouched, 0, "40 records, 35 items, chain whole, 4 files"),
    "the tail cut": (
        lambda box: put(box, lines(box)[:-3]),
        3,
        r"open: it ends at .*journal.jsonl: line 4, item 33, 2026-.*, without a stop record",
    ),
    "the last file removed": (
        lambda box: (box / "journal.jsonl").unlink(),
        1,
        "amiss: .*journal.jsonl: must be beside its full files; the last file, .* was removed",
    ),
    "the last file emptied": (
        lambda box: put(box, []),
        3,
        "open: .*journal.jsonl: holds no record, after journal-000003-000000021.jsonl",
    ),
    "all but an empty one removed": (all_but_an_empty_one, 1, "amiss: .* must hold a record"),
    "a middle file removed": (
        lambda box: (box / SECOND).unlink(),
        1,
        "journal-000003-000000021.jsonl: must follow file number 2, not .*; one is gone",
    ),
    "the first file removed": (
        lambda box: rotated_files(box / "journal.jsonl")[0].unlink(),
        3,
        "open: from item 11 on: the files before it are not here",
    ),
    "the first removed, the others renamed": (
        first_file_renamed,
        1,
        "must be file 1 and begin with item 1, by its name, but it begins with item 11",
    ),
    "a foreign file of the same number": (
        lambda box: shutil.copy(box / SECOND, box / "journal-000002-000000012.jsonl"),
        1,
        "must not have the number of .*; one is foreign",
    ),
    "the active file is a FIFO": (
        lambda box: fifo(box / "journal.jsonl"),
        1,
        "journal.jsonl: must be a plain file, not a folder, a FIFO or a device",
    ),
    "a full file is a FIFO": (lambda box: fifo(box / SECOND), 1, f"{SECOND}: must be a plain file"),
    "the last full file is a FIFO": (
        last_full_file_is_a_fifo,
        1,
        "journal-000003-000000021.jsonl: must be a plain file",
    ),
    "a full file is a folder": (
        lambda box: folder_instead(box / SECOND),
        1,
        f"{SECOND}: must be a plain file",
    ),
    "the active file is a device": (
        lambda box: device(box / "journal.jsonl"),
        1,
        "journal.jsonl: must be a plain file",
    ),
    "a record twice": (
        twice,
        1,
        r"line 4 must have the sequence 33, not 32; item 32 is there twice",
    ),
    "records out of order": (
        swapped,
        1,
        "line 4 must not be older than the line before, and is by 1.000 s of the same boot",
    ),
    "items left out": (
        items_left_out,
        1,
        "line 3 must have the sequence 32, not 34; items 32 to 33 are missing",
    ),
    "an item behind the stop": (after_the_stop, 1, "line 8 must follow a start record, not a stop"),
    "counters of the stop changed": (
        lambda box: change(
            box, -1, counters={"triggers": 34, "pass": 24, "reject": 10, "fault": 0}
        ),
        1,
        r"line 7 must count .*'triggers': 35, .*, not .*; items are missing or were added",
    ),
    "a stop whose sum is wrong, its start elsewhere": (
        a_wrong_sum,
        1,
        r"line 7 must count .*'triggers': 35",
    ),
    "a gap that does not add up": (
        lambda box: change(box, -1, kind="gap", lost_items=0, counted={"pass": 9}, lost_records=1),
        1,
        "line 7 must count 0 lost items by their verdicts, not .*; it was made up",
    ),
    "a text program's line ends": (
        lambda box: put(box, [line.replace(b"\n", b"\r\n") for line in lines(box)]),
        1,
        "line 1 must end with a line feed alone",
    ),
    "a key twice": (a_key_twice, 1, "line 7 must be a whole record"),
    "the wall clock set back": (
        lambda box: change(box, -2, wall_time=(NOON - timedelta(days=14)).isoformat()),
        0,
        r"note: the wall clock jumped: -12096\d\d.\d s at .* line 6, \+12096\d\d.\d s at .* line 7",
    ),
}


@pytest.mark.parametrize("harm", HARMS)
def test_each_harm_has_its_own_words_and_exit_status(
    harm: str, box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 whole, 1 amiss, 3 whole as far as it goes: a line each, no traceback, no waiting."""
    act, status, words = HARMS[harm]
    act(box)
    assert main(["verify-log", str(box / "journal.jsonl")]) == status
    out, err = capsys.readouterr()
    assert re.search(words, out + err)
    assert "Traceback" not in err


PICTURES: dict[str, tuple[Harm, int, str]] = {
    "none": (untouched, 0, "pictures: 11 as recorded"),
    "exchanged": (
        lambda box: (box / "evidence/000000006-000000006-reject.jpg").write_bytes(b"other"),
        1,
        "it was changed or exchanged since",
    ),
    "a FIFO": (
        lambda box: fifo(box / "evidence/000000006-000000006-reject.jpg"),
        1,
        "and is no plain file",
    ),
    "the oldest gone": (
        lambda box: (box / "evidence/000000003-000000003-reject.jpg").unlink(),
        0,
        "pictures: 10 as recorded, 1 gone",
    ),
    "one in the middle gone": (
        lambda box: (box / "evidence/000000018-000000018-reject.jpg").unlink(),
        3,
        "open: gone although older ones are there: 000000018-000000018-reject.jpg",
    ),
    "the journal cut behind them": (
        lambda box: put(box, lines(box)[:2]),
        1,
        "amiss: pictures of items 33 to 33 are there .*, and the journal ends with item 31",
    ),
    "one that no record names": (
        lambda box: picture(box, 34),
        3,
        "open: named by no record: 000000034-000000034-reject.jpg",
    ),
    "named twice": (
        lambda box: change(box, -2, evidence="000000006-000000006-reject.jpg"),
        1,
        "must name a picture of its own",
    ),
}


@pytest.mark.parametrize("harm", PICTURES)
def test_pictures_and_journal_vouch_for_one_another(
    harm: str, box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By sums, by numbers, and by what goes first."""
    act, status, words = PICTURES[harm]
    act(box)
    evidence = ["--evidence", str(box / "evidence")]
    assert main(["verify-log", str(box / "journal.jsonl"), *evidence]) == status
    out, err = capsys.readouterr()
    assert re.search(words, out + err)


def test_what_a_power_cut_explains_is_no_discrepancy(tmp_path: Path) -> None:
    """A picture lost with the last half minute, and one whose record was still in writing."""
    box = tmp_path
    (box / "evidence").mkdir()
    for run in range(2):
        with journal(box / "journal.jsonl") as log:
            log.append("start", {})
            for number in range(3 * run + 1, 3 * run + 4):
                log.append("item", item("reject", **picture(box, number + run)))
        if not run:
            (box / "evidence/000000003-000000003-reject.jpg").unlink()
            (box / "evidence/000000004-000000004-reject.jpg").write_bytes(b"its record was lost")
    chain = verify(box / "journal.jsonl")
    assert [end.item for end in chain.unclean_ends] == [3, 6]
    assert [d.weight for d in chain.discrepancies] == ["open", "note"]
    assert verify_pictures(box / "journal.jsonl", box / "evidence", chain).discrepancies == ()


def test_a_journal_in_writing_is_not_open(tmp_path: Path) -> None:
    """The end is where the service is."""
    with journal(tmp_path / "journal.jsonl") as log:
        log.append("start", {})
        log.append("item", item())
        assert verify(tmp_path / "journal.jsonl").discrepancies == ()
    (end,) = verify(tmp_path / "journal.jsonl").discrepancies
    assert end.weight == "open"


def test_a_clock_that_is_set_at_the_first_answer_of_a_time_server_is_a_note(tmp_path: Path) -> None:
    """As on each box without a clock of its own."""
    now: list[datetime] = [NOON - timedelta(days=200)]
    with journal(tmp_path / "journal.jsonl", lambda: now[0]) as log:
        log.append("start", {})
        now[0] = NOON
        log.append("stop", {"counters": {"triggers": 0, "pass": 0, "reject": 0, "fault": 0}})
    (jump,) = verify(tmp_path / "journal.jsonl").discrepancies
    assert jump.weight == "note"
    assert jump.text.startswith("the wall clock jumped: +17280000.0 s at ")


CRAFTED: list[bytes] = [
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "findings": ["a"]}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "findings": 5}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "findings": [{"box": "abcd"}]}',
    b'"item", "sequence": 1, "verdict": ["pass"], "previous": "x"}',
    b'"item", "sequence": true, "verdict": "pass", "previous": "x"}',
    b'"item", "sequence": -1, "verdict": "pass", "previous": "x"}',
    b'"item", "sequence": 1' + b"0" * 5000 + b', "verdict": "pass", "previous": "x"}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": 5}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "monotonic_ns": "now"}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "monotonic_ns": 1e400}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "monotonic_ns": NaN}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "ms": Infinity}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "evidence": {"a": 1}}',
    b'"item", "sequence": 1, "verdict": "pass", "verdict": "reject", "previous": "x"}',
    b'"stop", "sequence": 0, "previous": "x", "counters": {"triggers": "many"}}',
    b'"stop", "sequence": 0, "previous": "x", "counters": [1]}',
    b'"gap", "sequence": 0, "previous": "x", "counted": {"pass": -1}, "lost_items": 1}',
    b'"gap", "sequence": 0, "previous": "x", "counted": {}, "lost_items": true}',
    b'"continued", "sequence": 0, "previous": "x", "counted": {"pass": "1"}}',
    b'"continued", "sequence": 0, "previous": "x", "start": [], "counted": null}',
    b'"start", "sequence": 0, "previous": "x", "model": "m.onnx"}',
    b'"health", "sequence": 0, "previous": "x", "throttled": "soon"}',
    b'["item"], "sequence": 0, "previous": "x"}',
    b"[" * 100_000 + b"\n",
    b'"a", "sequence": 0, "previous": "x", "deep": ' + b"[" * 300 + b"]" * 300 + b"}",
    b'"a", "sequence": 0, "previous": "' + b"x" * LONGEST_LINE + b'"}',
    b'"a", "sequence": 0, "previous": "\xff\xfe"}',
]
ODD: list[bytes] = [
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "wall_time": "9999-12-31T23:59"}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "wall_time": "0001-01-01"}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "wall_time": "yesterday"}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "monotonic_ns": 9223372036854775}',
    b'"a", "sequence": 0, "previous": "x", "clock_synced": true, "wall_time": "9999-12-31T23:59Z"}',
    b'"item", "sequence": 1, "verdict": "pass", "previous": "x", "findings": [{}]}',
    b'"what no release wrote", "sequence": 0, "previous": "x"}',
]
"""Whole records with odd values, which are shown."""
ASKED: tuple[list[str], ...] = (
    [],
    ["--csv"],
    ["--all"],
    ["--since", "2h"],
    ["--since", "2026-01-01"],
    ["--until", "3d"],
    ["--wide", "--since", "yesterday"],
    ["--summary"],
    ["--grep", "a"],
)


@pytest.mark.parametrize("crafted", range(len(CRAFTED)))
def test_a_crafted_line_is_no_record_and_is_said(
    crafted: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By ``log`` on standard error, by ``verify-log`` as the line amiss, and by no traceback."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(HEAD + CRAFTED[crafted] + b"\n")
    for arguments in ASKED:
        assert main(["log", str(path), *arguments]) == 0
        err = capsys.readouterr().err
        assert "is no whole record and is not shown" in err
        assert len(err) < 500
    assert main(["verify-log", str(path)]) == 1
    assert "line 1 must be a whole record" in capsys.readouterr().err


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_an_odd_but_whole_record_is_shown(
    odd: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A time that no calendar has is no reason for a traceback."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes((HEAD + ODD[odd] + b"\n") * 2)
    for arguments in ASKED:
        assert main(["log", str(path), *arguments]) == 0
    assert main(["verify-log", str(path)]) == 1
    (tmp_path / "edge.toml").write_text('[journal]\nfile = "journal.jsonl"\nstatus = ""\n')
    assert main(["status", "--config", str(tmp_path / "edge.toml")]) == 1


@pytest.mark.parametrize("harm", [fifo, folder_instead, device])
def test_log_and_status_wait_for_no_fifo(
    harm: Callable[[Path], None], box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever file it stands for."""
    (box / "edge.toml").write_text('[journal]\nfile = "journal.jsonl"\nstatus = ""\n')
    for name in (SECOND, "journal.jsonl"):
        harm(box / name)
        assert main(["log", str(box / "journal.jsonl")]) == 1
        assert "must be a plain file" in capsys.readouterr().err
    assert main(["status", "--config", str(box / "edge.toml")]) == 1
    assert "must be a plain file" in capsys.readouterr().err


def test_a_start_waits_for_no_fifo(tmp_path: Path) -> None:
    """In the place of the last full file, which the start looks into; one line, no waiting."""
    path, mark = tmp_path / "journal.jsonl", tmp_path / "mark"
    with Journal(path, SimulatedClock(1), settings=settings(file_items=2), mark=mark) as log:
        for _ in range(5):
            log.append("item", item())
    path.write_bytes(b"")
    fifo(rotated_files(path)[-1])
    with (
        pytest.raises(JournalError, match="must be a plain file, not a folder, a FIFO"),
        Journal(path, SimulatedClock(1), settings=settings(file_items=2), mark=mark),
    ):
        pass
