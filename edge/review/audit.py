"""The audit log: what people do on the review page, chained like the journal and beside it.

It is a journal (:mod:`edge.record.journal`) of its own, so ``verify-log`` checks it and it can be
sealed. Nothing is ever changed in it or taken out: an undo is one more record. Times have the zone
of the box. Its kinds:

=============== ====================================================================================
``judgement``   what a reviewer says of an item, with what stood before, and of which line and
                picture exactly, by their hashes
``undo``        a judgement taken back
``signed``      a periodic review, signed by name: the span, what was in it, what had been looked
                at, the state of the chain, and the journal's last line at that moment
``login``, ``logout``, ``refused``, ``user``, ``challenge-asked``, ``truth-said``, ``export``,
``restored``    who did what
=============== ====================================================================================
"""

import csv
import io
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.clock import MonotonicClock
from edge.errors import InputError, JournalError
from edge.files import atomic_replace, check_ours, make_folder
from edge.printing import csv_cell, json_text, printable
from edge.record.journal import Journal
from edge.record.journal_file import journal_lines, journal_records, rotated_files
from edge.record.verify import Verified, reading, verify
from edge.review.index import ReviewIndex, Shown
from edge.review.judgements import WORDS, Judgement, judgement_of, read_all
from edge.review.people import Person, may

FILE = "audit.jsonl"
TEXT_KEPT = 1000
PATIENCE_S = 10.0
"""How long another process may write the log before an entry is given up."""
BUSY = "is being written by another"
REFUSALS_A_MINUTE = 20
"""Refusals written one by one; the others of a minute are counted in one record."""
MINUTE_S = 60.0
COLUMNS = (
    "wall_time", "kind", "by", "role", "item", "judgement", "before", "after", "reason", "verdict",
    "id", "undoes", "what", "address", "previous",
)  # fmt: skip


class ConflictError(InputError):
    """Somebody else has judged the item since it was shown."""


