"""``stampgate-edge demo``: the real service on the packaged pictures, and what came of it."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.annotate import annotate, contact_sheet, recorded_verdict, save_png
from edge.commands.inspect import box_text
from edge.config import DEFAULT_MODEL
from edge.errors import FrameError, InputError
from edge.files import make_folder, write_atomic
from edge.gate.history import Pulse, pulses, read_transitions
from edge.printing import print_line, printable
from edge.record.journal_lock import is_free
from edge.record.verify import read_records, verify
from edge.sections.model import DEFAULT_NAME
from edge.service import serve
from edge.settings import toml_value
from edge.vision.picture_files import read_picture
from edge.wiring import load_checked

SAMPLES = DEFAULT_MODEL.parent / "samples"
MARKER = ".stampgate-demo"
EVIDENCE = "evidence"
SETTINGS, JOURNAL, GATE = "edge.toml", "journal.jsonl", "gate.jsonl"
SHEET, COPIES = "sheet.png", "annotated"
SETTINGS_TEXT = """\
# What 'stampgate-edge demo' runs. Try: stampgate-edge run --config edge.toml
[camera]
folder = {folder}
pictures_per_second = 4.0

[gate]
reject_delay_ms = 500.0
pulse_ms = 60.0
record = "{gate}"

[model]
file = {model}

[imaging]
reference = ""

[journal]
mark = ""
file = "{journal}"
status = "status.json"

[evidence]
folder = "evidence"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's option."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("stampgate-demo"),
        metavar="DIR",
        help="default: %(default)s",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the service at work. Raises StampgateError."""
    demo(arguments.out)
    return 0


def demo(out: Path, samples: Path = SAMPLES, model: str = DEFAULT_NAME) -> None:
    """Run the service on *samples* with *model* and print what it did.

    Journal, gate record and pictures are left in *out*. Raises StampgateError; a folder that holds
    anything but an earlier demo is left alone.
    """
    _claim_folder(out)
    text = SETTINGS_TEXT.format(
        folder=toml_value(str(samples)), model=toml_value(model), gate=GATE, journal=JOURNAL
    )
    write_atomic(out / SETTINGS, text.encode())
    print_line(f"running the service on the pictures in {samples} ...")
    print_line(flush=True)
    serve(load_checked(out / SETTINGS))
    records = read_records(out / JOURNAL)
    items = [record for record in records if record["kind"] == "item"]
    _print_items(items)
    _print_pulses(items, pulses(read_transitions(out / GATE)))
    checked = verify(out / JOURNAL)
    print_line()
    print_line(
        "counters: " + ", ".join(f"{name} {n}" for name, n in records[-1]["counters"].items())
    )
    _draw(items, samples, out)
    print_line(f"journal:  {out / JOURNAL} ({checked.records} records, chain whole)")
    print_line(f"edges:    {out / GATE}")
    print_line(f"pictures: {out / SHEET} and {out / COPIES}/")


def _claim_folder(out: Path) -> None:
    """Mark *out* as a demo's and remove the files that an earlier demo left there."""
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise InputError(
            f"{out}: must be empty or hold an earlier demo; name another folder with --out"
        )
    if (out / JOURNAL).exists() and not is_free(out / JOURNAL):
        raise InputError(
            f"{out}: another demo is running there; wait for it to end, or name another folder "
            "with --out"
        )
    make_folder(out / COPIES)
    write_atomic(
        out / MARKER, b"made by 'stampgate-edge demo', which may replace what it wrote here\n"
    )
    pictures = (out / EVIDENCE).glob("*.jpg")  # they bear the numbers of items
    for path in (*pictures, *(out / name for name in (SETTINGS, JOURNAL, GATE, SHEET))):
        path.unlink(missing_ok=True)


def _print_items(items: Sequence[dict[str, Any]]) -> None:
    rows = [["picture", "verdict", "score", "box: x0 y0 x1 y1", "reason"]]
    for item in items:
        best = next(iter(recorded_verdict(item).findings), None)
        score, box = (f"{best.score:.2f}", box_text(best)) if best else ("", "")
        shown = (item["picture"], item["verdict"].upper(), score, box, item["reason"])
        rows.append([*map(printable, shown)])
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for *cells, reason in rows:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        print_line("  ".join([*padded, reason]))


def _print_pulses(items: Sequence[dict[str, Any]], seen: Sequence[Pulse]) -> None:
    triggers = {item["sequence"]: item for item in items}
    print_line()
    print_line("reject pulses (item: start after its trigger, width)")
    for pulse in seen:
        item = triggers[pulse.sequence]
        start_ms = (pulse.start_ns - item["trigger_ns"]) / 1e6
        width_ms = (pulse.end_ns - pulse.start_ns) / 1e6
        print_line(
            f"  {item['sequence']:>3} {item['picture']}: {start_ms:.1f} ms, {width_ms:.1f} ms"
        )
    if not seen:
        print_line("  none")


def _draw(items: Sequence[dict[str, Any]], samples: Path, out: Path) -> None:
    """Draw the verdicts on the samples from the journal's records alone, which must be enough."""
    pictures = []
    for item in items:
        try:
            frame = read_picture(samples / item["picture"])
        except FrameError:
            continue  # the table says so already, and there is nothing to draw on
        picture = annotate(frame, recorded_verdict(item), item["picture"])
        save_png(picture, out / COPIES / f"{item['sequence']:03}-{Path(item['picture']).stem}.png")
        pictures.append(picture)
    if pictures:
        save_png(contact_sheet(pictures), out / SHEET)
