"""The audit log, and the periodic review that is signed by name."""

from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import Any

from starlette.responses import Response

from edge.errors import InputError
from edge.printing import json_text
from edge.record.journal_file import last_records, rotated_files
from edge.review.audit import AuditLog
from edge.review.web.guard import RefusedRequestError
from edge.review.web.today import SPANS, span_of
from edge.review.web.visit import Visit, text_of

LINES = 100
SIGNED = 20
HIDDEN = frozenset(
    ("v", "sequence", "previous", "kind", "boot_id", "monotonic_ns", "wall_time", "clock_synced")
)
"""Fields that a line does not repeat."""


def audit(visit: Visit) -> Response:
    """Show the audit log, the newest first."""
    records = newest_first(visit.desk.store.audit)
    if before := visit.query.get("before", ""):
        records = dropwhile(lambda record: record["previous"] != before, records)
        next(records, None)
    lines = list(islice(records, LINES + 1))
    sound, amiss = _verified(visit) if "verify" in visit.query else ("", "")
    return visit.page(
        "audit.html",
        records=[_line(record) for record in lines[:LINES]],
        older=lines[LINES - 1]["previous"] if len(lines) > LINES else "",
        sound=sound,
        amiss=amiss,
    )


def newest_first(log: AuditLog) -> Iterator[dict[str, Any]]:
    """Yield the records of the audit log, the newest first; lines that are none are left out."""
    for path in (log.path, *reversed(rotated_files(log.path))):
        if path.is_file():
            yield from last_records(path, path.stat().st_size)


def _verified(visit: Visit) -> tuple[str, str]:
    """Return in words that the audit log is sound, or what is amiss in it."""
    try:
        records = visit.desk.store.audit.verify().records
    except InputError as error:
        return "", str(error)
    return f"{records} records, all of them whole and chained", ""


def _line(record: dict[str, Any]) -> dict[str, Any]:
    about = {name: value for name, value in record.items() if name not in HIDDEN}
    return {
        "time": str(record.get("wall_time", "")),
        "kind": record["kind"],
        "by": str(about.pop("by", about.pop("user", ""))),
        "about": "; ".join(
            f"{name} {value if isinstance(value, str) else json_text(value)}"
            for name, value in about.items()
            if value not in ("", None)
        ),
    }


def sign_page(visit: Visit) -> Response:
    """Show what is signed: a stretch of time, with its counts."""
    span = span_of(visit.query.get("span", "today"))
    store = visit.desk.store
    signed = (record for record in newest_first(store.audit) if record["kind"] == "signed")
    return visit.page(
        "sign.html",
        span=span,
        spans=SPANS,
        counts=store.index.counts(span.since_ms, span.until_ms),
        signed=list(islice(signed, SIGNED)),
    )


def sign(visit: Visit) -> Response:
    """Sign a review by name; the password is asked for once more, as for any signature."""
    form, store = visit.form, visit.desk.store
    since, until = (_ms(form, name) for name in ("since_ms", "until_ms"))
    name, limits = visit.session.user.name, visit.desk.sign_in.limits
    if limits.wait_s(name, visit.who.address) > 0:
        raise RefusedRequestError(429, "signature", "too many wrong passwords; wait and try again")
    if store.users.check(name, form.get("password", "")) is None:
        limits.failed(name, visit.who.address)
        raise RefusedRequestError(403, "signature", "the password is wrong; nothing was signed")
    store.audit.sign(store.index, visit.who, since, until, text_of(form, "remark"))
    return visit.see_other("/sign")


def _ms(form: dict[str, str], name: str) -> int:
    text = form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise RefusedRequestError(400, "form", f"{name} must be a whole number")
    return int(text)
