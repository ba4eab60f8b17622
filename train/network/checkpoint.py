"""Checkpoints: weights and configuration in one file, loaded without running any code from it."""

import hashlib
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge.errors import InputError
from edge.files import atomic_replace
from train.config import RunConfig
from train.network.model import DenseLocalizer

NAME = "checkpoint.pt"
FORMAT = 2


@dataclass
class Checkpoint:
    """The state of a run.

    *averaged*: the exponential moving average of the weights, which is exported; *weights*,
    *optimizer*: what training goes on from; *step*, *seconds*: how far it came; *threshold*: least
    score that counts, None until it was set; *scaler*: the loss scaling of float16, empty
    elsewhere; *best_loss*, *since_best*: the state of early stopping; *inputs*: the fingerprint of
    what the run trains on and of its split (:mod:`train.paint.input_fingerprint`), and
    *assessment*, of the finished network (:mod:`train.assess.assessment`): both as JSON, empty in
    those of earlier releases.
    """

    config: RunConfig
    averaged: dict[str, Tensor]
    weights: dict[str, Tensor]
    optimizer: dict[str, Any]
    step: int
    seconds: float
    threshold: float | None
    scaler: dict[str, Any] = field(default_factory=dict)
    best_loss: float = math.inf
    since_best: int = 0
    inputs: str = ""
    assessment: str = ""

    def network(self) -> DenseLocalizer:
        """Return the network with the averaged weights, in eval mode."""
        net = DenseLocalizer(self.config.fit.network, len(self.config.classes))
        net.load_state_dict(self.averaged)
        return net.eval()


def save(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write the checkpoint into a run's folder, atomically. Raises InputError."""
    path = folder / NAME
    content = {
        "format": FORMAT,
        "config": checkpoint.config.to_json(),
        "averaged": checkpoint.averaged,
        "weights": checkpoint.weights,
        "optimizer": checkpoint.optimizer,
        "step": checkpoint.step,
        "seconds": checkpoint.seconds,
        "threshold": checkpoint.threshold,
        "scaler": checkpoint.scaler,
        "best_loss": checkpoint.best_loss,
        "looks_since": checkpoint.since_best,
        "inputs": checkpoint.inputs,
        "assessment": checkpoint.assessment,
    }
    with atomic_replace(path) as temporary, temporary.open("wb") as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:  # torch's zip writer hides the OSError of a full disk
            raise OSError(f"{error}".splitlines()[0]) from None
    return path


def load(folder: Path) -> Checkpoint:
    """Read a run's checkpoint. Raises InputError when it is missing, damaged or foreign."""
    path = folder / NAME
    if not path.is_file():
        raise InputError(
            f"{path}: no such checkpoint; name a folder made by 'stampgate train --out'"
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        known = isinstance(content, dict) and content.get("format") == FORMAT
    except Exception as error:  # noqa: BLE001 - unpicklers raise whatever the bytes make them
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: damaged or no checkpoint ({line}); train again") from None
    if not known:
        raise InputError(f"{path}: not a checkpoint of this release; train again")
    del content["format"]
    config, since_best = RunConfig.from_json(content.pop("config")), content.pop("looks_since")
    return Checkpoint(config=config, since_best=since_best, **content)


def digest(folder: Path) -> str:
    """Return the SHA-256 of the run's checkpoint file, in hex."""
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
