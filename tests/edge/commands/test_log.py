import contextlib
import csv
import io
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock, boot_id
from edge.decision import Verdict
from edge.record.evidence import Evidence, Exhibit
from edge.record.health import Health
from edge.record.journal import Journal
from edge.record.verify import read_records
from edge.reports.lines import text_line
from edge.reports.table import COLUMNS, csv_row
from edge.sections.records import EvidenceSettings, JournalSettings
from tests.disk import NOON, item, journal
from tests.programs import PATIENCE_S, Program

FINDING = {"label": "dot", "score": 0.91, "box": [1.0, 2.0, 3.0, 4.0]}
VERDICTS = ("pass", "reject", "fault", "pass", "reject", "pass", "pass")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of seven items in three files, a minute apart, and settings that name it."""
    path = tmp_path / "journal.jsonl"
    now, clock = [NOON], SimulatedClock(42)
    with journal(path, lambda: now[0], clock, file_items=3) as log:
        log.append(
            "start",
            {
                "version": "1.2",
                "settings_sha256": "ab",
                "model": {"file": "m.onnx", "sha256": "cd", "proof": "desk: shown (study 1)"},
            },
        )
        for number, verdict in enumerate(VERDICTS, 1):
            now[0] = NOON + timedelta(minutes=number)
            clock.sleep_until(number * 60_000_000_000)
            found = [FINDING] if verdict == "pass" else []
            log.append(
                "item",
                item(verdict, reason=f"reason {number}", findings=found, ms=12.5, gate="kept"),
            )
        log.append("health", {"temperature_c": 40.0})
        log.append(
            "stop",
            {"reason": "SIGTERM", "counters": {"triggers": 7, "pass": 4, "reject": 2, "fault": 1}},
        )
    (tmp_path / "edge.toml").write_text(
        '[journal]\nfile = "journal.jsonl"\nstatus = "status.json"\n'
    )
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; gives exit status, output and complaint."""

    def go(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return go


def shown(output: str) -> list[str]:
    """The items of text output, by their number, and the kinds of the other lines."""
    return [
        line.split()[2] if " -- " not in line else line.split()[3]
        for line in output.splitlines()
        if not line.startswith("  ")  # what goes on from the line before
    ]


def test_log_shows_all_files_oldest_first_and_hides_health(run: Run, path: Path) -> None:
    """A line each."""
    status, output, _ = run("log", path)
    assert status == 0
    assert shown(output) == [
        "start",
        "#1",
        "#2",
        "#3",
        "continued",
        "#4",
        "#5",
        "#6",
        "continued",
        "#7",
        "stop",
    ]
    assert shown(run("log", path, "--all")[1])[-2:] == ["health", "stop"]
    assert shown(run("log", "--config", path.with_name("edge.toml"))[1]) == shown(output)


def test_a_line_says_when_what_and_why(path: Path) -> None:
    """In local time, with a ~ when the clock was not synchronised."""
    record = {**read_records(path)[1], "clock_synced": False}
    local = datetime.fromisoformat(record["wall_time"]).astimezone().isoformat(" ", "milliseconds")
    assert text_line(record) == f"~{local} #1 PASS reason 1 [dot 0.91]  ms=12.5 gate=kept"


def test_a_name_cannot_speak_to_the_terminal(path: Path) -> None:
    """A picture's file name may hold anything."""
    assert "\x1b" not in text_line({**read_records(path)[1], "picture": "\x1b[2Jclear.png"})


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--verdict", "reject"], ["#2", "#5"]),
        (["--verdict", "reject", "--verdict", "fault"], ["#2", "#3", "#5"]),
        (["--since", "6"], ["#6", "continued", "#7", "stop"]),
        (["--since", "3", "--verdict", "pass"], ["#4", "#6", "#7"]),
        (["--since", "2026-01-02T12:05:00+00:00"], ["#5", "#6", "continued", "#7", "stop"]),
        (["--since", "2026-01-03"], []),
    ],
)
def test_log_shows_what_was_asked_for(
    run: Run, path: Path, arguments: list[str], wanted: list[str]
) -> None:
    """By verdict, item number or moment."""
    assert shown(run("log", path, *arguments)[1]) == wanted


