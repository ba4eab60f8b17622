"""Read journal, audit log and evidence of a box, and find the items that can teach something.

Both chains are verified first. Each picture must be the one that the record names, by its hash, and
each record the one that was judged. What is left out is counted with the reason.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.record.journal_file import journal_lines, parse_record
from edge.record.verify import reading, verify
from edge.review.evidence import picture_of
from edge.review.judgements import Judgement, read_all
from train.harvest.lessons import Basis, Lesson, lesson_of

STARTED = ("model", "required", "any_of", "min_score")
"""Fields of a start, settings or release record that say by what the items after it are judged."""


@dataclass(frozen=True)
class Harvested:
    """An item with what it teaches.

    *day*: of its record, ``YYYY-MM-DD``; *picture*: a JPEG file; *sha256*: of that; *by*: who
    judged it; *verdict*: of the box; *good*: what it is; *model*: SHA-256 of the model that judged.
    """

    item: int
    day: str
    picture: Path
    sha256: str
    by: tuple[str, ...]
    verdict: str
    good: bool
    model: str
    lesson: Lesson

    @property
    def corrected(self) -> bool:
        """Whether the box was wrong about it."""
        return self.good != (self.verdict == "pass")


@dataclass(frozen=True)
class Gathered:
    """All items that teach something, by number, the classes, and what was left out, by reason."""

    items: tuple[Harvested, ...]
    classes: tuple[str, ...]
    left_out: Mapping[str, int]


def gather(journal: Path, audit: Path, evidence: Path) -> Gathered:
    """Return what reviewers said of the items of *journal*, with their pictures.

    *journal*, *audit*: the files being written, with the full ones beside them; *evidence*: folder.
    Raises InputError when a chain is broken, a line is not the one that was judged, nothing was
    judged, or the models that judged do not know the same classes.
    """
    said = words_by_item(read_all(audit))
    if not said:
        raise InputError(f"{audit}: holds no judgement; judge items on the review page first")
    if not evidence.is_dir():
        raise InputError(f"{evidence}: no such folder; name that of the box's evidence")
    verify(journal)
    left_out = Counter[str]()
    items, classes, last = [], tuple[str, ...](), max(said)
    for record, digest, basis in _items(journal):
        if (words := said.pop(record["sequence"], None)) is not None:
            good = agreed(words, left_out)
            harvested = good is not None and _harvested(
                record, digest, words, (basis, good), evidence, left_out
            )
            if harvested and basis:
                classes = _same_classes(classes, basis.classes, record["sequence"])
                items.append(harvested)
        if record["sequence"] >= last:
            break
    if said:
        left_out["not in this journal"] += len(said)
    return Gathered(tuple(items), classes, dict(left_out))


def words_by_item(said: Mapping[str, Judgement]) -> dict[int, list[Judgement]]:
    """Return the last standing judgement of each reviewer on each item; undone ones are left out.

    *said*: by their ids, oldest first.
    """
    by_item: dict[int, dict[str, Judgement]] = {}
    for one in said.values():
        if not one.undone:
            by_item.setdefault(one.item, {})[one.by] = one
    return {item: list(words.values()) for item, words in by_item.items()}


def agreed(words: list[Judgement], left_out: Counter[str]) -> bool | None:
    """Return whether an item is good; None, counted, when somebody is unsure or two disagree."""
    said = {one.judgement for one in words}
    if len(said) == 1 and said <= {"good", "bad"}:
        return said == {"good"}
    left_out["unsure" if said == {"unsure"} else "reviewers disagree"] += 1
    return None


def _items(journal: Path) -> Iterator[tuple[dict[str, Any], str, Basis | None]]:
    """Yield each item's record with its line's SHA-256 and by what it was judged."""
    started: dict[str, Any] = {}
    with reading(journal):
        for _, _, line in journal_lines(journal):
            record = parse_record(line.rstrip(b"\n"))
            if record is None:
                continue
            about = record.get("start") if record["kind"] == "continued" else record
            if record["kind"] in ("start", "continued", "settings", "release") and about:
                started |= {name: about[name] for name in STARTED if name in about}
            elif record["kind"] == "item":
                digest = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
                yield record, digest, _basis(started)


def _basis(started: Mapping[str, Any]) -> Basis | None:
    model = started.get("model") or {}
    classes = model.get("classes", ())
    if not classes:
        return None
    score = started.get("min_score", model.get("threshold", 0.0))
    any_of = frozenset(started.get("any_of") or ())
    required = frozenset(started.get("required") or (() if any_of else classes))
    return Basis(tuple(classes), required, float(score), any_of)


def _harvested(
    record: Mapping[str, Any],
    digest: str,
    words: list[Judgement],
    judged: tuple[Basis | None, bool],
    evidence: Path,
    left_out: Counter[str],
) -> Harvested | None:
    """Return what an item teaches; None, counted with the reason, where it can teach nothing."""
    item, (basis, good) = record["sequence"], judged
    for one in words:
        if one.line_sha256 and one.line_sha256 != digest:
            raise InputError(
                f"item {item}: its line is another than the one that {one.by} judged; bring the "
                "journal that belongs to this audit log"
            )
    if basis is None:
        left_out["no record says which model judged it"] += 1
        return None
    picture = picture_of(record, evidence)
    if picture.content is None or picture.state != "as recorded":
        left_out[f"picture: {picture.state}"] += 1
        return None
    return Harvested(
        item, record["wall_time"][:10], evidence / record["evidence"], record["evidence_sha256"],
        tuple(sorted(one.by for one in words)), record["verdict"], good,
        words[-1].model_sha256, lesson_of(record, basis, good=good),
    )  # fmt: skip


def _same_classes(known: tuple[str, ...], classes: tuple[str, ...], item: int) -> tuple[str, ...]:
    if known and set(known) != set(classes):
        raise InputError(
            f"item {item}: was judged by a model of the classes {', '.join(classes)}, others by "
            f"one of {', '.join(known)}; harvest a journal of one kind of model"
        )
    return known or classes
