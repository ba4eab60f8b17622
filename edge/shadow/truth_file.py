"""A file in which people say what items were: CSV, read strictly, all of it or nothing."""

import csv
import io
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import InputError
from edge.files import read_bounded
from edge.settings import shown
from edge.shadow.observed import Shadow
from edge.shadow.statements import Statements
from edge.shadow.study import truth_of

MAX_BYTES = 64 << 20
WORDS = {"good": "good", "bad": "bad"}
HEADINGS = (["sequence", "truth"], ["time", "truth"])
EXAMPLE = 'its first line must be "sequence,truth" or "time,truth"'
NAMED = 5
"""Mistakes that are told one by one."""


@dataclass
class TruthFile:
    """What a file says, by the numbers of the items.

    *repeated*: items of which it, or somebody before, said the same. *corrects*: those of which the
    photo-eye, or somebody before, said otherwise. *new*: what is to be written down.
    """

    truths: dict[int, str] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    repeated: int = 0
    corrects: list[int] = field(default_factory=list)
    new: dict[int, str] = field(default_factory=dict)


def read_truths(
    path: Path, shadow: Shadow, said: Statements, *, within_s: float, correct: bool
) -> TruthFile:
    """Read a file of truths about items that were judged in *shadow*.

    *within_s*: how far the time of a line may be from the one item that it is about. *correct*:
    whether what it says may differ from what was *said* before, or by the photo-eye. Raises
    InputError that names the first lines that are wrong, and then nothing of it counts.
    """
    found, wrong = TruthFile(), list[str]()
    clock = _Clock(shadow, within_s)
    for number, key, item_text, truth_text in _rows(path):
        where = f"line {number}"
        truth = WORDS.get(truth_text.strip().lower())
        item = _number(item_text) if key == "sequence" else clock.item_at(item_text.strip())
        if truth is None:
            wrong.append(f"{where}: truth must be good or bad, not {shown(truth_text)}")
        elif isinstance(item, str):
            wrong.append(f"{where}: {item}")
        elif item not in shadow.items:
            wrong.append(f"{where}: item {item} must be one that was judged in shadow")
        elif found.truths.get(item, truth) != truth:
            wrong.append(f"{where}: item {item} must be what line {found.lines[item]} says it is")
        elif item in found.truths:
            found.repeated += 1
        else:
            found.truths[item], found.lines[item] = truth, number
    _raise(path, wrong)
    _compare(path, found, shadow, said, correct=correct)
    return found


def _compare(
    path: Path, found: TruthFile, shadow: Shadow, said: Statements, *, correct: bool
) -> None:
    """Compare with what is known already. Raises InputError."""
    wrong = []
    for item, truth in found.truths.items():
        known = truth_of(shadow.items[item], said.truths.get(item, ""))
        if known == truth and item in said.truths:
            found.repeated += 1
            continue
        found.new[item] = truth
        if known and known != truth:
            found.corrects.append(item)
            who = "somebody" if item in said.truths else "the photo-eye"
            wrong.append(f"line {found.lines[item]}: {who} said before that item {item} is {known}")
    if not correct:
        _raise(path, wrong, "; nothing is taken; to correct what was said, add --correct")


def _raise(path: Path, wrong: list[str], next_step: str = "; nothing is taken; correct it") -> None:
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        raise InputError(f"{path}: {'; '.join(wrong[:NAMED])}{more}{next_step}")


def _rows(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Yield each line with its number: what its item is named by, item and truth as texts.

    Empty lines are passed over. Raises InputError.
    """
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: must be UTF-8; export it again as CSV UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}: must be CSV ({error}); export it again") from None
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    if heading not in HEADINGS:
        raise InputError(f"{path}: {EXAMPLE}, not {shown(','.join(heading))}")
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heading):
            raise InputError(f"{path}: line {number}: must have {len(heading)} cells; correct it")
        yield number, heading[0], row[0], row[1]


def _number(text: str) -> int | str:
    """Return an item's number, or what is wrong."""
    text = text.strip()
    if text.isascii() and text.isdigit() and 0 < len(text) <= 18 and int(text):
        return int(text)
    return f"sequence must be an item's number from 1, not {shown(text)}"


class _Clock:
    """Finds items by the time at which they were written down."""

    def __init__(self, shadow: Shadow, within_s: float) -> None:
        timed = sorted((item.wall_ns, n) for n, item in shadow.items.items() if item.wall_ns)
        self._times = [time_ns for time_ns, _ in timed]
        self._numbers = [number for _, number in timed]
        self._within_s = within_s

    def item_at(self, text: str) -> int | str:
        """Return the number of the one item at this time, or what is wrong."""
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC)
            time_ns = round(moment.timestamp() * 1e6) * 1000
        except (ValueError, OverflowError):
            return f"time must read as 2026-01-31T14:00:05.2, not {shown(text)}"
        within_ns = round(self._within_s * 1e9)
        first = bisect_left(self._times, time_ns - within_ns)
        last = bisect_left(self._times, time_ns + within_ns + 1)
        if last - first == 1:
            return self._numbers[first]
        count = "no item" if first == last else f"{last - first} items"
        cure = "name it by its sequence" if first != last else "see 'stampgate-edge log'"
        return f"{count} within {self._within_s:g} s of {text}; {cure}"


def describe(found: TruthFile, studies: Mapping[str, int], study: str) -> list[str]:
    """Return what was taken, in lines. *studies*: how many of the items are of each study."""
    bad = sum(truth == "bad" for truth in found.new.values())
    lines = [f"taken: {len(found.new)} items, {len(found.new) - bad} good and {bad} bad"]
    if found.repeated:
        lines.append(f"{found.repeated} repeat what was said before")
    if found.corrects:
        named = ", ".join(map(str, found.corrects[:NAMED]))
        lines.append(f"{len(found.corrects)} correct what was said before: items {named}")
    if elsewhere := sum(number for name, number in studies.items() if name != study):
        lines.append(
            f"{elsewhere} of them were judged by another model, other rules or another plan, and "
            "do not count now"
        )
    return lines
