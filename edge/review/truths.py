"""The truth of items in shadow mode, as the review page takes it: into the log of shadow mode."""

from collections.abc import Mapping

from edge.config import Config
from edge.errors import InputError
from edge.review.audit import AuditLog
from edge.review.people import Person
from edge.shadow.statements import read_statements, say_truths

SOURCE = "the review page"


def say_truth(config: Config, truths: Mapping[int, str], who: Person, audit: AuditLog) -> None:
    """Append what items in shadow mode really are, ``good`` or ``bad`` by their numbers.

    It goes to the log of shadow mode, of which studies are made, and that it was said to the audit
    log. Raises InputError when that log cannot be written, or is not whole; JournalError.
    """
    before = read_statements(config).truths
    corrects = sum(before.get(item, truth) != truth for item, truth in truths.items())
    try:
        say_truths(config, truths, who.full_name or who.name, SOURCE, corrects=corrects)
    except OSError as error:
        raise InputError(
            f"{config.shadow.log}: what was said could not be written ({error.strerror or error}); "
            "let the review page's user write there, or use 'stampgate-edge shadow truth'"
        ) from None
    for item, truth in truths.items():
        audit.note("truth-said", who, item=item, truth=truth, before=before.get(item, ""))