def test_since_so_long_ago_goes_by_the_monotonic_clock_in_this_boot(
    run: Run, tmp_path: Path
) -> None:
    """The wall clock was two weeks behind when the second item came; it is shown all the same."""
    clock, path = SimulatedClock(time.monotonic_ns() - 600 * 10**9), tmp_path / "journal.jsonl"
    with Journal(path, clock, lambda: datetime.now(UTC) - timedelta(days=14)) as log:
        log.append("item", item())
        clock.sleep_until(time.monotonic_ns() - 60 * 10**9)
        log.append("item", item())
    assert shown(run("log", path, "--since", "5m")[1]) == ["#2"]
    assert shown(run("log", path, "--since", "1h")[1]) == ["#1", "#2"]


Boot = Callable[..., None]


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    """Write a boot into the journal: its id, what its clock shows, an item each ten minutes."""

    def write(
        name: str, start: datetime, verdicts: list[str], synced: bool, began_s: int = 1
    ) -> None:
        monkeypatch.setattr("edge.record.journal.boot_id", lambda: name)
        monkeypatch.setattr("edge.record.journal.clock_synced", lambda: synced)
        clock = SimulatedClock(began_s * 10**9)
        with journal(
            tmp_path / "journal.jsonl",
            lambda: start + timedelta(seconds=clock.now_ns() / 1e9 - began_s),
            clock,
        ) as log:
            log.append("start", {})
            for verdict in verdicts:
                clock.sleep_until(clock.now_ns() + 600 * 10**9)
                log.append("item", item(verdict, findings=[]))

    return write


@pytest.fixture
def night(boot: Boot, tmp_path: Path) -> Path:
    """A night with the right time, a boot without network in yesterday, and the right time again.

    The first from 1:00 on, the third from 8:00 on.
    """
    boot("a" * 32, datetime(2026, 11, 30, 1, tzinfo=UTC), ["pass", "reject", "reject"], True)
    boot("b" * 32, datetime(2026, 11, 29, 20, tzinfo=UTC), ["pass", "reject", "fault"], False)
    boot("c" * 32, datetime(2026, 11, 30, 8, tzinfo=UTC), ["pass", "reject"], True)
    return tmp_path / "journal.jsonl"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--since", "2026-11-30T00:30Z"], "#1 #2 #3 #4 #5 #6 #7 #8"),
        (["--since", "2026-11-30T01:15Z"], "#2 #3 #4 #5 #6 #7 #8"),
        (["--since", "2026-11-30T03:00Z"], "#4 #5 #6 #7 #8"),
        (["--since", "2026-11-30T07:45Z"], "#5 #6 #7 #8"),
        (["--since", "2026-11-30T08:15Z"], "#8"),
        (["--until", "2026-11-30T01:15Z"], "#1"),
        (["--until", "2026-11-30T01:45Z"], "#1 #2 #3 #4"),
        (["--since", "2026-11-30T01:15Z", "--until", "2026-11-30T07:00Z"], "#2 #3 #4 #5 #6"),
        (["--since", "3", "--until", "7"], "#3 #4 #5 #6 #7"),
        (["--since", "2026-11-30T01:15Z", "--verdict", "reject"], "#2 #3 #5 #8"),
    ],
)
def test_a_boot_with_a_wrong_clock_hides_nothing(
    run: Run, night: Path, arguments: list[str], wanted: str
) -> None:
    """Neither its own records nor those before it; what may be from then is shown."""
    items = [word for word in shown(run("log", night, *arguments)[1]) if word.startswith("#")]
    assert " ".join(items) == wanted


