"""Evidence and journal as the settings ask for them."""

from collections.abc import Iterator
from contextlib import contextmanager

from edge.clock import Clock
from edge.config import Config
from edge.record.evidence import Evidence
from edge.record.high_water import mark_path
from edge.record.journal import Journal


@contextmanager
def configured_record(config: Config, clock: Clock) -> Iterator[tuple[Evidence, Journal]]:
    """Open evidence and journal; on a full disk the evidence gives way to the journal.

    Raises JournalError.
    """
    folder, mark = config.evidence.folder, config.journal.mark
    path = config.path(config.journal.file)
    with (
        Evidence(config.path(folder) if folder else None, config.evidence) as evidence,
        Journal(
            path,
            clock,
            settings=config.journal,
            name=config.service.name,
            make_room=evidence.give_way,
            mark=mark_path(config.path(mark), path) if mark else None,
            at_least=evidence.last_item,
        ) as journal,
    ):
        yield evidence, journal
