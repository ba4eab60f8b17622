"""Train YOLO11n, YOLO26n and ours for as long on the same painter's pictures; judge all alike.

Run from the project's root: ``python -m bench.peers``. Every stage keeps what it made, so that a
run that was cut short goes on where it stopped. What is compared, and what favours whom, is in
README.md beside this file.
"""

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.command import answer, run
from bench.layouts import Entries
from bench.peers.environment import make_environment
from bench.peers.judging import Contender, Result, judge_contender
from bench.peers.latency import Latency, Opened, as_object, measure
from bench.peers.latency import lines as latency_lines
from bench.peers.pictures import write_set
from bench.peers.report import compare, plain, table, verdict
from bench.peers.yolo import THRESHOLD, Yolo
from edge.errors import InputError, UsageError
from edge.files import make_folder, write_atomic
from edge.vision.localizer import Localizer
from edge.vision.picture_files import list_pictures, read_picture
from train.config import FitSettings, RunConfig
from train.labels.reading import read_ground_truth
from train.learn.environment import processor
from train.marks import features
from train.marks.features import ENOUGH, Sift, score_of
from train.marks.mark import Mark
from train.marks.naming import parse_marks
from train.network import checkpoint
from train.paint.inputs import Inputs, read_inputs

DATA = Path("../shared/data")
PEERS = {"YOLO11n": "yolo11n", "YOLO26n": "yolo26n"}
"""The peers that are trained, and Ultralytics' names of them."""
SIFT, OURS = "SIFT+RANSAC", "stampgate"
PICTURES_A_SECOND, AT_SIDE = 8, 416
"""Pictures painted for each second of training, at that side: about what YOLO11n takes on two
cores, or more."""
LATENCY_PICTURES = 20
TRAINER = Path(__file__).with_name("yolo_train.py")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add(
        "--mark",
        action="append",
        metavar="[NAME=]PATH",
        help=f"repeatable (default {DATA}/arla/mark.png)",
    )
    for option, place, metavar in (
        ("--backgrounds", DATA / "backgrounds", "DIR"),
        ("--coco", DATA / "arla/labels.json", "LABELS.json"),
        ("--images", DATA / "arla/images", "DIR"),
        ("--negatives", DATA / "arla/negatives", "DIR"),
        ("--environment", Path("build/peers-env"), "DIR"),
        ("--out", Path("build/peers"), "DIR"),
    ):
        add(option, type=Path, default=place, metavar=metavar, help="(default %(default)s)")
    _add_trainings(parser)
    add(
        "--peer-python",
        type=Path,
        metavar="PATH",
        help="Python of a ready environment (default: one is made)",
    )
    add(
        "--rounds",
        type=int,
        default=200,
        metavar="N",
        help="rounds of the latency (default %(default)s)",
    )
    return parser


def _add_trainings(parser: argparse.ArgumentParser) -> None:
    """Add the settings of both trainings."""
    add = parser.add_argument
    add(
        "--minutes",
        type=float,
        default=30.0,
        metavar="M",
        help="training time of each (default %(default)g)",
    )
    add(
        "--size",
        type=int,
        default=416,
        metavar="PX",
        help="input size of both (default %(default)s)",
    )
    add(
        "--window",
        type=int,
        metavar="PX",
        help="side of the pictures the peer trains on (default: the input size)",
    )
    add(
        "--pictures",
        type=int,
        metavar="N",
        help=f"(default {PICTURES_A_SECOND} a second of training at {AT_SIDE} px)",
    )
    add(
        "--ours",
        action="append",
        metavar="[NAME=]MODEL.onnx",
        help="judge this instead of training ours; repeatable",
    )
    add(
        "--yolo",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an Ultralytics setting; repeatable",
    )


