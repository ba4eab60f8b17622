"""The status file: what the service is doing, for ``stampgate-edge status``.

It lies in ``/run``, which is memory: written each second it would wear a card out, and after the
power was off there is nothing to say. It is written under another name and renamed, so whoever
reads it sees a whole one. It names the process, so a reader knows whether that process still runs.
What happened before is in the journal.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class StatusFile:
    """Writes the file; None writes none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._process = process_name(os.getpid())

    def write(self, fields: Mapping[str, Any]) -> None:
        """Replace the file's content; does nothing when it cannot, for a status is never worth the
        service.
        """
        if self._path is None:
            return
        text = json.dumps(
            {"process": self._process, "written_ns": time.monotonic_ns(), **fields},
            ensure_ascii=False,
        )
        fresh = self._path.with_name(f".{self._path.name}.new")
        with contextlib.suppress(OSError):
            fresh.write_text(text + "\n", encoding="utf-8", errors="replace")
            fresh.chmod(0o644)
            fresh.replace(self._path)


def read_status(path: Path | None) -> dict[str, Any] | None:
    """Read what a :class:`StatusFile` wrote; None when there is none. Raises OSError when it may
    not be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path is not None else None
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def is_running(status: Mapping[str, Any]) -> bool:
    """Whether the process that wrote *status* is still there."""
    process = status.get("process")
    return isinstance(process, list) and bool(process) and process == process_name(int(process[0]))


def process_name(pid: int) -> list[int] | None:
    """A name that no other process of this boot gets: its id and when it began (proc(5), field 22,
    clock ticks).

    None when there is no such process.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rsplit(")", 1)[
        1
    ].split()  # the program's name may hold anything, brackets and blanks too
    return None if fields[0] == "Z" else [pid, int(fields[19])]