def test_an_unsynchronised_stretch_is_marked_with_its_bounds(run: Run, night: Path) -> None:
    """Once before it; and each record of it by a ~."""
    lines = run("log", night, "--since", "2026-11-30T01:15Z")[1].splitlines()
    (note,) = [line for line in lines if "clock not synchronised" in line]
    local = [
        datetime.fromisoformat(f"2026-11-30T{time}Z").astimezone().isoformat(" ", "seconds")
        for time in ("01:30:01", "07:29:59")
    ]
    assert note == (
        f"~ -- clock not synchronised in what follows: after {local[0]} and before {local[1]}; "
        "the order is right"
    )
    marked = [line[0] for line in lines[lines.index(note) :]]
    assert marked == ["~"] * 6 + [" "] * 4


def test_a_boot_that_was_synchronised_late_is_repaired(
    run: Run, boot: Boot, tmp_path: Path
) -> None:
    """The network came after the first items; each time that is repaired is marked by a =."""
    path = tmp_path / "journal.jsonl"
    boot("a" * 32, datetime(2026, 11, 1, 1, tzinfo=UTC), ["reject"], False)
    boot("a" * 32, datetime(2026, 11, 30, 8, tzinfo=UTC), ["pass"], True, began_s=1000)
    status, output, _ = run("log", path, "--since", "2026-11-30T07:45Z")
    assert (status, shown(output)) == (0, ["#1", "start", "#2"])
    repaired = datetime(2026, 11, 30, 8, tzinfo=UTC) - timedelta(seconds=1000 - 601)
    assert output.startswith(f"={repaired.astimezone().isoformat(' ', 'seconds')} #1       REJECT")
    assert shown(run("log", path, "--until", "2026-11-02")[1]) == []


def test_csv_says_how_each_time_is_known(run: Run, night: Path) -> None:
    """The time, where it is from, and its bounds, in columns of their own."""
    rows = list(csv.DictReader(io.StringIO(run("log", night, "--csv", "--since", "3")[1])))
    assert [(row["time"], row["time_source"]) for row in rows[:2]] == [
        ("2026-11-30T01:30:00.000+00:00", "clock"),
        ("", "unsynchronised"),
    ]
    assert (rows[1]["not_before"], rows[1]["not_after"]) == (
        "2026-11-30T01:40:01.000+00:00",
        "2026-11-30T07:39:59.000+00:00",
    )


def test_csv_is_read_by_any_spreadsheet(run: Run, path: Path) -> None:
    """A heading, and one row an item with the best finding."""
    _, output, _ = run("log", path, "--csv", "--since", "6")
    rows = list(csv.DictReader(io.StringIO(output)))
    assert [row["sequence"] for row in rows] == ["6", "7"]
    assert tuple(rows[0]) == COLUMNS
    best = {
        "findings": "1",
        "label": "dot",
        "score": "0.91",
        "x0": "1.0",
        "y0": "2.0",
        "x1": "3.0",
        "y1": "4.0",
    }
    assert {name: rows[0][name] for name in best} == best
    assert (rows[0]["verdict"], rows[0]["reason"], rows[0]["ms"]) == ("pass", "reason 6", "12.5")


def test_the_near_miss_stands_in_line_and_csv() -> None:
    """Of an item of today; a record of an older release has none, and is read as before."""
    near = {"label": "dot", "score": 0.02, "box": [8.0, 16.0, 32.0, 40.5]}
    record = {"kind": "item", "sequence": 7, "verdict": "reject", "reason": "no dot found"}
    new = record | {"code": "missing", "findings": [], "near_miss": near}
    said = "#7 REJECT no dot found [near miss dot 0.02 at 8 16 32 40.5]  code=missing"
    assert text_line(new).strip() == said
    assert text_line(record).strip() == "#7 REJECT no dot found"
    columns = [name for name in COLUMNS if name.startswith("near_")]
    row = dict(zip(COLUMNS, csv_row(new), strict=True))
    assert [row["code"], *(row[name] for name in columns)] == [
        "missing",
        "dot",
        0.02,
        8,
        16,
        32,
        40.5,
    ]
    assert {dict(zip(COLUMNS, csv_row(record), strict=True))[name] for name in columns} == {None}