def check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot work before anything is made. Raises UsageError or InputError."""
    if not Path("export/__main__.py").is_file():
        raise UsageError(
            "bench.peers: must be run from the project's root, "
            "where export/ and train/ are; go there"
        )
    window = arguments.window or arguments.size
    for name, value in (("--size", arguments.size), ("--window", window)):
        if value < 96 or value % 32:
            raise UsageError(f"{name} {value}: must be a multiple of 32 and at least 96; change it")
    if window > arguments.size:
        raise UsageError(f"--window {window}: must be at most --size {arguments.size}; change it")
    if arguments.minutes <= 0 or arguments.rounds < 1 or (arguments.pictures or 100) < 100:
        raise UsageError(
            "--minutes and --rounds must be above 0 and --pictures at least 100; change them"
        )
    for name in ("images", "negatives"):
        if not getattr(arguments, name).is_dir():
            raise InputError(
                f"--{name} {getattr(arguments, name)}: no such folder; name a folder of photographs"
            )
    if arguments.peer_python and not arguments.peer_python.is_file():
        raise InputError(
            f"--peer-python {arguments.peer_python}: no such program; "
            "leave it out to make an environment"
        )
    if any("=" not in text for text in arguments.yolo):
        raise UsageError("--yolo: must be KEY=VALUE, a setting of Ultralytics; correct it")


def inputs_of(arguments: argparse.Namespace) -> Inputs:
    """Return marks and backgrounds that both are trained on. Raises InputError."""
    pairs = parse_marks(arguments.mark or [str(DATA / "arla/mark.png")])
    marks = tuple((name, str(Path(path).absolute())) for name, path in pairs)
    return read_inputs(
        RunConfig(
            marks, str(arguments.backgrounds.absolute()), fit=FitSettings(size=arguments.size)
        )
    )


def train_peer(arguments: argparse.Namespace, inputs: Inputs, python: Path, peer: str) -> Path:
    """Paint pictures and train *peer*, one of :data:`PEERS`, on them, unless that was done.

    Returns its ONNX file. Raises InputError.
    """
    out: Path = arguments.out / PEERS[peer]
    window = arguments.window or arguments.size
    usual = round(arguments.minutes * 60 * PICTURES_A_SECOND * (AT_SIDE / window) ** 2)
    count = arguments.pictures or max(100, usual)
    asked = {
        "minutes": arguments.minutes,
        "size": arguments.size,
        "window": window,
        "pictures": count,
    }
    asked |= {"yolo": sorted(arguments.yolo)}
    model = out / "model.onnx"
    if done(model, asked):
        return model
    data = write_set(inputs, window, count, arguments.out / "pictures")
    command = [str(python), str(TRAINER), "--model", PEERS[peer], "--data", str(data)]
    command += ["--out", str(out), "--minutes", str(arguments.minutes)]
    command += ["--size", str(window), "--export-size", str(arguments.size)]
    run(
        [*command, *(part for text in arguments.yolo for part in ("--set", text))],
        peer,
        "see its lines above",
    )
    write_atomic(out / "asked.json", json.dumps(asked).encode())
    return model


def train_ours(arguments: argparse.Namespace, inputs: Inputs) -> Path:
    """Train and export our model with our own commands, unless that was done. Raises InputError."""
    out: Path = arguments.out / "ours"
    asked = {"minutes": arguments.minutes, "size": arguments.size}
    model, folder = out / "model.onnx", out / "run"
    if done(model, asked):
        return model
    make_folder(out)
    stampgate = [sys.executable, "-m", "export"]
    trained = checkpoint.load(folder) if (folder / checkpoint.NAME).exists() else None
    command = [*stampgate, "train", "--out", str(folder)]
    command += ["--minutes", str(arguments.minutes), "--size", str(arguments.size)]
    if trained:
        command.append("--resume")
    else:
        command += [
            part for name, path in inputs.config.marks for part in ("--mark", f"{name}={path}")
        ]
        command += ["--backgrounds", inputs.config.backgrounds]
    # A run that has its threshold and its minutes was only kept from being exported.
    if not trained or trained.threshold is None or trained.seconds < arguments.minutes * 60:
        run(command, OURS, "see its lines above")
    run(
        [*stampgate, "export", str(folder), "--out", str(model), "--anyway"],
        OURS,
        "see its lines above",
    )
    write_atomic(out / "asked.json", json.dumps(asked).encode())
    return model


def done(model: Path, asked: dict[str, Any]) -> bool:
    """Return whether *model* was made as *asked*. Raises InputError when it was made otherwise."""
    note = model.with_name("asked.json")
    if not model.exists() or not note.exists():
        return False
    before = json.loads(note.read_text(encoding="utf-8"))
    for key, value in asked.items():
        if before.get(key) != value:
            raise InputError(
                f"{model}: was made with {key} {before.get(key)}, not {value}; "
                f"remove {model.parent}, or name another --out"
            )
    return True


def contenders_of(
    arguments: argparse.Namespace, inputs: Inputs, peers: Mapping[str, Path]
) -> list[Contender]:
    """Return ours, the trained *peers* and the training-free one.

    Raises InputError, ModelError or UsageError.
    """
    ours = given_models(arguments) or [(OURS, train_ours(arguments, inputs))]
    classes = inputs.config.classes
    labels = read_ground_truth(arguments.coco, arguments.images, classes)[0]
    marks = "".join(sha256(mark.image.tobytes()).hexdigest() for mark in inputs.marks)
    code = digest(Path(features.__file__))
    return [
        *(our_contender(name, model, arguments, inputs) for name, model in ours),
        *(
            Contender(name, partial(Yolo, model, classes), THRESHOLD, labels, digest(model))
            for name, model in peers.items()
        ),
        Contender(SIFT, partial(sift_of, inputs.marks), score_of(ENOUGH), labels, marks + code),
    ]


def sift_of(marks: Sequence[Mark], entries: Entries) -> Sift:  # noqa: ARG001 - it has no graph
    """Return SIFT on *marks*, in whatever layout others run."""
    return Sift(marks)


def given_models(arguments: argparse.Namespace) -> list[tuple[str, Path]]:
    """The models named with --ours and their names. Raises UsageError."""
    models = [(name, Path(path)) for name, path in parse_marks(arguments.ours or ())]
    names = [name for name, _ in models]
    if len({*names, *PEERS, SIFT}) < len(names) + len(PEERS) + 1:
        raise UsageError("--ours: two models have one name; give each its own, NAME=MODEL.onnx")
    return models


def our_contender(
    name: str, model: Path, arguments: argparse.Namespace, inputs: Inputs
) -> Contender:
    """Return one of our models as a contender.

    Raises InputError or ModelError, also when it takes another size or knows other classes.
    """
    contract = Localizer(model).contract
    takes = f"{contract.input_width} x {contract.input_height}"
    if takes != f"{arguments.size} x {arguments.size}":
        raise InputError(
            f"{model}: takes {takes} pixels, not {arguments.size}; change --size, or export another"
        )
    known, wanted = len(contract.classes), len(inputs.config.classes)
    if known != wanted:
        raise InputError(
            f"{model}: must know as many classes as there are --mark, {wanted}, not {known}; "
            "correct one"
        )
    labels = read_ground_truth(arguments.coco, arguments.images, contract.classes)[0]
    return Contender(name, partial(Localizer, model), contract.threshold, labels, digest(model))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return sha256(path.read_bytes()).hexdigest()


def latencies(contenders: Sequence[Contender], arguments: argparse.Namespace) -> Latency:
    """Time all contenders in both layouts. Raises InputError, ModelError or UsageError."""
    frames = [read_picture(file) for file in list_pictures(arguments.images)[:LATENCY_PICTURES]]

    def opened(entries: Entries) -> dict[str, Opened]:
        return {
            contender.name: (contender.opened(entries), contender.threshold)
            for contender in contenders
        }

    return measure(opened, frames, arguments.size, arguments.rounds)


def machine() -> dict[str, Any]:
    """Return the machine and the versions of the libraries."""
    names = ("numpy", "onnxruntime", "opencv-python-headless", "torch")
    about = {
        "processor": processor(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
    }
    return {**about, **{name: version(name) for name in names}}


def conclude(arguments: argparse.Namespace, results: Sequence[Result], latency: Latency) -> None:
    """Print the table and write it with every figure.

    As ``comparison.txt`` and ``comparison.json``.
    """
    peers = [result for result in results if result.name in PEERS]
    ours = [result for result in results if result.name not in (*PEERS, SIFT)]
    names = [result.name for result in ours]
    trained = {name: read_json(arguments.out / PEERS[name] / "run.json") for name in PEERS}
    lines = [table(results), "", *latency_lines(latency, names, list(PEERS))]
    for name, record in trained.items():
        of = read_json(arguments.out / PEERS[name] / "asked.json")["pictures"]
        lines.append(
            f"{name} was shown {record['pictures']} pictures, of {of} painted, in "
            f"{record['seconds']:.0f} s"
        )
    lines += [verdict(result, peer) for result in ours for peer in peers]
    text = "\n".join(lines)
    print(text)
    write_atomic(arguments.out / "comparison.txt", (text + "\n").encode())
    whole = {
        "machine": machine(),
        "photographs": {"labels": str(arguments.coco), "negatives": str(arguments.negatives)},
        "results": [result.as_object() for result in results],
        "latency": as_object(latency, names, list(PEERS)),
        "peer_training": trained,
        "compared": {
            result.name: {peer.name: compare(result, peer) for peer in peers} for result in ours
        },
    }
    write_atomic(
        arguments.out / "comparison.json", (json.dumps(plain(whole), indent=1) + "\n").encode()
    )
    print(f"written: {arguments.out / 'comparison.txt'} and comparison.json")


def read_json(path: Path) -> dict[str, Any]:
    """Read a note that a stage left."""
    note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return note


def compare_all(arguments: argparse.Namespace) -> int:
    """The way of the comparison: environment, pictures, training, looking, timing, table."""
    check(arguments)
    make_folder(arguments.out)
    inputs = inputs_of(arguments)
    read_ground_truth(
        arguments.coco, arguments.images, inputs.config.classes
    )  # a mistake there should not cost an hour
    for name, model in given_models(arguments):
        our_contender(name, model, arguments, inputs)
    python = arguments.peer_python or make_environment(arguments.environment)
    peers = {name: train_peer(arguments, inputs, python, name) for name in PEERS}
    contenders = contenders_of(arguments, inputs, peers)
    results = [
        judge_contender(
            contender, arguments.negatives, arguments.out / f"seen-{contender.name}.json"
        )
        for contender in contenders
    ]
    conclude(arguments, results, latencies(contenders, arguments))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser().parse_args(argv)
    stopped = "stopped; the same command goes on from the last stage that was finished"
    return answer("peers", lambda: compare_all(arguments), stopped)


if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # whoever stops this stops its trainings too
    sys.exit(main())
