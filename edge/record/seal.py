"""The journal seal: forward-secure sealing, so that whoever takes the box cannot rewrite it.

The hash chain shows that a line was changed; who may write all files can write the chain anew. So
each record is sealed by a MAC under a key that is used once. After the record is on the disk, the
key is replaced by a one-way function of itself, and the old one is written over. Who takes the box
at record n finds the key of record n + 1, from which no earlier one can be reckoned: he can neither
change a record before n, nor leave one out in the middle. The first key, the *verification key*, is
given out once by ``stampgate-edge seal-setup`` and kept off the box: with it every later key can be
reckoned.

::

    K(1)  random                    the verification key; its name is the seal's name
    K(n + 1) = HMAC(K(n), next)     the evolving key, in ``journal.seal``, of this user alone
    seal(n)  = HMAC(HMAC(K(n), record), name | n | the line without its seal)
    end(n)   = HMAC(HMAC(K(n + 1), end), name | n | hash of line n)      in ``journal.end``

HMAC is that of RFC 2104 with SHA-256. The **end mark** is no secret and goes with a copy: it proves
which record was the last. Who takes the box can make none for an earlier record, so a tail that was
cut off shows. Sources: Bellare and Yee, "Forward Integrity for Secure Audit Logs" (1997) and
"Forward-Security in Private-Key Cryptography" (CT-RSA 2003), whose generator this is; Schneier and
Kelsey, "Secure Audit Logs to Support Computer Forensics" (1999); Ma and Tsudik, "A New Approach to
Secure Logging" (2009), for the end; in practice the Forward Secure Sealing of systemd's journal
(Marson and Poettering, 2013), which seals every 15 minutes where this seals every record.

**Order of writing.** Record, then key, then end mark, so the key is never ahead of what the disk
holds. The two small files are written over in place by one write(2) of one sector each, at once
with each record and on the disk (fdatasync) every :data:`SYNC_S` seconds:

===================================== ==========================================================
who takes the box                     can forge or cut off
===================================== ==========================================================
root on the running box               what he writes from then on, and records that are not on the
                                      disk yet (``[journal] sync = "grouped"``: of ``group_ms``)
who switches it off and takes the     besides, the records of the last :data:`SYNC_S` seconds
disk
===================================== ==========================================================

At any cut of the power the key is at the journal's end or behind it, and catches up at the next
start (:meth:`Seal.take_up`). What it cannot mend is said in a ``seal`` record, in the status and on
the FAULT output; records go on, for a broken seal is no reason to lose them. What this does not
do: no memory of a flash disk or of this process is wiped with certainty, and who sets back the
*whole* disk, keys and journal, to an earlier copy is found only by who knows of a later record.
"""

import contextlib
import dataclasses
import errno
import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from edge.errors import InputError
from edge.files import open_ours, read_bounded, sync_folder

SYNC_S = 1.0
"""Longest that key and end mark wait for the disk while records come, seconds."""
SECTOR = 512
"""Bytes of either file: what a disk writes whole or not at all."""
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
"""Errors of a file system that knows no second name of a file."""
MOST_STEPS = 20_000_000
"""Keys that are reckoned onwards at once, at most: half a minute."""
LAST = b', "seal": "'
FIELD = re.compile(rb', "seal": "([0-9a-f]{16}):(\d{1,15}):([0-9a-f]{64})"\}')
"""The end of a sealed line: the seal's name, the record's number in it, and the MAC."""
KEY = re.compile(
    rb"stampgate-seal-key 1 ([0-9a-f]{16}) (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{16})\s*"
)
END = re.compile(
    rb"stampgate-seal-end 1 ([0-9a-f]{16}) (\d{1,15}) ([0-9a-f]{64}) ([0-9a-f]{64})\s*"
)
VERIFICATION_KEY = re.compile(rb"\s*stampgate-verification-key-1-([0-9a-f]{16})-([0-9a-f]{64})\s*")


def key_path(journal: Path) -> Path:
    """Return where the evolving key of a journal lies.

    >>> key_path(Path("journal.jsonl")).name, end_path(Path("journal.jsonl")).name
    ('journal.seal', 'journal.end')
    """
    return journal.with_suffix(".seal")


