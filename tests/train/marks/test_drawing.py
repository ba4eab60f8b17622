"""Drawings (SVG) that nobody knows: rendered, or refused before they cost anything."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from edge.errors import InputError
from edge.vision.picture_files import MAX_PIXELS
from train.marks import drawing
from train.marks.drawing import check_drawing
from train.marks.mark import load_mark

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 40 30"'
)
RECT = '<rect x="5" y="5" width="30" height="20" fill="red"/>'


def svg(inside: str = RECT, before: str = "", attributes: str = "") -> bytes:
    """Return a drawing of 40 x 30."""
    return f"{before}{HEAD} {attributes}>{inside}</svg>".encode()


def embedded(width: int, height: int) -> str:
    """Return a picture within a drawing, one bit a pixel."""
    png = io.BytesIO()
    Image.new("1", (width, height)).save(png, "PNG")
    data = base64.b64encode(png.getvalue()).decode()
    return f'<image width="9" height="9" xlink:href="data:image/png;base64,{data}"/>'


def laughs() -> str:
    """Return entities that stand for a billion letters."""
    lines = ['<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return f"<!DOCTYPE svg [{''.join(lines)}]>"


def doubled(tag: str, times: int = 30) -> str:
    """Return elements that each refer twice to the one before."""

    def refer(name: str) -> str:
        if tag == "use":
            return f'<use xlink:href="#{name}"/>'
        return f'<rect width="9" height="9" {"fill" if tag == "pattern" else tag}="url(#{name})"/>'

    named = {"use": "g", "pattern": "pattern", "mask": "mask", "clip-path": "clipPath"}[tag]
    parts = [f'<{named} id="a0">{RECT}</{named}>']
    parts += [f'<{named} id="a{n}">{refer(f"a{n - 1}") * 2}</{named}>' for n in range(1, times)]
    return f"<defs>{''.join(parts)}</defs>{refer(f'a{times - 1}')}"


HOSTILE = {
    "entities": (svg("<text>&a9;</text>", laughs()), "that names a file or holds another"),
    "a file as entity": (
        svg("<text>&a;</text>", '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        "that names a file or holds another",
    ),
    "a long entity, often": (
        svg("&a;" * 20_000, f'<!DOCTYPE svg [<!ENTITY a "{"x" * 300}">]>'),
        "uses its entities too often",
    ),
    "many entities": (
        svg(
            RECT,
            f"<!DOCTYPE svg [{''.join(map('<!ENTITY a{} QQ>'.format, range(200)))}]>".replace(
                "QQ", "''"
            ),
        ),
        "too many entities",
    ),
    "a file": (svg('<image width="9" height="9" href="/dev/zero"/>'), "'/dev/zero', which is not"),
    "a file above": (svg('<image width="9" height="9" xlink:href="../a.png"/>'), "'../a.png'"),
    "a host": (svg('<use xlink:href="http://host/a.svg#b"/>'), "'http://host/a.svg#b'"),
    "a host in a style": (svg('<rect style="fill:url(http://host/a)"/>'), "'http://host/a'"),
    "a style sheet": (svg("<style>@import 'http://host/a.css';</style>"), "style sheet names"),
    "a font": (
        svg("<style>@font-face { src: url('file:///a.ttf') }</style>"),
        "'file:///a.ttf', which",
    ),
    "a filter's file": (svg('<filter id="f"><feImage href="a.png"/></filter>'), "'a.png'"),
    "a drawing within": (svg('<image href="data:image/svg+xml;base64,AAAA"/>'), "or is a drawing"),
    "a damaged picture": (svg('<image href="data:image/png;base64,AAAA"/>'), "in it is damaged"),
    "no base64": (svg('<image href="data:image/png;base64,A"/>'), "in it is damaged"),
    "very high": (svg(attributes='width="1" height="1000000000"'), "1 wide and 1e+09 high"),
    "very high by units": (svg(attributes='width="1mm" height="9e8mm"'), "1 wide and 9e+08 high"),
    "a high box": (b'<svg viewBox="0 0 1 1e6"/>', "1 wide and 1e+06 high"),
    "no width": (svg(attributes='width="0" height="5"'), "0 wide and 5 high"),
    "negative": (svg(attributes='width="-5" height="-5"'), "-5 wide and -5 high"),
    **{
        f"{tag} of {tag}": (svg(doubled(tag)), "more than 200000 shapes")
        for tag in ("use", "pattern", "mask", "clip-path")
    },
    "a use of itself": (svg('<g id="a"><use href="#a"/></g>'), "refers back to it"),
    "a style for all": (
        svg(
            f'<style>* {{ fill: url(#p) }}</style><pattern id="p">{RECT * 99}</pattern>{RECT * 999}'
        ),
        "more than 200000 shapes",
    ),
    "many filters": (
        svg(
            '<filter id="f"><feGaussianBlur stdDeviation="9"/></filter>'
            + '<rect width="9" height="9" filter="url(#f)"/>' * 200
        ),
        "more than 200000 shapes",
    ),
    "octaves": (svg('<filter id="f"><feTurbulence numOctaves="999999"/></filter>'), "numOctaves"),
    "radius": (svg('<filter id="f"><feMorphology radius="1e6"/></filter>'), "radius=1e6"),
    "order": (svg('<filter id="f"><feConvolveMatrix order="999"/></filter>'), "order=999"),
    "deep": (svg("<g>" * 50_000), "more than 100 elements within one another"),
    "long": (svg(RECT * 200_000), "more than 5 MB"),
    "many": (svg("<g/>" * 250_000), "more than 50000 elements"),
    "no drawing": (b"<html/>", "it is no SVG"),
    "nothing": (b"", "no element found"),
    "no XML": (b"\x89PNG\r\n\x1a\n", "not well-formed"),
    "no encoding": (svg(before='<?xml version="1.0" encoding="klingon"?>'), "unknown encoding"),
}
"""Drawings, and what is said of each."""


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_drawing_is_refused_before_it_is_rendered(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that says what it does; the renderer never sees it."""
    monkeypatch.setattr(drawing, "_rendered", lambda *_: pytest.fail("it was rendered"))
    content, words = HOSTILE[kind]
    (tmp_path / "m.svg").write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_mark(tmp_path / "m.svg", "m")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'm.svg'}: must be a whole drawing")
    assert words in said
    assert "\n" not in said


