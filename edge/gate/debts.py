"""The gate's debts: items and incidents that stand in no journal yet, in a file that outlives it.

A gate that is killed leaves the file beside its socket, in memory (``/run``), where a write takes
microseconds and never waits for a disk: no pulse is late for it. A gate that ends in good order
leaves what it still owes on the disk, too, for a box that is started again. The next gate reports
all of it to the eye. A power cut costs the debts, as it does everything that is under way.

The file is a log of JSON lines, written anew when it has grown: the first says whose it is, each of
the others what is owed, or owed no more. What a killed gate had half written is passed over.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.files import open_ours, read_bounded, write_atomic
from edge.gate.incidents import KEPT as INCIDENTS_KEPT
from edge.gate.incidents import IncidentLedger
from edge.gate.messages import GREATEST, RUN, Incident, clean_text
from edge.gate.unsettled import KEPT, REPORTED_AT_MOST, Ledger, UnsettledItem

VERSION = 1
LONGEST = 1 << 24
"""Bytes of a file that is read; it is written anew long before."""
GROWN = 1 << 18
"""Bytes from which the file is written anew, or twice what it then had, if that is more."""
TRY_AGAIN = 64
"""After so many lines a file that could not be written is tried again, as a whole."""
GATE_LOST = "the gate ended before it was written down, and it may have passed"
GATE_LOST_PASSED = "the gate ended after it had let the item pass, before that was written down"

Entry = Mapping[str, Any]
"""One line of the file."""


@dataclass
class Owed:
    """What a gate that has ended left to be written down.

    *run*: its name; *boot_id*: the boot in which it ran, whose moments the items have. *beyond*:
    the number of items that were too many to keep, and the moment of the last.
    """

    run: str = ""
    boot_id: str = ""
    items: dict[tuple[str, int], UnsettledItem] = field(default_factory=dict)
    incidents: dict[tuple[str, int], Incident] = field(default_factory=dict)
    beyond: int = 0
    beyond_ns: int = 0

    @property
    def anything(self) -> bool:
        """Whether anything is owed."""
        return bool(self.items or self.incidents or self.beyond)


def item_entry(item: UnsettledItem) -> Entry:
    """Return the line of an item that is owed."""
    entry = {"owed": item.tag, "t_ns": item.t_ns, "why": item.why}
    return {**entry, "run": item.run, "seen_as": item.seen_as} if item.run else entry


def incident_entry(incident: Incident) -> Entry:
    """Return the line of an incident that is owed."""
    entry = {
        "incident": incident.number,
        "what": incident.what,
        "tag": incident.tag,
        "t_ns": incident.t_ns,
        "why": incident.why,
    }
    return {**entry, "run": incident.run} if incident.run else entry


def parse_debts(content: bytes) -> Owed:
    """Read the content of a file of debts, also a damaged one: what does not fit is passed over.

    The items keep their tags and runs; their reasons say that the gate was lost.
    """
    owed = Owed()
    for line in content.split(b"\n"):
        entry = _parse_line(line)
        if entry is not None:
            _take(owed, entry)
    return owed


def _parse_line(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    return entry if all(map(_is_plain, entry.values())) else None


def _is_plain(value: object) -> bool:
    """Tell whether a value is a text, or a number within bounds."""
    return isinstance(value, str) or (type(value) is int and 0 <= value <= GREATEST)


def _take(owed: Owed, entry: Entry) -> None:
    """Apply one line."""
    with contextlib.suppress(KeyError, TypeError):
        if "debts" in entry:
            owed.run, owed.boot_id = _run(entry["run"]), clean_text(entry["boot_id"])
        elif "owed" in entry:
            _take_item(owed, entry)
        elif "passed" in entry:
            key = owed.run, _number(entry["passed"])
            item = owed.items[key]
            owed.items[key] = UnsettledItem(
                item.tag, item.t_ns, GATE_LOST_PASSED, item.run, item.seen_as
            )
        elif "settled" in entry:
            owed.items.pop((owed.run, _number(entry["settled"])), None)
        elif "incident" in entry:
            _take_incident(owed, entry)
        elif "recorded" in entry:
            run = _run(entry["run"]) if "run" in entry else owed.run
            owed.incidents.pop((run, _number(entry["recorded"])), None)
        elif "beyond" in entry:
            owed.beyond, owed.beyond_ns = _number(entry["beyond"]), _number(entry["t_ns"])


def _take_item(owed: Owed, entry: Entry) -> None:
    tag, t_ns = _number(entry["owed"]), _number(entry["t_ns"])
    run, seen_as = owed.run, tag if owed.run else 0
    if "run" in entry:
        run, seen_as = _run(entry["run"]), _number(entry["seen_as"])
    why = clean_text(entry["why"]) or GATE_LOST
    if len(owed.items) < KEPT + REPORTED_AT_MOST or (owed.run, tag) in owed.items:
        owed.items[owed.run, tag] = UnsettledItem(tag, t_ns, why, run, seen_as)
    else:
        owed.beyond, owed.beyond_ns = owed.beyond + 1, t_ns


def _take_incident(owed: Owed, entry: Entry) -> None:
    run = _run(entry["run"]) if "run" in entry else owed.run
    incident = Incident(
        _number(entry["incident"]),
        clean_text(entry["what"]),
        _number(entry["tag"]),
        _number(entry["t_ns"]),
        clean_text(entry["why"]),
        run,
    )
    if len(owed.incidents) < 2 * INCIDENTS_KEPT:
        owed.incidents[run, incident.number] = incident


def _run(value: object) -> str:
    if not isinstance(value, str) or not RUN.fullmatch(value):
        raise TypeError("the name of a gate's life is asked for")
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a number is asked for")
    return value


class Debts(Ledger, IncidentLedger):
    """Keeps what the gate owes in the file *path*, and at its end in *rest*, too; None keeps none.

    *present*: gives all that is owed now, to write the file anew. *trouble*: why the file cannot be
    written, or was not read; empty when all is well.

    Synchronization: one thread.
    """

    def __init__(self, path: Path | None = None, rest: Path | None = None) -> None:
        self.trouble = ""
        self.present: Callable[[], Iterable[Entry]] = tuple
        self._path, self._rest = path, rest
        self._first = b""
        self._descriptor = -1
        self._size, self._limit, self._since_trouble = 0, GROWN, 0

    def read(self) -> Owed:
        """Return what the gate before this one owed: by its own file, else by what was at rest."""
        for path in filter(None, (self._path, self._rest)):
            try:
                return parse_debts(read_bounded(path, LONGEST))
            except FileNotFoundError:
                continue
            except OSError as error:
                self.trouble = f"{path}: {CANNOT_BE_READ} ({error.strerror or error})"
        return Owed()

    def begin(self, run: str, boot_id: str) -> None:
        """Begin the file of the gate *run* with what is present."""
        unread = self.trouble
        self._first = _line({"debts": VERSION, "run": run, "boot_id": boot_id})
        self._rewrite()
        if self._rest is not None and not self.trouble:
            with contextlib.suppress(OSError):
                self._rest.unlink(missing_ok=True)
        self.trouble = self.trouble or unread

    def close(self) -> None:
        """Leave what is still owed on the disk, where there is a place for it."""
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        entries = list(self.present())
        if self._rest is not None and entries and self._rest.parent.is_dir():
            with contextlib.suppress(InputError):  # it stays beside the socket
                write_atomic(self._rest, self._first + b"".join(map(_line, entries)))

    def owe(self, item: UnsettledItem) -> None:
        """Note that an item is owed."""
        self._note(item_entry(item))

    def note_passed(self, tag: int) -> None:
        """Note that an item which is owed was let pass."""
        self._note({"passed": tag})

    def note_beyond(self, number: int, t_ns: int) -> None:
        """Note how many are owed that are too many to keep, and the moment of the last."""
        self._note({"beyond": number, "t_ns": t_ns})

    def settle(self, tag: int) -> None:
        """Note that an item is owed no more."""
        self._note({"settled": tag})

    def owe_incident(self, incident: Incident) -> None:
        """Note that an incident is owed."""
        self._note(incident_entry(incident))

    def settle_incident(self, incident: Incident) -> None:
        """Note that an incident is owed no more."""
        entry = {"recorded": incident.number}
        self._note({**entry, "run": incident.run} if incident.run else entry)

    def _note(self, entry: Entry) -> None:
        """Add a line."""
        if self._descriptor < 0:
            return
        line = _line(entry)
        try:
            while line:
                written = os.write(self._descriptor, line)
                self._size, line = self._size + written, line[written:]
        except OSError as error:
            self._note_trouble(error)
        self._since_trouble = self._since_trouble + 1 if self.trouble else 0
        if self._size > self._limit or self._since_trouble % TRY_AGAIN == 1:
            self._rewrite()

    def _rewrite(self) -> None:
        """Replace the file by one with what is present; a killed gate leaves either."""
        if self._path is None:
            return
        content = self._first + b"".join(map(_line, self.present()))
        fresh = self._path.with_name(f".{self._path.name}.new")
        descriptor = -1
        try:
            descriptor = open_ours(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            if os.write(descriptor, content) < len(content):
                raise OSError(0, "there is no room")
            fresh.replace(self._path)
        except OSError as error:
            self._note_trouble(error)
            self._limit = self._size + GROWN  # not at each line
            if descriptor >= 0:
                os.close(descriptor)
            return
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size, self.trouble = descriptor, len(content), ""
        self._limit = max(GROWN, 2 * len(content))

    def _note_trouble(self, error: OSError) -> None:
        self.trouble = f"{self._path}: {CANNOT_BE_KEPT} ({error.strerror or error})"


CANNOT_BE_READ = "what the gate before owed cannot be read"
CANNOT_BE_KEPT = "what the gate owes the journal cannot be kept"


def _line(entry: Entry) -> bytes:
    return json.dumps(entry).encode() + b"\n"