def end_path(journal: Path) -> Path:
    """Return where the end mark of a journal lies; it goes with a copy."""
    return journal.with_suffix(".end")


@dataclass(frozen=True)
class SealKey:
    """The key for one record: the *number*-th, from 1, of the seal called *name* (16 hex digits).

    *key*: 32 bytes, never printed.
    """

    name: str
    number: int
    key: bytes = dataclasses.field(repr=False)

    @classmethod
    def fresh(cls) -> "SealKey":
        """Return a random first key, which is the verification key, from the kernel's generator."""
        return cls.first(secrets.token_bytes(32))

    @classmethod
    def first(cls, key: bytes) -> "SealKey":
        """Return the first key of a seal, whose name follows from it."""
        return cls(_derive(key, b"name").hex()[:16], 1, key)

    def next(self) -> "SealKey":
        """Return the key for the record after; nothing leads back."""
        return SealKey(self.name, self.number + 1, _derive(self.key, b"next"))

    def onwards(self, number: int) -> "SealKey":
        """Return the key for record *number*, which is not before this one."""
        key = self.key
        for _ in range(number - self.number):
            key = _derive(key, b"next")
        return SealKey(self.name, number, key)

    def seal(self, line: bytes) -> bytes:
        """Return a record's line, without its line end, with its seal as the last field."""
        return line[:-1] + LAST + f'{self.name}:{self.number}:{self.mac(line)}"}}'.encode()

    def mac(self, line: bytes) -> str:
        """Return the MAC of a line without its seal, in hex."""
        return _mac(_derive(self.key, b"record"), self.name, self.number, line)

    def end(self, line_sha256: str) -> str:
        """Return the MAC of the end mark behind the record before this key, in hex.

        *line_sha256*: the hash of that record's line, its seal included.
        """
        key = _derive(self.key, b"end")
        return _mac(key, self.name, self.number - 1, line_sha256.encode())

    def as_file(self) -> bytes:
        """Return the content of the key's file: one sector."""
        text = f"stampgate-seal-key 1 {self.name} {self.number} {self.key.hex()}"
        return _sector(f"{text} {hashlib.sha256(text.encode()).hexdigest()[:16]}")

    def as_verification_key(self) -> str:
        """Return the first key as it is given out, on one line."""
        assert self.number == 1
        return f"stampgate-verification-key-1-{self.name}-{self.key.hex()}"


@dataclass(frozen=True)
class EndMark:
    """The end mark: the last sealed record's number, the hash of its line, and the MAC of both."""

    name: str
    number: int
    line_sha256: str
    mac: str

    def as_file(self) -> bytes:
        """Return the content of the end mark's file: one sector."""
        text = f"stampgate-seal-end 1 {self.name} {self.number} {self.line_sha256} {self.mac}"
        return _sector(text)


@dataclass(frozen=True)
class Sealed:
    """What a line on its way to the disk leaves behind it: the next key, and the line's hash."""

    key: SealKey
    line_sha256: str

    def end_mark(self) -> EndMark:
        """Return the end mark behind this line."""
        mac = self.key.end(self.line_sha256)
        return EndMark(self.key.name, self.key.number - 1, self.line_sha256, mac)


@dataclass(frozen=True)
class LineSeal:
    """The seal of a line, as it says: whose, which number, the MAC, and the line without it."""

    name: str
    number: int
    mac: str
    line: bytes


def parse_seal(line: bytes) -> LineSeal | None:
    """Take the seal off a line that has no line end; None when it has none at its end.

    >>> key = SealKey.first(bytes(32))
    >>> taken = parse_seal(key.seal(b'{"v": 1}'))
    >>> taken.line, taken.number, taken.mac == key.mac(b'{"v": 1}')
    (b'{"v": 1}', 1, True)
    """
    at = line.rfind(LAST)
    found = FIELD.fullmatch(line, at) if at >= 0 else None
    if found is None:
        return None
    name, number, mac = found[1].decode(), int(found[2]), found[3].decode()
    return LineSeal(name, number, mac, line[:at] + b"}")