def test_csv_gives_a_spreadsheet_no_formula(path: Path) -> None:
    """Neither by a file's name nor by a mark's."""
    record = {**read_records(path)[1], "picture": "=1+1", "reason": "@x"}
    row = dict(zip(COLUMNS, csv_row(record), strict=True))
    assert (row["picture"], row["reason"], row["sequence"]) == ("'=1+1", "'@x", 1)


def test_no_line_is_wider_than_80_columns_unless_wide(run: Run, path: Path) -> None:
    """With --wide a record is whole on one line."""
    output = run("log", path, "--all", "--zone", "Europe/Berlin")[1]
    assert max(map(len, output.splitlines())) <= 80
    assert "2026-01-02 13:02:00+01:00 #2       REJECT" in output
    wide = run("log", path, "--all", "--wide")[1]
    assert len(wide.splitlines()) == 12
    assert "settings_sha256=ab model=" in wide


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--verdict", "reject,fault"], ["#2", "#3", "#5"]),
        (["--verdict", "REJECT", "--grep", "reason 5"], ["#5"]),
        (["--grep", "SIGTERM|reason [12]$|reason [12] "], ["#1", "#2", "stop"]),
        (["--grep", "sigterm"], ["stop"]),
        (["--grep", "Sigterm"], []),
        (["--since", "12:06", "--zone", "UTC", "--until", "2026-01-02T12:06:30"], None),
        (["--since", "2026-01-02T13:05", "--until", "13:06", "--zone", "Europe/Berlin"], "#5 #6"),
    ],
)
def test_log_takes_what_people_type(
    run: Run, path: Path, arguments: list[str], wanted: Any
) -> None:
    """Several verdicts, a pattern, local times of a zone that is named."""
    status, output, _ = run("log", path, *arguments)
    assert status == 0
    if wanted is not None:
        assert shown(output) == (wanted.split() if isinstance(wanted, str) else wanted)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--grep", "(["], "must be a regular expression"),
        (["--verdict", "maybe"], "must be pass, reject, fault"),
        (["--zone", "Nowhere"], "must be a time zone"),
        (["--item", "x"], "must be an item's number"),
        (["--csv", "--summary"], "not allowed with"),
        (["--summary", "-f"], "has no end"),
        (["--decimal-comma"], "is for --csv"),
        (["--item", "8"], "the journal has no item 8"),
    ],
)
def test_what_cannot_be_shown_is_said(
    run: Run,
    path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """With status 2."""
    try:
        status, _, said = run("log", path, *arguments)
    except SystemExit as error:
        status, said = int(error.code or 0), capsys.readouterr().err
    assert status == 2
    assert words in " ".join(said.split())


def test_an_item_is_shown_whole_with_what_was_said_of_it_since(run: Run, path: Path) -> None:
    """Each field a line; an incident that names it, also one after a restart."""
    with journal(path, lambda: NOON + timedelta(hours=1)) as log:
        log.append("incident", {"what": "thrown", "item": 4, "reason": "a PASS was thrown"})
        log.append("incident", {"what": "thrown", "item": 40, "reason": "another"})
    status, output, _ = run("log", path, "--item", "#4", "--zone", "UTC")
    first, *lines, last = output.splitlines()
    assert (status, first[1:]) == (0, "2026-01-02 12:04:00.000+00:00 #4 PASS reason 4")
    assert "  finding: label=dot score=0.91 box=[1.0, 2.0, 3.0, 4.0]" in lines
    assert "-- incident a PASS was thrown  what=thrown item=4" in last
    assert "another" not in output


def test_the_summary_counts_hours_verdicts_reasons_classes_and_lateness(
    run: Run, boot: Boot, tmp_path: Path
) -> None:
    """Of what was asked for; a time that is not known is a row of its own."""
    boot("a" * 32, datetime(2026, 10, 25, 0, 25, tzinfo=UTC), ["pass", "reject"] * 4, True)
    boot("b" * 32, datetime(2026, 1, 1, tzinfo=UTC), ["fault"], False)
    with journal(tmp_path / "journal.jsonl", lambda: NOON) as log:
        log.append("item", item("pass", gate="late", ms=90.0, findings=[FINDING]))
    status, output, _ = run(
        "log", tmp_path / "journal.jsonl", "--summary", "--zone", "Europe/Berlin"
    )
    assert status == 0
    rows = [line.split() for line in output.splitlines() if line.startswith("2026-10-25")]
    assert rows == [
        ["2026-10-25", "02:00", "UTC+02:00", "3", "2", "1", "0", "33.33%"],
        ["2026-10-25", "02:00", "UTC+01:00", "5", "2", "3", "0", "60.00%"],
    ]
    assert "10 items: 5 pass (50.00%), 4 reject (40.00%), 1 fault (10.00%)" in output
    assert "time not known" in output
    assert "items with a class found: dot 1" in output
    assert "p50 90.0 ms, p99 90.0 ms, worst 90.0 ms" in output
    assert "rejected by the gate all the same: late 1" in output
    assert max(map(len, output.splitlines())) <= 80
    assert "no items" in run("log", tmp_path / "journal.jsonl", "--summary", "--since", "99")[1]


def written(path: Path, table: Path, *arguments: str) -> bytes:
    """Return the CSV that the command writes into a file."""
    with table.open("w") as file, contextlib.redirect_stdout(file):
        assert main(["log", str(path), "--csv", "--zone", "Europe/Berlin", *arguments]) == 0
    return table.read_bytes()


def test_a_table_in_a_file_begins_with_a_byte_order_mark(path: Path, tmp_path: Path) -> None:
    """By which Excel knows UTF-8; the heading is the same, and a local time is a date."""
    content = written(path, tmp_path / "items.csv")
    assert content.startswith(b"\xef\xbb\xbfsequence,local_time,offset,")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert (rows[0]["local_time"], rows[0]["offset"]) == ("2026-01-02 13:01:00", "UTC+01:00")
    comma = written(path, tmp_path / "items.csv", "--decimal-comma").decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(comma), delimiter=";"))
    assert (row["score"], row["ms"], row["sequence"]) == ("0,91", "12,5", "1")


