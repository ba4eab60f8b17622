"""What the next eye knows of the records of the one before."""

from pathlib import Path

from edge.record.journal_file import rotated_files
from edge.record.written import WrittenRecords
from tests.disk import item, journal


def of_gate(tag: int, run: str = "1-2", t_ns: int = 7) -> dict[str, object]:
    """The fields of an item that a gate process saw, in the station's order."""
    more = {"trigger_ns": t_ns, "ms": 12.5, "tag": tag, "gate_run": run}
    return {**item(), **more}


def test_items_and_incidents_are_known_by_run_and_number(tmp_path: Path) -> None:
    """In the file being written and in the one before."""
    path = tmp_path / "journal.jsonl"
    with journal(path, file_items=3) as log:
        for tag in (1, 2, 3):
            log.append("item", of_gate(tag))
        log.append("item", of_gate(4, "3-4") | {"told_by": "5-6"})
        fields = {"what": "lost", "reason": '"incident": 9, "gate_run": "1-2"', "at_ns": 5}
        log.append("incident", {**fields, "incident": 1, "gate_run": "1-2"})
        more = {"incident": 2, "item": None, "tag": 3, "gate_run": "1-2"}
        log.append("incident", {**fields, "what": "thrown", **more})
    assert len(rotated_files(path)) == 1
    written = WrittenRecords(path)
    assert [written.holds_item("1-2", tag, 0) for tag in range(1, 5)] == [True, True, True, False]
    assert written.holds_item("3-4", 4, 0)
    assert [written.holds_incident("1-2", n) for n in (1, 2, 3, 9)] == [True, True, False, False]


def test_an_item_whose_tag_was_never_heard_is_known_by_its_moment(tmp_path: Path) -> None:
    """The gate was killed after it had taken the item, before it could say so."""
    path = tmp_path / "journal.jsonl"
    with journal(path) as log:
        log.append("item", of_gate(0, t_ns=1234))
    written = WrittenRecords(path)
    assert written.holds_item("1-2", 17, 1234)
    assert not written.holds_item("1-2", 17, 1235)
    assert not written.holds_item("9-9", 17, 1234)


def test_an_item_that_no_eye_saw_is_known_too(tmp_path: Path) -> None:
    """Its record has no ``ms``."""
    path = tmp_path / "journal.jsonl"
    unseen = {name: value for name, value in of_gate(3, t_ns=99).items() if name != "ms"}
    with journal(path) as log:
        log.append("item", unseen)
        log.append("item", {**unseen, "tag": 4, "gate_run": "3-4", "told_by": "5-6"})
    written = WrittenRecords(path)
    assert written.holds_item("1-2", 3, 0)
    assert written.holds_item("3-4", 4, 0)


def test_a_torn_line_is_no_record(tmp_path: Path) -> None:
    """A whole one without its line end is: the next start keeps it."""
    path = tmp_path / "journal.jsonl"
    with journal(path) as log:
        for tag in (1, 2):
            log.append("item", of_gate(tag))
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert WrittenRecords(path).holds_item("1-2", 2, 0)
    path.write_bytes(content[: content.rindex(b'"previous"')])
    assert not WrittenRecords(path).holds_item("1-2", 2, 0)
    assert WrittenRecords(path).holds_item("1-2", 1, 0)


def test_a_journal_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """The very first start."""
    assert not WrittenRecords(tmp_path / "journal.jsonl").holds_item("1-2", 1, 0)
