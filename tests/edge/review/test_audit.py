"""What reviewers say is chained, undone by a further record, signed, exported and restored."""

import csv
import multiprocessing
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.errors import InputError
from edge.record.verify import verify
from edge.review.audit import REFUSALS_A_MINUTE, AuditLog, ConflictError
from edge.review.index import ReviewIndex
from edge.review.judgements import read_judgements
from edge.review.people import Person
from edge.review.store import ReviewStore
from tests.edge.review.journals import ANNA, BERT, ELSE, NOON_MS, config_in, shift

HOUR_MS = 3_600_000
VIEWER = Person("vera", "viewer")


def test_a_judgement_says_who_what_before_and_after_and_of_which_line(tmp_path: Path) -> None:
    """And the journal is as it was."""
    with shift(tmp_path, items=10) as store:
        before = store.journal.read_bytes()
        first = store.judge(5, "good", ANNA, "smeared\nbut there")
        second = store.judge(5, "bad", BERT)
        records = [*store.audit.records()]
        assert [(r["by"], r["before"], r["after"], r["verdict"]) for r in records] == [
            ("anna", "", "good", "reject"),
            ("bert", "good by anna", "bad", "reject"),
        ]
        assert records[0]["reason"] == "smeared\\u000abut there"
        assert records[0]["wall_time"][-6] in "+-"
        assert records[0]["line_sha256"] == store.shown(5).line_sha256
        assert records[0]["evidence_sha256"]
        assert [said.id for said in store.index.judgements(5)] == [first.id, second.id]
        assert store.shown(5).row.judgement == "bad"
        assert store.shown(5).row.judged_by == "bert"
        assert store.journal.read_bytes() == before
        assert verify(store.audit.path).records == 2
        assert main(["verify-log", str(store.audit.path)]) == 0


def test_an_undo_is_one_more_record_and_leaves_what_stood_before(tmp_path: Path) -> None:
    """Ones own by oneself, anothers by an engineer, each once."""
    with shift(tmp_path, items=10) as store:
        store.judge(5, "good", ANNA)
        said = store.judge(5, "bad", BERT)
        with pytest.raises(InputError, match="not what bert did"):
            store.undo(said.id, ANNA)
        store.undo_last(BERT)
        assert store.shown(5).row.judgement == "good"
        with pytest.raises(InputError, match="taken back already"):
            store.undo(said.id, BERT)
        store.undo(store.index.judgements(5)[0].id, ELSE)
        assert store.shown(5).row.judgement == ""
        assert [record["kind"] for record in store.audit.records()] == [
            "judgement", "judgement", "undo", "undo",
        ]  # fmt: skip
        with pytest.raises(InputError, match="nothing to take back"):
            store.undo_last(BERT)
        with pytest.raises(InputError, match="no judgement"):
            store.undo("x", ELSE)
        assert read_judgements(store.audit.path) == {}


def test_who_did_not_see_the_standing_word_is_told(tmp_path: Path) -> None:
    """Two reviewers at once: the second one has to look again."""
    with shift(tmp_path, items=10) as store:
        said = store.judge(5, "good", ANNA, seen="")
        with pytest.raises(ConflictError, match="anna has said good"):
            store.judge(5, "bad", BERT, seen="")
        store.judge(5, "bad", BERT, seen=said.id)


@pytest.mark.parametrize("judgement", ["fine", ""])
def test_only_known_words_by_who_may_are_taken(tmp_path: Path, judgement: str) -> None:
    """A viewer looks; nothing is written."""
    with shift(tmp_path, items=10) as store:
        with pytest.raises(InputError, match="must be one of"):
            store.judge(5, judgement, ANNA)
        with pytest.raises(InputError, match="viewer may not"):
            store.judge(5, "good", VIEWER)
        with pytest.raises(InputError, match="viewer may not"):
            store.audit.sign(store.index, VIEWER, NOON_MS, NOON_MS + 1)
        assert store.audit.is_empty


def test_a_record_that_was_altered_is_not_judged(tmp_path: Path) -> None:
    """What would be said is of another line."""
    with shift(tmp_path, items=10) as store:
        content = store.journal.read_bytes()
        store.journal.write_bytes(content.replace(b'"sequence": 5,', b'"sequence": 5, "x": 1,'))
        with pytest.raises(InputError, match="altered"):
            store.judge(5, "good", ANNA)


def test_judgements_are_read_again_after_a_rebuild(tmp_path: Path) -> None:
    """They are in the audit log, not in the index; and another process has them at once."""
    with shift(tmp_path, items=10) as store:
        store.judge(5, "good", ANNA)
        store.judge(10, "bad", ANNA)
        store.undo_last(ANNA)
        store.index.rebuild()
        assert [row.item for row in store.index.rows_of((5, 10)) if row.judgement] == [5]
        assert store.index.counts(NOON_MS, NOON_MS + HOUR_MS).judged == {"good": 1}
        with ReviewStore(config_in(tmp_path)) as other:
            other.judge(10, "unsure", BERT)
        store.index.catch_up()
        assert store.shown(10).row.judgement == "unsure"


