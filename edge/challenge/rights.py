"""Who may sign: release items from quarantine and let the production line run again."""

import os
from collections.abc import Iterator
from pathlib import Path

from edge.files import read_bounded
from edge.gate.peers import PASSWD, Peer

GROUP = Path("/etc/group")
LONGEST = 1 << 20
"""Bytes of that file which are read."""


def may_sign(peer: Peer, group: str, groups: Path = GROUP, users: Path = PASSWD) -> bool:
    """Tell whether the user of *peer* has the right: root, the service's own user, or in *group*.

    The kernel has told who the peer is; only root may write the two files that say who is in the
    group. Whoever is the service's own user could write its journal as well.
    """
    if peer.uid in (0, os.geteuid()):
        return True
    fields = next((row for row in _rows(groups) if row[0] == group and len(row) > 3), None)
    if not group or fields is None:
        return False
    names = set(fields[3].split(",")) - {""}
    return any(
        len(row) > 3 and row[2] == str(peer.uid) and (row[0] in names or row[3] == fields[2])
        for row in _rows(users)
    )


def _rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of passwd(5) or group(5); none of a file that cannot be read."""
    try:
        text = read_bounded(path, LONGEST).decode(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        yield line.split(":")
