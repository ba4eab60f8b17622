"""A bundle is what was signed, byte for byte, or is refused in one line."""

import dataclasses
import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from edge.bundles.archive import BLOCK, END, header, padding
from edge.bundles.reading import Limits, read_bundle, read_unverified
from edge.bundles.trust import TrustedKeys, load_trusted_keys
from edge.bundles.validity import check_time, check_version
from edge.errors import BundleError
from edge.sections.decision import DecisionSettings
from edge.vision.proof_summary import ProofSummary
from export.bundling.writing import bundle_files, signed, write_archive
from tests.bundles.sweep import complaint, elsewhere, parts_of, sweep
from tests.tiny_bundle import CREATED, EXPIRES, key, key_id, parts, trust, write_tiny_bundle

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, which nobody writes to."""
    return write_tiny_bundle(tmp_path_factory.mktemp("whole") / "tiny-3.bundle")


@pytest.fixture
def keys(tmp_path: Path) -> TrustedKeys:
    """The key of the desk."""
    return load_trusted_keys(trust(tmp_path / "keys"))


def test_a_whole_bundle_says_what_it_is(whole: Path, keys: TrustedKeys) -> None:
    """Whose it is, what it is about, and what its files hold."""
    bundle = read_bundle(whole, keys)
    assert (bundle.name, bundle.version, bundle.proof) == ("tiny", 3, None)
    assert (bundle.signer.key_id, bundle.signer.comment) == (key_id(), "desk")
    assert (bundle.created, bundle.not_before, bundle.expires) == (CREATED, CREATED, EXPIRES)
    assert bundle.bundle_sha256 == hashlib.sha256(whole.read_bytes()).hexdigest()
    assert bundle.id == f"tiny-3-{bundle.bundle_sha256[:12]}"
    assert bundle.member("model.onnx") == parts().model.content
    assert bundle.model_sha256 == parts().model.sha256
    assert bundle.model_id == parts().model.decision_digest
    assert bundle.decision == DecisionSettings()
    assert bundle.intended_use == "Finds magenta dots.\n"
    assert read_unverified(whole).signer.comment == ""


def test_the_rules_it_was_proven_for_come_back(tmp_path: Path, keys: TrustedKeys) -> None:
    """The whole table [decision], region included."""
    rules = DecisionSettings(
        min_score=0.55, region=((0.0, 0.0), (64.0, 0.0), (64.0, 64.0), (0.0, 64.0)), count=("1",)
    )
    path = write_tiny_bundle(tmp_path / "b", decision=rules)
    assert read_bundle(path, keys).decision == rules


def test_tar_lists_it(whole: Path) -> None:
    """Anybody can look into it with what every computer has."""
    with tarfile.open(whole) as archive:
        names = archive.getnames()
        assert names[0] == "model.sig"
        assert {"manifest.json", "model.onnx", "intended-use.txt"} < set(names)
        assert all(member.isreg() and member.mode == 0o644 for member in archive)


def test_it_is_unpacked_into_a_new_folder(whole: Path, keys: TrustedKeys, tmp_path: Path) -> None:
    """Each file with its content and mode, whatever the umask; what is there is left alone."""
    out, before = tmp_path / "out", os.umask(0o077)
    try:
        read_bundle(whole, keys).unpack(out)
    finally:
        os.umask(before)
    found = {p.relative_to(out).as_posix(): p for p in out.rglob("*") if p.is_file()}
    assert found.keys() == read_unverified(whole).members.keys()
    assert {path.stat().st_mode & 0o777 for path in found.values()} == {0o644}
    assert found["model.onnx"].read_bytes() == parts().model.content
    with pytest.raises(BundleError, match="must be a new folder or an empty one"):
        read_bundle(whole, keys).unpack(out)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="must be a new folder"):
        read_bundle(whole, keys).unpack(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_changed_after_it_was_read_is_not_unpacked(
    keys: TrustedKeys, tmp_path: Path
) -> None:
    """Each file is summed again as it is written, and nothing of it is left."""
    path = write_tiny_bundle(tmp_path / "b")
    bundle = read_bundle(path, keys)
    with path.open("r+b") as file:
        file.seek(bundle.members["model.onnx"].begin + 1000)
        file.write(b"\xff\x00\xff")
    with pytest.raises(BundleError, match="changed while it was read"):
        bundle.unpack(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(BundleError, match="changed while it was read"):
        bundle.member("model.onnx")


def test_a_changed_byte_is_refused(keys: TrustedKeys, tmp_path: Path) -> None:
    """A short sweep of ``python -m tests.bundles``: signature, manifest, and elsewhere."""
    path = write_tiny_bundle(tmp_path / "b")
    names = ("model.sig", "manifest.json")
    places = [*list(parts_of(path, *names))[::17], *elsewhere(path, names, 100)]
    read = partial(read_bundle, keys=keys)
    swept = sweep(path, read, [(place, 1 << place % 8) for place in places])
    assert swept.tried > 400
    assert swept.wrong == ()


def test_a_cut_or_longer_bundle_is_refused(whole: Path, keys: TrustedKeys, tmp_path: Path) -> None:
    """Wherever it is cut, and whatever follows."""
    content, path = whole.read_bytes(), tmp_path / "b"
    read = partial(read_bundle, keys=keys)
    cuts = [0, 1, 511, 512, 2048, len(content) // 2 // 512 * 512, len(content) - 512]
    others = [content + bytes(512), content + b"x", content + content, b"\x1f\x8b" + content]
    for other in [*(content[:at] for at in cuts), *others]:
        path.write_bytes(other)
        assert complaint(read, path) == ""


def raw_member(name: bytes, content: bytes, kind: bytes = b"0", size: bytes = b"") -> bytes:
    """A member that :mod:`edge.bundles.archive` would not write, with a true checksum."""
    block = bytearray(header("x", len(content)))
    block[0:100] = name.ljust(100, b"\0")
    block[156:157] = kind
    block[124:136] = size or block[124:136]
    if kind in b"12":
        block[157:166] = b"/etc/motd"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + content + bytes(padding(len(content)))


EXTRA: dict[str, bytes] = {
    "leads out": raw_member(b"../../etc/cron.d/x", b"x"),
    "an absolute name": raw_member(b"/etc/cron.d/x", b"x"),
    "a symbolic link": raw_member(b"frames/99-stamped.png", b"", b"2"),
    "a hard link": raw_member(b"frames/99-stamped.png", b"", b"1"),
    "a device": raw_member(b"frames/99-stamped.png", b"", b"3"),
    "a FIFO": raw_member(b"frames/99-stamped.png", b"", b"6"),
    "a folder": raw_member(b"frames", b"", b"5"),
    "a long name (pax)": raw_member(b"frames/x", b"30 path=../../x\n", b"x"),
    "a long name (GNU)": raw_member(b"frames/x", b"../../x", b"L"),
    "a sparse file": raw_member(b"frames/99-stamped.png", b"", b"S"),
    "10 GB": raw_member(b"frames/99-stamped.png", b"", size=b"\x80" + (10**10).to_bytes(11)),
    "8 GB": raw_member(b"frames/99-stamped.png", b"", size=b"77777777777\0"),
    "a size that is none": raw_member(b"frames/99-stamped.png", b"", size=b"-0000000001\0"),
    "twice": raw_member(b"model.onnx", b"x"),
    "the same but for capitals": raw_member(b"Model.onnx", b"x"),
    "the same but for its form": raw_member("mode\u0301l.onnx".encode(), b"x"),
    "a dot at its end": raw_member(b"model.onnx.", b"x"),
    "not signed": raw_member(b"frames/99-stamped.png", b"x"),
}


@pytest.mark.parametrize("where", ["first", "in the middle", "last"])
@pytest.mark.parametrize("extra", EXTRA.values(), ids=EXTRA)
def test_a_member_too_many_is_refused(
    extra: bytes, where: str, whole: Path, keys: TrustedKeys, tmp_path: Path
) -> None:
    """Whatever it is and wherever it stands; nothing is written."""
    content, path = whole.read_bytes(), tmp_path / "b"
    middle = read_unverified(whole).members["model.onnx"].begin - BLOCK
    at = {"first": 0, "in the middle": middle, "last": len(content) - len(END)}[where]
    path.write_bytes(content[:at] + extra + content[at:])
    assert complaint(partial(read_bundle, keys=keys), path) == ""


Change = Callable[[dict[str, bytes]], Mapping[str, bytes]]
SIGNED: dict[str, tuple[Change, str]] = {
    "without a model": (lambda f: {n: c for n, c in f.items() if n != "model.onnx"}, "it lacks"),
    "without frames": (
        lambda f: {n: c for n, c in f.items() if not n.endswith(".png")},
        "other files than are signed",
    ),
    "another file": (lambda f: {**f, "setup": b"x"}, "is no file of a bundle"),
    "another model": (lambda f: {**f, "model.onnx": b"x"}, "other files than are signed"),
    "no manifest": (lambda f: {**f, "manifest.json": b"[]"}, "it is no object"),
    "a manifest of tomorrow": (
        lambda f: {
            **f,
            "manifest.json": f["manifest.json"].replace(b'"format": 1', b'"format": 2'),
        },
        "made for another release",
    ),
    "a manifest of another version": (
        lambda f: {
            **f,
            "manifest.json": f["manifest.json"].replace(b'"version": 3', b'"version": 4'),
        },
        "another bundle than is signed",
    ),
    "a rule of tomorrow": (
        lambda f: {
            **f,
            "manifest.json": f["manifest.json"].replace(b'"min_score"', b'"least_score"'),
        },
        "a rule of another release",
    ),
}


@pytest.mark.parametrize(("change", "told"), SIGNED.values(), ids=SIGNED)
def test_a_signature_does_not_make_sense_of_it(
    change: Change, told: str, keys: TrustedKeys, tmp_path: Path
) -> None:
    """What a trusted key has signed by mistake is refused too."""
    files = dict(change(bundle_files(parts(), key_id())))
    write_archive(tmp_path / "b", signed("tiny-3", files, key("desk")))
    with pytest.raises(BundleError, match=told) as refused:
        read_bundle(tmp_path / "b", keys)
    assert "\n" not in str(refused.value)


def test_a_proof_of_another_model_is_refused(keys: TrustedKeys, tmp_path: Path) -> None:
    """It would be shown as that of this one."""
    proof = ProofSummary(
        1, "d" * 64, "e" * 64, "desk", 1, "2026-11-01T00:00:00Z", "fa<1%", "shown", "w", "f" * 64
    )
    path = write_tiny_bundle(tmp_path / "a", proof=proof)
    with pytest.raises(BundleError, match="proof is that of another model"):
        read_bundle(path, keys)
    right = dataclasses.replace(proof, decision_digest=parts().model.decision_digest)
    path = write_tiny_bundle(tmp_path / "b", proof=right)
    assert read_bundle(path, keys).proof == right


def test_another_key_is_refused(whole: Path, tmp_path: Path) -> None:
    """One that is not trusted; one that is revoked; one that says it is the trusted one."""
    other = load_trusted_keys(trust(tmp_path / "others", "stranger"))
    with pytest.raises(BundleError, match="which is not in"):
        read_bundle(whole, other)
    folder = trust(tmp_path / "both", "desk", "next")
    read_bundle(whole, load_trusted_keys(folder))
    (folder / "revoked").write_text(f"# lost on the train\n{key_id()}  # desk\n")
    with pytest.raises(BundleError, match="which is revoked"):
        read_bundle(whole, load_trusted_keys(folder))
    files = signed("tiny-3", bundle_files(parts(), key_id()), key("stranger"))
    forged = files["model.sig"].replace(key_id("stranger").encode(), key_id().encode())
    write_archive(tmp_path / "forged", {**files, "model.sig": forged})
    with pytest.raises(BundleError, match="its signature is not that of the key"):
        read_bundle(tmp_path / "forged", load_trusted_keys(trust(tmp_path / "keys")))


def test_what_is_no_bundle_is_refused(keys: TrustedKeys, tmp_path: Path) -> None:
    """A folder, a FIFO, nothing, and one beyond the limits."""
    read = partial(read_bundle, keys=keys)
    os.mkfifo(tmp_path / "fifo")
    for name in ("none", "fifo", "."):
        assert complaint(read, tmp_path / name) == ""
    path = write_tiny_bundle(tmp_path / "b")
    for limits in (Limits(bundle_bytes=4096), Limits(member_bytes=100), Limits(members=3)):
        assert complaint(partial(read, limits=limits), path) == ""
    assert complaint(partial(read, limits=Limits(text_bytes=100)), path) == ""


def test_its_times_and_its_version_count(whole: Path, keys: TrustedKeys) -> None:
    """Expired, not yet valid, and older than one before."""
    bundle = read_bundle(whole, keys)
    second = timedelta(seconds=1)
    for good in (CREATED, EXPIRES - second):
        check_time(bundle, good)
    with pytest.raises(BundleError, match="expired at 2027-12-01"):
        check_time(bundle, EXPIRES)
    with pytest.raises(BundleError, match="not valid before 2026-12-01"):
        check_time(bundle, CREATED - second)
    check_version(bundle, 3)
    with pytest.raises(BundleError, match="older than version 4"):
        check_version(bundle, 4)
