"""The journal's readers: whatever its lines hold, they are shown, named or refused."""

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from edge.__main__ import main
from edge.printing import json_text
from edge.record.journal_file import HEAD, parse_record
from tests.fuzz.fuzzing import Fuzzer

KINDS = (
    *("start", "item", "health", "continued", "repair", "disk", "gap", "settings"),
    *("incident", "stop", "seal"),
)
NAMES = (
    *("boot_id", "monotonic_ns", "wall_time", "clock_synced", "reason", "verdict", "gate"),
    *("findings", "picture", "evidence", "evidence_sha256", "evidence_lost", "trigger_ns", "ms"),
    *("tag", "gate_run", "counters", "counted", "lost_items", "lost_records", "start", "after"),
    *("version", "settings_sha256", "model", "throttled", "temperature_c", "rss_mb", "journal"),
    *("camera", "what", "item", "incident", "at_ns", "changed", "required", "seal", "trouble"),
)
WHOLE = st.integers(-2, 40) | st.integers(-(2**70), 2**70)
TIMES = st.datetimes().map(str) | st.sampled_from(
    ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2026-01-02T12:00:00.000+00:00"]
)
FINDING = st.fixed_dictionaries(
    {}, optional={"label": st.text(), "score": st.floats(), "box": st.lists(st.floats())}
)
PLAIN: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    WHOLE,
    st.floats(),
    st.text(st.characters()),
    TIMES,
    st.sampled_from(["pass", "reject", "fault", "0x50005", "", "=1+1", "\x1b[2J\n", "\udcff"]),
)
VALUES = st.recursive(
    PLAIN | st.lists(FINDING, max_size=3),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=6,
)
GOOD = st.fixed_dictionaries(
    {"sequence": st.integers(0, 5), "previous": st.text(max_size=4)},
    optional={
        "boot_id": st.sampled_from(["a", "b", "c"]),
        "monotonic_ns": st.integers(0, 2**63 - 1) | st.integers(0, 10**12),
        "wall_time": TIMES,
        "clock_synced": st.booleans(),
        "verdict": st.sampled_from(["pass", "reject", "fault"]),
        "counters": st.dictionaries(st.text(), st.integers(0, 9)),
        "counted": st.dictionaries(st.sampled_from(["pass", "x"]), st.integers(0, 9)),
        "lost_items": st.integers(0, 9),
        "evidence": st.sampled_from(["000000001-000000001-reject.jpg", "../x", "\0", ""]),
    },
)
RECORDS = st.builds(
    lambda kind, good, odd: {"kind": kind, **good, **odd},
    st.sampled_from(KINDS) | st.text(),
    GOOD,
    st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES, max_size=3),
)


def line_of(record: dict[str, Any]) -> bytes:
    """Write a record as the journal would, odd as it may be."""
    kind, rest = record.pop("kind"), json_text(record)[1:]
    return HEAD + json.dumps(kind).encode() + b", " + rest.encode("utf-8", "surrogatepass")


LINES = st.one_of(
    RECORDS.map(line_of),
    st.binary(max_size=40),
    st.binary(max_size=40).map(lambda rest: HEAD + rest),
    st.tuples(RECORDS.map(line_of), st.integers(0, 200)).map(lambda cut: cut[0][: cut[1]]),
)
ASKED = (
    *(["log"], ["log", "--csv"], ["log", "--all"], ["log", "--since", "2h"]),
    *(["log", "--csv", "--since", "2026-01-01", "--until", "3"], ["status"]),
    *(["verify-log"], ["verify-log", "--evidence", "."]),
)
JOURNALS = st.tuples(
    st.lists(LINES, max_size=6),
    st.sampled_from([b"\n", b"", b"\r\n"]),
    st.booleans(),
    st.sampled_from(ASKED),
)


def read_it(journal: tuple[list[bytes], bytes, bool, list[str]]) -> None:
    """Let a reader read it: an exit status that is promised, lines that a terminal shows."""
    lines, end, rotated, arguments = journal
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        path.write_bytes(end.join([*lines, b""]))
        if rotated:
            path.rename(path.with_name("journal-000001-000000001.jsonl"))
            path.write_bytes(b"\n".join([*lines[:1], b""]))
        (path.parent / "edge.toml").write_text('[journal]\nfile = "journal.jsonl"\nstatus = ""\n')
        read_by(arguments, path.parent)
    for line in lines:
        if (record := parse_record(line)) is not None:
            assert parse_record(json_text(record).encode()) == record


def read_by(arguments: list[str], folder: Path) -> None:
    """Run one command in the folder's name, and look at what it says."""
    said = io.StringIO()
    given = [str(folder) if word == "." else word for word in arguments]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main([*given, "--config", str(folder / "edge.toml")])
    assert status in (0, 1, 3)
    assert all(line.isprintable() for line in said.getvalue().splitlines())


FUZZER = Fuzzer("journal lines", JOURNALS, read_it)


def test_journal_lines_are_shown_named_or_refused() -> None:
    """By log, status and verify-log alike."""
    FUZZER.short()
