import json
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.exporters.counted_journal import CountedJournal
from edge.exporters.journal_follower import Cursor, Entry
from edge.exporters.state_file import Kept, StateFile, state_path
from edge.exporters.totals import MOST_NAMES, OTHER, Totals
from tests.disk import item, journal
from tests.edge.exporters.journals import START, read_all, write_items


def totals_of(path: Path) -> Totals:
    """Count a whole journal."""
    totals = Totals()
    for entry in read_all(path):
        totals.take(entry)
    return totals


def test_every_record_is_counted_where_it_belongs(tmp_path: Path) -> None:
    """Items, what a gap and a missing record tell, incidents, alarms, starts and ends."""
    path = tmp_path / "journal.jsonl"
    with journal(path) as written:
        written.append("start", START)
        for kind, code in (("pass", "found"), ("reject", "missing"), ("reject", "unsure")):
            written.append("item", item(kind, code=code, gate="in-time", ms=40.0))
        lost = {"lost_records": 3, "lost_items": 2, "counted": {"fault": 2}, "sequence": 5}
        written.append("gap", lost)
        written.append("missing", {"sequence": 9, "items": 4, "reason": "gone"})
        written.append("incident", {"what": "swept", "reason": "another gate began"})
        written.append("note", {"code": "disk", "alarm": "begun"})
        written.append("note", {"code": "power", "alarm": "begun"})
        written.append("note", {"code": "power", "alarm": "ended"})
    found = totals_of(path)
    assert found.verdicts == {"pass": 1, "reject": 2, "fault": 2}
    assert found.codes == {"pass found": 1, "reject missing": 1, "reject unsure": 1}
    assert found.outcomes == {"in-time": 3}
    assert (found.items, found.lost, found.missing, found.starts) == (5, 2, 4, 1)
    assert (found.incidents, found.alarms) == ({"swept": 1}, {"disk": 1, "power": 1})
    assert (found.sounding, found.runs, found.unclean_ends) == (["disk"], True, 0)
    assert (sum(found.late_buckets), round(found.latency_s, 6)) == (3, 0.12)
    with journal(path) as written:
        written.append("start", START)
    again = totals_of(path)
    assert (again.starts, again.unclean_ends, again.sounding) == (2, 1, [])


def test_a_journal_that_names_thousands_of_codes_makes_no_thousands_of_counters() -> None:
    """Whatever is too many is counted as other, and nothing is lost."""
    totals = Totals()
    for number in range(1000):
        record = {"kind": "item", "sequence": number + 1, **item(code=f"c{number}", gate="x" * 999)}
        totals.take(Entry(record, Cursor(), broken=False))
    assert len(totals.codes) == MOST_NAMES + 1
    assert sum(totals.codes.values()) == 1000
    assert totals.codes[f"pass {OTHER}"] == 1000 - MOST_NAMES
    assert totals.outcomes == {OTHER: 1000}


def test_totals_go_on_over_a_restart_of_the_exporter_as_if_there_had_been_none(
    tmp_path: Path,
) -> None:
    """What was counted is kept with its place in the journal, and each record counts once."""
    path, state = tmp_path / "journal.jsonl", StateFile(tmp_path / "state.json")
    write_items(path, 8, file_items=3)
    for _ in range(3):
        with CountedJournal(path, state) as counted:
            assert counted.read() is False
            assert counted.caught_up
            assert counted.totals == totals_of(path)
        write_items(path, 5, file_items=3)
    assert state.load().totals.items == 18


def test_files_that_were_archived_are_still_counted(tmp_path: Path) -> None:
    """A counter of Prometheus never falls."""
    path, state = tmp_path / "journal.jsonl", StateFile(tmp_path / "state.json")
    write_items(path, 8, file_items=3)
    with CountedJournal(path, state) as counted:
        counted.read()
    for file in sorted(tmp_path.glob("journal-*")):
        file.unlink()
    write_items(path, 4)
    with CountedJournal(path, state) as counted:
        counted.read()
        assert counted.totals.items == 12


def test_what_was_counted_and_is_not_in_the_journal_any_more_is_counted_anew(
    tmp_path: Path,
) -> None:
    """Lines that the writer took back were never items."""
    path, state = tmp_path / "journal.jsonl", StateFile(tmp_path / "state.json")
    write_items(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    with CountedJournal(path, state) as counted:
        counted.read()
    path.write_bytes(b"".join(lines[:4]))
    write_items(path, 6)
    with CountedJournal(path, state) as counted:
        while counted.read():
            pass
        assert counted.totals == totals_of(path)
        assert counted.totals.items == 9


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"v": 2}', "x" * 2_000_000,
     json.dumps({"v": 1, "cursor": Cursor().as_object(), "totals": {}, "births": 0}),
     json.dumps({"v": 1, "cursor": {}, "totals": Totals().as_object(), "births": 0}),
     json.dumps({"v": 1, "cursor": Cursor().as_object(), "totals": Totals().as_object(),
                 "births": -1}),
     json.dumps({"v": 1, "cursor": Cursor().as_object(), "births": 0,
                 "totals": {**Totals().as_object(), "verdicts": {"pass": "many"}}})],
)  # fmt: skip
def test_a_state_file_that_is_none_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    """It is not replaced: somebody may have named a file of his."""
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(InputError, match="state") as caught:
        StateFile(path).load()
    assert str(path) in str(caught.value)
    assert path.read_text() == content


def test_the_state_comes_back_as_it_was(tmp_path: Path) -> None:
    """Every count of it."""
    path = tmp_path / "journal.jsonl"
    write_items(path, 8)
    kept = Kept(read_all(path)[-1].cursor, totals_of(path), births=3)
    state = StateFile(tmp_path / "state.json")
    state.save(kept)
    assert state.load() == kept


def test_a_state_that_cannot_be_written_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exporter goes on: the journal has it all."""
    state = StateFile(tmp_path / "missing" / "state.json")
    for _ in range(3):
        state.save(Kept())
    assert capsys.readouterr().err.count("\n") == 1


def test_the_state_lies_where_the_settings_or_systemd_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without either there is none."""
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")
    assert state_path("", tmp_path, "mqtt") == Path("/var/lib/a/mqtt.json")
    assert state_path("s.json", tmp_path, "mqtt") == tmp_path / "s.json"
    monkeypatch.delenv("STATE_DIRECTORY")
    assert state_path("", tmp_path, "mqtt") is None
