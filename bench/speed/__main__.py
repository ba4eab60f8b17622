"""Compare our latency with YOLO11n's and YOLO26n's, all weights random, in each layout.

Run from the project's root: ``python -m bench.speed``, or ``make bench-speed``. Weights do not
enter a latency, so nothing is trained. ``--variants`` measures ours with parts replaced: what a
change would be worth that needs a new training. It tells nothing of accuracy.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.census.counting import census, table
from bench.command import answer, run
from bench.layouts import Entries, layouts
from bench.peers.__main__ import PEERS, TRAINER
from bench.peers.environment import make_environment
from bench.peers.latency import GRAPH, Latency, Opened, as_object, lines, measure
from bench.peers.timing import medians, ratio
from bench.peers.yolo import THRESHOLD, Yolo
from bench.speed.posed import Posed
from bench.speed.variants import OURS, VARIANTS, exported
from edge.errors import UsageError
from edge.files import make_folder, write_atomic
from edge.vision.contract import Contract
from edge.vision.picture_files import list_pictures, read_picture
from edge.vision.preprocess import prepare
from export.to_onnx import contract_of
from train.config import FitSettings, RunConfig
from train.network.checkpoint import Checkpoint

SAMPLES = Path("edge/default/samples")
WIDTH, HEIGHT = 640, 480
"""Pixels of a photograph."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.speed", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--size", type=int, default=416, metavar="PX", help="input size of all (%(default)s)")
    add("--rounds", type=int, default=40, metavar="N", help="calls of each (%(default)s)")
    add("--repeats", type=int, default=3, metavar="N", help="measured so often (%(default)s)")
    add("--variants", action="store_true", help="measure the graphs of ours with parts replaced")
    add("--environment", type=Path, default=Path("build/peers-env"), metavar="DIR")
    add("--peer-python", type=Path, metavar="PATH", help="Python of a ready environment")
    add("--out", type=Path, default=Path("build/bench-speed"), metavar="DIR")
    return parser


def contract_for(size: int) -> Contract:
    """Return the contract that a training with defaults gives, but for the size."""
    config = RunConfig((("mark", "mark.png"),), "", fit=FitSettings(size=size))
    return contract_of(Checkpoint(config, {}, {}, {}, 0, 0.0, 0.5), "0" * 64)


def random_peer(arguments: argparse.Namespace, python: Path, name: str) -> Path:
    """Export a peer of random weights, unless that was done. Raises InputError."""
    out = arguments.out / f"{PEERS[name]}-{arguments.size}"
    if not (out / "model.onnx").exists():
        command = [str(python), str(TRAINER), "--model", PEERS[name], "--out", str(out)]
        run([*command, "--export-size", str(arguments.size)], name, "see its lines above")
    return Path(out / "model.onnx")


def random_ours(arguments: argparse.Namespace, contract: Contract) -> dict[str, Path]:
    """Export ours, and its variants where they are asked for."""
    models = {}
    for number, (name, make) in enumerate(VARIANTS.items()):
        if name == OURS or arguments.variants:
            models[name] = arguments.out / f"ours-{number}.onnx"
            write_atomic(models[name], exported(make(), contract).SerializeToString())
            print(f"exported: {name}", file=sys.stderr, flush=True)
    return models


def opened(
    ours: Mapping[str, Path], peers: Mapping[str, Path], contract: Contract, entries: Entries
) -> dict[str, Opened]:
    """Open all in one layout. Raises ModelError."""
    found: dict[str, Opened] = {
        name: (
            Posed.unproven(model, model.read_bytes(), contract, entries),
            contract.threshold,
        )
        for name, model in ours.items()
    }
    for name, model in peers.items():
        found[name] = Yolo(model, ("mark",), entries=entries), THRESHOLD
    return found


def variants_table(repeats: Sequence[Latency], ours: Sequence[str], peers: Sequence[str]) -> str:
    """Show the graphs' ratios to each peer's: the middle of the repeats, least and greatest."""
    rows = []
    for layout in repeats[0]:
        for name in ours:
            ms = sorted(medians(latency[layout][GRAPH])[name] for latency in repeats)
            row = f"{layout:<9} {name:<32} {ms[len(ms) // 2]:7.2f} ms"
            for peer in peers:
                shares = sorted(ratio(each[layout][GRAPH], name, peer).median for each in repeats)
                middle = shares[len(shares) // 2]
                row += f"  {middle:.3f} of {peer} ({shares[0]:.3f} to {shares[-1]:.3f})"
            rows.append(row)
    return "\n".join(rows)


def compare(arguments: argparse.Namespace) -> int:
    """Export, measure, print and write. Raises InputError, ModelError or UsageError."""
    if arguments.size < 96 or arguments.size % 32 or min(arguments.rounds, arguments.repeats) < 1:
        raise UsageError(
            "--size must be a multiple of 32 and at least 96, --rounds and --repeats at least 1; "
            "change them"
        )
    make_folder(arguments.out)
    python = arguments.peer_python or make_environment(arguments.environment)
    peers = {name: random_peer(arguments, python, name) for name in PEERS}
    contract = contract_for(arguments.size)
    ours = random_ours(arguments, contract)
    frames = [prepare(read_picture(path), WIDTH, HEIGHT)[0] for path in list_pictures(SAMPLES)]
    opener = partial(opened, ours, peers, contract)
    repeats = [
        measure(opener, frames, arguments.size, arguments.rounds) for _ in range(arguments.repeats)
    ]
    names = list(ours)
    for number, latency in enumerate(repeats, 1):
        print(f"run {number} of {len(repeats)}", *lines(latency, [OURS], list(PEERS)), sep="\n")
    print(variants_table(repeats, names, list(PEERS)))
    print(table({name: census(ours[OURS], entries) for name, entries in layouts().items()}))
    found = [as_object(latency, names, list(PEERS)) for latency in repeats]
    note = {"contract": dataclasses.asdict(contract), "runs": found}
    write_atomic(arguments.out / "speed.json", (json.dumps(note, indent=1) + "\n").encode())
    print(f"written: {arguments.out / 'speed.json'}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser().parse_args(argv)
    return answer("bench-speed", lambda: compare(arguments))


if __name__ == "__main__":
    sys.exit(main())
