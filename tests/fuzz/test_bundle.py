"""The reader of bundles: whatever the archive is, it is the one that was signed or is refused."""

import contextlib
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")

from edge.bundles.archive import END, header, padding
from edge.bundles.reading import read_bundle
from edge.bundles.trust import TrustedKeys, load_trusted_keys
from edge.errors import BundleError
from export.bundling.writing import bundle_files, signed
from tests.fuzz.fuzzing import Fuzzer
from tests.fuzz.test_contract import VALUES
from tests.tiny_bundle import key, key_id, parts, trust

Files = dict[str, bytes]
HEADS = range(0, 16 * 512, 512)


@cache
def keys() -> TrustedKeys:
    """The key of the desk."""
    with tempfile.TemporaryDirectory() as folder:
        return load_trusted_keys(trust(Path(folder)))


@cache
def files() -> Files:
    """What is signed."""
    return bundle_files(parts(), key_id())


@cache
def whole() -> bytes:
    """The bundle's file."""
    return archive(files())


def archive(content: Files) -> bytes:
    """Sign files and return the archive."""
    made = signed("tiny-3", content, key("desk")).items()
    return b"".join(header(n, len(c)) + c + bytes(padding(len(c))) for n, c in made) + END


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """The bundle with some bytes cut out and others put in, often in a header."""
    content = whole()
    for _ in range(draw(st.integers(1, 3))):
        anywhere = st.integers(0, len(content))
        at = draw(st.one_of(anywhere, st.sampled_from(HEADS).map(lambda head: head + 130)))
        out = draw(st.sampled_from((0, 1, 11, 512)))
        content = content[:at] + draw(st.binary(max_size=12)) + content[at + out :]
    return content


@st.composite
def signed_anew(draw: st.DrawFn) -> bytes:
    """A bundle that the trusted key has signed, with another manifest or other golden frames."""
    name = draw(st.sampled_from(("manifest.json", "frames/frames.json")))
    raw: dict[str, Any] = json.loads(files()[name])
    inner = raw["frames"][0] if name.startswith("frames") and draw(st.booleans()) else raw
    inner.update(draw(st.dictionaries(st.sampled_from(sorted(inner)), VALUES, max_size=2)))
    return archive({**files(), name: json.dumps(raw).encode("utf-8", "surrogatepass")})


def read(content: bytes) -> None:
    """Read a file; one that is not the whole bundle must be refused unless it was signed anew."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b"
        path.write_bytes(content)
        with contextlib.suppress(BundleError):
            bundle = read_bundle(path, keys())
            assert bundle.member("model.onnx") == files()["model.onnx"]


FUZZER = Fuzzer("bundle", st.one_of(edited(), signed_anew(), st.binary()), read)


def test_a_bundle_is_read_or_refused() -> None:
    """Nothing else comes out than BundleError."""
    FUZZER.short()