def test_a_picture_in_a_drawing_may_not_unpack_to_more_than_the_memory(tmp_path: Path) -> None:
    """A few kilobytes claim a gigabyte of pixels."""
    side = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(ValueError, match=r"million pixels|pixels, at most"):
        check_drawing(svg(embedded(side, side)))
    check_drawing(svg(embedded(90, 90)))


def test_what_programs_write_into_drawings_is_taken() -> None:
    """Entities of Illustrator, a document type, links, gradients, filters, masks, a byte order."""
    illustrator = (
        '<?xml version="1.0" encoding="iso-8859-1"?>'
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd" ['
        '<!ENTITY ns_svg "http://www.w3.org/2000/svg">]>'
    )
    inside = (
        '<a xlink:href="http://host/"><text>Pr\xfcf</text></a>'
        '<linearGradient id="g"/><filter id="f"><feGaussianBlur stdDeviation="2"/></filter>'
        '<mask id="m"><rect width="9" height="9"/></mask><g id="s"><path d="M0 0L9 9"/></g>'
        '<rect style="fill:url(\'#g\');opacity:0.5" filter="url(#f)" mask="url(#m)"/>'
        '<use xlink:href="#s" x="2"/><use href="#s" x="4"/><style>.a{fill:url(#g)}</style>'
    )
    text = f"{illustrator}{HEAD} width='100%'>{inside}</svg>"
    assert "Prüf" in check_drawing(text.encode("iso-8859-1"))
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        declared = text.replace("iso-8859-1", encoding.removesuffix("-sig"))
        read = check_drawing(declared.encode(encoding))
        assert "Prüf" in read
        assert "encoding" not in read.partition("<svg")[0]


def test_a_drawing_that_takes_too_long_ends_its_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw: the renderer runs out of its time, or crashes, and a line says so."""
    (tmp_path / "m.svg").write_bytes(svg())
    for code, words in (
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "takes more than 4 s or too"),
        ("raise ValueError('no such thing')", "no such thing"),
    ):
        monkeypatch.setattr(drawing, "CHILD", code)
        with pytest.raises(InputError, match=words):
            load_mark(tmp_path / "m.svg", "m")