def read_verification_key(path: Path) -> SealKey:
    """Read a verification key as ``seal-setup`` gave it out. Raises InputError."""
    try:
        content = read_bounded(path, 4096)
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; name the file with the verification key"
        ) from None
    found = VERIFICATION_KEY.fullmatch(content)
    key = SealKey.first(bytes.fromhex(found[2].decode())) if found else None
    if found is None or key is None or key.name != found[1].decode():
        raise InputError(
            f"{path}: must hold the one line that 'stampgate-edge seal-setup' gave out, whole: "
            "stampgate-verification-key-1-..."
        )
    return key


def parse_key(content: bytes) -> SealKey | None:
    """Parse the content of a key's file; None when it is damaged."""
    found = KEY.fullmatch(content)
    if found is None:
        return None
    key = SealKey(found[1].decode(), int(found[2]), bytes.fromhex(found[3].decode()))
    return key if key.as_file() == content else None


def read_end_mark(path: Path) -> EndMark | None:
    """Read an end mark; None when it is damaged. Raises OSError."""
    found = END.fullmatch(read_bounded(path, 4096))
    if found is None:
        return None
    return EndMark(found[1].decode(), int(found[2]), found[3].decode(), found[4].decode())


class Seal:
    """The evolving key and the end mark of a journal, in their two files; off without a key file.

    Synchronization: :meth:`open` and :meth:`take_up` before the writing thread begins, then that
    thread alone; :attr:`trouble` any.
    """

    def __init__(self, journal: Path) -> None:
        self._key_path, self._end_path = key_path(journal), end_path(journal)
        self._key_file = self._end_file = -1
        self._synced_s = 0.0
        self._dirty = False
        self.key: SealKey | None = None
        """The key for the next record; None when the journal is not sealed. It is that of the
        start: lines on their way carry theirs."""
        self.name = ""
        """Of the seal, when there is or was one."""
        self.trouble = ""
        """Why records are not sealed as they should be; empty when they are, or sealing is off."""

    def open(self) -> None:
        """Read the key, if there is one; whatever is wrong with it becomes :attr:`trouble`."""
        try:
            self._key_file = open_ours(self._key_path, os.O_RDWR)
            self.key = self._read()
        except FileNotFoundError:
            pass
        except OSError as error:
            self._fail(str(error) if isinstance(error, InputError) else _why(self._key_path, error))

    def take_up(self, last: bytes) -> str:
        """Go on behind the journal's *last* line, without its line end; empty in a new journal.

        Returns what a ``seal`` record must say, empty for nothing. A key behind the journal catches
        up: the power went before it was on the disk.
        """
        said = parse_seal(last)
        self.name = self.key.name if self.key is not None else said.name if said is not None else ""
        if self.key is None:
            if said is not None and not self.trouble:
                self._fail(
                    f"{self._key_path}: must hold the key of seal {said.name}, and is not there or "
                    "cannot be used; records are not sealed: find out why, then "
                    "'stampgate-edge seal-setup'"
                )
            return self.trouble
        at = self.key.number
        try:
            self._end_file = open_ours(self._end_path, os.O_RDWR | os.O_CREAT, 0o640)
        except OSError as error:
            self._fail(str(error) if isinstance(error, InputError) else _why(self._end_path, error))
            return self.trouble
        if said is not None and said.name == self.key.name:
            return self._catch_up(said, last)
        if at == 1:
            return "sealing begins"
        return self._told(
            f"the last record does not bear it; those sealed, 1 to {at - 1}, were cut off or "
            "replaced, or written on without the key"
        )

    def _catch_up(self, said: LineSeal, last: bytes) -> str:
        """Take the key behind the *last* line, which says that it is of this seal."""
        assert self.key is not None
        behind = said.number - self.key.number
        if behind < -1:
            missing = f"{said.number + 1} to {self.key.number - 1}"
            return self._told(f"sealed records {missing} are missing at the end")
        if behind >= MOST_STEPS:
            return self._told(f"record {said.number} cannot be reckoned from key {self.key.number}")
        if behind >= 0:
            key = self.key.onwards(said.number)
            self.key = key.next()
            if not hmac.compare_digest(key.mac(said.line), said.mac):
                return self._told(f"sealed record {said.number} was changed, or sealed by another")
        self.keep(Sealed(self.key, hashlib.sha256(last).hexdigest()))
        return ""

    def keep(self, sealed: Sealed) -> None:
        """Replace key and end mark by those behind a line that is on the disk."""
        if self._key_file < 0 or self._end_file < 0:
            return
        try:
            # One sector each, written over in place: what was there is gone from the file.
            os.pwrite(self._key_file, sealed.key.as_file(), 0)
            os.pwrite(self._end_file, sealed.end_mark().as_file(), 0)
            self._dirty = True
            self.trouble = "" if self.trouble.startswith(_PREFIX) else self.trouble
        except OSError as error:
            self.trouble = f"{_PREFIX}{self._key_path}: cannot be written ({error.strerror})"

    def wait_s(self) -> float | None:
        """Return the seconds until :meth:`sync` has work; None when it has none."""
        return self._synced_s + SYNC_S - time.monotonic() if self._dirty else None

    def sync(self, *, now: bool = False) -> None:
        """Bring both onto the disk when it is time, or *now*."""
        wait_s = self.wait_s()
        if wait_s is None or not (now or wait_s <= 0):
            return
        with contextlib.suppress(OSError):  # the next write says why
            os.fdatasync(self._key_file)
            os.fdatasync(self._end_file)
            self._dirty = False
        self._synced_s = time.monotonic()

    def close(self) -> None:
        """Bring both onto the disk and close them."""
        self.sync(now=True)
        for descriptor in (self._key_file, self._end_file):
            if descriptor >= 0:
                os.close(descriptor)
        self._key_file = self._end_file = -1

    def _read(self) -> SealKey:
        """Read the key. Raises InputError when it is damaged or open to others."""
        status = os.fstat(self._key_file)
        foreign = status.st_uid != os.geteuid() and os.geteuid() != 0
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or foreign:
            raise InputError(
                f"{self._key_path}: must be of the eye's user alone (mode 0600), or others "
                "can seal; make a new seal: remove it, then 'stampgate-edge seal-setup'"
            )
        key = parse_key(os.pread(self._key_file, SECTOR + 1, 0))
        if key is None:
            raise InputError(
                f"{self._key_path}: is damaged; records are not sealed: remove it, then "
                "'stampgate-edge seal-setup'"
            )
        return key

    def _told(self, what: str) -> str:
        """Show *what* as trouble until the next start, and return it for the record."""
        self.trouble = f"the journal's seal: {what}"
        return what

    def _fail(self, why: str) -> None:
        self.close()
        self.key, self.trouble = None, why


