"""Read a bundle: the signature first, then the sums, and only then what anything means.

::

    size → model.sig → trusted key, signature → names and sums of all other files
         → each file, in that order and no other → manifest → model, golden frames

Nothing that is not signed is interpreted, but for one header of 512 bytes and the signature itself.
No file of the bundle is written anywhere: :meth:`Bundle.unpack` does that, when it is asked to.
"""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from edge.bundles.archive import BLOCK, CHUNK, ArchiveError, Member, content, read_header
from edge.bundles.envelope import SIGNATURE_NAME, Envelope, read_statement
from edge.bundles.frames import FRAME_NAME, FRAMES_NAME, FrameSet, GoldenFrames
from edge.bundles.manifest import MANIFEST_NAME, MODEL_NAME, USE_NAME, Manifest
from edge.bundles.trust import SignatureError, Signer, TrustedKeys
from edge.errors import BundleError, ModelError, UsageError
from edge.files import open_regular, sync_folder
from edge.printing import printable
from edge.sections.decision import DecisionSettings
from edge.vision.model_file import MOST_BYTES, examine
from edge.vision.proof_summary import ProofSummary

FIXED = frozenset((MANIFEST_NAME, MODEL_NAME, USE_NAME, FRAMES_NAME))
"""Files that every bundle has beside its signature and its golden frames, and no others."""
MOST_USE = 65_536
AGAIN = "copy it again from where it was made, or make it again with 'stampgate bundle'"


