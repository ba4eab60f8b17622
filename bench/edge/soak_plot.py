"""Memory, open files and latency against the items of a soak, as a picture."""

import io
from collections.abc import Sequence
from pathlib import Path

from bench.edge.soak_proof import Sample
from edge.files import write_atomic
from edge.record.health import percentile

BUCKET = 1000
"""Items over which percentiles of the latency are taken; a tenth of a run that is shorter than ten
of them."""


def plot(samples: Sequence[Sample], latencies: Sequence[float], path: Path) -> None:
    """Draw it as PNG. *latencies*: milliseconds, item by item. Raises InputError."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra of its own

    figure = Figure(figsize=(9.0, 9.0), layout="constrained")
    memory, files, latency = figure.subplots(3, 1, sharex=True)
    items = [sample.items for sample in samples]
    memory.plot(items, [sample.eye_mb for sample in samples], label="eye")
    memory.plot(items, [sample.gate_mb for sample in samples], label="gate")
    memory.set(ylabel="memory (RSS), MB")
    files.plot(items, [sample.eye_files for sample in samples], label="eye", linewidth=0.8)
    files.plot(items, [sample.gate_files for sample in samples], label="gate", linewidth=0.8)
    files.set(ylabel="open files")
    for percent in (50, 99, 100):
        latency.plot(
            *_percentiles(latencies, percent), label=f"p{percent}" if percent < 100 else "worst"
        )
    latency.set(ylabel="trigger to answer, ms", xlabel="items", yscale="log")
    for axes in (memory, files):
        axes.set_ylim(0.0, 1.3 * axes.get_ylim()[1])  # room for the legend
    for axes in (memory, files, latency):
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right", ncols=3)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    write_atomic(path, file.getvalue())


def _percentiles(latencies: Sequence[float], percent: float) -> tuple[list[int], list[float]]:
    """The percentile of each part of the run, at the item where the part ends."""
    step = max(1, min(BUCKET, len(latencies) // 10))
    parts = [
        (end, sorted(latencies[end - step : end])) for end in range(step, len(latencies) + 1, step)
    ]
    return [end for end, _ in parts], [percentile(part, percent) or 0.0 for _, part in parts]
