"""Which judged items a model has learnt from, as a note in the metadata of its file.

``stampgate harvest`` makes it, training and export carry it on, and the box writes it into the
record of each start, so the journal says which model learnt from which items. It decides nothing.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.strict_json import read_object

HARVEST_KEY = "stampgate.harvest"
MOST_CHARACTERS = 1024


@dataclass(frozen=True)
class HarvestNote:
    """*sha256*: of ``harvest.json``, which lists all items; *items*: how many were learnt from.

    *first*, *last*: numbers of the first and last of them, 0 without any.
    """

    sha256: str
    items: int
    first: int
    last: int

    def as_object(self) -> dict[str, Any]:
        """Return the fields for a JSON object."""
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        """Serialize the note."""
        return json.dumps(self.as_object(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "HarvestNote":
        """Parse the text of :meth:`to_json`. Raises ValueError."""
        raw = read_object(text, MOST_CHARACTERS)
        kinds = {field.name: field.type for field in dataclasses.fields(cls)}
        if raw.keys() != kinds.keys() or any(type(raw[name]) is not kinds[name] for name in kinds):
            raise ValueError("its fields are not those of a harvest's note")
        return cls(**raw)


def harvest_fields(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return ``{"harvest": ...}`` for a start record, of a file's metadata; empty without a note.

    One that cannot be read is said to be so: it is no reason not to judge.

    >>> harvest_fields({})
    {}
    """
    if (text := texts.get(HARVEST_KEY)) is None:
        return {}
    try:
        return {"harvest": HarvestNote.from_json(text).as_object()}
    except ValueError as error:
        return {"harvest": {"unread": str(error)[:120]}}
