"""Pascal VOC XML is read or refused, in training and in evaluation alike."""

from xml.sax.saxutils import escape

from hypothesis import strategies as st

from tests.fuzz.fuzzing import Fuzzer
from tests.fuzz.label_files import HEIGHT, WIDTH, read_folder, words

texts = st.one_of(
    st.sampled_from(("b.png", "a.png", "sub/a.png", "0", "1", "3.5", "nan", "-inf", "1e400", "")),
    st.floats(-5, 70).map(str),
    words,
)
FIELDS = ("filename", "width", "height", "name", "xmin", "ymin", "xmax", "ymax", "difficult")
RIGHT = ("b.png", str(WIDTH), str(HEIGHT), "stamp", "4", "5", "23", "14", "0")


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return an annotation of which some fields are others, doubled or missing, or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    said = dict(zip(FIELDS, RIGHT, strict=True))
    said.update(draw(st.dictionaries(st.sampled_from(FIELDS), texts, max_size=2)))
    wrapped = {key: f"<{key}>{escape(text)}</{key}>" for key, text in said.items()}
    for key in draw(st.lists(st.sampled_from(FIELDS), max_size=1)):
        wrapped[key] = draw(st.sampled_from(("", wrapped[key] * 2, f"<{key}/>", f"<x>{key}")))
    size = f"<size>{wrapped['width']}{wrapped['height']}</size>"
    corners = "".join(wrapped[key] for key in ("xmin", "ymin", "xmax", "ymax"))
    entry = f"<object>{wrapped['name']}{wrapped['difficult']}<bndbox>{corners}</bndbox></object>"
    entry *= draw(st.integers(0, 2))
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "latin-1", "gbk", "cp1252")))
    declared = draw(
        st.sampled_from(("", f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'))
    )
    begin = draw(st.sampled_from(("", "", "", "", "<!DOCTYPE a>", "\ufeff", "\0")))
    text = f"{declared}{begin}<annotation>{wrapped['filename']}{size}{entry}</annotation>"
    return text.encode(encoding, "replace")


def read(content: bytes) -> None:
    """Read it for training and for evaluation."""
    read_folder({"xml/b.xml": content}, "xml")


FUZZER = Fuzzer("voc", files(), read)


def test_voc_is_read_or_refused() -> None:
    """Whatever stands in the file."""
    FUZZER.short()
