"""``stampgate crawl``: gather photographs to train on, from search engines or one's own folder."""

import argparse
import contextlib
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import InputError, UsageError
from edge.printing import print_line, printable
from train.commands import needing

if TYPE_CHECKING:
    from train.crawl.collection import Collection
    from train.crawl.counts import Counts

ENGINES = ("google", "bing", "baidu")
DEFAULT_ENGINE = "bing"
"""The engine whose parser works at the time of writing; Google's is said to be broken."""
LIMIT, MAX_LIMIT = 100, 1000
NEAR_BITS, MAX_NEAR_BITS = 8, 16
ADVICE = (
    "an engine's pages change about once a year and icrawler must follow: try another --engine, a "
    "newer icrawler, or --from with your own photographs"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Gather photographs of products to paste the stamp on: from picture search engines, or "
        "with --from out of a folder of your own. Each is made an upright RGB JPEG in DIR/pictures "
        "or refused with a reason; DIR/manifest.jsonl says where it came from. The same command "
        "goes on where it was stopped and fetches nothing twice. Look through DIR/sheet.html and "
        "take out with --drop what does not belong."
    )
    add = parser.add_argument
    add(
        "keywords",
        nargs="*",
        metavar="KEYWORD",
        help="what to search for, e.g. 'milk carton'; one search each",
    )
    add("--out", required=True, type=Path, metavar="DIR", help="folder to fill")
    _add_sources(parser)
    add(
        "--near",
        type=int,
        default=NEAR_BITS,
        metavar="BITS",
        help="near duplicates: hashes that differ in at most so many of 64 bits "
        "(default %(default)s; 0 keeps them)",
    )
    add(
        "--drop",
        nargs="+",
        metavar="NUMBER",
        help="take pictures out for good: numbers of the sheet, e.g. 3 17 40-44",
    )


def _add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where pictures come from, and how many."""
    add = parser.add_argument
    add(
        "--engine",
        choices=(*ENGINES, "all"),
        default=DEFAULT_ENGINE,
        help="whom to ask (default %(default)s); all: each in turn",
    )
    add(
        "--limit",
        type=int,
        default=LIMIT,
        metavar="N",
        help="pictures to have of each keyword from each engine, earlier runs included "
        "(default %(default)s)",
    )
    add(
        "--from",
        dest="source",
        type=Path,
        metavar="DIR",
        help="your own photographs, through the same cleaning",
    )


def run(arguments: argparse.Namespace) -> int:
    """Gather, write the sheet and print what came; 130 when interrupted. Raises StampgateError."""
    check(arguments)
    with needing("train"):
        from train.crawl import engines  # noqa: F401, PLC0415 - to say at once that icrawler is missing
        from train.crawl.cleaning import calm_decoders  # noqa: PLC0415
        from train.crawl.collection import Collection  # noqa: PLC0415
        from train.crawl.html_sheet import write_crawl_sheet  # noqa: PLC0415
        from train.stopping import stop_requested  # noqa: PLC0415
    numbers = parse_numbers(arguments.drop or ())
    files = own_files(arguments)
    all_counts: list[Counts] = []
    with (
        Collection(arguments.out, arguments.near) as collection,
        stop_requested() as stop,
        calm_decoders(),
    ):
        for note in collection.notes:
            print_line(f"stampgate: {note}", file=sys.stderr)
        if numbers:
            print_line(
                f"dropped: {len(collection.drop(numbers))} pictures, to {arguments.out / 'dropped'}"
            )
        gather(arguments, files, collection, stop, all_counts)
        print_next_steps(arguments, all_counts, collection, write_crawl_sheet(collection))
    if stop.is_set():
        print_line("stopped; what came is kept, and the same command goes on from here")
        return 130
    report_failures(all_counts, arguments.near)
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Check the arguments. Raises UsageError."""
    begun = (arguments.out / "manifest.jsonl").exists()
    if arguments.drop and (arguments.keywords or arguments.source):
        raise UsageError(
            "--drop: goes alone with --out; leave the rest out, and gather in a second command"
        )
    if arguments.drop and not begun:
        raise UsageError(
            f"--out {arguments.out}: holds no pictures gathered by 'stampgate crawl'; name their "
            "folder"
        )
    if not (arguments.keywords or arguments.source or begun):
        raise UsageError(
            "crawl: nothing to gather; give a KEYWORD to search for, or --from a folder of "
            "photographs"
        )
    if not all(keyword.strip() for keyword in arguments.keywords):
        raise UsageError("crawl: a KEYWORD must not be empty; say what to search for")
    if not 1 <= arguments.limit <= MAX_LIMIT:
        raise UsageError(
            f"--limit must be between 1 and {MAX_LIMIT}, which is all an engine gives, not "
            f"{arguments.limit}"
        )
    if not 0 <= arguments.near <= MAX_NEAR_BITS:
        raise UsageError(f"--near must be between 0 and {MAX_NEAR_BITS} bits, not {arguments.near}")


