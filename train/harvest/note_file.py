"""The note of the harvest that a run learns from: read from its labels, kept in its folder."""

import json
from pathlib import Path

from edge.errors import InputError
from edge.files import read_bounded, write_atomic
from edge.vision.harvest_note import MOST_CHARACTERS, HarvestNote
from train.config import RunConfig

NAME = "harvest.json"
"""The note in a run's folder."""


def note_in(labels: Path) -> HarvestNote | None:
    """Return the note of the harvest that COCO *labels* are of; None for any other labels."""
    try:
        return HarvestNote.from_json(json.dumps(json.loads(labels.read_bytes())["info"]["harvest"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_note(config: RunConfig, run: Path) -> None:
    """Keep the note of a run's labels in its folder, where they are a harvest's.

    Raises InputError.
    """
    if config.real and (note := note_in(Path(config.real[0]))) is not None:
        write_atomic(run / NAME, note.to_json().encode())


def read_note(run: Path) -> HarvestNote | None:
    """Return the note in a run's folder; None when it learnt from no harvest.

    Raises InputError when it is damaged.
    """
    path = run / NAME
    try:
        return HarvestNote.from_json(read_bounded(path, MOST_CHARACTERS).decode())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is damaged ({error}); train the run again") from None
