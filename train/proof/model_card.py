"""The model card: what the model is, what it learnt from and how, as far as files can tell."""

import json
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import __version__
from edge.errors import InputError
from edge.printing import printable
from edge.vision.model_file import ModelFile
from edge.vision.proof_summary import PHOTOGRAPHS_KEY
from train.leakage import HELD_OUT, MARK, TRAINED, MetPhotographs, meet, read_met
from train.learn import environment
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.paint.input_fingerprint import Fingerprint

STARTER_DATA = (
    "stampgate's starter: 200 marks drawn by the program itself, on photographs of "
    "GroceryStoreDataset (Klasson, Zhang and Kjellstrom, WACV 2019; MIT licence)"
)
UNKNOWN = "not known: name the run's folder with --run"


@dataclass(frozen=True)
class Run:
    """A run's folder, proven to be that of the model, and its checkpoint."""

    folder: Path
    kept: Checkpoint


def open_run(folder: Path, model: ModelFile) -> Run:
    """Open the folder of the run that *model* was exported from. Raises InputError."""
    kept = checkpoint.load(folder)
    if checkpoint.digest(folder) != model.contract.run_digest:
        raise InputError(
            f"--run {folder}: is another run than that of {model.path}, or was trained on since; "
            "name the run that it was exported from"
        )
    return Run(folder, kept)


def met_by(model: ModelFile, run: Run | None) -> MetPhotographs | None:
    """Return what the model has met: as its run knows, else as its file says; None when neither.

    Raises InputError when the run's list is damaged.
    """
    if run is None:
        return MetPhotographs.from_export(model.texts.get(PHOTOGRAPHS_KEY, ""))
    if (met := read_met(run.folder)) is not None:
        return met
    if not run.kept.inputs:
        return None
    known, folder = Fingerprint.from_json(run.kept.inputs), Path(run.kept.config.backgrounds)
    files = [
        (role, name, total, folder / name)
        for role, sums in ((TRAINED, known.training), (HELD_OUT, known.held_out))
        for name, total in sums or ()
    ]
    return meet(files)


def card_rows(model: ModelFile, run: Run | None, met: MetPhotographs | None) -> dict[str, str]:
    """Return the lines of the card, by their names."""
    contract = model.contract
    second = f", second looks of {contract.second_side}" if contract.second_side else ""
    return {
        "file": f"{model.path.name}, {len(model.content) / 1e6:.2f} MB",
        "SHA-256 of the file": model.sha256,
        "digest of graph and contract": model.decision_digest,
        "digest of the training checkpoint": contract.run_digest,
        "marks": ", ".join(contract.classes),
        "threshold": f"{contract.threshold:g}",
        "input": f"{contract.input_width} x {contract.input_height} pixels{second}",
        **_run_rows(run),
        "photographs it has met": _met_words(met, run),
        "proven by": f"stampgate {__version__}, {commit()}",
    }


def _run_rows(run: Run | None) -> dict[str, str]:
    """Return what the run's folder tells."""
    if run is None:
        return dict.fromkeys(("pictures of the marks", "initial weights", "command"), UNKNOWN)
    config, start = run.kept.config, _last_start(run.folder)
    weights = config.fit.weights
    words = {"starter": STARTER_DATA, "none": "random ones"}
    words["imagenet"] = "torchvision's, trained on ImageNet (whose pictures are for research)"
    return {
        "pictures of the marks": ", ".join(
            f"{name}: {Path(path).name}" for name, path in config.marks
        ),
        "backgrounds": (config.backgrounds and Path(config.backgrounds).name) or "painted products",
        "initial weights": words.get(weights, weights),
        "trained": f"{run.kept.step} steps, {run.kept.seconds / 60:.0f} minutes, ended "
        f"{start.get('date', 'at an unknown time')} by stampgate {start.get('stampgate', '?')}",
        "command": " ".join(map(str, start.get("command", ["unknown"]))),
    }


def _last_start(folder: Path) -> dict[str, Any]:
    """Return the last entry of a run's environment; empty when it cannot be read."""
    try:
        starts = json.loads((folder / environment.NAME).read_text(encoding="utf-8"))
        last = starts[-1]
    except (OSError, ValueError, IndexError, KeyError):
        return {}
    return last if isinstance(last, dict) else {}


def _met_words(met: MetPhotographs | None, run: Run | None) -> str:
    if met is None and run is not None:
        return "nobody can tell: the run is of an earlier release, which kept no list"
    if met is None:
        return "nobody can tell: the file carries no list (export it anew), and no --run was named"
    counts = Counter(one.role for one in met.photographs)
    parts = [f"{counts[role]} {role}" for role in (TRAINED, HELD_OUT) if counts[role]]
    parts += [f"{counts[MARK]} pictures of marks and what is given with them"] * bool(counts[MARK])
    more = f"; {met.left_out} more are not in the list of the file" if met.left_out else ""
    return (", ".join(parts) or "none: it was trained on painted products") + more


def commit() -> str:
    """Return the commit of the checkout that runs, or that it is an installed package."""
    root = Path(__file__).resolve().parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return "an installed package"
    command = [git, "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return f"commit {printable(done.stdout.strip())}" if done.returncode == 0 else "a checkout"