def parse_numbers(texts: Sequence[str]) -> set[int]:
    """Return the numbers in *texts*, numbers and ranges as the sheet writes them.

    Raises UsageError.

    >>> sorted(parse_numbers(["3", "40-42", "7,9"]))
    [3, 7, 9, 40, 41, 42]
    """
    numbers: set[int] = set()
    for text in (part for given in texts for part in given.split(",") if part):
        found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise UsageError(
                f"--drop {text}: must be numbers of the contact sheet such as 3 17 40-44; correct "
                "it"
            )
        numbers.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return numbers


def own_files(arguments: argparse.Namespace) -> list[Path]:
    """List the files of ``--from``, before anything is written.

    Raises InputError or UsageError.
    """
    from train.crawl.folder import list_files  # noqa: PLC0415

    return list_files(arguments.source, arguments.out) if arguments.source else []


def gather(
    arguments: argparse.Namespace,
    files: Sequence[Path],
    collection: "Collection",
    stop: threading.Event,
    all_counts: list["Counts"],
) -> None:
    """Take the folder in, then ask the engines; each adds its counts to *all_counts* and prints it.

    Raises InputError.
    """
    from train.crawl import folder  # noqa: PLC0415
    from train.crawl.engines import search  # noqa: PLC0415

    if files:
        with bar(f"--from {arguments.source}", len(files)) as progress:
            all_counts.append(folder.gather(files, arguments.source, collection, stop, progress))
        print_line(all_counts[-1].text())
    engines = ENGINES if arguments.engine == "all" else (arguments.engine,)
    for keyword in dict.fromkeys(arguments.keywords):
        for engine in engines:
            if stop.is_set():
                return
            with bar(
                f"{engine} '{keyword}'", arguments.limit, collection.count(engine, keyword)
            ) as progress:
                all_counts.append(
                    search(engine, keyword, arguments.limit, collection, stop, progress)
                )
            print_line(all_counts[-1].text())


@contextlib.contextmanager
def bar(title: str, total: int, done: int = 0) -> "Iterator[Callable[..., None]]":
    """Show a progress bar where stderr is a terminal.

    Yields the function to call with the counts, or without arguments for each file.
    """
    from tqdm import tqdm  # noqa: PLC0415

    with tqdm(
        total=total,
        initial=min(done, total),
        desc=printable(title),
        unit="picture",
        disable=None,
        leave=False,
    ) as shown:

        def progress(counts: Any = None) -> None:
            shown.update(1 if counts is None else done + counts.kept - shown.n)
            if counts is not None:
                shown.set_postfix(refused=sum(counts.reasons.values()), missed=counts.missed)

        yield progress


def print_next_steps(
    arguments: argparse.Namespace,
    all_counts: Sequence["Counts"],
    collection: "Collection",
    sheet: Path,
) -> None:
    """Print how many pictures there are and the next steps."""
    out = arguments.out
    print_line(
        f"{out / 'pictures'}: {len(collection.kept)} pictures, "
        f"{sum(counts.kept for counts in all_counts)} of them new"
    )
    print_line(
        f"next: look through {sheet}, drop what does not belong with 'stampgate crawl --out {out} "
        "--drop ...',"
    )
    print_line(
        f"then 'stampgate train --mark STAMP.png --backgrounds {out / 'pictures'} --out RUN'"
    )


def report_failures(all_counts: Sequence["Counts"], near: int) -> None:
    """Print the sources that gave nothing, which icrawler itself does not report.

    Raises InputError that names each.
    """
    for counts in all_counts:
        alike = counts.reasons["near duplicate"]
        if counts.engine == "folder" and alike > counts.kept:
            print_line(
                f"stampgate: {alike} photographs were taken for near duplicates; those of a fixed "
                "camera look alike to the hash. If they are not, run it again with --near 0 "
                f"instead of {near}",
                file=sys.stderr,
            )
        elif not counts.yielded:
            print_line(f"stampgate: {counts.text()}: not one picture", file=sys.stderr)
    sources = dict.fromkeys(counts.engine for counts in all_counts)
    dry = [
        engine for engine in sources if not any(t.yielded for t in all_counts if t.engine == engine)
    ]
    if dry:
        advice = "bring other photographs" if dry == ["folder"] else ADVICE
        raise InputError(
            f"crawl: {', '.join(dry)} gave not one picture, see above; what others gave is kept; "
            f"{advice}"
        )
