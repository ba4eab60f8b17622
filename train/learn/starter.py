"""The *starter*: weights that a run may start from, trained once on hundreds of drawn marks and
shipped in one file.

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
from train.learn.early_stopping import Plateau, share_done
from train.network import checkpoint
from train.network.checkpoint import Checkpoint

KIND, FORMAT = "stampgate starter", 1
LARGEST = 6_000_000
"""Most bytes of a starter's file: it travels in every package."""

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Starter:
    """What the file holds.

    *network*: name of the backbone with its width; *recipe*: the run's configuration without its
    folders, the SHA-256 of each mark, how many steps, pictures and minutes it took, and the
    release; *weights*: float32, and int64 counters.
    """

    network: str
    recipe: dict[str, Any]
    weights: Weights


def pack_starter(run: Path, out: Path) -> Starter:
    """Write a finished run's averaged weights to *out*, whole or not at all; returns what was
    written, read back.

    Raises InputError when the run is not finished or its weights do not fit, in float16 or in the
    file.
    """
    kept = checkpoint.load(run)
    if not is_finished(kept):
        raise InputError(
            f"{run}: this run is not finished; go on with it: 'stampgate starter --resume --out {run}'"
        )
    network, recipe = kept.config.fit.network, json.dumps(recipe_of(run, kept), sort_keys=True)
    weights = {
        name: _packed(run, name, w)
        for name, w in kept.averaged.items()
        if not name.startswith("heat.")
    }
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
            f"{run}: {network} takes {size / 1e6:.1f} MB, must be at most {LARGEST / 1e6:g}; take a smaller backbone"
        )
    write_atomic(out, file.getvalue())
    return read_starter(out)


def load_starter(path: Path) -> Weights:
    """The starter's weights by their names in the network, float32. Raises InputError."""
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
    """Whether a run came to its end: all of its steps or minutes, or the plateau that ends it."""
    fit = kept.config.fit
    return (
        share_done(fit, kept) >= 1.0
        or Plateau(fit.patience, kept.best_loss, kept.looks_since).reached
    )


def recipe_of(run: Path, kept: Checkpoint) -> dict[str, Any]:
    """Everything needed to train the same again, and nothing about the machine. Raises InputError."""
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
    """The same with the mere name in place of each path from the root."""
    if isinstance(value, dict):
        return {key: _without_folders(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_folders(member) for member in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _packed(run: Path, name: str, weight: Tensor) -> Tensor:
    """A weight as the file holds it. Raises InputError when float16 cannot."""
    packed = (
        weight.contiguous().clone()
        if not weight.is_floating_point()
        else weight.half().contiguous()
    )
    if not packed.isfinite().all():
        raise InputError(
            f"{run}: {name} has numbers beyond float16's; train again with a lower learning_rate"
        )
    return packed


def _starter_in(content: Any) -> Starter:
    """What *torch.load* gave, checked: its reader does not notice a byte that has changed."""
    if (
        not isinstance(content, dict)
        or content.get("kind") != KIND
        or content.get("format") != FORMAT
    ):
        raise ValueError("not made by this release")
    network, recipe, weights = content["network"], content["recipe"], content["weights"]
    if content["digest"] != _digest(network, recipe, weights):
        raise ValueError("its contents have changed")
    floats = {
        name: weight.float() if weight.is_floating_point() else weight
        for name, weight in weights.items()
    }
    return Starter(network, json.loads(recipe), floats)


def _digest(network: str, recipe: str, weights: Weights) -> str:
    """SHA-256 of everything in the file, in hex."""
    digest = hashlib.sha256(f"{network}\n{recipe}\n".encode())
    for name, weight in weights.items():
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        digest.update(weight.numpy().tobytes())
    return digest.hexdigest()
