"""The archive of a bundle: a plain tar file (POSIX ustar) in one form, byte for byte.

Whatever could be written in two ways is written in one: mode, owner, time and padding of a member
are always the same, and it is a regular file. A header is read by writing it anew from its name and
its size and comparing all 512 bytes, so that a link, a device, an extension, a changed bit has no
place in which to stand. Nothing is compressed, so that nothing can unpack to more than the file.
``tar tf`` lists it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from edge.printing import printable

BLOCK = 512
END = bytes(2 * BLOCK)
"""How a tar file ends."""
NAME = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9]+)?(?:/[a-z0-9][a-z0-9.-]*[a-z0-9])?"
)
"""Names of members: no capital, no accent, no dot at an end, so that no file system takes two for
one or one for another."""
MOST_NAME = 99
KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a FIFO",
}
CHECKSUM = slice(148, 156)
CHUNK = 1 << 20


class ArchiveError(ValueError):
    """The archive is not as it must be; the text says where and how."""


@dataclass(frozen=True)
class Member:
    """A member of an archive: its *name*, its *size* in bytes, and where its content begins."""

    name: str
    size: int
    begin: int

    @property
    def end(self) -> int:
        """Where the next header begins."""
        return self.begin + self.size + padding(self.size)


def padding(size: int) -> int:
    """Return how many zero bytes follow a content of *size* bytes."""
    return -size % BLOCK


def header(name: str, size: int) -> bytes:
    """Return the header of a member, 512 bytes (POSIX.1-2001, pax, "ustar Interchange Format").

    Raises ArchiveError for a name or size that no member may have.
    """
    if not NAME.fullmatch(name) or len(name) > MOST_NAME:
        raise ArchiveError(f"a member must not be called {printable(name)[:60]!r}")
    if not 0 <= size < 8**11:
        raise ArchiveError(f"the member {name} must not have {size} bytes")
    block = bytearray(BLOCK)
    fields = {
        0: name.encode(),
        100: b"0000644",
        108: b"0000000",
        116: b"0000000",
        124: b"%011o" % size,
        136: b"%011o" % 0,
        148: b" " * 8,
        156: b"0",
        257: b"ustar\x0000",
        329: b"0000000",
        337: b"0000000",
    }
    for begin, content in fields.items():
        block[begin : begin + len(content)] = content
    block[CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def read_header(file: BinaryIO, begin: int, length: int) -> Member | None:
    """Read the header at *begin* of an archive of *length* bytes; None where the archive ends.

    Raises ArchiveError for one that is not as :func:`header` writes it, for a content that the
    archive cannot hold, and for what follows the end.
    """
    file.seek(begin)
    block = file.read(BLOCK)
    if block == END[:BLOCK]:
        if file.read(BLOCK + 1) != END[BLOCK:]:
            raise ArchiveError(f"byte {begin}: it must end there, and does not")
        return None
    if len(block) < BLOCK:
        raise ArchiveError(f"it is cut off at byte {begin + len(block)}")
    name, size = _name_and_size(block, begin)
    if header(name, size) != block:
        raise ArchiveError(f"byte {begin}: the header of {name} is not as it must be")
    member = Member(name, size, begin + BLOCK)
    if member.end > length - len(END):
        raise ArchiveError(f"the member {name} says that it has {size} bytes, more than are there")
    return member


def _name_and_size(block: bytes, begin: int) -> tuple[str, int]:
    """Return what a header says, before it is believed. Raises ArchiveError."""
    name = printable(block[:100].rstrip(b"\0").decode("ascii", "replace"))[:60]
    kind = block[156:157]
    if kind != b"0":
        what = KINDS.get(kind, "no regular file")
        raise ArchiveError(f"byte {begin}: the member {name!r} must be a file, not {what}")
    if name.startswith("/") or ".." in name.split("/"):
        raise ArchiveError(f"byte {begin}: the member {name!r} leads out of the bundle")
    digits = block[124:135]
    if not re.fullmatch(rb"[0-7]{11}", digits):
        raise ArchiveError(f"byte {begin}: the member {name!r} has no size that can be")
    return name, int(digits, 8)


def content(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield a member's content piece by piece, then check its padding. Raises ArchiveError."""
    file.seek(member.begin)
    left = member.size
    while left:
        piece = file.read(min(left, CHUNK))
        if not piece:
            raise ArchiveError(f"the member {member.name} is cut off")
        left -= len(piece)
        yield piece
    rest = padding(member.size)
    if file.read(rest) != bytes(rest):
        raise ArchiveError(f"what follows the member {member.name} must be zeros")
