"""Measure what a model loses and gains in lower precision; none of the files is for a box.

``python -m bench.precision RUN``, or ``--packaged BACKGROUNDS``: size, latency on one thread in
each layout, and the decision gate's table of each variant, on the same pictures. The files are
written without a seal's golden pictures being proven, into ``--out``, for ``stampgate evaluate``.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from onnx import ModelProto
from tqdm import tqdm

from bench.command import answer
from bench.layouts import layouts
from bench.peers.timing import interleaved, medians, ratio
from bench.precision.variants import FLOAT, Model, of_packaged, of_run, variants
from edge.errors import UsageError
from edge.files import make_folder, write_atomic
from edge.vision.contract import Contract
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame, prepare
from export.precision.gate import GateResult, Pair, judge
from export.sealing import seal
from train.assess.frozen_pictures import FrozenPicture, Part


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.precision", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("run", type=Path, nargs="?", metavar="RUN", help="folder of a run")
    add("--packaged", type=Path, metavar="BACKGROUNDS", help="the packaged model, on these")
    add("--rounds", type=int, default=30, metavar="N", help="calls of each (%(default)s)")
    add("--out", type=Path, default=Path("build/bench-precision"), metavar="DIR")
    return parser


def latency(
    made: Mapping[str, ModelProto], contract: Contract, frame: Frame, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Return median milliseconds and the ratio to float32 of each graph alone, by layout."""
    picture = prepare(frame, contract.input_width, contract.input_height)[0][None]
    found: dict[str, dict[str, list[float]]] = {}
    for layout, entries in layouts().items():
        opened = {
            name: Localizer.unproven(Path(name), model.SerializeToString(), contract, entries)
            for name, model in made.items()
        }
        calls = {name: partial(_call, one, picture) for name, one in opened.items()}
        times = interleaved(calls, rounds)
        found[layout] = {
            name: [ms, ratio(times, name, FLOAT).median] for name, ms in medians(times).items()
        }
    return found


def _call(localizer: Localizer, picture: Frame, _number: int) -> object:
    return localizer.infer(picture)


def gates(
    made: Mapping[str, ModelProto], contract: Contract, pictures: Iterable[FrozenPicture]
) -> dict[str, GateResult]:
    """Let every variant judge the same pictures, each in turn."""
    opened = {
        name: Localizer.unproven(Path(name), model.SerializeToString(), contract)
        for name, model in made.items()
    }
    pairs: dict[str, list[Pair]] = {name: [] for name in made if name != FLOAT}
    for picture in pictures:
        exact = judge(opened[FLOAT], picture.frame)
        for name, judged in pairs.items():
            judged.append(Pair(picture.kind, exact, judge(opened[name], picture.frame)))
    return {name: GateResult.of(each, contract, float("nan")) for name, each in pairs.items()}


def measure(arguments: argparse.Namespace) -> int:
    """Make, measure, print and write. Raises StampgateError."""
    if (arguments.run is None) == (arguments.packaged is None):
        raise UsageError("name the folder of a run, or --packaged with a folder of photographs")
    model: Model = of_run(arguments.run) if arguments.run else of_packaged(arguments.packaged)
    _, _, contract, pictures = model
    make_folder(arguments.out)
    made, found = variants(model)
    for layer in sorted(found, key=lambda layer: -layer.damage):
        print(f"{layer.damage:.4f} {layer.cost:8.1f} {layer.weight}")
    frames = [one for one, _ in zip(pictures.pictures(Part.CHOOSE), range(8), strict=False)]
    samples = {f"sample {n}": one.frame for n, one in enumerate(frames)}
    for name, graph in made.items():
        content = seal(_copy(graph), contract, samples)
        write_atomic(arguments.out / f"{name.replace(', ', '-').replace(' ', '-')}.onnx", content)
        print(f"{name}: {len(graph.SerializeToString()) / 1e6:.2f} MB")
    times = latency(made, contract, frames[0].frame, arguments.rounds)
    for layout, each in times.items():
        words = ", ".join(f"{name} {ms:.2f} ms ({share:.3f})" for name, (ms, share) in each.items())
        print(f"{layout}: {words}", flush=True)
    judged = tqdm(
        pictures.pictures(Part.JUDGE), "gate", pictures.count(Part.JUDGE), mininterval=5.0
    )
    results = gates(made, contract, judged)
    for name, result in results.items():
        print(name, *result.lines()[:-1], sep="\n  ")
        print(f"  {'; '.join(result.failures) or 'passes its gate'}")
    note = {
        "latency": times,
        "gates": {name: result.as_object() for name, result in results.items()},
        "sizes": {name: len(graph.SerializeToString()) for name, graph in made.items()},
    }
    write_atomic(arguments.out / "precision.json", (json.dumps(note, indent=1) + "\n").encode())
    return 0


def _copy(graph: ModelProto) -> ModelProto:
    copy: ModelProto = ModelProto.FromString(graph.SerializeToString())
    return copy


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser().parse_args(argv)
    return answer("bench-precision", lambda: measure(arguments))


if __name__ == "__main__":
    sys.exit(main())
