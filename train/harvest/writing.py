"""Write what was harvested: pictures, COCO labels for ``train --real``, and where it is from.

======================  ============================================================================
``images/GROUP/``       pictures as the box kept them, byte for byte; GROUP is product and day
``labels.json``         COCO, to train on
``held-out.json``       COCO, groups that must stay unseen until the new model is measured
``to-label.json``       COCO without boxes: pictures that somebody must label by hand
``harvest.json``        which items, by whom judged, from which journal; its sum is the harvest's
======================  ============================================================================

The same journal, audit log and pictures give the same files.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import InputError
from edge.files import make_folder, read_bounded, write_atomic
from edge.vision.harvest_note import HarvestNote
from train.harvest.gathering import Gathered, Harvested
from train.harvest.lessons import HarvestedBox
from train.labels.writing import hundredths
from train.photographs import upright_size

LABELS, HELD_OUT, TO_LABEL, NOTE = "labels.json", "held-out.json", "to-label.json", "harvest.json"
IMAGES = "images"
MOST_BYTES = 32 << 20
SEED = 20


def group_of(one: Harvested, product: str) -> str:
    """Return the name of the group that an item belongs to: its product, and the day."""
    return f"{product}-{one.day}"


def split(items: Sequence[Harvested], product: str, share: float) -> tuple[str, ...]:
    """Return the groups that are held out, by a fixed seed; none where there is only one group.

    *share*: of the items, 0..1, reached as nearly as whole groups allow without exceeding half.
    """
    sizes: dict[str, int] = {}
    for one in items:
        sizes[group_of(one, product)] = sizes.get(group_of(one, product), 0) + 1
    names = sorted(sizes)
    np.random.default_rng(SEED).shuffle(names)
    held, number = list[str](), 0
    for name in names:
        if number < share * len(items) and number + sizes[name] <= len(items) / 2:
            held.append(name)
            number += sizes[name]
    return tuple(sorted(held))


def write_harvest(
    gathered: Gathered, out: Path, journal: Path, product: str, held_share: float
) -> HarvestNote:
    """Write all files into folder *out*, which is the harvest's own, and return its note.

    Labels come last and whole, so that an unfinished folder trains nothing. Raises InputError.
    """
    items = gathered.items
    held = set(split(items, product, held_share))
    note_text = json.dumps(_about(gathered, journal, product, sorted(held)), indent=1)
    sha256 = hashlib.sha256(note_text.encode()).hexdigest()
    taught = [one for one in items if one.lesson.kind != "to label"]
    trained = [one for one in taught if group_of(one, product) not in held]
    numbers = [one.item for one in trained]
    note = HarvestNote(sha256, len(numbers), min(numbers, default=0), max(numbers, default=0))
    for one in items:
        _copy(one, out / _name(one, product))
    parts = {
        LABELS: trained,
        HELD_OUT: [one for one in taught if group_of(one, product) in held],
        TO_LABEL: [one for one in items if one.lesson.kind == "to label"],
    }
    write_atomic(out / NOTE, note_text.encode())
    for name, part in parts.items():
        text = _coco(part, gathered.classes, out, product, note if name == LABELS else None)
        write_atomic(out / name, text.encode())
    return note


def _name(one: Harvested, product: str) -> str:
    return f"{IMAGES}/{group_of(one, product)}/item-{one.item:09}.jpg"


def _copy(one: Harvested, path: Path) -> None:
    """Copy a picture unless it is there; its bytes stay those that the journal has the hash of."""
    for place in (path, one.picture):
        try:
            content = read_bounded(place, MOST_BYTES)
        except OSError as error:
            if place == path:
                continue
            raise InputError(f"{place}: cannot be read ({error.strerror}); run it again") from None
        if hashlib.sha256(content).hexdigest() == one.sha256:
            break
    else:
        raise InputError(f"{one.picture}: is another than a moment ago; run it again")
    if place != path:
        make_folder(path.parent)
        write_atomic(path, content)


def _about(gathered: Gathered, journal: Path, product: str, held: Sequence[str]) -> dict[str, Any]:
    return {
        "format": 1,
        "journal": journal.name,
        "product": product,
        "classes": list(gathered.classes),
        "held_out": list(held),
        "left_out": dict(sorted(gathered.left_out.items())),
        "items": [
            {
                "item": one.item,
                "file": _name(one, product),
                "sha256": one.sha256,
                "verdict": one.verdict,
                "good": one.good,
                "by": list(one.by),
                "model_sha256": one.model,
                "teaches": one.lesson.kind,
                **({"why": one.lesson.why} if one.lesson.why else {}),
            }
            for one in gathered.items
        ],
    }


def _coco(
    items: Iterable[Harvested],
    classes: Sequence[str],
    out: Path,
    product: str,
    note: HarvestNote | None,
) -> str:
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, one in enumerate(items, start=1):
        name = _name(one, product)
        width, height = upright_size(out / name)
        images.append(
            {
                "id": number,
                "file_name": name.removeprefix(f"{IMAGES}/"),
                "width": width,
                "height": height,
            }
        )
        for box in one.lesson.boxes:
            annotations.append(_annotation(box, len(annotations) + 1, number, classes))
    categories = [{"id": index, "name": name} for index, name in enumerate(classes, start=1)]
    info: dict[str, Any] = {"description": "harvested from reviewers' judgements by stampgate"}
    if note is not None:
        info["harvest"] = note.as_object()
    everything = {
        "info": info, "images": images, "annotations": annotations, "categories": categories,
    }  # fmt: skip
    return json.dumps(everything)


def _annotation(
    one: HarvestedBox, number: int, image: int, classes: Sequence[str]
) -> dict[str, Any]:
    box = one.box
    return {
        "id": number,
        "image_id": image,
        "category_id": classes.index(one.label) + 1,
        "bbox": [hundredths(side) for side in (box.x0, box.y0, box.width, box.height)],
        "area": hundredths(box.area),
        "iscrowd": int(one.ignored),
        "ignore": one.ignored,
    }