_PREFIX = "the seal: "


def set_up(journal: Path, key: SealKey) -> Path:
    """Write the first key of a seal beside *journal*, and return its file.

    Root gives it to the owner of the journal, or of its folder. It appears whole or not at all.
    Raises InputError when there is one already, and OSError.
    """
    path, folder = key_path(journal), journal.absolute().parent
    fresh = path.with_name(f".{path.name}.new")
    if os.path.lexists(path):
        raise InputError(
            f"{path}: is there already, so the journal is sealed; a new seal would begin anew: "
            "remove the file only when its verification key is lost"
        )
    owner = (journal if journal.exists() else folder).stat()
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.write(descriptor, key.as_file())
        os.fsync(descriptor)
        try:
            path.hardlink_to(fresh)  # fails when another was faster
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            fresh.rename(path)
    except FileExistsError:
        raise InputError(f"{path}: is there already; another 'seal-setup' was faster") from None
    finally:
        os.close(descriptor)
        fresh.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def _derive(key: bytes, what: bytes) -> bytes:
    return hmac.digest(key, b"stampgate seal 1 " + what, "sha256")


def _mac(key: bytes, name: str, number: int, content: bytes) -> str:
    return hmac.digest(key, f"{name}:{number}:".encode() + content, "sha256").hex()


def _sector(text: str) -> bytes:
    return text.encode().ljust(SECTOR - 1) + b"\n"


def _why(path: Path, error: OSError) -> str:
    return f"{path}: cannot be used ({error.strerror}); records are not sealed: give it back"
