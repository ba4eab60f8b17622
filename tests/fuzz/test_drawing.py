"""Drawings (SVG) are taken for rendering or refused; none that is taken leads out of itself."""

from xml.parsers.expat import ExpatError

from hypothesis import strategies as st

from tests.fuzz.fuzzing import Fuzzer
from train.marks.drawing import check_drawing

names = st.sampled_from(("svg", "g", "use", "rect", "path", "filter", "feImage", "image", "style"))
values = st.one_of(
    st.sampled_from(
        (
            *("#a", "url(#a)", "url('#b')", "url(http://h/a)", "/etc/passwd", "../a", "0 0 9 9"),
            *("data:image/png;base64,AAAA", "data:image/png,%", "1e400", "-1", "100%", "nan"),
        )
    ),
    st.text(alphabet="#ab:/()url%.,0 9e-", max_size=20),
)
keys = st.sampled_from(
    ("id", "href", "xlink:href", "style", "fill", "viewBox", "width", "height", "d", "order")
)


def written(name: str, given: dict[str, str], inside: list[str]) -> str:
    """Return an element."""
    said = "".join(f' {key}="{value.replace("&", "")}"' for key, value in given.items())
    return f"<{name}{said}>{''.join(inside)}</{name}>"


elements = st.recursive(
    st.builds(written, names, st.dictionaries(keys, values, max_size=3), st.just([])),
    lambda inner: st.builds(
        written, names, st.dictionaries(keys, values, max_size=3), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)
drawings = st.one_of(
    st.binary(max_size=100),
    st.builds(
        lambda before, given, inside: (
            before + written("svg", {"xmlns:xlink": "x", **given}, inside)
        ).encode(),
        st.sampled_from(
            (
                *("", "\ufeff", '<?xml version="1.0" encoding="utf-8"?>', "<!DOCTYPE svg>"),
                *('<!DOCTYPE svg [<!ENTITY a "b">]>', "<!DOCTYPE svg [<!ENTITY % a 'b'> %a;]>"),
            )
        ),
        st.dictionaries(keys, values, max_size=3),
        st.lists(elements, max_size=3),
    ),
)


def check(content: bytes) -> None:
    """Check a drawing; one that is taken has no link to elsewhere."""
    try:
        text = check_drawing(content)
    except (ValueError, LookupError, ExpatError):
        return
    for start in ('href="/', 'href="../'):
        assert start not in text


FUZZER = Fuzzer("drawing", drawings, check)


def test_a_drawing_is_taken_or_refused() -> None:
    """Whatever stands in the file."""
    FUZZER.short()
