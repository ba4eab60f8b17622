import csv
import io
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.process.running_hours import hours_of
from edge.reports import shift_figures
from edge.reports.p_chart import p_chart, svg
from edge.reports.shift import Shift, ended_since, last_begun, shift_on
from edge.reports.shift_figures import ShiftFigures, gather
from edge.reports.written import due, keep_newest, write_report
from edge.reports.zone import Zone
from edge.sections.alarms import AlarmSettings
from tests.chromium import browser
from tests.disk import journal
from tests.edge.reports.shifts import DAY, FOUND, at, write_day

UTC_ZONE, BERLIN = Zone("UTC"), Zone("Europe/Berlin")
EARLY = hours_of("06:00-14:00")
VERDICTS = (["pass"] * 18 + ["reject", "fault"]) * 30
Run = Callable[..., tuple[int, str, str]]


def early(days: int = 0) -> Shift:
    """The early shift, so many days later."""
    return shift_on(DAY.date() + timedelta(days=days), EARLY, UTC_ZONE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A box's folder: 600 items a minute apart from half past five on, in three files."""
    folder = tmp_path_factory.mktemp("box") / "made"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        evidence = folder / "evidence"
        write_day(folder / "journal.jsonl", patch, VERDICTS, evidence=evidence, file_items=250)
    return folder


@pytest.fixture
def path(tmp_path: Path, made: Path) -> Path:
    """The journal of a copy of that box."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "journal.jsonl"


def page(figures: ShiftFigures, tmp_path: Path) -> str:
    """The report as it is written."""
    write_report(figures, tmp_path / "report.html", tmp_path / "evidence")
    return (tmp_path / "report.html").read_text()


def test_a_shift_holds_its_begin_and_not_its_end(path: Path) -> None:
    """From six to two: 480 items of one a minute."""
    figures = gather(path, early(), UTC_ZONE, now=at(15))
    assert (figures.counts.items, figures.counts.first, figures.counts.last) == (480, 30, 509)
    assert figures.counts.verdicts == {"pass": 432, "reject": 24, "fault": 24}
    assert list(figures.counts.hours) == [
        f"2026-11-30 {hour:02}:00 UTC+00:00" for hour in range(6, 14)
    ]
    assert not figures.still_runs
    assert (figures.chain.broken, figures.uncertain, figures.setup["model"]["file"]) == (
        0, 0, "seal.onnx",
    )  # fmt: skip
    late = gather(path, shift_on(DAY.date(), hours_of("14:00-22:00"), UTC_ZONE), now=at(23))
    assert late.counts.first == 510
    assert late.setup["model"]["file"] == "seal.onnx"


@pytest.mark.parametrize(
    ("day", "text", "hours"),
    [
        (date(2026, 10, 25), "22:00-06:00", 8),
        (date(2026, 10, 24), "22:00-06:00", 9),
        (date(2026, 3, 28), "22:00-06:00", 7),
        (date(2026, 10, 25), "00:00-24:00", 25),
        (date(2026, 12, 1), "06:00-06:00", 24),
    ],
)
def test_a_shift_over_midnight_or_a_change_of_the_clocks(day: date, text: str, hours: int) -> None:
    """It belongs to the day on which it begins, and one ends where the next begins."""
    shift = shift_on(day, hours_of(text), BERLIN)
    assert shift.end_ns - shift.begin_ns == hours * 3600 * 10**9
    begin = BERLIN.local(shift.begin_ns)
    assert begin is not None
    assert begin.date() == day


def test_the_last_shift_is_the_last_one_that_has_begun() -> None:
    """Of the days that it has; it may still run."""
    night = hours_of("Mon-Fri 22:00-06:00")
    sunday = round(datetime(2026, 12, 6, 23, tzinfo=UTC).timestamp()) * 10**9
    assert last_begun(night, UTC_ZONE, sunday).day == date(2026, 12, 4)
    shifts = [hours_of(text) for text in ("06:00-14:00", "14:00-22:00", "22:00-06:00")]
    noon = round(datetime(2026, 12, 1, 12, tzinfo=UTC).timestamp()) * 10**9
    ended = ended_since(shifts, UTC_ZONE, noon - 86_400 * 10**9, noon)
    assert [shift.name for shift in ended] == [
        "2026-11-30 06:00-14:00",
        "2026-11-30 14:00-22:00",
        "2026-11-30 22:00-06:00",
    ]


def test_a_report_says_all_that_a_supervisor_asks_for(path: Path, tmp_path: Path) -> None:
    """Counts, chart, reasons, pictures with boxes and scores, settings, model and chain."""
    with journal(path, lambda: DAY + timedelta(hours=15)) as log:
        log.append("note", {"reason": "later", "alarm": "begun"})
    text = page(gather(path, early(), UTC_ZONE, now=at(15)), tmp_path)
    for words in (
        "Shift 2026-11-30 06:00-14:00",
        "<b>480</b>",
        "90.00%",
        "upper limit",
        "reject it is",
        "best score 0.440",
        "seal.onnx",
        "ab" * 32,
        "chain whole",
        "stroke-dasharray",
        "data:image/jpeg;base64,",
    ):
        assert words in text, words
    assert "later" not in text
    assert text.count("<figure>") == 48
    assert text.count(".jpg: as recorded") == 48


def test_a_shift_that_still_runs_says_so(path: Path, tmp_path: Path) -> None:
    """With what has been until now."""
    figures = gather(path, early(), UTC_ZONE, now=at(9))
    assert figures.still_runs
    assert "still running: up to 2026-11-30 09:00:00+00:00" in page(figures, tmp_path)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_shift_without_items_is_a_report_all_the_same(
    path: Path, tmp_path: Path, days: int
) -> None:
    """Before or after all that the journal holds."""
    figures = gather(path, early(days), UTC_ZONE, now=at(72))
    text = page(figures, tmp_path)
    assert "No items." in text
    assert "Too few items for a chart." in text
    write_report(figures, tmp_path / "report.csv", None)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "report.csv").read_text("utf-8-sig"))))
    assert next(row["value"] for row in rows if row["part"] == "items") == "0"


def test_a_picture_that_is_gone_or_another_is_not_shown(path: Path, tmp_path: Path) -> None:
    """The one has given way, the other was exchanged, a third is no picture any more."""
    kept = sorted((tmp_path / "evidence").iterdir())
    in_shift = [file for file in kept if 30 <= int(file.name[10:19]) <= 509]
    in_shift[0].unlink()
    in_shift[1].write_bytes(in_shift[2].read_bytes())
    in_shift[3].write_bytes(b"no picture")
    text = page(gather(path, early(), UTC_ZONE, now=at(15)), tmp_path)
    assert text.count("the picture has given way to newer ones") == 1
    assert text.count("NOT the one recorded") == 2
    assert text.count(".jpg: as recorded") == 45
    assert text.count("<image ") == 45


def test_a_broken_chain_is_told_with_its_place(path: Path, tmp_path: Path) -> None:
    """A record changed, one taken out, and one that is none; status 1."""
    rotated = min(tmp_path.glob("journal-*.jsonl"))
    lines = rotated.read_bytes().splitlines(keepends=True)
    changed = lines[101].replace(b"pass it is", b"past it is")
    rotated.write_bytes(b"".join([*lines[:101], changed, *lines[102:150], *lines[151:]]))
    figures = gather(path, early(), UTC_ZONE, now=at(15))
    assert figures.chain.broken == 2
    assert "behind item 101: a record was changed" in figures.chain.words
    assert 'class="bad">the chain is broken in 2 places' in page(figures, tmp_path)


def test_only_so_many_items_are_listed_the_nearest_to_the_threshold(
    path: Path, tmp_path: Path
) -> None:
    """Rejects with a near miss come before faults without; the others are counted."""
    figures = gather(path, early(), UTC_ZONE, most_rejected=10, now=at(15))
    assert [record["verdict"] for record, _ in figures.rejected] == ["reject"] * 10
    assert figures.more_rejected == 38
    assert "The 10 nearest to the threshold; 38 more stand in the log." in page(figures, tmp_path)
    none = gather(path, early(), UTC_ZONE, most_rejected=0, now=at(15))
    assert (none.rejected, none.more_rejected) == ([], 48)


def test_events_are_listed_under_their_headings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Challenge tests, alarms, the gate, gaps; most of a kind are counted after so many."""
    path = tmp_path / "journal.jsonl"
    monkeypatch.setattr(shift_figures, "MOST_EVENTS", 3)
    write_day(path, monkeypatch, ["pass"] * 30, begin_h=6)
    with journal(path, lambda: DAY + timedelta(hours=7)) as log:
        log.append("challenge", {"what": "passed", "state": {}, "reason": "all were right"})
        log.append("incident", {"what": "thrown", "item": 3, "reason": "a PASS was thrown"})
        log.append("gap", {"counted": {"pass": 2}, "lost_items": 2, "lost_records": 2})
        for number in range(5):
            log.append("note", {"reason": f"alarm {number}", "alarm": "begun"})
    figures = gather(path, early(), UTC_ZONE, now=at(15))
    text = page(figures, tmp_path)
    headings = re.findall("<h2>(.*?)</h2>", text)
    assert headings[-6:] == [
        "Challenge tests",
        "Starts, stops, settings and model",
        "Alarms and notes",
        "At the gate",
        "Gaps and repairs of the journal",
        "Journal",
    ]
    assert "2 items more are counted and not described." in text
    assert "<p>2 more stand in the log.</p>" in text
    assert "alarm 3" not in text


def test_the_page_asks_for_nothing_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of the journal are no markup, and the policy allows its own style alone."""
    path, evil = tmp_path / "journal.jsonl", "<script>alert(1)</script>\"'&\u202e"
    write_day(path, monkeypatch, ["pass"] * 30, begin_h=6)
    with journal(path, lambda: DAY + timedelta(hours=7)) as log:
        found = [{**FOUND, "label": evil}]
        for kind in ("reject", "fault"):
            log.append("item", {"verdict": kind, "reason": evil, "findings": found, "gate": evil})
        log.append("note", {"reason": evil})
        log.append("start", {"model": {"file": evil, "sha256": evil}, "settings_sha256": evil})
    text = page(gather(path, early(), UTC_ZONE, now=at(15)), tmp_path)
    assert "<script" not in text
    assert "\u202e" not in text
    assert text.count("Content-Security-Policy") == 1
    assert "unsafe" not in text
    assert re.findall(r"(?:href|src)=\"(?!data:image/jpeg)", text) == []
    assert " style=" not in text


def test_the_chart_shows_what_the_alarm_sees(path: Path) -> None:
    """Its limits by the agreed rate, by the learnt one, or by that of the shift itself."""
    agreed = AlarmSettings(window_items=200, reject_rate=0.02)
    figures = gather(path, early(), UTC_ZONE, agreed, now=at(15))
    chart = p_chart(figures)
    assert chart is not None
    assert chart.out
    assert chart.upper is not None
    assert "agreed" in chart.words
    assert ET.fromstring(svg(chart, UTC_ZONE)).tag == "svg"
    own = p_chart(gather(path, early(), UTC_ZONE, now=at(15)))
    assert own is not None
    assert (own.out, round(own.rate, 3), own.window) == (False, 0.1, 200)
    figures.learnt, figures.alarms = (100, 1000), AlarmSettings()
    learnt = p_chart(figures)
    assert learnt is not None
    assert "learnt from 1000 items" in learnt.words


@pytest.mark.parametrize("verdict", ["pass", "reject"])
def test_a_shift_all_of_one_verdict_has_a_chart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    """A share of 0 or 1 has no limits."""
    write_day(tmp_path / "journal.jsonl", monkeypatch, [verdict] * 30, begin_h=6)
    figures = gather(tmp_path / "journal.jsonl", early(), UTC_ZONE, now=at(15))
    chart = p_chart(figures)
    assert chart is not None
    assert (chart.upper, chart.lower) == (None, None)
    assert "chain whole" in page(figures, tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; gives exit status, output and complaint."""

    def go(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main(["report", *map(str, arguments)])
        except SystemExit as error:
            status = int(error.code or 0)
        out, err = capsys.readouterr()
        return status, out, err

    return go


def test_the_command_writes_a_page_or_a_table(run: Run, path: Path, tmp_path: Path) -> None:
    """And says in one line what it holds."""
    asked = [path, "--shift", "06:00-14:00", "--day", "2026-11-30", "--zone", "UTC"]
    status, output, _ = run(*asked, "--out", tmp_path / "r.csv")
    assert (status, output.count("\n")) == (0, 1)
    assert "480 items, 432 pass, 24 reject, 24 fault; " in output
    rows = list(csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text("utf-8-sig"))))
    assert {row["part"] for row in rows} >= {"items", "hour", "reason", "not passed", "chain"}
    listed = [row for row in rows if row["part"] == "not passed"]
    assert (len(listed), listed[0]["local_time"]) == (48, "2026-11-30 06:09:00")
    assert run(*asked, "--out", tmp_path / "no" / "r.html")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shift", "6-14"], "must be two times of day"),
        (["--shift", "06:00-14:00", "--day", "Monday"], "must be today, yesterday"),
        (["--shift", "06:00-14:00", "--day", "9998-01-01"], "has not begun"),
        (["--shift", "06:00-14:00", "--out", "report.pdf"], "must end in .html or .csv"),
        (["--shift", "06:00-14:00", "--pictures", "-1"], "must be a number from 0 to 5000"),
        ([], "name the shift"),
        (["--due"], "--due goes by [reports]"),
    ],
)
def test_what_cannot_be_reported_is_one_line(
    run: Run, path: Path, arguments: list[str], words: str
) -> None:
    """With status 2."""
    status, _, said = run(path, *arguments)
    assert status == 2
    assert words in said


