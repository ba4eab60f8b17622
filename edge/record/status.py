"""The status file: the service's present state, for ``stampgate-edge status``.

It lies in ``/run``, which is memory: written each second it would wear a card out, and after the
power was off there is nothing to say. Each write replaces it atomically (write, then rename), so a
reader always sees a whole one. It names the process, so a reader knows whether that process still
runs. The past is in the journal.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.files import check_ours, open_ours, read_bounded
from edge.printing import json_text

MAX_BYTES = 1 << 20
"""Longest status file that is read; one has a few kilobytes."""


class StatusFile:
    """Writes the file; None writes none.

    *journal*: the journal's folder, whose owner has the file when root writes it: that of the
    status belongs to the gate.
    """

    def __init__(self, path: Path | None, journal: Path | None = None) -> None:
        self._path, self._journal = path, journal
        self._process = process_name(os.getpid())

    def write(self, fields: Mapping[str, Any]) -> None:
        """Replace the file atomically; an error is ignored: a status never stops the service."""
        if self._path is None:
            return
        text = json_text({"process": self._process, "written_ns": time.monotonic_ns(), **fields})
        fresh = self._path.with_name(f".{self._path.name}.new")
        with contextlib.suppress(OSError):
            check_ours(self._path)
            fresh.unlink(missing_ok=True)  # another user may have been killed while he wrote it
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            descriptor = open_ours(fresh, flags, owned_as=self._journal)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")
                os.fchmod(descriptor, 0o644)
            fresh.replace(self._path)


def read_status(path: Path | None) -> dict[str, Any] | None:
    """Read the status that a :class:`StatusFile` wrote; None when there is none.

    Raises OSError when it may not be read.
    """
    try:
        content = json.loads(read_bounded(path, MAX_BYTES)) if path is not None else None
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def is_running(status: Mapping[str, Any]) -> bool:
    """Tell whether the process that wrote *status* still runs."""
    process = status.get("process")  # whoever may write beside the gate's socket says what it is
    if not isinstance(process, list) or [type(part) for part in process] != [int, int]:
        return False
    return 0 < process[0] < 2**31 and process == process_name(process[0])


def process_name(pid: int) -> list[int] | None:
    """Return a process's id and start time, which together no other process of this boot gets.

    The start time is field 22 of ``/proc/PID/stat``, in clock ticks (proc(5)). None when there is
    no such process.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The program's name, in brackets, may hold anything, brackets and blanks too.
    fields = text.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else [pid, int(fields[19])]
