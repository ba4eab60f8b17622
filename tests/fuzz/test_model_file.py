"""The reader of sealed files: damaged ones are refused, resealed ones read or refused."""

import contextlib
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from edge.errors import ModelError
from edge.vision.contract import METADATA_KEY
from edge.vision.golden import GOLDEN_KEY
from edge.vision.model_file import BLANK, SUM_KEY, examine, find_sum, sum_of
from tests.fuzz.fuzzing import Fuzzer
from tests.fuzz.test_contract import VALUES
from tests.tiny_model import CONTRACT, build, sealed

WHOLE = sealed(CONTRACT)
PLAIN = build(CONTRACT).SerializeToString()
GOLDEN: dict[str, Any] = json.loads(examine(Path("m.onnx"), WHOLE).golden.to_json())


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """A sealed file with some bytes cut out and others put in; often near a field's head."""
    content = WHOLE
    heads = [at for at in range(len(content)) if content[at : at + 1] in b"\x0a\x12\x3a\x72"]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.one_of(st.integers(0, len(content)), st.sampled_from(heads)))
        content = (
            content[:at] + draw(st.binary(max_size=6)) + content[at + draw(st.integers(0, 6)) :]
        )
    return content


def metadata(key: str, value: str) -> bytes:
    """The bytes of one pair of metadata."""
    pair = _part(1, key.encode()) + _part(2, value.encode("utf-8", "surrogatepass"))
    return _part(14, pair)


def _part(number: int, content: bytes) -> bytes:
    length, size = b"", len(content)
    while size >= 0x80:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


GOLDEN_TEXTS = st.one_of(
    VALUES.map(json.dumps),
    st.text(),
    st.dictionaries(st.sampled_from(sorted(GOLDEN)), VALUES, max_size=2).map(
        lambda changes: json.dumps({**GOLDEN, **changes})
    ),
    st.dictionaries(st.sampled_from(sorted(GOLDEN["pictures"][0])), VALUES, max_size=2).map(
        lambda changes: json.dumps({**GOLDEN, "pictures": [{**GOLDEN["pictures"][0], **changes}]})
    ),
)
OTHER_GOLDEN = GOLDEN_TEXTS.map(
    lambda text: (
        PLAIN
        + metadata(METADATA_KEY, CONTRACT.to_json())
        + metadata(GOLDEN_KEY, text)
        + metadata(SUM_KEY, BLANK.decode())
    )
)


def read(content: bytes) -> None:
    """Read a file as it is, and once more with its sum made right."""
    path = Path("m.onnx")
    with contextlib.suppress(ModelError):
        assert examine(path, content).content == WHOLE
    with contextlib.suppress(ValueError):
        begin, end = find_sum(content)
        content = content[:begin] + sum_of(content, begin, end).encode() + content[end:]
    with contextlib.suppress(ModelError):
        file = examine(path, content)
        for picture in file.golden.pictures:
            picture.frame()


FUZZER = Fuzzer("model file", st.one_of(edited(), OTHER_GOLDEN, st.binary()), read)


def test_a_model_file_is_read_or_refused() -> None:
    """What is read as it is, is the whole file."""
    FUZZER.short()
