"""``[journal]`` and ``[evidence]``: what is kept of each item."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class JournalSettings:
    """The journal, in which every decision is written down."""

    file: str = setting(
        "/var/log/stampgate/journal.jsonl",
        "The journal, JSON lines; files that are full lie beside it, numbered",
        form="path",
    )
    mark: str = setting(
        "/var/lib/stampgate/journal.mark",
        "File, apart from the journal, that keeps how far it was written, so that missing records "
        "show; beside it where that folder is missing; empty for none",
        form="path",
    )
    sync: str = setting(
        "every-line",
        "every-line: each record is on the disk before the next item; grouped: passes wait for "
        "others, rejects never",
        choices=("every-line", "grouped"),
        live=True,
    )
    group_items: int = setting(
        20,
        "Most records that a power cut may cost when grouped, the one in writing included",
        at_least=1,
        at_most=1000,
        live=True,
    )
    group_ms: float = setting(
        1000.0,
        "Longest that a record waits for others when grouped",
        at_least=1,
        at_most=60_000,
        live=True,
    )
    patience_ms: float = setting(
        250.0,
        "How long an item waits for a slow disk before it goes on and its record waits",
        above=0,
        at_most=10_000,
        live=True,
    )
    memory_kb: int = setting(
        4096,
        "Memory for records that wait for the disk; what does not fit is counted",
        at_least=64,
        at_most=1_048_576,
        live=True,
    )
    file_items: int = setting(
        100_000,
        "Items after which a new file begins; one also begins after a day of running",
        at_least=1,
        at_most=10**9,
        live=True,
    )
    health_s: float = setting(
        60.0, "Time between two lines about the box's health", at_least=1, at_most=3600, live=True
    )
    status: str = setting(
        "/run/stampgate/status.json",
        "File that 'stampgate-edge status' reads, best in memory; empty for none",
        form="path",
    )


@dataclass(frozen=True)
class EvidenceSettings:
    """Pictures kept to show what was decided: every reject and fault, and some passes."""

    folder: str = setting(
        "/var/log/stampgate/evidence",
        "Folder that holds them and nothing else; empty for none",
        form="path",
    )
    limit_mb: int = setting(
        2000, "Room they may take; the oldest goes first", at_least=1, at_most=10_000_000, live=True
    )
    keep_free_mb: int = setting(
        500,
        "Room on the disk that is left to others; below it, the oldest picture goes",
        at_least=0,
        at_most=10_000_000,
        live=True,
    )
    pass_rate: float = setting(
        0.01,
        "Share of the passes that are kept, drawn by item number and seed",
        at_least=0,
        at_most=1,
        live=True,
    )
    seed: int = setting(
        1,
        "Which passes are drawn; the same seed draws the same numbers",
        at_least=0,
        at_most=10**9,
        live=True,
    )
    quality: int = setting(85, "JPEG quality", at_least=1, at_most=95, live=True)
    patience_ms: float = setting(
        100.0,
        "How long a record waits for its picture to be written, to carry its SHA-256",
        at_least=0,
        at_most=10_000,
        live=True,
    )
