"""A journal of items that were judged in shadow, written as the service does."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge.clock import MonotonicClock
from edge.config import Config, load_config
from edge.record.journal import Journal
from edge.shadow.identity import study_name
from edge.vision.model_file import read_model
from tests.tiny_model import two_classes, write_tiny_model

RUN = "1-1"


def box(
    folder: Path, plan: str = "fa<5% fr<20% @95%", mode: str = "shadow", more: str = ""
) -> Path:
    """Write the settings of a box, and its model; return the settings file."""
    if not (folder / "model.onnx").exists():
        write_tiny_model(folder / "model.onnx", two_classes())
    path = folder / "edge.toml"
    path.write_text(
        f'[model]\nfile = "model.onnx"\n[journal]\nfile = "journal.jsonl"\nstatus = ""\nmark = ""\n'
        f'[evidence]\nfolder = ""\n[service]\nmode = "{mode}"\n'
        f'[shadow]\nplan = "{plan}"\nlog = "shadow.jsonl"\n{more}'
    )
    return path


def study_of(path: Path) -> str:
    """The name of the study that these settings are in."""
    config = load_config(path)
    return study_name(config, read_model(config.model_file()).decision_digest)


def write_items(
    path: Path,
    items: Iterable[tuple[str, str]],
    *,
    study: str = "",
    mode: str = "shadow",
    withheld: Iterable[int] = (),
) -> Config:
    """Append a run of the service to the journal: items by verdict, and what the photo-eye told.

    *items*: ``pass``, ``reject`` or ``fault``, and good, bad, unclear or empty. *withheld*: items
    that would have been thrown with a neighbour, by their tags.
    """
    config = load_config(path)
    settings = dataclasses.replace(config.journal, sync="grouped", group_items=1000)
    marked = {"mode": "shadow"} if mode == "shadow" else {}
    with Journal(config.path(config.journal.file), MonotonicClock(), settings=settings) as journal:
        about = {"version": "1", "model": None, "mode": mode, "study": study or study_of(path)}
        journal.append("start", about)
        counted = {"triggers": 0, "pass": 0, "reject": 0, "fault": 0}
        for tag, (verdict, truth) in enumerate(items, 1):
            fields: dict[str, Any] = {"verdict": verdict, "reason": "", "code": "", **marked}
            journal.append("item", {**fields, "tag": tag, "gate_run": RUN})
            counted["triggers"] += 1
            counted[verdict] += 1
            if truth:
                said: dict[str, Any] = {"truth": truth, "by": "photo-eye", "item": None, "tag": tag}
                journal.append("truth", {**said, "gate_run": RUN})
            if tag in withheld:
                told: dict[str, Any] = {"what": "withheld", "item": None, "tag": tag}
                journal.append("incident", {**told, "gate_run": RUN, "reason": "in shadow"})
        journal.append("stop", {"reason": "end", "counters": counted})
    return config


def good_days(good: int, bad: int) -> list[tuple[str, str]]:
    """Items that the box judged right, and the photo-eye told of."""
    return [("pass", "good")] * good + [("reject", "bad")] * bad
