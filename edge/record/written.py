"""Which of a gate's items and incidents the journal holds, by its last records.

An eye may be killed between writing an item down and settling it with the gate, which then reports
the item to the next eye. That one asks here, and settles what is written down already.
"""

import re
from pathlib import Path

from edge.record.journal_file import END_BYTES, parse_record, read_end, rotated_files

ITEM = re.compile(rb'"trigger_ns": (\d+), (?:"ms": [^,]+, )?"tag": (\d+), "gate_run": "([^"\\]+)"')
"""In an item's line as the journal writes it, without ``ms`` where no eye saw it; in a text each
quote has a backslash before it."""
INCIDENT = re.compile(
    rb'"incident": (\d+), (?:"item": [^,]+, "tag": \d+, )?"gate_run": "([^"\\]+)"'
)


class WrittenRecords:
    """The items and incidents in the last *most* bytes of the last two files of *journal*.

    Raises OSError when a file cannot be read.
    """

    def __init__(self, journal: Path, most: int = END_BYTES) -> None:
        self._items: set[tuple[str, int]] = set()
        self._untagged: set[tuple[str, int]] = set()
        self._incidents: set[tuple[str, int]] = set()
        for path in (*rotated_files(journal)[-1:], journal):
            if path.is_file():
                with path.open("rb") as file:
                    content = read_end(file.fileno(), most).content
                self._take(content)

    def holds_item(self, run: str, tag: int, t_ns: int) -> bool:
        """Tell whether there is a record of that item of the gate *run*.

        *t_ns*: its trigger, by which it is known where the eye had not heard of its tag yet.
        """
        return (run, tag) in self._items or (run, t_ns) in self._untagged

    def holds_incident(self, run: str, number: int) -> bool:
        """Tell whether there is a record of that incident of the gate *run*."""
        return (run, number) in self._incidents

    def _take(self, content: bytes) -> None:
        lines = content.split(b"\n")
        if parse_record(lines[-1]) is None:  # torn, or empty
            del lines[-1]
        for line in lines:
            if (item := ITEM.search(line)) is not None:
                t_ns, tag, run = int(item[1]), int(item[2]), item[3].decode("utf-8", "replace")
                known = self._items if tag else self._untagged
                known.add((run, tag or t_ns))
            elif (incident := INCIDENT.search(line)) is not None:
                run = incident[2].decode("utf-8", "replace")
                self._incidents.add((run, int(incident[1])))
