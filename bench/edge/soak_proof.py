"""The proof of a soak: counts that agree, a journal that is whole, and nothing that grows."""

import json
import statistics
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.edge.figures import Figure
from bench.edge.processes import MB
from edge.config import Config
from edge.record.health import percentile
from edge.record.journal_file import journal_lines

RSS_MB = 2.0
"""Most that the memory of either process may grow after the warm-up."""
WARM_UP, WARM_UP_ITEMS = 0.1, 2000
"""The share of the items, and the least number, that fill caches and rings of bounded size."""
QUIET = ("missed", "unknown", "lost_edges", "malformed", "refused")
"""Counters of the gate that stay at 0 while all is well."""
BUSY = "triggered while the eye was busy"
"""Beginning of the reason of an item that had waited too long."""


@dataclass(frozen=True)
class Sample:
    """Memory and descriptors of both processes when *items* were done."""

    items: int
    gate_mb: float
    eye_mb: float
    gate_files: int
    eye_files: int


@dataclass(frozen=True)
class Run:
    """The figures of a run, taken from outside.

    *gate*: its counters at the end; *statuses*: the exit statuses of gate and eye.
    """

    asked: int
    passed: int
    seconds: float
    samples: tuple[Sample, ...]
    gate: Mapping[str, object]
    statuses: tuple[int, int]


@dataclass
class Ledger:
    """The journal of a run, counted."""

    tags: Counter[int] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    untimely: int = 0
    """Items that were rejected because time ran out: a machine that has other work, too, is not
    always quick."""
    wrong: Counter[str] = field(default_factory=Counter)
    """Other items that were not judged as their picture deserves: the verdict and why."""
    ms: list[float] = field(default_factory=list)
    """From trigger to answer, item by item."""
    health: list[dict[str, Any]] = field(default_factory=list)
    stop: dict[str, Any] = field(default_factory=dict)

    def take(self, record: dict[str, Any]) -> None:
        """Note one record."""
        if record["kind"] == "item":
            self.tags[record["tag"]] += 1
            self.verdicts[record["verdict"]] += 1
            self.ms += [record["ms"]] if "ms" in record else []  # none where no eye saw it
            if record["verdict"] != "pass" and (
                record["gate"] == "late" or record["reason"].startswith(BUSY)
            ):
                self.untimely += 1
            elif record["verdict"] != deserved(record["picture"]):
                self.wrong[f"{record['verdict']}: {record['reason']}"] += 1
        elif record["kind"] == "health":
            self.health.append(record)
        elif record["kind"] == "stop":
            self.stop = record


def deserved(picture: str) -> str:
    """The verdict that a picture deserves, from its name.

    >>> deserved("3-fault.jpg")
    'fault'
    """
    return Path(picture).stem.partition("-")[2]


def read_ledger(journal: Path) -> Ledger:
    """Read a journal, record by record."""
    ledger = Ledger()
    for _, _, line in journal_lines(journal):
        ledger.take(json.loads(line))
    return ledger


def prove(run: Run, ledger: Ledger, config: Config, program: Path) -> list[Figure]:
    """Everything that the soak claims, each as a figure with its bound."""
    return [
        *counted(run, ledger),
        *written(run, ledger, config, program),
        *grown(run.samples),
        *speed(run, ledger),
    ]


def counted(run: Run, ledger: Ledger) -> list[Figure]:
    """Check that belt, gate and eye count the same, and each trigger became one verdict."""
    eye, gate = (
        ledger.stop.get("counters", {}),
        {name: n for name, n in run.gate.items() if isinstance(n, int)},
    )
    kinds = [int(eye.get(kind, 0)) for kind in ("pass", "reject", "fault")]
    thrown, passes = gate["thrown"], ledger.verdicts["pass"] - gate["thrown_passes"]
    loud = {name: gate[name] for name in QUIET if gate[name]}
    return [
        Figure("eye: triggers other than pass + reject + fault", *_apart(run.passed, kinds)),
        Figure(
            "gate: triggers other than let pass + thrown",
            *_apart(gate["triggers"], [passes, thrown]),
        ),
        Figure(
            "gate: triggers other than items on the belt", *_apart(gate["triggers"], [run.passed])
        ),
        Figure("gate: items missed, unknown or lost", sum(loud.values()), "", 0, str(loud or "")),
        Figure(
            "items judged other than they deserve",
            ledger.wrong.total(),
            "",
            0,
            str(dict(ledger.wrong) or ""),
        ),
        Figure(
            "items thrown off because time ran out",
            ledger.untimely,
            "",
            None,
            f"{gate['late']} answers came late",
        ),
    ]