def test_what_is_due_is_written_once_and_so_many_are_kept(
    run: Run, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the shifts of the settings; other files in the folder stay."""
    monkeypatch.setattr("edge.commands.report.present", lambda: at(31))
    config = tmp_path / "edge.toml"
    sections = '[journal]\nfile = "journal.jsonl"\n[evidence]\nfolder = "evidence"\n[reports]\n'
    shifts = 'shifts = ["06:00-14:00", "14:00-22:00", "22:00-06:00"]\n'
    config.write_text(f'{sections}{shifts}folder = "reports"\nkeep = 4\n')
    asked = ["--due", "--config", config, "--zone", "UTC"]
    status, output, _ = run(*asked)
    assert (status, output.count("\n")) == (0, 6)
    (tmp_path / "reports" / "mine.html").write_text("mine")
    kept = sorted(file.name for file in (tmp_path / "reports").iterdir())
    assert kept == [
        "mine.html",
        "report-2026-11-29-2200-0600.html",
        "report-2026-11-30-0600-1400.html",
        "report-2026-11-30-1400-2200.html",
        "report-2026-11-30-2200-0600.html",
    ]
    config.write_text(f'{sections}{shifts}folder = "reports"\nkeep = 200\n')
    assert run(*asked)[1].count("\n") == 2
    assert run(*asked) == (0, "", "")
    config.write_text(sections)
    assert run(*asked) == (0, "", "")
    config.write_text(f'{sections}shifts = ["6-14"]\n')
    assert run(*asked)[0] == 78


def test_what_was_removed_for_room_is_not_written_again(tmp_path: Path) -> None:
    """Only files with a report's name go."""
    for day in (1, 2, 3):
        (tmp_path / f"report-2026-11-0{day}-0600-1400.html").write_text("")
    (tmp_path / "report-old.html").write_text("")
    assert keep_newest(tmp_path, 2) == 1
    assert due(tmp_path, [EARLY], UTC_ZONE, at(-27 * 24 + 15).wall_ns) == []
    assert (tmp_path / "report-old.html").exists()


def test_the_page_fits_a_telephone_and_a_screen(path: Path, tmp_path: Path) -> None:
    """In a browser, which finds nothing against its policy."""
    page(gather(path, early(), UTC_ZONE, now=at(15)), tmp_path)
    with browser(tmp_path / "profile") as window:
        window.open(f"file://{tmp_path}/report.html", 390, 800)
        window.value(
            "new Promise(done => document.readyState === 'complete' ? done(1) : "
            "addEventListener('load', () => done(1)))"
        )
        for width in (390, 1280):
            window.resize(width, 800)
            assert window.value("document.documentElement.scrollWidth") <= width
        size = "(() => { const i = document.querySelector('h1'); return [getComputedStyle(i)"
        assert window.value(f"{size}.fontSize]; }})()") == ["22px"]
        assert window.value("document.querySelectorAll('figure image').length") == 48
