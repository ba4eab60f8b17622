"""Alarms and the line's name where people meet them: journal, CSV, status, FAULT, exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.gate.simulated import SimulatedGate
from edge.record.verify import read_records, verify
from edge.sections.alarms import AlarmSettings
from edge.sections.records import JournalSettings
from edge.sections.service import ServiceSettings
from edge.service import serve
from tests.edge.test_station import DOT, NOTHING, settings
from tests.tiny_model import save

NAME = "packing 2, station 1"


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stood on the FAULT output, each time that it changed."""
    shown: list[str] = []
    really = SimulatedGate.show_fault

    def show(gate: SimulatedGate, trouble: str) -> None:
        really(gate, trouble)
        if [trouble] != shown[-1:]:
            shown.append(trouble)

    monkeypatch.setattr(SimulatedGate, "show_fault", show)
    return shown


def run(
    folder: Path, rejects: int, *, name: str = NAME, start_ns: int = 0, **alarms: Any
) -> list[dict[str, Any]]:
    """Pass a dot and then so many items without; return the journal of this run."""
    config = settings(
        folder,
        alarms=AlarmSettings(**alarms),
        journal=JournalSettings(file="journal.jsonl", status="status.json"),
        service=ServiceSettings(name=name),
    )
    save(folder / "frames" / "00.png", DOT)
    for number in range(1, rejects + 1):
        save(folder / "frames" / f"{number:02}.png", NOTHING)
    serve(config, SimulatedClock(start_ns))
    records = read_records(folder / "journal.jsonl")
    return records[max(n for n, record in enumerate(records) if record["kind"] == "start") :]


def toml(folder: Path) -> Path:
    """A settings file that names the run's journal and status."""
    path = folder / "edge.toml"
    path.write_text('[journal]\nfile = "journal.jsonl"\nstatus = "status.json"\n')
    return path


def test_an_alarm_is_a_note_when_it_begins_and_trouble_while_it_lasts(
    tmp_path: Path, faults: list[str]
) -> None:
    """It raises no FAULT unasked, and `status` has it with the name in front."""
    records = run(tmp_path, 4, rejects_in_a_row=3)
    (note,) = [record for record in records if record["kind"] == "note"]
    assert (note["code"], note["alarm"], note["sequence"]) == ("rejects-in-a-row", "begun", 4)
    words = note["reason"]
    assert words.startswith("rejects-in-a-row: 3 items running did not pass; look at ")
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["trouble"] == f"{NAME}: {words}"
    assert faults == [""]
    assert records[-1]["alarms"]["sounding"] == ["rejects-in-a-row"]
    assert verify(tmp_path / "journal.jsonl").items == 5


def test_an_alarm_raises_fault_where_the_settings_say_so(tmp_path: Path, faults: list[str]) -> None:
    """With the same words."""
    records = run(tmp_path, 4, rejects_in_a_row=3, fault=("rejects-in-a-row",))
    (note,) = [record for record in records if record["kind"] == "note"]
    assert faults == ["", note["reason"]]


def test_rejects_in_a_row_are_counted_on_after_a_restart(tmp_path: Path, faults: list[str]) -> None:
    """Two before it and, behind the passed dot, nothing: then three, without one."""
    run(tmp_path, 2, rejects_in_a_row=4)
    (tmp_path / "frames" / "00.png").unlink()
    save(tmp_path / "frames" / "00.png", NOTHING)
    config = settings(
        tmp_path,
        alarms=AlarmSettings(rejects_in_a_row=4),
        journal=JournalSettings(file="journal.jsonl", status="status.json"),
    )
    serve(config, SimulatedClock(10**12))
    notes = [r for r in read_records(tmp_path / "journal.jsonl") if r["kind"] == "note"]
    assert [(note["code"], note["sequence"]) for note in notes] == [("rejects-in-a-row", 5)]
    assert faults == [""]


def test_a_service_in_alarm_is_no_well_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` ends with 1 while it sounds."""
    run(tmp_path, 4, rejects_in_a_row=3)
    status = json.loads((tmp_path / "status.json").read_text())
    status["state"] = "trouble"  # as it was before the end of the pictures
    (tmp_path / "status.json").write_text(json.dumps(status))
    monkeypatch.setattr("edge.commands.status.SILENT_S", 1e9)
    assert main(["status", "--config", str(toml(tmp_path))]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("state           trouble (process ")
    assert lines[1] == f"service         {NAME}"
    assert lines[2].startswith(f"trouble         {NAME}: rejects-in-a-row: 3 items running did not")


def test_the_name_of_line_and_station_stands_in_every_record_and_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And in the status of a service that has ended; a journal that has it is whole."""
    records = run(tmp_path, 2)
    assert {record["kind"] for record in records} == {"start", "item", "stop"}
    assert {record["service"] for record in records} == {NAME}
    assert verify(tmp_path / "journal.jsonl").records == len(records)
    path = str(toml(tmp_path))
    assert main(["log", "--csv", "--config", path]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.endswith(",service")
    assert [row.endswith(f'"{NAME}"') for row in rows] == [True] * 3
    (tmp_path / "status.json").unlink()
    assert main(["status", "--config", path]) == 1
    assert f"service         {NAME}\n" in capsys.readouterr().out


def test_a_journal_without_a_name_goes_on_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An older release's records list and verify beside the new ones."""
    run(tmp_path, 1, name="")
    run(tmp_path, 1, start_ns=10**12)
    records = read_records(tmp_path / "journal.jsonl")
    half = len(records) // 2
    assert [record.get("service") for record in records] == [None] * half + [NAME] * half
    assert verify(tmp_path / "journal.jsonl").items == 4
    assert main(["log", "--wide", "--config", str(toml(tmp_path))]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [f"service={NAME}" in line for line in shown] == [False] * half + [True] * half
