"""Pass 200,000 items through the box's two processes at full speed.

Proves that nothing was lost and nothing grew.

Run from the project's root: ``python -m bench.edge.soak``. Gate and eye are started as systemd
would start them, on simulated lines and replayed pictures. The pictures are small and the model is
one of a few numbers, so that the time goes into what is tried here: link, queue, journal and
evidence. Ctrl-C ends it early and shows what was seen.
"""

import argparse
import dataclasses
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from bench.command import answer
from bench.edge.belt import Belt
from bench.edge.figures import table, verdict, write_json
from bench.edge.processes import PROGRAM, Service, write_settings
from bench.edge.soak_box import fill
from bench.edge.soak_plot import plot
from bench.edge.soak_proof import Run, Sample, prove, read_ledger
from edge.clock import MonotonicClock
from edge.config import Config
from edge.errors import InputError, UsageError
from edge.files import make_folder
from edge.gate.client import RemoteGate
from edge.process.stopping import stop_on_signals

ITEMS = 200_000
FEWEST = 4000
"""Fewer items say nothing about growth."""
SAMPLES = 1000
"""Samples of memory and descriptors in a run."""
MARKER = ".stampgate-soak"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.edge.soak",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="Exit 1: a bound broken.",
    )
    add = parser.add_argument
    add("--items", type=int, default=ITEMS, metavar="N", help="how many (default %(default)s)")
    add(
        "--out",
        type=Path,
        default=Path("build/soak"),
        metavar="DIR",
        help="takes about 1 kB an item (default %(default)s)",
    )
    add(
        "--program",
        type=Path,
        default=PROGRAM,
        metavar="FILE",
        help="the stampgate-edge to try (default: beside us)",
    )
    return parser


def carry_out(config: Config, program: Path, run: Path, items: int) -> Run:
    """Start gate and eye, let *items* pass, stop both; what was seen meanwhile.

    *run*: a folder with a short path, for sockets. Raises InputError when one of the two ends or
    hangs.
    """
    settings = write_settings(config, config.folder / "edge.toml")
    with Service(program, "gate", settings, run) as gate:
        gate.ready_s()
        with Service(program, "run", settings, run) as eye:
            eye.ready_s()
            begun = time.monotonic()
            passed, samples = pass_items(gate, eye, config, items)
            seconds = time.monotonic() - begun
            eye_status = eye.stop()
        facts = gate_facts(config)
        return Run(items, passed, seconds, tuple(samples), facts, (gate.stop(), eye_status))


def pass_items(gate: Service, eye: Service, config: Config, items: int) -> tuple[int, list[Sample]]:
    """Let the items pass until all have, or a signal stops it.

    Returns how many passed, and samples of both processes.
    """
    samples: list[Sample] = []
    with (
        stop_on_signals() as stop,
        Belt(eye, config.path(config.lines.inputs)) as belt,
        tqdm(total=items, desc="soak", unit="item", mininterval=1.0, smoothing=0.05) as bar,
    ):
        for done in belt.carry(items):
            bar.update(done - bar.n)
            if done * SAMPLES >= len(samples) * items:
                gate.listen()
                samples.append(
                    Sample(done, gate.rss_mb(), eye.rss_mb(), gate.open_files(), eye.open_files())
                )
            if stop.reason:
                break
        belt.settle()
        return belt.passed, samples


def gate_facts(config: Config) -> dict[str, object]:
    """Return the gate's counters once the last item has arrived, asked for as an eye."""
    clock = MonotonicClock()
    clock.sleep_until(
        clock.now_ns() + round((config.gate.reject_delay_ms + config.gate.pulse_ms) * 2e6)
    )
    with RemoteGate(config.path(config.gate.socket), config.trigger.kind, clock) as gate:
        gate.check()
        return dict(gate.facts)


def claim(out: Path) -> Path:
    """Make *out* ours and its folder ``box`` empty; return that. Raises InputError."""
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise InputError(
            f"{out}: must be empty or hold an earlier soak; name another folder with --out"
        )
    make_folder(out)
    (out / MARKER).write_text(
        "made by 'python -m bench.edge.soak', which may replace what it wrote here\n"
    )
    shutil.rmtree(out / "box", ignore_errors=True)
    return out / "box"


def soak(arguments: argparse.Namespace, command: str) -> int:
    """Do what *command* asks for; print and write the figures, and return the exit status.

    Raises UsageError or InputError.
    """
    if arguments.items < FEWEST:
        raise UsageError(f"--items must be at least {FEWEST}, not {arguments.items}; change it")
    box = claim(arguments.out)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        config = fill(box, Path(folder), arguments.items)
        run = carry_out(config, arguments.program, Path(folder), arguments.items)
    ledger = read_ledger(config.path(config.journal.file))
    figures = prove(run, ledger, config, arguments.program)
    print(table(figures))
    plot(run.samples, ledger.ms, arguments.out / "soak.png")
    samples = [dataclasses.astuple(sample) for sample in run.samples]
    more = {
        "seconds": run.seconds,
        "gate": dict(run.gate),
        "samples": samples,
        "health": ledger.health,
    }
    write_json(arguments.out / "soak.json", figures, command, more)
    print(f"{verdict(figures)}; {arguments.out}/soak.json, soak.png; journal and evidence in {box}")
    if run.passed < run.asked:
        print(
            f"stopped after {run.passed} of {run.asked} items: what is said above is true of those"
        )
        return 130
    return int(not all(figure.holds for figure in figures))


def main(argv: Sequence[str] | None = None) -> int:
    """Soak and print; a problem of the user's is one line on stderr and an exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(given)
    return answer("soak", lambda: soak(arguments, " ".join(["python -m bench.edge.soak", *given])))


if __name__ == "__main__":
    sys.exit(main())