def test_libreoffice_reads_dates_numbers_and_texts(tmp_path: Path, boot: Boot) -> None:
    """Each as what it is, and no formula; skipped where LibreOffice Calc is not installed."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("needs LibreOffice Calc: apt install libreoffice-calc")
    boot("a" * 32, datetime(2026, 10, 25, 0, 25, tzinfo=UTC), ["pass"], True)
    with journal(tmp_path / "journal.jsonl", lambda: NOON) as log:
        finding = {"label": "=1+1", "score": 0.91, "box": [1.5, 2, 3, 4]}
        log.append("item", item(reason="gepr\u00fcft @x;+2", findings=[finding], picture="-3"))
    written(tmp_path / "journal.jsonl", tmp_path / "items.csv")
    command = [office, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
    # Comma, quotes, UTF-8, from line 1 on; "detect special numbers" as its dialogue offers it.
    command += ["--infilter=CSV:44,34,76,1,,0,false,true", "--convert-to", "fods"]
    command += ["--outdir", str(tmp_path), str(tmp_path / "items.csv")]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    sheet = (tmp_path / "items.fods").read_text()
    assert "table:formula" not in sheet
    assert 'office:date-value="2026-10-25T02:35:00"' in sheet
    assert 'office:value-type="float" office:value="0.91"' in sheet
    assert "<text:p>gepr\u00fcft @x;&apos;+2</text:p>" in sheet
    assert "<text:p>&apos;=1+1</text:p>" in sheet


def test_log_follows_into_the_next_file(tmp_path: Path) -> None:
    """A program of its own that shows each line as it comes, across files, until Ctrl-C."""
    path = tmp_path / "journal.jsonl"
    with journal(path, file_items=2) as log:
        log.append("item", item())
        with Program(sys.executable, "-m", "edge", "log", str(path), "--follow") as program:
            program.out_lines(1)
            for _ in range(4):
                log.append("item", item())
            program.out_lines(7)
            program.send(signal.SIGINT)
            done = program.ended()
    assert done.returncode == 130
    assert shown(done.stdout) == ["#1", "#2", "continued", "#3", "#4", "continued", "#5"]


def test_log_of_no_journal_is_one_line(run: Run, tmp_path: Path) -> None:
    """With the next step."""
    status, output, complaint = run("log", tmp_path / "journal.jsonl")
    assert (status, output) == (1, "")
    assert complaint == (
        f"stampgate-edge: {tmp_path}/journal.jsonl: No such file or directory; name a journal, or "
        "the settings with --config\n"
    )


def test_log_does_not_guess_what_since_means(
    run: Run, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ways are named."""
    with pytest.raises(SystemExit) as caught:
        run("log", path, "--since", "last week")
    assert caught.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "an item's number, a time such as 15m or 2h, a time of day such as 06:00" in said


