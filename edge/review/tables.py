"""The tables of the index, an SQLite file that may be thrown away: the journal is the record.

What comes again and again (codes with their reasons, classes, models) is kept once, by a number.
``cells`` has each combination of verdict, reason, class and band of scores that there was; the
items of each stand in their order, so the rare ones among a million are found without a look at
the others (:mod:`edge.review.filters`).
``minutes`` counts items, so that a shift of 20,000 is added up from a few hundred rows.
"""

import contextlib
import os
import sqlite3
from pathlib import Path

from edge.errors import InputError
from edge.files import open_ours

VERSION = 4
"""Of these tables; an index of another version is made anew."""
BANDS = 200
"""Bands of equal width into which the scores 0..1 are cut for the cells."""
CACHE_KIB = 16_384
BUSY_S = 20.0
"""How long another process may write before this one gives up, seconds."""
VERDICT_NUMBERS = {"pass": 0, "reject": 1, "fault": 2}
VERDICT_NAMES = ("pass", "reject", "fault")
JUDGEMENT_NUMBERS = {"": 0, "good": 1, "bad": 2, "unsure": 3}
JUDGEMENT_NAMES = ("", "good", "bad", "unsure")
SOURCES = ("clock", "repaired", "unsynchronised")
TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY, log TEXT, name TEXT, head BLOB, carried BLOB, device INTEGER,
    inode INTEGER, changed INTEGER, done INTEGER, line INTEGER, last_offset INTEGER,
    last_length INTEGER, last BLOB
);
CREATE TABLE boots (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, shift INTEGER, first_item INTEGER
);
CREATE TABLE bases (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, model TEXT, file TEXT, settings TEXT,
    threshold REAL, required TEXT, first_item INTEGER, last_item INTEGER
);
CREATE TABLE reasons (id INTEGER PRIMARY KEY, code TEXT, words TEXT, UNIQUE (code, words));
CREATE TABLE labels (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE items (
    item INTEGER PRIMARY KEY, file INTEGER, offset INTEGER, length INTEGER, sha256 BLOB,
    ms INTEGER, source INTEGER, boot INTEGER, monotonic INTEGER, verdict INTEGER, reason INTEGER,
    label INTEGER, score REAL, margin REAL, basis INTEGER, picture INTEGER, disagree INTEGER,
    draw INTEGER, cell INTEGER, judged INTEGER DEFAULT 0
);
CREATE INDEX items_cell ON items (cell, item);
CREATE INDEX items_judged ON items (judged, item) WHERE judged > 0;
CREATE INDEX items_near ON items (margin) WHERE judged = 0 AND picture > 0 AND margin IS NOT NULL;
CREATE INDEX items_thrown ON items (item) WHERE judged = 0 AND picture > 0 AND verdict > 0;
CREATE INDEX items_disagree ON items (item) WHERE disagree > 0;
CREATE INDEX items_drawn ON items (basis, draw) WHERE draw IS NOT NULL;
CREATE TABLE cells (
    id INTEGER PRIMARY KEY, verdict INTEGER, reason INTEGER, label INTEGER, band INTEGER,
    items INTEGER DEFAULT 0, UNIQUE (verdict, reason, label, band)
);
CREATE TABLE minutes (
    minute INTEGER, basis INTEGER, verdict INTEGER, reason INTEGER, label INTEGER,
    items INTEGER, first_item INTEGER, last_item INTEGER,
    PRIMARY KEY (minute, basis, verdict, reason, label)
) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, ms INTEGER, kind TEXT, item INTEGER, words TEXT, sha256 BLOB UNIQUE
);
CREATE INDEX events_ms ON events (ms);
CREATE TABLE judgements (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, item INTEGER, judgement TEXT, by TEXT, role TEXT,
    reason TEXT, wall_time TEXT, verdict TEXT, line_sha256 TEXT, evidence TEXT,
    evidence_sha256 TEXT, model_sha256 TEXT, head INTEGER, undone INTEGER DEFAULT 0
);
CREATE INDEX judgements_item ON judgements (item);
CREATE TABLE troubles (id INTEGER PRIMARY KEY, ms INTEGER, item INTEGER, words TEXT);
"""


def band_of(score: float | None) -> int:
    """Return the band of a score; -1 where there is none.

    >>> band_of(0.5), band_of(1.0), band_of(None)
    (100, 200, -1)
    """
    return -1 if score is None else int(score * BANDS)


def connect(path: Path, identity: str) -> sqlite3.Connection:
    """Open the index at *path*, or make a new one where there is none for this *identity*.

    *identity*: of which journal, drawn by which key; an index of another one, of another version,
    or a damaged one is made anew. Raises InputError when the file cannot be used.
    """
    try:
        with contextlib.suppress(sqlite3.DatabaseError):
            found = _open(path)
            if _identity(found) == f"{VERSION} {identity}":
                return found
            found.close()
        remove(path)
        return _create(path, identity)
    except (OSError, sqlite3.Error) as error:
        raise InputError(
            f"{path}: cannot be used as an index ({error}); name another folder"
        ) from None


def remove(path: Path) -> None:
    """Remove an index with what SQLite keeps beside it. Raises OSError."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    # What root makes belongs to the folder's owner.
    os.close(open_ours(path, os.O_RDWR | os.O_CREAT, 0o640))
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _identity(connection: sqlite3.Connection) -> str:
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
    except sqlite3.DatabaseError:
        return ""
    return str(row[0]) if row else ""


def _create(path: Path, identity: str) -> sqlite3.Connection:
    connection = _open(path)
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('identity', ?)", (f"{VERSION} {identity}",))
    connection.execute("COMMIT")
    return connection