@dataclass(frozen=True)
class Limits:
    """What a bundle may take: *bundle_bytes* in all, *member_bytes* and *members* of its files.

    *text_bytes*: of the signature and of each text.
    """

    bundle_bytes: int = 512 << 20
    member_bytes: int = MOST_BYTES
    members: int = 128
    text_bytes: int = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """A bundle whose signature and sums were verified, and what it says of itself.

    *signer*: whose trusted key it is; *golden*: verdicts that the golden frames must get;
    *bundle_sha256*: of the whole file, in hex; *members*: where each file lies in it.
    """

    path: Path
    manifest: Manifest
    signer: Signer
    intended_use: str
    golden: FrameSet
    bundle_sha256: str
    members: dict[str, Member] = field(repr=False)
    sums: dict[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the series that the bundle is a version of."""
        return self.manifest.name

    @property
    def version(self) -> int:
        """Its version, which rises from bundle to bundle of the same name."""
        return self.manifest.version

    @property
    def model_id(self) -> str:
        """Decision digest of its model, in hex."""
        return self.manifest.model_id

    @property
    def model_sha256(self) -> str:
        """SHA-256 of its model file, in hex."""
        return self.manifest.model_sha256

    @property
    def created(self) -> datetime:
        """When it was made, UTC."""
        return self.manifest.created

    @property
    def not_before(self) -> datetime:
        """From when on it may be activated, UTC."""
        return self.manifest.not_before

    @property
    def expires(self) -> datetime:
        """Until when it may be activated, UTC."""
        return self.manifest.expires

    @property
    def proof(self) -> ProofSummary | None:
        """Summary of its model's proof; None when nobody has proven it."""
        return self.manifest.proof

    @property
    def decision(self) -> DecisionSettings:
        """The rules, region included, that its proof and its golden frames are about."""
        return self.manifest.decision

    @property
    def golden_frames(self) -> GoldenFrames:
        """Its golden frames, read from the bundle itself."""
        return GoldenFrames(self.golden, self.member)

    @property
    def id(self) -> str:
        """Name, version and the beginning of the bundle's SHA-256: what a release is called."""
        return f"{self.name}-{self.version}-{self.bundle_sha256[:12]}"

    def member(self, name: str) -> bytes:
        """Return the content of the file *name*, verified once more. Raises BundleError."""
        if name not in self.sums:
            raise BundleError(f"{self.path}: has no file {printable(name)[:60]!r}; {AGAIN}")
        return b"".join(self._pieces(name))

    def unpack(self, folder: Path) -> None:
        """Write its files, the signature too, into *folder*, which is new or empty.

        Files have mode 0644 and are on the disk, with their folders, when this returns. When it
        cannot be done nothing of them is left. Raises BundleError.
        """
        made = list[Path]()
        try:
            _make_empty(folder, made)
            for name in self.members:
                path = folder / name
                if path.parent != folder and not path.parent.exists():
                    path.parent.mkdir(mode=0o755)
                    made.append(path.parent)
                self._write(name, path, made)
            for below in (*(path for path in made if path.is_dir()), folder, folder.parent):
                sync_folder(below)
        except OSError as error:
            _remove(made)
            raise BundleError(
                f"{folder}: cannot be written ({error.strerror}); make room or permission there, "
                "or name another place"
            ) from None
        except BaseException:
            _remove(made)
            raise

    def _write(self, name: str, path: Path, made: list[Path]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o644)
        made.append(path)
        with os.fdopen(descriptor, "wb") as file:
            for piece in self._pieces(name):
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())

    def _pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file; raises BundleError at its end when it is not as signed."""
        total = hashlib.sha256()
        with _refusals(self.path), open_regular(self.path, Limits.bundle_bytes) as file:
            for piece in content(file, self.members[name]):
                total.update(piece)
                yield piece
        if total.hexdigest() != self.sums[name]:
            raise BundleError(f"{self.path}: {name} was changed while it was read; {AGAIN}")


def read_bundle(path: Path, keys: TrustedKeys, limits: Limits = Limits()) -> Bundle:
    """Read the bundle *path* and verify all of it, with *keys*.

    Its times and its version are looked at by :mod:`edge.bundles.validity`. Raises BundleError with
    one line for whatever is not as it must be, UsageError without the library ``cryptography``.
    """
    return _read(path, keys, limits)


def read_unverified(path: Path, limits: Limits = Limits()) -> Bundle:
    """Read the bundle *path* without any key: all sums are verified, but not who signed.

    For an auditor who has the public tool for that. Nothing of it may be activated. Raises
    BundleError.
    """
    return _read(path, None, limits)


def _read(path: Path, keys: TrustedKeys | None, limits: Limits) -> Bundle:
    with _refusals(path), open_regular(path, limits.bundle_bytes) as file:
        length = os.fstat(file.fileno()).st_size
        head = _signature_member(file, length, limits)
        signature = b"".join(content(file, head))
        envelope = Envelope.from_json(signature)
        signer = Signer(envelope.key_id, "") if keys is None else keys.verify(envelope)
        name, sums = read_statement(envelope.payload)
        _check_names(sums, limits)
        members = _members(file, head, length, sums, limits)
        totals = {SIGNATURE_NAME: hashlib.sha256(signature).hexdigest(), **sums}
        manifest = Manifest.from_json(_text(file, members[MANIFEST_NAME], sums, limits))
        _check_manifest(manifest, name, signer, sums)
        golden = FrameSet.from_json(_text(file, members[FRAMES_NAME], sums, limits))
        _check_frames(golden, sums)
        use = _text(file, members[USE_NAME], sums, limits)
        _check_model(_content(file, members[MODEL_NAME], sums), manifest)
        total = _total(file)
    return Bundle(path, manifest, signer, use, golden, total, members, totals)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn what is wrong with the file *path* into BundleError."""
    try:
        yield
    except (BundleError, UsageError):
        raise
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL)
        what = "no such bundle" if missing else "cannot be read"
        raise BundleError(
            f"{path}: {what} ({error.strerror}); name a file made by 'stampgate bundle'"
        ) from None
    except SignatureError as error:
        raise BundleError(f"{path}: refused: {printable(error)}; {error.cure}") from None
    except (ModelError, ValueError) as error:
        raise BundleError(f"{path}: refused: {printable(error)}; {AGAIN}") from None


def _signature_member(file: BinaryIO, length: int, limits: Limits) -> Member:
    """Return the first member, which must be the signature. Raises ArchiveError."""
    if length % BLOCK or length < 4 * BLOCK:
        raise ArchiveError(f"a file of {length} bytes is no bundle, or is cut off")
    head = read_header(file, 0, length)
    if head is None or head.name != SIGNATURE_NAME:
        raise ArchiveError(f"its first file must be {SIGNATURE_NAME}, its signature")
    if head.size > limits.text_bytes:
        raise ArchiveError(f"its signature must have at most {limits.text_bytes} bytes")
    return head


