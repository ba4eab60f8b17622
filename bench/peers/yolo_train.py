"""Train a YOLO from random weights for a given time, or not at all, and write it as ONNX.

Runs in the peer's own environment only.

This file is the only one that imports Ultralytics, which is AGPL-3.0; it imports nothing of ours,
and ours imports nothing of it: pictures go in and an ONNX file comes out. What was set, and why, is
in README.md beside it.
"""

# ruff: noqa: PLC0415 - what is imported must wait until the environment is set and torchvision
# mended

import argparse
import ast
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

CORES = len(os.sched_getaffinity(0))
# Before Ultralytics is imported, which would otherwise give torch a single core, look for news and
# install packages.
os.environ.update(
    OMP_NUM_THREADS=str(CORES),
    YOLO_OFFLINE="true",
    YOLO_AUTOINSTALL="false",
    YOLO_VERBOSE="true",
    WANDB_MODE="disabled",
)

EPOCHS = 100
"""Ultralytics' own default. Its warm-up, its falling learning rate and its last mosaic are counted
in epochs."""
SETTINGS: dict[str, Any] = {
    "epochs": EPOCHS,
    "batch": 16,
    "nbs": 16,
    "optimizer": "AdamW",
    "momentum": 0.9,
    "warmup_bias_lr": 0.0,
    "fliplr": 0.0,
    "pretrained": False,
    "amp": False,
    "cache": False,
    "plots": False,
    "val": False,
    "patience": 0,
    "seed": 0,
    "deterministic": False,
}
"""All else is Ultralytics' default. The learning rate is what its ``optimizer=auto`` takes for runs
this short."""


def arguments_of(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="yolo11n", help="Ultralytics' name of the network")
    parser.add_argument("--data", type=Path, help="data.yaml of the painted pictures")
    parser.add_argument("--classes", type=int, default=1, help="how many, where there is no --data")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for model.onnx and run.json"
    )
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="0, without --data: export random weights"
    )
    parser.add_argument("--size", type=int, help="side of the training pictures")
    parser.add_argument(
        "--export-size", type=int, required=True, help="side of the exported graph's input"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an Ultralytics setting"
    )
    arguments = parser.parse_args(argv)
    if (arguments.data is None) != (arguments.minutes == 0):
        parser.error("--data and --minutes belong together")
    return arguments


def stay_offline(config: Path) -> None:
    """Keep Ultralytics' settings in *config* and give it the font that it would fetch.

    Nothing is drawn with it.
    """
    config.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(config)
    import matplotlib as mpl

    font = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    for folder in (config, config / "Ultralytics"):
        folder.mkdir(exist_ok=True)
        shutil.copy(font, folder / "Arial.ttf")


def mend_torchvision() -> None:
    """Declare the operators that a torchvision built for another torch lacks.

    Training and export never call them.
    """
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{name}",
                "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            )


