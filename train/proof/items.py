"""The pictures of a study and the items that they show: a table says which frames are one item."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import InputError
from edge.files import read_bounded
from edge.printing import printable
from edge.vision.picture_folders import find_pictures

UNSTAMPED, STAMPED, LABELLED, LOOKALIKE = "unstamped", "stamped", "labelled", "look-alike"
"""Roles of a picture: without the stamp, with it, as its label says, and of what is like it."""
MOST_TABLE, MOST_NAME = 16 << 20, 200
"""Longest table, bytes, and longest name of an item."""
TITLE = ["picture", "item"]
WANTED = "must have two columns, picture and item"


@dataclass(frozen=True)
class Shown:
    """A picture of a study: its role, its name within its folder, its file, and its item."""

    role: str
    name: str
    path: Path
    item: str


def pictures_of(
    folders: Sequence[tuple[str, str, Path]], table: Path | None
) -> tuple[tuple[Shown, ...], tuple[str, ...]]:
    """Return the pictures of all folders, and what was left out in them, a line each.

    *folders*: role, option and folder; *table*: says which pictures show one item; without it each
    picture is an item of its own. No picture is decoded. Raises InputError.
    """
    shown, remarks = list[Shown](), list[str]()
    for role, option, folder in folders:
        if not folder.is_dir():
            raise InputError(f"{option} {folder}: no such folder; name a folder of pictures")
        found = find_pictures(folder)
        if found.unread:
            raise InputError(f"{option} {found.unread[0]}: cannot be read; check its permissions")
        if not found.pictures:
            raise InputError(f"{option} {folder}: holds no picture; name a folder of pictures")
        remarks += [said] if (said := found.describe_left_out()) else []
        names = [path.relative_to(folder).as_posix() for path in found.pictures]
        shown += [
            Shown(role, name, path, f"{role}/{name}")
            for name, path in zip(names, found.pictures, strict=True)
        ]
    _refuse_twice(shown)
    return tuple(shown if table is None else _mapped(shown, table)), tuple(remarks)


def _refuse_twice(shown: Sequence[Shown]) -> None:
    """Refuse a file that is given in two roles. Raises InputError."""
    roles: dict[Path, str] = {}
    for one in shown:
        before = roles.setdefault(one.path.resolve(), one.role)
        if before != one.role:
            raise InputError(
                f"{one.path}: is given as {before} and as {one.role}; leave it in one folder"
            )


def _mapped(shown: Sequence[Shown], table: Path) -> list[Shown]:
    """Return the pictures with the items that the table gives them. Raises InputError."""
    items = read_items(table)
    used, mapped = set[str](), list[Shown]()
    for one in shown:
        keys = [key for key in (one.name, f"{one.role}/{one.name}", str(one.path)) if key in items]
        if not keys:
            raise InputError(
                f"--items {table}: {one.role} picture {printable(one.name)} is not in it; add a "
                "line for each picture"
            )
        used.update(keys)
        mapped.append(Shown(one.role, one.name, one.path, items[keys[-1]]))
    unused = sorted(items.keys() - used)
    if unused:
        raise InputError(
            f"--items {table}: {printable(unused[0])} is none of the pictures"
            f"{f' (and {len(unused) - 1} more)' if len(unused) > 1 else ''}; correct its name, "
            "as it is called in its folder"
        )
    _refuse_mixed(mapped, table)
    return mapped


def _refuse_mixed(mapped: Sequence[Shown], table: Path) -> None:
    """Refuse an item that would bear the stamp and not. Raises InputError."""
    roles: dict[str, str] = {}
    for one in mapped:
        if roles.setdefault(one.item, one.role) != one.role:
            raise InputError(
                f"--items {table}: item {printable(one.item)} has {roles[one.item]} pictures and "
                f"{one.role} ones; an item that was photographed before and after it was stamped "
                "gets two names"
            )


def read_items(table: Path) -> dict[str, str]:
    """Read which item each picture shows: CSV with a line of titles. Raises InputError.

    Columns are parted by commas, or by semicolons as spreadsheets of some countries do.
    """
    try:
        text = read_bounded(table, MOST_TABLE).decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"--items {table}: cannot be read ({error.strerror}); name a CSV file"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"--items {table}: must be UTF-8; save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",")
    return dict(_rows(rows, table))


def _rows(rows: Iterator[list[str]], table: Path) -> Iterator[tuple[str, str]]:
    """Yield picture and item of each line. Raises InputError."""
    seen = set[str]()
    for number, row in enumerate(_lines(rows, table), start=1):
        cells = [cell.strip() for cell in row]
        where = f"--items {table}: line {number}"
        if number == 1:
            if [cell.lower() for cell in cells] != TITLE:
                raise InputError(f"{where}: {WANTED}; write 'picture,item' above them")
            continue
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells) or len(cells[1]) > MOST_NAME:
            raise InputError(f"{where}: {WANTED}; complete it")
        if cells[0] in seen:
            raise InputError(f"{where}: {printable(cells[0])} stands twice; take one out")
        seen.add(cells[0])
        yield cells[0], cells[1]


def _lines(rows: Iterator[list[str]], table: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise InputError(f"--items {table}: {WANTED} ({error}); save it as CSV again") from None
