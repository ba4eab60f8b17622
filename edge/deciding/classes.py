"""Which classes an item must show, and which it must not."""

from collections.abc import Collection, Iterable

from edge.deciding.codes import FORBIDDEN
from edge.decision import Finding, Verdict
from edge.errors import UsageError
from edge.printing import printable


def known(names: Iterable[str], classes: Collection[str], what: str) -> frozenset[str]:
    """Return *names* as a set; *what*: what such a class is, for the message.

    Raises UsageError for one that is not among the model's *classes*.
    """
    for name in (wanted := frozenset(names)):
        if name not in classes:
            raise UsageError(
                f"a {what} class must be one of the model's ({printable(', '.join(classes))}), "
                f"not {name!r}"
            )
    return wanted


def required_and_forbidden(
    required: Collection[str], forbidden: Collection[str], classes: Collection[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the required and the forbidden classes.

    Without names in *required* all *classes* of the model are that are not forbidden. Raises
    UsageError for a name that the model does not know, one that is both, or nothing to require.
    """
    banned = known(forbidden, classes, "forbidden")
    wanted = known(required, classes, "required")
    if both := sorted(wanted & banned):
        raise UsageError(f"a forbidden class must be no required one, not {both[0]!r}")
    wanted = wanted or frozenset(classes) - banned
    if not wanted:
        raise UsageError("forbidden classes must leave one to require, not be all of the model's")
    return wanted, banned


def find_forbidden(findings: Iterable[Finding], forbidden: Collection[str]) -> Verdict | None:
    """Reject an item that shows a forbidden class, wherever and however large; else None.

    It beats every other rule: what else the item shows does not matter.

    >>> from edge.decision import Box
    >>> find_forbidden([Finding("rejected", 0.9, Box(0, 0, 9, 9))], {"rejected"}).reason
    'rejected found, which is forbidden'
    """
    for finding in findings:
        if finding.label in forbidden:
            return Verdict("reject", f"{finding.label} found, which is forbidden", (), FORBIDDEN)
    return None
