"""A file of truths is read strictly: all of it, or nothing and why."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.shadow.observed import Observed, Shadow
from edge.shadow.statements import Statements
from edge.shadow.truth_file import TruthFile, describe, read_truths

BEGIN = datetime(2026, 1, 31, 14, 0, 0, tzinfo=UTC)


def shadow(count: int = 6) -> Shadow:
    """Items a second apart; of item 6 the clock was not synchronised."""
    found = Shadow()
    for number in range(1, count + 1):
        moment = BEGIN + timedelta(seconds=number)
        time_ns = 0 if number == 6 else round(moment.timestamp()) * 10**9
        found.items[number] = Observed("study", "pass", time_ns)
    found.items[2].by_eye = "bad"
    return found


def read(
    tmp_path: Path, text: str | bytes, said: Statements | None = None, *, correct: bool = False
) -> TruthFile:
    """Read this text as a file."""
    path = tmp_path / "shift.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_truths(path, shadow(), said or Statements(), within_s=0.4, correct=correct)


@pytest.mark.parametrize(
    "text",
    [
        "sequence,truth\n1,good\n3,bad\n",
        "\ufeffSequence, Truth\r\n1,GOOD\r\n\r\n 3 ,bad \r\n",
        "time,truth\n2026-01-31T14:00:01.2+00:00,good\n2026-01-31T15:00:02.9+01:00,bad\n",
    ],
)
def test_a_file_is_read(tmp_path: Path, text: str) -> None:
    """By number or by time, also as a spreadsheet writes it."""
    found = read(tmp_path, text)
    assert (found.new, found.repeated, found.corrects) == ({1: "good", 3: "bad"}, 0, [])
    assert describe(found, {"study": 2}, "study") == ["taken: 2 items, 1 good and 1 bad"]
    assert "2 of them were judged by another model" in describe(found, {"study": 2}, "new")[-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its first line must be"),
        ("1,good\n", "its first line must be"),
        ("sequence;truth\n1;good\n", "its first line must be"),
        ("sequence,truth\n1,good\n1,bad\n", "line 3: item 1 must be what line 2 says"),
        ("sequence,truth\n1,ok\n", "line 2: truth must be good or bad"),
        ("sequence,truth\n1,\n", "line 2: truth must be good or bad"),
        ("sequence,truth\n0,good\n", "line 2: sequence must be an item's number"),
        ("sequence,truth\n-1,good\n", "line 2: sequence must be an item's number"),
        ("sequence,truth\n1.0,good\n", "line 2: sequence must be an item's number"),
        ("sequence,truth\n\u0661,good\n", "line 2: sequence must be an item's number"),
        ("sequence,truth\n7,good\n", "line 2: item 7 must be one that was judged in shadow"),
        ("sequence,truth\n1,good,bad\n", "line 2: must have 2 cells"),
        ("sequence,truth\n1\n", "line 2: must have 2 cells"),
        ('sequence,truth\n"1,good\n', "must be CSV"),
        (b"sequence,truth\n1,\xff\n", "must be UTF-8"),
        ("time,truth\nnoon,good\n", "line 2: time must read as"),
        ("time,truth\n2026-01-31T14:00:01.5+00:00,good\n", "line 2: no item within 0.4 s"),
        ("time,truth\n2026-01-31T14:00:06+00:00,good\n", "line 2: no item within 0.4 s"),
    ],
)
def test_what_is_wrong_costs_one_line_and_nothing_is_taken(
    tmp_path: Path, text: str | bytes, why: str
) -> None:
    """It names the line and what it must be."""
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_time_that_two_items_may_have_had_names_neither(tmp_path: Path) -> None:
    """A second apart, within 0.6 s of half past."""
    path = tmp_path / "shift.csv"
    path.write_text("time,truth\n2026-01-31T14:00:01.5+00:00,good\n")
    with pytest.raises(InputError, match=r"2 items within 0\.6 s .* name it by its sequence"):
        read_truths(path, shadow(), Statements(), within_s=0.6, correct=False)


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    """The first five by name."""
    lines = "".join(f"{n},good\n" for n in range(100, 120))
    with pytest.raises(InputError, match="and 15 more; nothing is taken"):
        read(tmp_path, f"sequence,truth\n{lines}")


def test_repeats_are_told_and_taken_once(tmp_path: Path) -> None:
    """Within the file, and of what somebody said before."""
    found = read(tmp_path, "sequence,truth\n1,good\n1,good\n3,bad\n", Statements({3: "bad"}))
    assert (found.new, found.repeated) == ({1: "good"}, 2)


@pytest.mark.parametrize(("line", "who"), [("2,good", "the photo-eye"), ("3,good", "somebody")])
def test_a_conflict_with_what_is_known_is_refused_unless_it_corrects(
    tmp_path: Path, line: str, who: str
) -> None:
    """The photo-eye's word, or that of a person."""
    said, text = Statements({3: "bad"}), f"sequence,truth\n1,good\n{line}\n"
    with pytest.raises(InputError, match=f"{who} said before .* add --correct"):
        read(tmp_path, text, said)
    found = read(tmp_path, text, said, correct=True)
    assert found.corrects == [int(line[0])]
    assert set(found.new) == {1, int(line[0])}
    assert any("1 correct what was said before" in line for line in describe(found, {}, "study"))