def test_a_review_is_signed_with_what_was_in_it(tmp_path: Path) -> None:
    """Counts, what had been looked at, and the journal's end."""
    with shift(tmp_path, items=10) as store:
        store.judge(5, "bad", ANNA)
        store.audit.sign(store.index, ANNA, NOON_MS, NOON_MS + HOUR_MS, "all well")
        signed = [*store.audit.records()][-1]
        assert signed["by"] == "anna"
        assert signed["items"] == {"pass": 8, "reject": 2, "fault": 0}
        assert signed["looked_at"] == {"bad": 1}
        assert signed["journal"]["item"] == 10
        assert signed["journal"]["line_sha256"] == store.shown(10).line_sha256
        assert signed["troubles"] == []
        with pytest.raises(InputError, match="span of time"):
            store.audit.sign(store.index, ANNA, NOON_MS, NOON_MS)


def test_ten_thousand_refusals_do_not_fill_the_disk(tmp_path: Path) -> None:
    """Some are written one by one, the others counted; none is lost."""
    log = AuditLog(tmp_path)
    for number in range(10_000):
        log.refuse("login", "name or password is not right", name=f"u{number}", address="::1")
    log.flush()
    records = [*log.records()]
    assert len(records) == REFUSALS_A_MINUTE + 1
    assert records[-1]["number"] == 10_000 - REFUSALS_A_MINUTE
    assert log.path.stat().st_size < 20_000
    log.refuse("csrf", "x\n" * 5000, path="/" * 5000)
    assert max(map(len, log.path.read_bytes().splitlines())) < 10_000


def test_an_export_restores_what_was_said(tmp_path: Path) -> None:
    """Byte by byte; an older log does not take the place of a newer one."""
    with shift(tmp_path, items=10) as store:
        store.judge(5, "bad", ANNA, "=1+1")
        target = tmp_path / "export.jsonl"
        assert store.audit.export(target) == 1
        store.judge(10, "bad", ANNA)
        with pytest.raises(InputError, match="holds records that"):
            store.audit.restore(target)
        store.audit.export(target)
        assert store.audit.restore(target) == 2
        store.audit.path.unlink()
        assert store.audit.restore(target) == 2
        store.judge(5, "good", BERT)
        assert verify(store.audit.path).records == 3
        store.audit.export(tmp_path / "export.csv", as_csv=True)
    text = (tmp_path / "export.csv").read_text(encoding="utf-8-sig")
    rows = [*csv.DictReader(text.splitlines())]
    assert [(row["item"], row["after"], row["by"]) for row in rows][2] == ("5", "good", "bert")
    assert rows[0]["reason"] == "'=1+1"


def test_an_export_or_restore_of_a_log_that_was_altered_is_refused(tmp_path: Path) -> None:
    """The chain is checked before."""
    with shift(tmp_path, items=10) as store:
        store.judge(5, "bad", ANNA)
        store.judge(10, "bad", ANNA)
        store.audit.export(tmp_path / "export.jsonl")
        for path in (store.audit.path, tmp_path / "export.jsonl"):
            path.write_bytes(path.read_bytes().replace(b'"anna"', b'"bert"', 1))
        with pytest.raises(InputError, match="hash of the line before"):
            store.audit.export(tmp_path / "again.jsonl")
        store.audit.path.unlink()
        with pytest.raises(InputError, match="hash of the line before"):
            store.audit.restore(tmp_path / "export.jsonl")
        assert store.audit.is_empty


def _note(folder: str, name: str, number: int) -> None:
    log = AuditLog(Path(folder))
    for _ in range(number):
        log.note("login", Person(name, "viewer"))


def test_several_processes_append_to_one_chain(tmp_path: Path) -> None:
    """Each waits for its turn, and nothing is lost."""
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_note, args=(str(tmp_path), name, 10)) for name in ("a", "b", "c")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert AuditLog(tmp_path).verify().records == 30


def test_an_audit_log_that_was_altered_is_trouble_in_the_index(tmp_path: Path) -> None:
    """The page shows it."""
    with shift(tmp_path, items=10) as store:
        store.judge(5, "bad", ANNA)
        store.judge(10, "bad", ANNA)
        path = store.audit.path
        path.write_bytes(path.read_bytes().replace(b'"anna"', b'"bert"', 1))
        store.index.rebuild()
        words = " ".join(trouble.words for trouble in store.index.state().troubles)
        assert "audit.jsonl: line 2 does not carry" in words
    assert isinstance(store.index, ReviewIndex)
