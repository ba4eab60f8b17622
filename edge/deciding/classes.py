"""Which classes an item must show, and which it must not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Classes:
    """Which classes an item must show, all of *required* and one *any_of*, and which it must not.

    At least one of *required* and *any_of* is not empty.
    """

    required: frozenset[str]
    any_of: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()

    def missing(self, found: Iterable[str]) -> frozenset[str]:
        """Return the classes that are lacking, of *any_of* all where none was *found*.

        >>> sorted(Classes(frozenset("a"), frozenset("bc")).missing("a"))
        ['b', 'c']
        """
        there = frozenset(found)
        lacking = self.required - there
        return lacking if self.any_of & there else lacking | self.any_of

    def wanted(self, findings: Iterable[Finding]) -> frozenset[str]:
        """Return what must be found among *findings*, best first, for the plain rule.

        Of *any_of* the best that was found; where none was, all of them as one name that nothing
        has, for the reason.
        """
        if not self.any_of:
            return self.required
        alternatives = " or ".join(sorted(self.any_of))
        found = (finding.label for finding in findings if finding.label in self.any_of)
        return self.required | {next(found, alternatives)}


def classes_of(
    required: Collection[str],
    any_of: Collection[str],
    forbidden: Collection[str],
    classes: Collection[str],
) -> Classes:
    """Return which classes an item must show, and which it must not.

    Without names in *required* and *any_of*, all *classes* of the model that are not forbidden are
    required. Raises UsageError for a name that the model does not know, one in two of the three, an
    *any_of* of one class, or nothing to require.
    """
    banned = known(forbidden, classes, "forbidden")
    wanted = known(required, classes, "required")
    either = known(any_of, classes, "sufficient")
    if both := sorted(wanted & banned):
        raise UsageError(f"a forbidden class must be no required one, not {both[0]!r}")
    if both := sorted(either & (wanted | banned)):
        raise UsageError(
            f"a class of any_of must be neither required nor forbidden, not {both[0]!r}"
        )
    if len(either) == 1:
        raise UsageError(f"any_of must name two classes or more; require {min(either)!r} instead")
    wanted = wanted if wanted or either else frozenset(classes) - banned
    if not wanted and not either:
        raise UsageError("forbidden classes must leave one to require, not be all of the model's")
    return Classes(wanted, either, banned)


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
