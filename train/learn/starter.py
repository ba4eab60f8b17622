"""The *starter*: initial weights, pretrained once on hundreds of drawn marks, in one shipped file.

``stampgate starter`` (:mod:`train.commands.starter`) makes it again. The file holds everything of
the network but the heat's last layer, which belongs to the classes. Its numbers are float16: half
the size, and training goes on from there in float32 anyway. The counters of batch norm stay the
whole numbers they are.
"""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edge import __version__
from edge.errors import InputError
from edge.files import write_atomic
from train.learn.early_stopping import EarlyStopping
from train.learn.progress import share_done
from train.network import checkpoint
from train.network.checkpoint import Checkpoint

KIND, FORMAT = "stampgate starter", 1
LARGEST = 6_000_000
"""Most bytes of a starter's file: it travels in every package."""

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Starter:
    """The content of the file.

    *network*: name of the backbone with its width; *recipe*: the run's configuration without its
    folders, the SHA-256 of each mark, how many steps, pictures and minutes it took, and the
    release; *weights*: float32, and int64 counters.
    """

    network: str
    recipe: dict[str, Any]
    weights: Weights


def pack_starter(run: Path, out: Path) -> Starter:
    """Write a finished run's averaged weights to *out*, atomically; returns them as read back.

    Raises InputError when the run is not finished or its weights do not fit, in float16 or in the
    file.
    """
    kept = checkpoint.load(run)
    if not is_finished(kept):
        raise InputError(
            f"{run}: this run is not finished; "
            f"go on with it: 'stampgate starter --resume --out {run}'"
        )
    network, recipe = kept.config.fit.network, json.dumps(recipe_of(run, kept), sort_keys=True)
    averaged = {name: w for name, w in kept.averaged.items() if not name.startswith("heat.")}
    weights = {name: _packed(run, name, weight) for name, weight in averaged.items()}
    content = {
        "kind": KIND,
        "format": FORMAT,
        "network": network,
        "recipe": recipe,
        "weights": weights,
    }
    file = io.BytesIO()
    torch.save({**content, "digest": _digest(network, recipe, weights)}, file)
    size = file.getbuffer().nbytes
    if size > LARGEST:
        raise InputError(
            f"{run}: {network} takes {size / 1e6:.1f} MB, must be at most {LARGEST / 1e6:g}; "
            "take a smaller backbone"
        )
    write_atomic(out, file.getvalue())
    return read_starter(out)


def load_starter(path: Path) -> Weights:
    """Return the starter's weights by their names in the network, float32. Raises InputError."""
    return read_starter(path).weights


def read_starter(path: Path) -> Starter:
    """Read a starter's file. Raises InputError when there is none, or it is damaged or foreign."""
    advice = "install stampgate again, make it with 'stampgate starter', or take weights = none"
    if not path.is_file():
        raise InputError(f"{path}: no such starter weights; {advice}")
    try:
        return _starter_in(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # noqa: BLE001 - unpicklers raise whatever the bytes make them
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: damaged or no starter weights ({line}); {advice}") from None


def is_finished(kept: Checkpoint) -> bool:
    """Return whether a run came to its end: its steps or minutes, or early stopping."""
    fit = kept.config.fit
    stopping = EarlyStopping(fit.patience, kept.best_loss, kept.since_best)
    return share_done(fit, kept) >= 1.0 or stopping.should_stop


def recipe_of(run: Path, kept: Checkpoint) -> dict[str, Any]:
    """Return all that it takes to train the same again, and nothing about the machine.

    Raises InputError when a part of it is gone.
    """
    config = kept.config
    recipe: dict[str, Any] = _without_folders(json.loads(config.to_json()))
    try:
        recipe["sha256"] = [
            hashlib.sha256(Path(path).read_bytes()).hexdigest() for _, path in config.marks
        ]
        with (run / "loss.csv").open(newline="", encoding="utf-8") as table:
            pictures = sum(int(row["pictures"]) for row in csv.DictReader(table))
    except OSError as error:
        raise InputError(
            f"{error.filename}: {error.strerror}; it is a part of the recipe, so put it back"
        ) from None
    except (KeyError, ValueError):
        raise InputError(
            f"{run / 'loss.csv'}: damaged; it is a part of the recipe, so train again"
        ) from None
    minutes = round(kept.seconds / 60, 1)
    return {
        **recipe,
        "steps": kept.step,
        "pictures": pictures,
        "minutes": minutes,
        "stampgate": __version__,
    }


def _without_folders(value: Any) -> Any:
    """Return *value* with the mere file name in place of each absolute path."""
    if isinstance(value, dict):
        return {key: _without_folders(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_folders(member) for member in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _packed(run: Path, name: str, weight: Tensor) -> Tensor:
    """Return a weight as the file holds it. Raises InputError when float16 cannot."""
    half = weight.half() if weight.is_floating_point() else weight.clone()
    packed = half.contiguous()
    if not packed.isfinite().all():
        raise InputError(
            f"{run}: {name} has numbers beyond float16's; train again with a lower learning_rate"
        )
    return packed


def _starter_in(content: Any) -> Starter:
    """Check what *torch.load* gave: its reader does not notice a byte that has changed."""
    known = isinstance(content, dict) and content.get("kind") == KIND
    if not known or content.get("format") != FORMAT:
        raise ValueError("not made by this release")
    network, recipe, weights = content["network"], content["recipe"], content["weights"]
    if content["digest"] != _digest(network, recipe, weights):
        raise ValueError("its contents have changed")
    floats = {name: w.float() if w.is_floating_point() else w for name, w in weights.items()}
    return Starter(network, json.loads(recipe), floats)


def _digest(network: str, recipe: str, weights: Weights) -> str:
    """Return the SHA-256 of everything in the file, in hex."""
    digest = hashlib.sha256(f"{network}\n{recipe}\n".encode())
    for name, weight in weights.items():
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        digest.update(weight.numpy().tobytes())
    return digest.hexdigest()