def test_verify_log_says_what_it_saw_in_one_line(run: Run, path: Path) -> None:
    """All files; 0 when all holds, 1 and the place when not."""
    assert run("verify-log", path) == (
        0,
        f"{path}: 12 records, 7 items, chain whole, 3 files\n",
        "",
    )
    first = path.with_name("journal-000001-000000001.jsonl")
    content = first.read_bytes()
    first.unlink()
    beyond = (
        f"{path}: 8 records, 4 items, chain whole, 2 files\n"
        "open: from item 4 on: the files before it are not here\n"
    )
    assert run("verify-log", "--config", path.with_name("edge.toml")) == (3, beyond, "")
    first.write_bytes(content.replace(b"reason 2", b"reason 3"))
    status, output, said = run("verify-log", path)
    assert (status, output) == (1, "")
    assert said == (
        f"stampgate-edge: {first}: line 4 must carry the hash of the line before; one was "
        "changed, or one between is missing\n"
    )


def test_verify_log_compares_the_pictures_that_still_exist(run: Run, tmp_path: Path) -> None:
    """One as recorded, one that gave way, one without a sum; an exchanged one is named."""
    path, folder = tmp_path / "journal.jsonl", tmp_path / "evidence"
    with (
        journal(path) as log,
        Evidence(folder, EvidenceSettings(keep_free_mb=0, patience_ms=10_000.0)) as kept,
    ):
        assert kept.drained(PATIENCE_S)
        exhibits = [
            kept.keep(number, "reject", np.full((8, 8, 3), 50 * number, np.uint8))
            for number in range(1, 4)
        ]
        for exhibit in (
            *exhibits[:2],
            Exhibit(exhibits[2].name),
            Exhibit(lost="2 others wait for the disk"),
        ):
            log.append("item", item("reject", **exhibit.as_fields()))
        log.append("stop", {"counters": {"triggers": 4, "pass": 0, "reject": 4, "fault": 0}})
    (folder / exhibits[1].name).unlink()
    status, output, _ = run("verify-log", path, "--evidence", folder)
    words = "pictures: 1 as recorded, 1 gone, 1 without a sum: the disk was slow"
    early = (
        f"open: gone although older ones are there: {exhibits[1].name}; the ring takes the oldest "
        "first, so these were removed by hand, or lost by the disk\n"
    )
    assert (status, output) == (3, f"{path}: 5 records, 4 items, chain whole, {words}\n{early}")
    exchanged = folder / exhibits[0].name
    exchanged.write_bytes((folder / exhibits[2].name).read_bytes())
    status, output, complaint = run("verify-log", path, "--evidence", folder)
    assert (status, output) == (1, "")
    amiss = f"must be the picture recorded in {path}: line 1; it was changed or exchanged since"
    assert complaint == f"stampgate-edge: {exchanged}: {amiss}\n"
    assert run("verify-log", path, "--evidence", tmp_path / "no")[0] == 1