class Pieces:
    """Sampler: every picture once, in random order, a piece of them at a time.

    Then all again in another order.

    A sampler as torch's loader wants it: each iteration gives the indices of the next piece.
    """

    def __init__(self, pictures: int, pieces: int, seed: int = 0) -> None:
        """Share *pictures* out in *pieces* of one size; the rest waits for another order."""
        self.pictures, self.size = pictures, max(1, pictures // pieces)
        self.random, self.order = random.Random(seed), list[int]()  # noqa: S311 - no secret

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        if len(self.order) < self.size:
            self.order = self.random.sample(range(self.pictures), self.pictures)
        piece, self.order = self.order[: self.size], self.order[self.size :]
        return iter(piece)


def make_trainer(overrides: dict[str, Any]) -> Any:
    """Ultralytics' own trainer, with four things changed that its options do not reach."""
    import torch
    from ultralytics.data.build import InfiniteDataLoader  # type: ignore[import-not-found]
    from ultralytics.models.yolo.detect import DetectionTrainer  # type: ignore[import-not-found]

    class Trainer(DetectionTrainer):  # type: ignore[misc]
        """All cores, fresh pictures in every epoch, and no validation on the clock."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            # On choosing its device Ultralytics left one core to others.
            torch.set_num_threads(CORES)
            self.seen, self.seconds = 0, 0.0

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            """Count the pictures of a batch and hand it on."""
            self.seen += len(batch["img"])
            return dict(super().preprocess_batch(batch))

        def get_dataloader(
            self, path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
        ) -> Any:
            """Return Ultralytics' own loader, made to give one of the :class:`Pieces`."""
            loader = super().get_dataloader(path, batch_size, rank, mode)
            if mode != "train":
                return loader
            return InfiniteDataLoader(
                dataset=loader.dataset,
                batch_size=batch_size,
                sampler=Pieces(len(loader.dataset), overrides["epochs"]),
                collate_fn=loader.collate_fn,
            )

        def validate(self) -> tuple[dict[str, float], float]:
            """Judge nothing: all of the time is for training."""
            return self.metrics, 0.0

        def save_model(self) -> bool:
            """Note the time that the training took so far; write the weights at its end alone."""
            self.seconds = time.time() - self.train_time_start
            return bool(self.stop and super().save_model())

    return Trainer(overrides=overrides)


def train(arguments: argparse.Namespace, work: Path) -> tuple[Path, dict[str, Any]]:
    """Train until the time is up; returns the weights and what was done."""
    from ultralytics.utils import YAML  # type: ignore[import-not-found]

    settings = SETTINGS | dict(setting_of(text) for text in arguments.set)
    classes = len(YAML.load(arguments.data)["names"])
    settings.setdefault("lr0", round(0.002 * 5 / (4 + classes), 6))
    place = {
        "model": f"{arguments.model}.yaml",
        "data": str(arguments.data),
        "imgsz": arguments.size,
        "device": "cpu",
    }
    place |= {"project": str(work), "name": "run", "exist_ok": True, "time": arguments.minutes / 60}
    trainer = make_trainer({**settings, **place})
    trainer.train()
    return trainer.last, {
        "minutes": arguments.minutes,
        "seconds": round(trainer.seconds, 1),
        "pictures": trainer.seen,
        "epochs": trainer.epoch + 1,
        "cores": CORES,
        "settings": settings,
        "ultralytics": version("ultralytics"),
        "torch": version("torch"),
    }


def random_network(arguments: argparse.Namespace) -> Any:
    """Return Ultralytics' network as it is before any training."""
    import torch
    from ultralytics import YOLO  # type: ignore[import-not-found]
    from ultralytics.nn.tasks import DetectionModel  # type: ignore[import-not-found]

    torch.manual_seed(0)
    network = YOLO(f"{arguments.model}.yaml")
    model = DetectionModel(f"{arguments.model}.yaml", nc=arguments.classes, verbose=False)
    model.args, model.task = network.model.args, network.task
    network.model = model
    return network


def setting_of(text: str) -> tuple[str, Any]:
    """Split KEY=VALUE; the value is Python's when it reads as such."""
    key, _, value = text.partition("=")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def main(argv: list[str] | None = None) -> int:
    """Train, export, and only then put both files under their names."""
    arguments = arguments_of(argv)
    out: Path = arguments.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    stay_offline(out / "config")
    mend_torchvision()
    from ultralytics import YOLO

    with tempfile.TemporaryDirectory(dir=out) as work:
        if arguments.data is None:
            network, record = random_network(arguments), {"ultralytics": version("ultralytics")}
        else:
            weights, record = train(arguments, Path(work).absolute())
            network = YOLO(weights)
        # A network that comes from no file of weights is written where the program runs. There is
        # no non-maximum suppression inside: all are thinned alike.
        with contextlib.chdir(work):
            model = network.export(format="onnx", imgsz=arguments.export_size, simplify=False)
            Path(model).replace(out / "model.onnx")
        (out / "run.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the command that started this one says so
        sys.exit(130)