class AuditLog:
    """The audit log in *folder*.

    Synchronization: any thread, and any process: each entry takes the log's lock and gives it back.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.RLock()
        self._refusals = _Refusals()

    def judge(
        self,
        shown: Shown,
        judgement: str,
        who: Person,
        reason: str = "",
        *,
        standing: Judgement | None = None,
        seen: str | None = None,
    ) -> Judgement:
        """Append what a reviewer says of an item as it was *shown*.

        *standing*: the last word on the item by now, which becomes ``before``. *seen*: the id of
        the one that the reviewer saw, empty for none; None does not ask. Raises ConflictError when
        it is another by now, InputError when the role may not or the line is not the one indexed.
        """
        _check_right(who, "judge")
        if judgement not in WORDS:
            raise InputError(f"a judgement must be one of {', '.join(WORDS)}, not {judgement[:40]}")
        if shown.record is None or shown.check.state in ("altered", "removed", "unreadable"):
            raise InputError(f"item {shown.row.item} cannot be judged: {shown.check.words}")
        with self._lock:
            self._check_seen(shown.row.item, standing, seen)
            record = self.append(
                "judgement", who, {
                    "id": secrets.token_hex(8),
                    "item": shown.row.item,
                    "judgement": judgement,
                    "reason": printable(reason)[:TEXT_KEPT],
                    "before": _said(standing),
                    "after": judgement,
                    "verdict": shown.row.verdict,
                    "line_sha256": shown.line_sha256,
                    "evidence": shown.row.evidence,
                    "evidence_sha256": str(shown.record.get("evidence_sha256", "")),
                    "model_sha256": shown.basis.model_sha256,
                    "head": shown.head,
                },
            )  # fmt: skip
        return judgement_of(record)

    def undo(self, said: Judgement, who: Person, reason: str = "") -> None:
        """Append that a judgement is taken back: one's own, or another's with the right to.

        Raises InputError when the role may not, or it was taken back already.
        """
        _check_right(who, "judge")
        if said.by != who.name and not may(who.role, "undo-others"):
            raise InputError(
                f"{who.name}: may take back what he or she said, not what {said.by} did"
            )
        if said.undone:
            raise InputError(f"item {said.item}: that judgement was taken back already")
        self.append(
            "undo", who, {
                "id": secrets.token_hex(8),
                "undoes": said.id,
                "item": said.item,
                "before": said.judgement,
                "after": "",
                "reason": printable(reason)[:TEXT_KEPT],
            },
        )  # fmt: skip

    def sign(
        self, index: ReviewIndex, who: Person, since_ms: int, until_ms: int, remark: str = ""
    ) -> dict[str, Any]:
        """Append a periodic review signed by name, and return its record.

        Raises InputError when the role may not, or the span is none.
        """
        _check_right(who, "sign")
        if until_ms <= since_ms:
            raise InputError("a review must be over a span of time: until must be after since")
        counts, state = index.counts(since_ms, until_ms), index.state()
        last = index.item(state.last_item)
        about = {
            "since": _zoned(since_ms),
            "until": _zoned(until_ms),
            "items": {
                "pass": counts.passed, "reject": counts.rejected, "fault": counts.faults,
            },
            "looked_at": counts.judged,
            "troubles": [trouble.words[:TEXT_KEPT] for trouble in state.troubles[:20]],
            "journal": {
                "file": index.journal.name,
                "item": state.last_item,
                "line_sha256": last.line_sha256 if last else "",
                "state": last.check.state if last else "",
            },
            "remark": printable(remark)[:TEXT_KEPT],
        }  # fmt: skip
        return self.append("signed", who, about)

    def note(self, kind: str, who: Person, **fields: Any) -> None:
        """Append that somebody did something: ``login``, ``user``, ``export`` and the like."""
        self.append(kind, who, fields)

    def refuse(
        self, what: str, why: str, *, name: str = "", address: str = "", path: str = ""
    ) -> None:
        """Take note of a refusal; of many in a minute most are only counted, and the disk lasts.

        Never raises for a full disk: the refusal stands.
        """
        fields = {
            "what": printable(what)[:TEXT_KEPT],
            "reason": printable(why)[:TEXT_KEPT],
            "path": printable(path)[:200],
        }
        who = Person(printable(name)[:64], "", "", printable(address)[:64])
        with self._lock:
            self._write_refused(self._refusals.due(time.monotonic()))
            if self._refusals.one_more(time.monotonic()):
                self._write_refused(fields, who)

    def tick(self) -> None:
        """Write down how many refusals were only counted, once their minute is over."""
        with self._lock:
            self._write_refused(self._refusals.due(time.monotonic()))

    def flush(self) -> None:
        """Write the same down at once: call it at the end."""
        with self._lock:
            self._write_refused(self._refusals.due(float("inf")))

    def append(self, kind: str, who: Person, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Append one record; it is on the disk when this returns. Raises InputError.

        Returns it with the common fields, as it stands in the log.
        """
        about = {"by": who.name, "role": who.role, "address": who.address}
        if who.full_name:
            about["full_name"] = who.full_name
        with self._lock, self._log() as log:
            log.append(kind, {**about, **fields})
        return {**about, **fields, "wall_time": _now().isoformat(timespec="milliseconds")}

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield all records, oldest first; none where there is no log yet. Raises InputError."""
        if self.is_empty:
            return
        with reading(self.path):
            yield from journal_records(self.path)

    @property
    def is_empty(self) -> bool:
        """Whether there is no log yet."""
        return not self.path.exists() and not rotated_files(self.path)

    def verify(self) -> Verified:
        """Verify its chain. Raises InputError that names the first line amiss."""
        return verify(self.path)

    def judgements(self) -> dict[str, Judgement]:
        """Return all judgements by their ids, undone ones marked. Raises InputError."""
        return {} if self.is_empty else read_all(self.path)

    def export(self, target: Path, *, as_csv: bool = False) -> int:
        """Write the whole log to *target*, and return how many records it has.

        As JSON lines it is what :meth:`restore` takes, byte by byte. Raises InputError when the
        chain is broken, or *target* cannot be written.
        """
        verify(self.path)
        with reading(self.path):
            lines = [line for _, _, line in journal_lines(self.path)]
        content = b"".join(lines)
        if as_csv:
            content = _csv(journal_records(self.path)).encode("utf-8-sig")
        with atomic_replace(target, mode=0o600) as temporary:
            temporary.write_bytes(content)
        return len(lines)

    def restore(self, source: Path) -> int:
        """Make the log anew from an export of it, and return how many records it has.

        What is there already must be the beginning of it. Raises InputError when it is not, or the
        chain of *source* is broken.
        """
        found = verify(source)
        with reading(source):
            content = b"".join(line for _, _, line in journal_lines(source))
        check_ours(self.path)
        if not self.is_empty:
            with reading(self.path):
                here = b"".join(line for _, _, line in journal_lines(self.path))
            if not content.startswith(here):
                raise InputError(
                    f"{self.path}: holds records that {source} does not; move it away, with "
                    "its full files, before you restore an older one"
                )
            if rotated_files(self.path):
                raise InputError(
                    f"{self.path}: has full files beside it; move all of them away first"
                )
        make_folder(self.path.parent)
        with atomic_replace(self.path, mode=0o640) as temporary:
            temporary.write_bytes(content)
        return found.records

    def _check_seen(self, item: int, standing: Judgement | None, seen: str | None) -> None:
        now = standing.id if standing else ""
        if seen is not None and seen != now:
            who = (
                f"{standing.by} has said {standing.judgement}" if standing else "it was taken back"
            )
            raise ConflictError(f"item {item} was judged since it was shown: {who}; look again")

    def _write_refused(self, fields: Mapping[str, Any] | None, who: Person | None = None) -> None:
        if fields is None:
            return
        try:
            self.append("refused", who or Person("", ""), fields)
        except (InputError, JournalError):
            self._refusals.put_back()

    @contextmanager
    def _log(self) -> Iterator[Journal]:
        """Open the log to append to it; wait while another process does. Raises InputError."""
        make_folder(self.path.parent)
        with ExitStack() as stack:
            log = self._opened(stack)
            yield log
            log.flush()
            if log.trouble:
                raise InputError(f"{self.path}: {log.trouble}; make room there, and say it again")

    def _opened(self, stack: ExitStack) -> Journal:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return stack.enter_context(Journal(self.path, MonotonicClock(), wall=_now))
            except JournalError as error:
                if BUSY not in str(error) or time.monotonic() > deadline_s:
                    raise InputError(str(error)) from None


class _Refusals:
    """How many refusals of this minute were written, and how many only counted."""

    def __init__(self) -> None:
        self._since_s, self._written, self._counted = 0.0, 0, 0

    def one_more(self, now_s: float) -> bool:
        """Tell whether one more refusal is written; otherwise it is counted."""
        if not self._written and not self._counted:
            self._since_s = now_s
        if self._written < REFUSALS_A_MINUTE:
            self._written += 1
            return True
        self._counted += 1
        return False

    def due(self, now_s: float) -> dict[str, Any] | None:
        """Return the record of those that were counted, once the minute is over; None for none."""
        if now_s - self._since_s < MINUTE_S:
            return None
        counted, self._written, self._counted = self._counted, 0, 0
        if not counted:
            return None
        return {"what": "more", "reason": f"{counted} more were refused", "number": counted}

    def put_back(self) -> None:
        """Count one that could not be written."""
        self._counted += 1


def _check_right(who: Person, what: str) -> None:
    if not may(who.role, what):
        raise InputError(f"{who.name}: the role {who.role} may not do this ({what})")


def _said(judgement: Judgement | None) -> str:
    return f"{judgement.judgement} by {judgement.by}" if judgement else ""


def _now() -> datetime:
    """Return the time with the box's zone."""
    return datetime.now(UTC).astimezone()


def _zoned(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC).astimezone()
    return moment.isoformat(timespec="seconds")


def _csv(records: Iterator[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for record in records:
        cells = [record.get(column, "") for column in COLUMNS]
        texts = [cell if isinstance(cell, int | str) else json_text(cell) for cell in cells]
        writer.writerow([csv_cell(text) for text in texts])
    return out.getvalue()
