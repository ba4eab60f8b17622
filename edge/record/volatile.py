"""Volatile storage: whether a folder lies in memory, where the power takes what is written.

What the kernel's mount table (proc_pid_mountinfo(5)) names is followed to where the bytes end up:
tmpfs and ramfs are memory; an overlay is what its upper folder is, and one mounted ``volatile``
synchronises nothing; a loop device is what its file is; a device mapper what its parts are; zram
and RAM disks are memory with a file system on them.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from edge.printing import print_line

MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs", "rootfs", "hugetlbfs"})
"""File systems without a disk."""
MEMORY_DEVICES = ("zram", "ram")
"""Block devices without a disk, by the beginnings of their names."""
READ_ONLY_ROOT = re.compile(
    r"(?:^|\s)(?:boot=(?:overlay|live|casper)|overlayroot=\"?tmpfs\S*|systemd\.volatile=\w+)(?:\s|$)"
)
"""Kernel parameters by which raspi-config, overlayroot, live systems and systemd keep all changes
in memory."""
PERSISTENT = "persisten"
"""Part of the parameters by which a live system keeps them on a disk."""
LOST_WITH_POWER = "the journal is lost with the power"
DEEPEST = 8
"""Layers that are followed: overlays, loops and mappers upon one another."""


def warn_if_volatile(journal: Path, root: Path = Path("/")) -> None:
    """Say on stderr, in one line, that the file *journal* is lost with the power, if it is."""
    if reason := volatile_storage(journal.parent, root):
        print_line(
            f"stampgate-edge: {journal}: {reason}: {LOST_WITH_POWER}; name a disk in [journal] "
            "file, and see 'stampgate-edge check'",
            file=sys.stderr,
            flush=True,
        )


@dataclass(frozen=True)
class Mount:
    """A line of the mount table: where, its device's numbers, its kind and its options."""

    point: Path
    device: str
    kind: str
    options: tuple[str, ...]

    def option(self, name: str) -> str | None:
        """Return the value of an option; empty for one without a value, None when it is not set."""
        for option in self.options:
            key, _, value = option.partition("=")
            if key == name:
                return value
        return None


def volatile_storage(folder: Path, root: Path = Path("/")) -> str:
    """Return why what is written into *folder* is lost with the power; empty when it is not.

    *folder*: may be missing. *root*: where ``/proc`` and ``/sys`` are. A mount table that cannot be
    read gives no reason.
    """
    return _of_path(folder.resolve(), _mounts(root), root, DEEPEST)


def _of_path(path: Path, mounts: list[Mount], root: Path, depth: int) -> str:
    """Return why *path* is volatile, by the mount that it lies under."""
    under = [mount for mount in mounts if path.is_relative_to(mount.point)]
    if not under or not depth:
        return ""
    # Of two on one place the later one hides the earlier.
    mount = max(reversed(under), key=lambda one: len(one.point.parts))
    if mount.kind in MEMORY:
        return f"{mount.point} is memory ({mount.kind})"
    if mount.kind in ("overlay", "overlayfs"):
        return _of_overlay(mount, mounts, root, depth)
    reason = _of_device(root / "sys/dev/block" / mount.device, mounts, root, depth)
    return f"{mount.point} is on {reason}" if reason else ""


def _of_overlay(mount: Mount, mounts: list[Mount], root: Path, depth: int) -> str:
    upper = mount.option("upperdir")
    if upper is None:
        return ""
    if mount.option("volatile") is not None:
        return f"{mount.point} is an overlay that synchronises nothing (volatile)"
    is_root = mount.point == Path("/")
    # The upper folder of a root overlay was named before there was this root: of its path only what
    # is mounted on its own tells anything.
    visible = [one for one in mounts if one != mount and not (is_root and one.point == mount.point)]
    reason = _of_path(Path(upper), visible, root, depth - 1)
    parameters = _text(root, "cmdline")
    if not reason and is_root and PERSISTENT not in parameters:
        reason = "the kernel's command line asks for it" * bool(READ_ONLY_ROOT.search(parameters))
    return f"{mount.point} is an overlay whose changes are in memory ({reason})" if reason else ""


def _of_device(device: Path, mounts: list[Mount], root: Path, depth: int) -> str:
    """Return why a block device, by its entry in ``/sys``, is volatile."""
    if not depth or not device.exists():
        return ""
    name = device.resolve().name
    if name.startswith(MEMORY_DEVICES):
        return f"{name}, a disk in memory"
    backing = device / "loop/backing_file"
    if backing.is_file():
        file = backing.read_text(encoding="utf-8", errors="replace").strip()
        reason = _of_path(Path(file), mounts, root, depth - 1)
        return f"{name}, of a file in memory ({reason})" if reason else ""
    parts = device / "slaves"
    for part in sorted(parts.iterdir()) if parts.is_dir() else ():
        if reason := _of_device(part, mounts, root, depth - 1):
            return f"{name}, made of {reason}"
    return ""


def _mounts(root: Path) -> list[Mount]:
    """Read the mount table, in the order of mounting."""
    mounts = []
    for line in _text(root, "self/mountinfo").splitlines():
        first, _, last = line.partition(" - ")
        before, after = first.split(), last.split()
        if len(before) > 4 and len(after) > 2:
            options = tuple(map(_unescaped, after[2].split(",")))
            mounts.append(Mount(Path(_unescaped(before[4])), before[2], after[0], options))
    return mounts


def _unescaped(text: str) -> str:
    r"""Replace the octal escapes of the mount table.

    >>> _unescaped(r"/media/my\040disk")
    '/media/my disk'
    """
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _text(root: Path, name: str) -> str:
    try:
        return os.fsdecode((root / "proc" / name).read_bytes())
    except OSError:
        return ""
