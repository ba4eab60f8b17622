"""YOLO text and its class names are read or refused, in training and in evaluation alike."""

from hypothesis import strategies as st

from tests.fuzz.fuzzing import Fuzzer
from tests.fuzz.label_files import read_folder, words

tokens = st.one_of(
    st.sampled_from(("0", "1", "2", "0.0", "-1", "0.5", "0.25", "nan", "inf", "1e400", "٣", "x")),
    st.floats(-0.5, 1.5).map(str),
    words,
)
lines = st.one_of(
    st.just("0 0.5 0.5 0.2 0.2"),
    st.just("1 0.1 0.1 0.5 0.2 0.3 0.6"),
    st.lists(tokens, min_size=4, max_size=10).map(" ".join),
)
yaml = st.one_of(
    st.sampled_from(
        (
            "names: [stamp, seal]",
            "names:\n  0: stamp\n  1: seal\n",
            "names: [stamp, seal]\nkpt_shape: [2, 3]",
            "names: &a [*a]",
            "names: {1: stamp}",
            "names: !!binary [stamp]",
            "? [a, b]\n: c\nnames: [stamp, seal]\nnc: 2",
            "%YAML 9.9\n---\nnames: [stamp]\n--- \nb: c",
        )
    ),
    st.lists(words, max_size=3).map(lambda names: f"names: {names!r}"),
    st.text(alphabet="names: []{}&*-!|>'\"#%@`,?\n\t0a", max_size=60),
    st.text(max_size=40),
)


@st.composite
def folders(draw: st.DrawFn) -> dict[str, bytes]:
    """Return the files of a data set."""
    encoding = draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16")))
    kept = draw(st.sampled_from(("data.yaml", "labels/classes.txt", "obj.names")))
    right = "names: [stamp, seal]" if kept.endswith("yaml") else "stamp\nseal"
    other = draw(yaml) if kept.endswith("yaml") else "\n".join(draw(st.lists(words, max_size=3)))
    named = right if draw(st.integers(0, 3)) else other
    names = draw(st.lists(st.sampled_from(("b", "b", "sub/a", "a", "classes", "B")), max_size=2))
    files = {kept: named.encode(encoding, "replace")}
    for name in names:
        text = draw(st.sampled_from(("\n", "\r\n", "\x0b"))).join(draw(st.lists(lines, max_size=3)))
        files[f"labels/{name}.txt"] = text.encode(encoding, "replace")
    return files


def read(files: dict[str, bytes]) -> None:
    """Read the folder, or the file of the names, for training and for evaluation."""
    read_folder(files, "data.yaml" if "data.yaml" in files else "labels")


FUZZER = Fuzzer("yolo", folders(), read)


def test_yolo_is_read_or_refused() -> None:
    """Whatever stands in the files."""
    FUZZER.short()
