"""Compare the evidence pictures with a journal: their SHA-256, and the numbers in their names.

The ring buffer removes the oldest pictures first, and a picture is written before its item's record
(:mod:`edge.record.evidence`). So a picture of an item beyond the journal's end proves that its end
was cut off, and one that is gone although older ones are there was lost or removed by hand.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import InputError, StampgateError
from edge.record.evidence import NAME
from edge.record.journal_file import journal_lines, open_plain, parse_record
from edge.record.verify import Discrepancy, Verified, reading

WRITTEN_BACK_NS = 60_000_000_000
"""A power cut costs the pictures of the last half minute (vm.dirty_expire_centisecs); twice that
explains a picture that is gone."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Pictures:
    """Numbers of evidence pictures that :func:`verify_pictures` compared with their records."""

    right: int = 0
    """There, as they were when they were recorded."""
    gone: int = 0
    """Not there any more: the oldest give way."""
    unsaid: int = 0
    """There, but written too late for their records to carry a SHA-256."""
    discrepancies: tuple[Discrepancy, ...] = ()


@dataclass(frozen=True)
class _Recorded:
    """A picture that a record names: its item, and the record's moment."""

    item: int
    boot_id: str
    monotonic_ns: int


def verify_pictures(path: Path, folder: Path, chain: Verified) -> Pictures:
    """Compare the pictures in *folder* with the journal *path*, found sound as *chain*.

    Raises InputError that names the first that is another than when it was recorded, is named by
    two records, or cannot be read.
    """
    counts: Counter[str] = Counter()
    named: dict[str, _Recorded] = {}
    gone: list[str] = []
    with reading(path):
        for file, number, line in journal_lines(path):
            record = parse_record(line.rstrip(b"\n")) or {}
            if not record.get("evidence"):
                continue
            name, where = str(record["evidence"]), f"{file}: line {number}"
            if not NAME.fullmatch(name):
                raise InputError(f"{where} must name a picture of the evidence folder, not {name}")
            if name in named:
                raise InputError(f"{where} must name a picture of its own, not {name} once more")
            named[name] = _recorded(record)
            found = _compare(folder / name, str(record.get("evidence_sha256", "")), where)
            counts[found] += 1
            gone += [name] * (found == "gone")
        there = {name: match for name in _names(folder) if (match := NAME.fullmatch(name))}
    numbers = {name: (int(match[1]), int(match[2])) for name, match in there.items()}
    found_beside = [
        *_out_of_turn(gone, named, numbers.values(), chain),
        *_unnamed({name: number for name, number in numbers.items() if name not in named}, chain),
    ]
    return Pictures(**counts, discrepancies=tuple(found_beside))


def _recorded(record: Mapping[str, Any]) -> _Recorded:
    moment = int(record.get("monotonic_ns", 0))
    return _Recorded(record["sequence"], str(record.get("boot_id")), moment)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _out_of_turn(
    gone: Iterable[str],
    named: Mapping[str, _Recorded],
    there: Iterable[tuple[int, int]],
    chain: Verified,
) -> list[Discrepancy]:
    """Say which pictures are gone although older ones are there, unless the power took them."""
    oldest = min((number for number, _ in there), default=None)
    if oldest is None:
        return []
    early = [
        name
        for name in gone
        if (match := NAME.fullmatch(name))
        and int(match[1]) > oldest
        and not _went_with_the_power(named[name], chain)
    ]
    what = "the ring takes the oldest first, so these were removed by hand, or lost by the disk"
    return [Discrepancy("open", f"gone although older ones are there: {_few(early)}; {what}")] * (
        len(early) > 0
    )


def _went_with_the_power(recorded: _Recorded, chain: Verified) -> bool:
    return any(
        recorded.item <= end.item
        and recorded.boot_id == end.boot_id
        and end.monotonic_ns - recorded.monotonic_ns <= WRITTEN_BACK_NS
        for end in chain.unclean_ends
    )


def _unnamed(pictures: Mapping[str, tuple[int, int]], chain: Verified) -> list[Discrepancy]:
    """Say which pictures no record names: beyond the end of the journal, or before it.

    The item after an unclean end may have left its picture before its record was on the disk.
    """
    last_words = {end.item + 1 for end in chain.unclean_ends}
    beyond, beside = [], []
    for name, (_, item) in pictures.items():
        if item > chain.last_item and item not in last_words:
            beyond.append(name)
        elif chain.first_item <= item <= chain.last_item and item not in last_words:
            beside.append(name)
    found = []
    if beyond:
        items = [pictures[name][1] for name in beyond]
        found.append(
            Discrepancy(
                "amiss",
                f"pictures of items {min(items)} to {max(items)} are there ({_few(beyond)}), and "
                f"the journal ends with item {chain.last_item}: its end was cut off, or they are "
                "of another box",
            )
        )
    if beside and not (chain.lost_items or chain.missing_items):
        what = "put there, or a record does not say it"
        found.append(Discrepancy("open", f"named by no record: {_few(beside)}; {what}"))
    return found


def _few(names: list[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def _compare(picture: Path, sha256: str, where: str) -> str:
    """Return the name of the count of :class:`Pictures` to which a picture belongs.

    Raises InputError.
    """
    digest = hashlib.sha256()
    try:
        with open_plain(picture) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return "gone"
    except StampgateError:
        raise InputError(
            f"{picture}: must be the picture recorded in {where}, and is no plain file"
        ) from None
    except OSError as error:
        raise InputError(
            f"{picture}: cannot be read ({error.strerror}); try again with sudo"
        ) from None
    if sha256 and digest.hexdigest() != sha256:
        raise InputError(
            f"{picture}: must be the picture recorded in {where}; it was changed or exchanged since"
        )
    return "right" if sha256 else "unsaid"
