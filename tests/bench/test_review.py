"""The bench of the review store, on a short journal."""

from pathlib import Path

import pytest

from bench.review import pages
from bench.review.__main__ import SAMPLING, queries, work
from bench.review.written import write_journal
from edge.record.verify import verify
from edge.review.index import ReviewIndex

ITEMS = 400


def test_the_journal_of_the_bench_is_one(tmp_path: Path) -> None:
    """Its chain holds, and the index finds nothing amiss in it."""
    journal = tmp_path / "journal.jsonl"
    write_journal(journal, ITEMS)
    assert verify(journal).items == ITEMS
    with ReviewIndex.open(tmp_path / "i.sqlite", journal, sampling=SAMPLING) as index:
        index.catch_up()
        assert index.state().items == ITEMS
        assert index.state().troubles == ()


def test_each_query_is_asked_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the machine's speed: a line each, and the index's size."""
    assert work(ITEMS, tmp_path) in (0, 1)
    said = capsys.readouterr().out
    assert f"journal: {ITEMS} items" in said
    assert "index: made in" in said
    with ReviewIndex.open(tmp_path / "i.sqlite", tmp_path / "none.jsonl") as index:
        assert all(f"\n{name} " in said for name in queries(index, ITEMS))


def test_each_page_is_asked_of_the_real_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By HTTP, once here; a page that is not answered ends the bench."""
    monkeypatch.setattr(pages, "CALLS", 1)
    write_journal(tmp_path / "journal.jsonl", 50)
    assert pages.measure_pages(tmp_path / "journal.jsonl", 50, 1e9) == 0
    said = capsys.readouterr().out
    assert "index: 50 items" in said
    assert all(f"\n{page} " in said for page in pages.PAGES)
