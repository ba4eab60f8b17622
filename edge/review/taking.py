"""What the index keeps of each record of the journal."""

import hmac
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.deciding.codes import UNSURE
from edge.record.evidence import NAME
from edge.record.times import wall_ns
from edge.review.following import Line
from edge.review.tables import VERDICT_NUMBERS, band_of

MS = 1_000_000
"""Nanoseconds of a millisecond."""
MINUTE_MS = 60_000
SPAN = 2**63
"""Places of the draw: the hash of an item's number, cut to a whole number of SQLite's."""
FIGURES = re.compile(r"\d+(?:\.\d+)?")
WORDS_KEPT = 400
UNINTERESTING = ("health", "continued")
"""Kinds of which the index keeps no row: one comes each minute, the other with each file."""
INSERT = (
    "INSERT INTO items (item, file, offset, length, sha256, ms, source, boot, monotonic, verdict,"
    " reason, label, score, margin, basis, picture, disagree, draw, cell)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class Sampling:
    """Which passes with a picture are in the random sample.

    *key*: random bytes that nobody chooses, of this box alone. *share*: of them, 0..1.
    """

    key: bytes
    share: float = 1.0

    def draw(self, item: int) -> int:
        """Return the place of an item in the order of the draw, 0..2**63 - 1: an HMAC-SHA256."""
        digest = hmac.digest(self.key, f"stampgate sample {item}".encode(), "sha256")
        return int.from_bytes(digest[:8], "big") >> 1

    def takes(self, draw: int) -> bool:
        """Tell whether the sample takes an item of that draw."""
        return draw < self.share * SPAN

    @property
    def name(self) -> str:
        """A name of key and share, which does not give the key away."""
        said = hmac.digest(self.key, f"name {self.share}".encode(), "sha256")
        return said.hex()[:16]


@dataclass
class _Boot:
    number: int
    shift: int | None
    """Wall clock less monotonic clock, milliseconds; None while it was never synchronised."""
    first_item: int


class Taker:
    """Puts each record of the journal into the tables of *connection*.

    *complain*: what does not fit, with the item. Synchronization: the caller's lock.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        sampling: Sampling | None,
        complain: Callable[[str, int], None],
    ) -> None:
        self._connection, self._sampling, self._complain = connection, sampling, complain
        self._boots: dict[str, _Boot] = {}
        self._reasons: dict[tuple[str, str], int] = {}
        self._labels: dict[str, int] = {}
        self._cells: dict[tuple[int, int, int, int], int] = {}
        self._in_cells: Counter[int] = Counter()
        self._basis, self._threshold = 0, 0.0
        self._started: dict[str, Any] = {}
        self._minutes: Counter[tuple[int, int, int, int, int]] = Counter()
        self._spans: dict[tuple[int, int, int, int, int], tuple[int, int]] = {}
        self.take_up()

    def take_up(self) -> None:
        """Read back from the tables what the last record left; forget what was not saved."""
        ask = self._connection.execute
        self._boots = {
            name: _Boot(number, shift, first)
            for number, name, shift, first in ask("SELECT id, name, shift, first_item FROM boots")
        }
        self._reasons = {
            (code, words): number
            for number, code, words in ask("SELECT id, code, words FROM reasons")
        }
        self._labels = {name: number for number, name in ask("SELECT id, name FROM labels")}
        self._cells = {
            (verdict, reason, label, band): number
            for number, verdict, reason, label, band in ask(
                "SELECT id, verdict, reason, label, band FROM cells"
            )
        }
        self._in_cells.clear()
        row = ask("SELECT value FROM meta WHERE name = 'started'").fetchone()
        self._started = json.loads(row[0]) if row else {}
        self._basis, self._threshold = self._basis_of(self._started)
        self._minutes.clear()
        self._spans.clear()

    def take(self, line: Line) -> None:
        """Take the next line; one that is no record is passed over."""
        record = line.record
        if record is None:
            return
        kind = str(record["kind"])
        ms, source, boot = self._time(record)
        if kind == "item":
            self._take_item(line, record, ms, source, boot)
            return
        if kind == "start":
            self._begin(record)
        elif kind == "continued" and isinstance(record.get("start"), Mapping):
            self._begin(record["start"])
        elif kind in ("settings", "release") and self._started:
            self._begin({k: record.get(k, v) for k, v in self._started.items()})
        if kind not in UNINTERESTING:
            self._connection.execute(
                "INSERT OR IGNORE INTO events (ms, kind, item, words, sha256)"
                " VALUES (?, ?, ?, ?, ?)",
                (ms, kind[:100], record["sequence"], _event_words(record), line.sha256),
            )

    def save(self) -> None:
        """Write the counts of minutes and cells down; call it at the end of each transaction."""
        self._connection.executemany(
            "INSERT INTO minutes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " items = items + excluded.items, first_item = min(first_item, excluded.first_item),"
            " last_item = max(last_item, excluded.last_item)",
            [(*key, number, *self._spans[key]) for key, number in self._minutes.items()],
        )
        self._connection.executemany(
            "UPDATE bases SET first_item = min(coalesce(first_item, ?2), ?2),"
            " last_item = max(coalesce(last_item, ?3), ?3) WHERE id = ?1",
            [(key[1], *span) for key, span in self._spans.items()],
        )
        self._connection.executemany(
            "UPDATE cells SET items = items + ?2 WHERE id = ?1", self._in_cells.items()
        )
        self._minutes.clear()
        self._spans.clear()
        self._in_cells.clear()

    def _take_item(
        self, line: Line, record: dict[str, Any], ms: int, source: int, boot: _Boot
    ) -> None:
        item, verdict = int(record["sequence"]), str(record["verdict"])
        known = self._connection.execute(
            "SELECT sha256 FROM items WHERE item = ?", (item,)
        ).fetchone()
        if known is not None:
            self._take_again(item, line, bytes(known[0]))
            return
        label, score = deciding(record)
        margin = None if not (score and self._threshold) else abs(score - self._threshold)
        if record.get("code") == UNSURE:
            margin = 0.0
        picture = _picture_of(record)
        draw = self._draw(item) if verdict == "pass" and picture else None
        reason = self._reason(str(record.get("code", "")), str(record.get("reason", "")))
        numbers = (VERDICT_NUMBERS[verdict], reason, self._label(label))
        values = (
            item, line.file, line.offset, line.length, line.sha256, ms, source, boot.number,
            int(record.get("monotonic_ns", 0)) // MS, *numbers, score or None, margin, self._basis,
            picture, _disagrees(record), draw, self._cell(*numbers, band_of(score or None)),
        )  # fmt: skip
        self._connection.execute(INSERT, values)
        key = (ms // MINUTE_MS, self._basis, *numbers)
        self._minutes[key] += 1
        first, last = self._spans.get(key, (item, item))
        self._spans[key] = min(first, item), max(last, item)
        if not boot.first_item:
            boot.first_item = item
            self._connection.execute(
                "UPDATE boots SET first_item = ? WHERE id = ?", (item, boot.number)
            )

    def _take_again(self, item: int, line: Line, sha256: bytes) -> None:
        """Take an item that is known: the same line at a new place, or another one."""
        if sha256 != line.sha256:
            self._complain(
                f"item {item} is another than when it was indexed, or is there twice", item
            )
            return
        self._connection.execute(
            "UPDATE items SET file = ?, offset = ? WHERE item = ?", (line.file, line.offset, item)
        )

    def _draw(self, item: int) -> int | None:
        if self._sampling is None:
            return None
        draw = self._sampling.draw(item)
        return draw if self._sampling.takes(draw) else None

    def _time(self, record: Mapping[str, Any]) -> tuple[int, int, _Boot]:
        """Return when a record was written, milliseconds UTC, how that is known, and its boot."""
        wall = wall_ns(record) // MS
        monotonic = int(record.get("monotonic_ns", 0)) // MS
        boot = self._boot(str(record.get("boot_id", "")))
        if record.get("clock_synced") is True:
            if boot.shift is None:
                self._repair(boot, wall - monotonic)
            boot.shift = wall - monotonic
            return wall, 0, boot
        if boot.shift is not None:
            return monotonic + boot.shift, 1, boot
        return wall, 2, boot

    def _boot(self, name: str) -> _Boot:
        if name not in self._boots:
            cursor = self._connection.execute(
                "INSERT INTO boots (name, first_item) VALUES (?, 0)", (name,)
            )
            self._boots[name] = _Boot(int(cursor.lastrowid or 0), None, 0)
        return self._boots[name]

    def _repair(self, boot: _Boot, shift: int) -> None:
        """Give the items of a boot before its clock was synchronised their times."""
        self._connection.execute("UPDATE boots SET shift = ? WHERE id = ?", (shift, boot.number))
        if not boot.first_item:
            return
        self.save()
        whose = "boot = ? AND source = 2 AND item >= ?"
        counts = (
            "SELECT ms / 60000, basis, verdict, reason, label, count(*), min(item), max(item)"  # noqa: S608
            f" FROM items WHERE {whose} GROUP BY 1, 2, 3, 4, 5"
        )
        among = (boot.number, boot.first_item)
        ask = self._connection.execute
        for *key, number, _, _ in ask(counts, among).fetchall():
            ask(
                "UPDATE minutes SET items = items - ? WHERE minute = ? AND basis = ?"
                " AND verdict = ? AND reason = ? AND label = ?",
                (number, *key),
            )
        ask("DELETE FROM minutes WHERE items <= 0")
        repaired = f"UPDATE items SET ms = monotonic + ?, source = 1 WHERE {whose}"  # noqa: S608
        rows = ask(counts.replace("ms /", "(monotonic + ?) /"), (shift, *among)).fetchall()
        ask(repaired, (shift, *among))
        for minute, basis, verdict, reason, label, number, first, last in rows:
            key_ = (minute, basis, verdict, reason, label)
            self._minutes[key_] += number
            self._spans[key_] = first, last

    def _begin(self, about: Mapping[str, Any]) -> None:
        """Take note of what items are judged by from here on."""
        kept = ("model", "settings_sha256", "min_score", "required", "version", "mode")
        self._started = {name: about[name] for name in kept if name in about}
        self._connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('started', ?)", (json.dumps(self._started),)
        )
        self._basis, self._threshold = self._basis_of(self._started)

    def _basis_of(self, about: Mapping[str, Any]) -> tuple[int, float]:
        """Return the number of a basis, and its threshold, 0 where none is said."""
        model = about.get("model") if isinstance(about.get("model"), Mapping) else {}
        threshold = about.get("min_score", (model or {}).get("threshold", 0.0))
        threshold = float(threshold) if isinstance(threshold, int | float) else 0.0
        required = about.get("required", [])
        fields = (
            str((model or {}).get("sha256", "")), str((model or {}).get("file", "")),
            str(about.get("settings_sha256", "")), threshold, json.dumps(required),
        )  # fmt: skip
        name = json.dumps(fields)
        self._connection.execute(
            "INSERT OR IGNORE INTO bases (name, model, file, settings, threshold, required)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (name, *fields),
        )
        row = self._connection.execute("SELECT id FROM bases WHERE name = ?", (name,)).fetchone()
        return int(row[0]), threshold

    def _reason(self, code: str, words: str) -> int:
        """Return the number of a reason; figures in it do not make it another one."""
        key = code[:WORDS_KEPT], FIGURES.sub("#", words)[:WORDS_KEPT]
        if key not in self._reasons:
            cursor = self._connection.execute(
                "INSERT INTO reasons (code, words) VALUES (?, ?)", key
            )
            self._reasons[key] = int(cursor.lastrowid or 0)
        return self._reasons[key]

    def _cell(self, *of: int) -> int:
        """Return the number of a cell: verdict, reason, class, band; count one more item in it."""
        key = of[0], of[1], of[2], of[3]
        if key not in self._cells:
            cursor = self._connection.execute(
                "INSERT INTO cells (verdict, reason, label, band) VALUES (?, ?, ?, ?)", key
            )
            self._cells[key] = int(cursor.lastrowid or 0)
        self._in_cells[self._cells[key]] += 1
        return self._cells[key]

    def _label(self, name: str) -> int:
        name = name[:WORDS_KEPT]
        if name not in self._labels:
            cursor = self._connection.execute("INSERT INTO labels (name) VALUES (?)", (name,))
            self._labels[name] = int(cursor.lastrowid or 0)
        return self._labels[name]


def deciding(record: Mapping[str, Any]) -> tuple[str, float]:
    """Return class and score of the mark on which an item's verdict hangs; 0 where there is none.

    Of a pass the weakest of the classes found, of another the near miss, else the best finding.

    >>> deciding({"verdict": "pass", "findings": [{"label": "a", "score": 0.9}]})
    ('a', 0.9)
    """
    best: dict[str, float] = {}
    for finding in record.get("findings", ()):
        label, score = str(finding.get("label", "")), float(finding.get("score", 0.0))
        best[label] = max(score, best.get(label, 0.0))
    near = record.get("near_miss")
    if record.get("verdict") != "pass" and near:
        return str(near.get("label", "")), float(near.get("score", 0.0))
    choose = min if record.get("verdict") == "pass" else max
    return choose(best.items(), key=lambda pair: pair[1], default=("", 0.0))


def _disagrees(record: Mapping[str, Any]) -> int:
    """Return 1 when the pictures of a burst were judged differently, else 0."""
    return int(len({frame.get("verdict") for frame in record.get("frames", ())}) > 1)


def _picture_of(record: Mapping[str, Any]) -> int | None:
    """Return the number of the picture that was kept of an item; None for none."""
    found = NAME.fullmatch(str(record.get("evidence", "")))
    if found is None or int(found[2]) != record["sequence"] or len(found[1]) > 15:
        return None
    return int(found[1])


def _event_words(record: Mapping[str, Any]) -> str:
    """Return in words what a record other than an item's says."""
    said = str(record.get("reason") or record.get("what") or "")
    if record["kind"] == "start":
        model = record.get("model") or {}
        said = f"version {record.get('version', '')}, model {model.get('file', '')}"
    if record["kind"] == "gap":
        said = f"{record['lost_items']} items without a record"
    if record["kind"] == "missing":
        said = f"{record['items']} items without a record: {said}"
    if record["kind"] == "release":
        said = f"{record['what']} {record['release']}: {said}"
    return said[:WORDS_KEPT]
