"""The index has what the journal has, follows it, and shows what was done to it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.record.journal_file import rotated_files
from edge.review import filters
from edge.review.filters import Filter
from edge.review.index import ReviewIndex
from edge.review.taking import Sampling
from edge.sections.records import JournalSettings
from tests.edge.review.journals import NOON_MS, START, an_item, shift, write

HOUR_MS = 3_600_000


ANY = Filter()


def items_of(index: ReviewIndex, wanted: Filter = ANY, **more: int) -> list[int]:
    """Return the numbers of a page's items."""
    return [row.item for row in index.page(wanted, **more).rows]


def some(first: int, last: int) -> list[tuple[str, dict[str, object]]]:
    """Return records of passed items."""
    return [("item", an_item(number, "pass", 0.8)) for number in range(first, last + 1)]


def opened(folder: Path) -> ReviewIndex:
    """Return an index over the journal in a folder."""
    index = ReviewIndex.open(folder / "index.sqlite", folder / "journal.jsonl")
    index.catch_up()
    return index


def edit(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a journal in place, as somebody with an editor would."""
    lines = change(path.read_bytes().splitlines(keepends=True))
    path.write_bytes(b"".join(lines))


def test_pages_go_by_the_items_number_and_nothing_jumps(tmp_path: Path) -> None:
    """Older and newer pages meet without a gap while items come."""
    with shift(tmp_path) as store:
        index = store.index
        assert items_of(index, limit=3) == [40, 39, 38]
        write(store.journal, some(41, 45), second=60)
        index.catch_up()
        older = index.page(Filter(), before=38, limit=3)
        assert [row.item for row in older.rows] == [37, 36, 35]
        assert (older.newer, older.older) == (True, True)
        newer = index.page(Filter(), after=40, limit=3)
        assert [row.item for row in newer.rows] == [43, 42, 41]
        assert (newer.newer, newer.older) == (True, True)
        assert index.count_newer(Filter(), 40) == 5
        assert items_of(index, before=3, limit=50) == [2, 1]
        assert not index.page(Filter(), before=3).older
        assert index.page(Filter(), before=1).rows == ()


@pytest.mark.parametrize(
    ("wanted", "right"),
    [
        (Filter(verdicts=("reject",)), lambda n: n % 5 == 0),
        (Filter(verdicts=("reject", "pass")), lambda _: True),
        (Filter(codes=("missing",)), lambda n: n % 5 == 0),
        (Filter(codes=("none-such",)), lambda _: False),
        (Filter(label="seal"), lambda _: True),
        (Filter(label="other"), lambda _: False),
        (Filter(score_from=0.5, score_to=0.52), lambda n: n % 5 and n < 10),
        (Filter(since_ms=NOON_MS + 10_000), lambda n: n >= 10),
        (Filter(since_ms=NOON_MS + 10_000, until_ms=NOON_MS + 12_000), lambda n: n in (10, 11)),
        (Filter(model="cdcd"), lambda _: True),
        (Filter(model="cdce"), lambda _: False),
        (Filter(text="no seal"), lambda n: n % 5 == 0),
        (Filter(text="17"), lambda n: n == 17),
        (Filter(text="%"), lambda _: False),
        (Filter(text="' OR 1=1 --"), lambda _: False),
        (Filter(judgement="none"), lambda _: True),
        (Filter(judgement="bad"), lambda _: False),
        (Filter(pictured=False), lambda n: n % 5 and n % 2 == 0),
    ],
)
@pytest.mark.parametrize("near", [filters.NEAR, 2])
def test_a_filter_gives_what_fits_and_nothing_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    near: int,
    wanted: Filter,
    right: Callable[[int], bool],
) -> None:
    """Each filter against what was written, found among the neighbours or by merging the cells.

    Pages either way, and the count of newer ones, say the same; so does the filter's address.
    """
    monkeypatch.setattr(filters, "NEAR", near)
    fit = [number for number in range(40, 0, -1) if right(number)]
    with shift(tmp_path) as store:
        index = store.index
        assert items_of(index, wanted, limit=100) == fit
        older = index.page(wanted, before=30, limit=3)
        assert [row.item for row in older.rows] == [n for n in fit if n < 30][:3]
        newer = index.page(wanted, after=8, limit=3)
        assert [row.item for row in newer.rows] == [n for n in fit if n > 8][-3:]
        assert index.count_newer(wanted, 8) == len([n for n in fit if n > 8])
        assert index.count_newer(wanted, 8, most=2) == min(2, len([n for n in fit if n > 8]))
    assert Filter.of(wanted.as_query()) == wanted


@pytest.mark.parametrize(
    "query",
    [{"verdict": "maybe"}, {"score_from": "2"}, {"score_to": "x"}, {"since": "noon"},
     {"judgement": "fine"}, {"until": "9" * 30}],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_refused_in_words(query: dict[str, str]) -> None:
    """What is wrong is named."""
    with pytest.raises(InputError, match="must be"):
        Filter.of(query)


def test_an_item_is_read_from_the_journal_with_its_history(tmp_path: Path) -> None:
    """Record, neighbours, basis and the head of the journal."""
    with shift(tmp_path) as store:
        shown = store.shown(15)
        assert shown.record is not None
        assert shown.record["evidence"] == shown.row.evidence != ""
        assert shown.check.state == "whole"
        assert (shown.previous_item, shown.next_item, shown.head) == (14, 16, 40)
        assert shown.basis.threshold == 0.5
        assert shown.row.margin == pytest.approx(0.025)
        assert store.index.item(41) is None
        assert store.index.item(-1) is None
        with pytest.raises(InputError, match="item 99"):
            store.shown(99)


def altered(lines: list[bytes]) -> list[bytes]:
    """Change a verdict."""
    return [line.replace(b'"reject"', b'"pass"', 1) if b'"sequence": 20,' in line else line
            for line in lines]  # fmt: skip


def removed(lines: list[bytes]) -> list[bytes]:
    """Take a record out."""
    return [line for line in lines if b'"sequence": 20,' not in line]


def swapped(lines: list[bytes]) -> list[bytes]:
    """Exchange two records."""
    lines[20], lines[21] = lines[21], lines[20]
    return lines


def cut(lines: list[bytes]) -> list[bytes]:
    """Cut the end off."""
    return lines[:20]


@pytest.mark.parametrize(
    ("change", "states"),
    [
        (altered, {19: "whole", 20: "altered", 21: "unlinked", 22: "whole", 40: "whole"}),
        (removed, {18: "whole", 19: "unlinked", 20: "removed", 21: "unlinked", 40: "whole"}),
        (swapped, {19: "unlinked", 20: "reordered", 21: "reordered", 22: "unlinked", 23: "whole"}),
        (cut, {19: "whole", 20: "removed", 40: "removed", 18: "whole"}),
    ],
)
def test_what_was_done_to_records_on_the_disk_is_shown(
    tmp_path: Path,
    change: Callable[[list[bytes]], list[bytes]],
    states: dict[int, str],
) -> None:
    """A record altered, removed, reordered or cut off, in the item's page and in the list.

    It is the same before and after the index has looked at the file again.
    """
    with shift(tmp_path) as store:
        edit(store.journal, change)
        for _ in range(2):
            listed = {row.item: row.check.state for row in store.index.page(Filter()).rows}
            for item, state in states.items():
                shown = store.shown(item)
                assert (item, shown.check.state) == (item, state)
                assert listed[item] == state
                assert bool(shown.check.words) == (state != "whole")
            store.index.catch_up()
        assert store.index.state().troubles


@pytest.mark.parametrize("change", [altered, removed, swapped])
def test_a_journal_that_was_altered_before_it_is_indexed_is_in_trouble(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    """The chain does not hold, and the index says where."""
    with shift(tmp_path) as store:
        assert store.index.state().troubles == ()
        edit(store.journal, change)
        store.index.rebuild()
        words = [trouble.words for trouble in store.index.state().troubles]
        assert any("does not carry the hash of the line before" in said for said in words)


def test_a_journal_written_anew_with_a_right_chain_is_found_by_the_hashes(tmp_path: Path) -> None:
    """The chain alone would be whole; the index has seen other lines."""
    with shift(tmp_path) as store:
        store.journal.unlink()
        write(store.journal, [("start", START), *some(1, 45)])
        store.index.catch_up()
        assert store.shown(20).check.state == "altered"
        words = " ".join(trouble.words for trouble in store.index.state().troubles)
        assert "item 20 is another than when it was indexed" in words
        assert store.shown(45).check.state == "whole"


def test_rotated_files_are_followed_by_what_is_in_them(tmp_path: Path) -> None:
    """A rename is no trouble; a file that goes is."""
    path, small = tmp_path / "journal.jsonl", JournalSettings(file_items=4)
    with opened(tmp_path) as index:
        assert index.state().items == 0
        for first in range(1, 20, 3):
            write(path, some(first, first + 2), second=first, settings=small)
            index.catch_up()
        assert index.state().items == 21
        assert index.state().troubles == ()
        assert [row.check.state for row in index.page(Filter()).rows] == ["whole"] * 21
        rotated_files(path)[1].unlink()
        assert [row.item for row in index.page(Filter()).rows if row.check.state == "removed"]
        assert "is gone" in index.state().troubles[0].words


def test_a_full_file_that_was_written_into_is_trouble_before_it_is_shown(tmp_path: Path) -> None:
    """Its length and its end are as they were."""
    path = tmp_path / "journal.jsonl"
    write(path, [("start", START), *some(1, 45)], settings=JournalSettings(file_items=40))
    with opened(tmp_path) as index:
        assert index.state().troubles == ()
        edit(rotated_files(path)[0], swapped)
        index.catch_up()
        words = [trouble.words for trouble in index.state().troubles]
        assert any("does not carry the hash of the line before" in said for said in words)
        assert index.state().items == 45
        assert index.counts(NOON_MS, NOON_MS + HOUR_MS).items == 45


def test_a_model_of_before_is_found_among_the_items_that_it_judged(tmp_path: Path) -> None:
    """Each item by what judged it."""
    path = tmp_path / "journal.jsonl"
    other = {**START, "model": {"sha256": "ee" * 32, "file": "n.onnx"}}
    write(path, [("start", START), *some(1, 5), ("start", other), *some(6, 9)])
    write(path, [("start", START), *some(10, 12)], second=60)
    with opened(tmp_path) as index:
        assert items_of(index, Filter(model="ee")) == [9, 8, 7, 6]
        assert items_of(index, Filter(model="cd" * 32)) == [12, 11, 10, 5, 4, 3, 2, 1]


def test_rebuilding_gives_the_same_index(tmp_path: Path) -> None:
    """What was followed line by line, and what is read at once."""
    with shift(tmp_path, items=25) as store:
        write(store.journal, some(26, 30), second=60)
        store.index.catch_up(2)
        assert store.index.state().behind_bytes > 0
        store.index.catch_up()
        followed = store.index.page(Filter()).rows
        counted = store.index.counts(NOON_MS, NOON_MS + HOUR_MS)
        store.index.rebuild()
        assert store.index.page(Filter()).rows == followed
        assert store.index.counts(NOON_MS, NOON_MS + HOUR_MS) == counted
        assert store.index.state().behind_bytes == 0


def test_a_damaged_index_or_one_of_another_journal_is_made_anew(tmp_path: Path) -> None:
    """The journal is the record."""
    with shift(tmp_path):
        pass
    path = tmp_path / "review" / "index.sqlite"
    path.write_bytes(b"garbage" * 1000)
    with shift_again(tmp_path) as index:
        assert index.state().items == 40
    with ReviewIndex.open(path, tmp_path / "other.jsonl") as index:
        index.catch_up()
        assert index.state().items == 0


def shift_again(folder: Path) -> ReviewIndex:
    """Return an index at the store's own place."""
    index = ReviewIndex.open(folder / "review" / "index.sqlite", folder / "journal.jsonl")
    index.catch_up()
    return index


def test_a_line_that_is_being_written_waits(tmp_path: Path) -> None:
    """Half a line is no record yet."""
    with shift(tmp_path) as store:
        whole = store.journal.read_bytes()
        store.journal.write_bytes(whole[:-30])
        store.index.rebuild()
        assert store.index.state().last_item == 39
        store.journal.write_bytes(whole)
        store.index.catch_up()
        assert store.index.state().last_item == 40
        assert store.index.state().troubles == ()


def test_times_from_before_the_clock_was_right_are_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the monotonic clock of the same boot; the counts go with them."""
    path = tmp_path / "journal.jsonl"
    synced = [False]
    monkeypatch.setattr("edge.record.journal.clock_synced", lambda: synced[0])
    write(path, some(1, 3), wrong_s=-(10**6))
    with opened(tmp_path) as index:
        assert index.page(Filter()).rows[0].time_source == "unsynchronised"
        synced[0] = True
        write(path, some(4, 4), second=3)
        index.catch_up()
        rows = index.page(Filter()).rows
        assert [row.time_source for row in rows] == ["clock", "repaired", "repaired", "repaired"]
        assert index.counts(NOON_MS, NOON_MS + HOUR_MS).items == 4
        assert index.counts(0, 2 * NOON_MS).items == 4


def test_counts_and_chart_are_of_the_span_asked_for(tmp_path: Path) -> None:
    """Forty seconds after noon, a fifth of them rejected."""
    with shift(tmp_path) as store:
        counts = store.index.counts(NOON_MS, NOON_MS + HOUR_MS)
        assert (counts.items, counts.passed, counts.rejected) == (40, 32, 8)
        assert counts.reasons == {"missing": 8}
        assert counts.labels == {"seal": 40}
        assert counts.reject_share == 0.2
        chart = store.index.chart(NOON_MS, NOON_MS + HOUR_MS, 15)
        assert [(point.items, point.rejects, point.out) for point in chart.points] == [
            (40, 8, False)
        ]
        assert store.index.counts(NOON_MS - HOUR_MS, NOON_MS).items == 0
        assert store.index.chart(NOON_MS - HOUR_MS, NOON_MS).mean is None


def test_what_is_no_item_is_listed_in_words(tmp_path: Path) -> None:
    """A start, with its version and model."""
    with shift(tmp_path) as store:
        events = store.index.events(NOON_MS, NOON_MS + HOUR_MS)
        assert [(event.kind, event.words) for event in events] == [
            ("start", "version 0.1.0, model m.onnx")
        ]
        assert store.index.events(NOON_MS, NOON_MS + HOUR_MS, kinds=("gap",)) == ()
        assert store.index.choices().models == (("cd" * 32, "m.onnx"),)
        assert store.index.choices().codes == ("found", "missing")


def test_the_draw_is_by_the_key_and_its_share() -> None:
    """Another key draws others; a share of a tenth draws a tenth."""
    one, other = Sampling(b"1" * 32, 0.1), Sampling(b"2" * 32, 0.1)
    drawn = {item for item in range(20_000) if one.takes(one.draw(item))}
    assert 1800 < len(drawn) < 2200
    assert len(drawn & {item for item in range(20_000) if other.takes(other.draw(item))}) < 300
    assert one.name != other.name != Sampling(b"2" * 32, 0.2).name