def test_a_journal_without_sums_is_verified_as_before(run: Run, path: Path) -> None:
    """Written by a release that had none."""
    words = "12 records, 7 items, chain whole, 3 files, pictures: 0 as recorded"
    assert run("verify-log", path, "--evidence", path.parent) == (0, f"{path}: {words}\n", "")


def test_status_of_a_running_service(run: Run, path: Path) -> None:
    """From the status file: state, settings, counters, last item, latency, health; status 0."""
    with journal(path) as log, Evidence(None, EvidenceSettings()) as evidence:
        about: dict[str, Any] = {"version": "1.2", "settings_sha256": "ab"}
        clock = SimulatedClock()
        health = Health(
            log, evidence, JournalSettings(), clock, path.with_name("status.json"), about
        )
        health.item(8, Verdict("reject", "no dot found"), 12.5)
        health.gate = {"run": "a", "trouble": "", "triggers": 9, "thrown": 5}
        health.camera = {"taken": 99, "damaged": 1, "per_second": 24.9}
        clock.sleep_until(60 * 10**9)
        health.tick({"triggers": 8, "pass": 4, "reject": 3, "fault": 1}, queue_depth=2)
        status, output, _ = run("status", "--config", path.with_name("edge.toml"))
        as_json = json.loads(run("status", "--json", "--config", path.with_name("edge.toml"))[1])
    assert status == 0
    lines = {line[:15].strip(): line[16:] for line in output.splitlines()}
    assert lines["state"].startswith("running (process ")
    assert (lines["version"], lines["settings_sha256"]) == ("1.2", "ab")
    assert lines["counters"] == "triggers 8, pass 4, reject 3, fault 1"
    assert lines["gate"] == "triggers 9, thrown 5"
    assert lines["camera"] == "taken 99, damaged 1, per_second 24.9"
    assert lines["last item"] == "#8 REJECT no dot found"
    assert lines["latency"] == "p50 12.5 ms, p99 12.5 ms, worst 12.5 ms"
    assert lines["on the way"] == "2 items between eye and gate"
    assert lines["memory"].endswith(" open files")
    assert as_json["boot_id"] == boot_id()


def test_status_of_a_service_that_hangs(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is there and writes no more: exit status 1."""
    with journal(path) as log, Evidence(None, EvidenceSettings()) as evidence:
        Health(
            log, evidence, JournalSettings(), SimulatedClock(), path.with_name("status.json")
        ).tick({})
    monkeypatch.setattr("edge.commands.status.SILENT_S", 0.0)
    status, output, _ = run("status", "--config", path.with_name("edge.toml"))
    assert status == 1
    assert output.startswith("state           silent (process ")


def test_status_of_a_service_that_ended_is_read_from_the_journal(run: Run, path: Path) -> None:
    """In good order, or without a word; exit status 1."""
    config = path.with_name("edge.toml")
    status, output, _ = run("status", "--config", config)
    assert status == 1
    assert output.splitlines() == [
        "state           stopped: SIGTERM",
        "version         1.2",
        "settings_sha256 ab",
        "model           m.onnx (sha256 cd...)",
        "proof           desk: shown (study 1)",
        "counters        triggers 7, pass 4, reject 2, fault 1",
        "seal            off",
        "last item       #7 PASS reason 7",
        "temperature     40.0 degrees Celsius",
    ]
    with journal(path) as log:
        log.append("start", {"version": "1.3"})
    assert (
        "not running, and no word of why: killed, or the power went"
        in run("status", "--config", config)[1]
    )


def test_status_without_any_settings_says_what_to_name(run: Run) -> None:
    """On a desk there is no /etc/stampgate."""
    if Path("/etc/stampgate/edge.toml").exists():
        pytest.skip("this machine is a box")
    status, _, complaint = run("status")
    assert status == 2
    assert complaint == (
        "stampgate-edge: there is no /etc/stampgate/edge.toml here; name the settings file with "
        "--config\n"
    )
