"""Measure what the box costs: start-up, memory, disk, and an item's way beside the network.

Run from the project's root, in the box's own environment: ``.venv-box/bin/python -m bench.edge``.
Gate and eye are the real processes, started as systemd would start them. Nothing else should run
meanwhile.
"""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.command import answer
from bench.edge.figures import Figure, table, verdict, write_json
from bench.edge.overhead import MOST, MemoryCamera, overhead
from bench.edge.processes import PROGRAM, Service, write_settings
from bench.edge.starting import environment_figure, memory_figures, start_figures, start_once
from bench.layouts import layouts
from edge.camera import Camera
from edge.camera.replay import ReplayCamera
from edge.clock import MonotonicClock
from edge.config import Config
from edge.errors import UsageError
from edge.files import make_folder
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.model import DEFAULT_NAME, ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.trigger import TriggerSettings
from edge.vision.picture_files import list_pictures, read_picture
from edge.vision.preprocess import Frame, prepare

SAMPLES = Path("edge/default/samples")
WIDTH, HEIGHT = 1280, 960
"""Pixels of a frame."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.edge",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="Exit 1: a bound broken.",
    )
    for name, kind, default, metavar, sentence in (
        ("--pictures", Path, SAMPLES, "DIR", "the frames (default %(default)s)"),
        ("--starts", int, 7, "N", "how often both are started (default %(default)s)"),
        ("--items", int, 300, "N", "items before memory is read (default %(default)s)"),
        ("--rounds", int, 20, "N", "rounds of all pictures for the overhead (default %(default)s)"),
        ("--out", Path, Path("build/bench-edge"), "DIR", "default %(default)s"),
        ("--program", Path, PROGRAM, "FILE", "the stampgate-edge to start (default: beside us)"),
    ):
        parser.add_argument(name, type=kind, default=default, metavar=metavar, help=sentence)
    parser.add_argument(
        "--model",
        type=Path,
        action="append",
        default=[],
        metavar="MODEL.onnx",
        help="measure it beside the default",
    )
    return parser


def box_config(folder: Path, run: Path, model: str, pictures: Path) -> Config:
    """Settings as shipped, on replayed *pictures*, simulated lines and *model*.

    *folder*: for journal and evidence; *run*: one with a short path, for what lies in memory on a
    box.
    """
    return Config(
        camera=CameraSettings(folder=str(pictures.absolute()), pictures_per_second=0.0, loop=True),
        trigger=TriggerSettings(kind="photo-eye"),
        gate=GateSettings(
            driver="process", socket=str(run / "gate.sock"), record=str(run / "edges.jsonl")
        ),
        lines=LinesSettings(trigger="PHOTO-EYE", inputs=str(run / "lines.sock")),
        model=ModelSettings(file=model),
        journal=JournalSettings(file="journal.jsonl", status=str(run / "status.json")),
        evidence=EvidenceSettings(folder="evidence"),
        folder=folder.absolute(),
    )


def measure_box(arguments: argparse.Namespace, model: str, frames: Sequence[Frame]) -> list[Figure]:
    """All figures of the box with one model. Raises InputError."""
    with (
        tempfile.TemporaryDirectory(dir=arguments.out) as folder,
        tempfile.TemporaryDirectory(prefix="box-") as run,
    ):
        config = box_config(Path(folder), Path(run), model, arguments.pictures)
        settings, program = write_settings(config, Path(folder) / "edge.toml"), arguments.program
        name = config.model_file().stem
        starts = [start_once(config, program, settings, Path(run)) for _ in range(arguments.starts)]
        return [
            *start_figures(starts, name),
            *memory_figures(config, program, settings, Path(run), arguments.items),
            *overhead_figures(config, program, Path(run), frames, arguments.rounds),
        ]


def overhead_figures(
    config: Config, program: Path, run: Path, frames: Sequence[Frame], rounds: int
) -> list[Figure]:
    """Return the whole way's time over the network's, in each layout.

    From frames in memory, with an evidence picture, and from files.
    """
    config = dataclasses.replace(config, trigger=TriggerSettings(kind="every-frame"))
    bare = dataclasses.replace(config, evidence=EvidenceSettings(folder=""))
    proven = dataclasses.replace(
        config, evidence=dataclasses.replace(config.evidence, pass_rate=1.0)
    )
    files = ReplayCamera(config.path(config.camera.folder), config.camera, MonotonicClock())
    ways: dict[str, tuple[Config, Camera]] = {
        "": (bare, MemoryCamera(frames)),
        ", evidence kept": (proven, MemoryCamera(frames)),
        ", JPEG decoded": (bare, files),
    }
    settings, figures = write_settings(config, config.folder / "every-frame.toml"), list[Figure]()
    for layout, entries in layouts().items():
        for how, (way, camera) in ways.items():
            with Service(program, "gate", settings, run) as gate:
                gate.ready_s()
                whole_ms, alone_ms, looks = overhead(way, frames, camera, rounds, entries)
            name = f"whole way / network, {layout}{how}, {config.model_file().stem}"
            note = f"{whole_ms:.2f} ms / {alone_ms:.2f} ms; {looks:.1f} looks a frame"
            bound = None if how else MOST
            figures.append(Figure(name, whole_ms / alone_ms, "times", bound, note))
    return figures


def measure(arguments: argparse.Namespace, command: str) -> int:
    """Measure what *command* asks for, print and write it; the exit status.

    Raises UsageError or InputError.
    """
    if min(arguments.starts, arguments.items, arguments.rounds) < 1:
        raise UsageError("--starts, --items and --rounds must be at least 1; change them")
    make_folder(arguments.out)
    frames = [
        prepare(read_picture(path), WIDTH, HEIGHT)[0] for path in list_pictures(arguments.pictures)
    ]
    figures = [environment_figure(arguments.program)]
    for model in (DEFAULT_NAME, *(str(path.absolute()) for path in arguments.model)):
        print(f"measuring with {Path(model).stem} ...", file=sys.stderr, flush=True)
        figures += measure_box(arguments, model, frames)
    print(table(figures))
    write_json(arguments.out / "bench-edge.json", figures, command, {})
    print(f"{verdict(figures)}; {arguments.out}/bench-edge.json; again: {command}")
    return int(not all(figure.holds for figure in figures))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; a problem of the user's is one line on stderr and an exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(given)
    return answer(
        "bench-edge", lambda: measure(arguments, " ".join(["python -m bench.edge", *given]))
    )


if __name__ == "__main__":
    sys.exit(main())