def _apart(whole: int, parts: Sequence[int]) -> tuple[float, str, float, str]:
    """By how much parts miss the whole, as the rest of a figure."""
    said = f"{whole} {'=' if whole == sum(parts) else 'is not'} {' + '.join(map(str, parts))}"
    return abs(whole - sum(parts)), "", 0, said


def written(run: Run, ledger: Ledger, config: Config, program: Path) -> list[Figure]:
    """Check that each item stands in the journal once, and that ``verify-log`` finds it whole.

    Also tells how much room it takes.
    """
    journal = config.path(config.journal.file)
    once = Counter(range(1, run.passed + 1))
    amiss = (ledger.tags - once) + (once - ledger.tags)
    checked = subprocess.run(  # noqa: S603 - our own command, no shell
        [program, "verify-log", journal], capture_output=True, text=True, check=False
    )
    said = (checked.stdout or checked.stderr).partition("\n")[0].rpartition("jsonl: ")[2]
    evidence = sum(path.stat().st_size for path in config.path(config.evidence.folder).iterdir())
    lost = sum(line["evidence"]["lost"] for line in ledger.health)
    size = sum(path.stat().st_size for path in journal.parent.glob("journal*.jsonl"))
    return [
        Figure(
            "tags that stand in the journal other than once",
            amiss.total(),
            "",
            0,
            f"{len(ledger.tags)} tags",
        ),
        Figure("exit status of verify-log", checked.returncode, "", 0, said),
        Figure(
            "exit statuses of gate and eye", max(map(abs, run.statuses)), "", 0, str(run.statuses)
        ),
        Figure("journal", size / MB, "MB", None, f"{size / run.passed:.0f} bytes an item"),
        Figure(
            "evidence",
            evidence / MB,
            "MB",
            config.evidence.limit_mb,
            f"{lost} pictures came too fast to be kept",
        ),
    ]


def grown(samples: Sequence[Sample]) -> list[Figure]:
    """By how much memory and open files of both processes grew after the warm-up."""
    warm_up = max(WARM_UP * samples[-1].items, min(WARM_UP_ITEMS, samples[-1].items // 2))
    warm = [sample for sample in samples if sample.items >= warm_up]
    tenth = max(1, len(warm) // 10)
    first, last = warm[:tenth], warm[-tenth:]

    def difference(kind: Callable[[Sequence[float]], float], name: str) -> tuple[float, str]:
        before, after = (kind([getattr(sample, name) for sample in part]) for part in (first, last))
        return after - before, f"{before:.4g} to {after:.4g}"

    figures = []
    for process in ("gate", "eye"):
        mb, said_mb = difference(statistics.median, f"{process}_mb")
        files, said_files = difference(min, f"{process}_files")
        figures.append(
            Figure(f"{process}: memory grown after the warm-up", mb, "MB", RSS_MB, said_mb)
        )
        figures.append(Figure(f"{process}: open files more than before", files, "", 0, said_files))
    return figures


def speed(run: Run, ledger: Ledger) -> list[Figure]:
    """Tell the rate, and the time from trigger to answer, waiting included."""
    latencies = sorted(ledger.ms)
    figures = [Figure("items a second", run.passed / run.seconds, "", None, f"{run.seconds:.0f} s")]
    for percent in (50, 99, 100):
        name = f"latency p{percent}" if percent < 100 else "latency, worst"
        figures.append(Figure(name, percentile(latencies, percent) or 0.0, "ms"))
    return figures
