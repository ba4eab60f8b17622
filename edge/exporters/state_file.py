"""The exporter's own file: how far the journal was read, and what it added up to there."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.exporters.journal_follower import Cursor
from edge.exporters.totals import Totals
from edge.files import read_bounded, write_atomic
from edge.printing import json_text, print_error

MAX_BYTES = 1 << 20
VERSION = 1


@dataclass
class Kept:
    """What is kept over a restart: a place in the journal, the totals up to it, and counters."""

    cursor: Cursor = field(default_factory=Cursor)
    totals: Totals = field(default_factory=Totals)
    births: int = 0
    """How often MQTT was connected to."""


class StateFile:
    """Reads and writes the file; *path*: None for none, and then each start begins anew.

    A file that cannot be written is told once: what it would save is counted again from the
    journal.

    Synchronization: one thread.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self._told = path, False

    def load(self) -> Kept:
        """Return what was kept; the beginning where nothing was.

        Raises InputError when the file is there and cannot be read, or is none of ours.
        """
        if self.path is None:
            return Kept()
        try:
            return _kept(json.loads(read_bounded(self.path, MAX_BYTES)))
        except FileNotFoundError:
            return Kept()
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be read ({error.strerror}); make it readable, or name "
                "another state"
            ) from None
        except (ValueError, RecursionError):
            raise InputError(
                f"{self.path}: must be an exporter's state file; remove it, and the journal is "
                "read from its beginning"
            ) from None

    def save(self, kept: Kept) -> None:
        """Replace the file atomically."""
        if self.path is None:
            return
        content = {
            "v": VERSION,
            "cursor": kept.cursor.as_object(),
            "totals": kept.totals.as_object(),
            "births": kept.births,
        }
        try:
            write_atomic(self.path, json_text(content).encode() + b"\n")
        except InputError as error:
            if not self._told:
                self._told = True
                print_error("stampgate-edge", f"warning: {error}")


def state_path(named: str, folder: Path, exporter: str) -> Path | None:
    """Return where the state of an *exporter* is kept; None where nobody says.

    *named*: the setting, relative to *folder*; where it is empty, systemd's folder for the unit
    (``StateDirectory=``, systemd.exec(5)).
    """
    if named:
        return folder / named
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) / f"{exporter}.json" if given else None


def _kept(value: Any) -> Kept:
    names = {"v", "cursor", "totals", "births"}
    if not isinstance(value, dict) or set(value) != names or value["v"] != VERSION:
        raise ValueError("another version")
    births = value["births"]
    if type(births) is not int or births < 0:
        raise ValueError("no count")
    return Kept(Cursor.from_object(value["cursor"]), Totals.from_object(value["totals"]), births)