def _check_names(sums: dict[str, str], limits: Limits) -> None:
    """Check that the files that are signed are those of a bundle. Raises ArchiveError."""
    if len(sums) > limits.members:
        raise ArchiveError(f"it must have at most {limits.members} files, not {len(sums)}")
    if missing := FIXED - sums.keys():
        raise ArchiveError(f"it lacks {', '.join(sorted(missing))}")
    for name in sums.keys() - FIXED:
        if not FRAME_NAME.fullmatch(name):
            raise ArchiveError(f"{printable(name)[:60]!r} is no file of a bundle")


def _members(
    file: BinaryIO, head: Member, length: int, sums: dict[str, str], limits: Limits
) -> dict[str, Member]:
    """Find and sum all members: those that are signed, in their order. Raises ArchiveError."""
    members, begin = {SIGNATURE_NAME: head}, head.end
    for name, wanted in sums.items():
        member = read_header(file, begin, length)
        if member is None or member.name != name:
            there = "the end" if member is None else member.name
            raise ArchiveError(f"byte {begin}: {name} must be there, which is signed, not {there}")
        if member.size > limits.member_bytes:
            raise ArchiveError(f"{name} must have at most {limits.member_bytes} bytes")
        total = hashlib.sha256()
        for piece in content(file, member):
            total.update(piece)
        if total.hexdigest() != wanted:
            raise ArchiveError(f"{name} is damaged or changed: its SHA-256 is not the one signed")
        members[name], begin = member, member.end
    if (more := read_header(file, begin, length)) is not None:
        raise ArchiveError(f"byte {begin}: {more.name} is there, which is not signed")
    if begin + 2 * BLOCK != length:
        raise ArchiveError(f"it must end at byte {begin + 2 * BLOCK}")
    return members


def _text(file: BinaryIO, member: Member, sums: dict[str, str], limits: Limits) -> str:
    if member.size > limits.text_bytes:
        raise ArchiveError(f"{member.name} must have at most {limits.text_bytes} bytes")
    return _content(file, member, sums).decode("utf-8")


def _content(file: BinaryIO, member: Member, sums: dict[str, str]) -> bytes:
    """Return the content of a member, summed again: the file may be changed while it is read."""
    whole = b"".join(content(file, member))
    if hashlib.sha256(whole).hexdigest() != sums[member.name]:
        raise ArchiveError(f"{member.name} was changed while it was read")
    return whole


def _total(file: BinaryIO) -> str:
    """Return the SHA-256 of the whole file, in hex."""
    total = hashlib.sha256()
    file.seek(0)
    while piece := file.read(CHUNK):
        total.update(piece)
    return total.hexdigest()


def _check_manifest(manifest: Manifest, name: str, signer: Signer, sums: dict[str, str]) -> None:
    """Check the manifest against what is signed. Raises ValueError."""
    others = {file: total for file, total in sums.items() if file != MANIFEST_NAME}
    if manifest.files != others or manifest.model_sha256 != sums[MODEL_NAME]:
        raise ValueError("its manifest names other files than are signed")
    if manifest.key_id != signer.key_id:
        raise ValueError("its manifest names another key than has signed it")
    if name != f"{manifest.name}-{manifest.version}":
        raise ValueError("its manifest names another bundle than is signed")


def _check_frames(golden: FrameSet, sums: dict[str, str]) -> None:
    if {frame.name for frame in golden.frames} != sums.keys() - FIXED:
        raise ValueError(f"{FRAMES_NAME} names other golden frames than are there")


def _check_model(whole: bytes, manifest: Manifest) -> None:
    """Check that the model is whole and the one that the manifest is about. Raises ValueError."""
    model = examine(Path(MODEL_NAME), whole)
    if model.decision_digest != manifest.model_id:
        raise ValueError("its model is another than its manifest names")


def _remove(made: list[Path]) -> None:
    """Remove files and folders that were made, the last first."""
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _make_empty(folder: Path, made: list[Path]) -> None:
    """Make *folder*, or see that it is empty. Raises BundleError, OSError."""
    try:
        folder.mkdir(mode=0o755)
        made.append(folder)
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
            raise BundleError(
                f"{folder}: must be a new folder or an empty one; name another"
            ) from None
