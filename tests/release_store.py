"""Releases of tiny models in a store, as ``stampgate-edge activate`` leaves them."""

import dataclasses
import hashlib
from pathlib import Path

from edge.files import write_atomic
from edge.printing import json_text
from edge.releases.active import active_id
from edge.releases.release import RECORD, Release
from edge.releases.state import read_state
from edge.releases.store import Action, read_pointer, write_pointer
from edge.vision.contract import Contract
from edge.vision.model_file import read_model
from tests.tiny_model import CONTRACT, write_tiny_model

NOON = "2026-01-02T12:00:00+00:00"


def make_release(
    store: Path, version: int, contract: Contract = CONTRACT, **changes: object
) -> Release:
    """Make the release ``stamp-VERSION-...`` with a tiny model in *store*; return it."""
    made = store / f"made-{version}"
    made.mkdir(parents=True)
    file = read_model(write_tiny_model(made / "model.onnx", contract))
    release = Release(
        folder=made,
        name="stamp",
        version=version,
        model=made / "model.onnx",
        model_id=file.decision_digest,
        model_sha256=file.sha256,
        bundle_sha256=hashlib.sha256(b"%d" % version).hexdigest(),
        signer="desk (0123456789abcdef)",
        proof="",
        created=NOON,
        not_before=NOON,
        expires="",
        decision={},
        files={"model.onnx": file.sha256},
    )
    release = dataclasses.replace(release, **changes)  # type: ignore[arg-type]
    write_atomic(made / RECORD, json_text(release.as_object()).encode())
    folder = made.rename(store / release.id)
    return dataclasses.replace(release, folder=folder, model=folder / "model.onnx")


def make_current(
    store: Path, release: Release, previous: str | None = None, *, probation: bool = True
) -> None:
    """Make *release* current, as an activation by hand.

    *previous*: None for the one in service, whose state lies beside the store.
    """
    pointer = read_pointer(store)
    if previous is None:
        state = read_state(store.parent / "release.json")
        previous = active_id(store, pointer, state) if pointer.current else ""
    action = Action(pointer.next_number, "activated", release.id, "test", "by hand", NOON)
    pointer = dataclasses.replace(
        pointer.with_action(action),
        current=release.id,
        previous=previous,
        activation=action.number,
        probation=probation,
    )
    write_pointer(store, pointer)
