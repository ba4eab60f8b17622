"""Words of drawings are rendered, or the font that they lack is named: never left out."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from train.marks import drawing, fonts
from train.marks.mark import load_mark

pytest.importorskip("resvg_py")

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 300 160"><rect x="4" y="4" width="292" height="152" fill="none" stroke="blue"/>'
)
LACKING = {
    "text": '<text y="50" font-family="Lacking">A</text>',
    "tspan": '<text y="50" font-family="sans-serif">A<tspan font-family="Lacking">B</tspan></text>',
    "inherited": '<g style="font-family:Lacking"><text y="50">A</text></g>',
    "class": '<style>.c { font-family: Lacking }</style><text y="50" class="c">A</text>',
    "path": '<path id="p" d="M0 50H200"/><text font-family="Lacking"><textPath xlink:href="#p">A'
    "</textPath></text>",
    "use": '<defs><text id="t" y="50" font-family="Lacking">A</text></defs><use xlink:href="#t"/>',
    "shorthand": '<text y="50" style="font: bold 20px Lacking">A</text>',
}


@pytest.mark.parametrize("kind", LACKING)
def test_a_missing_font_is_named_with_where_to_put_it(tmp_path: Path, kind: str) -> None:
    """However the drawing says it."""
    (tmp_path / "m.svg").write_text(f"{HEAD}{LACKING[kind]}</svg>")
    with pytest.raises(InputError) as caught:
        load_mark(tmp_path / "m.svg", "m")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'm.svg'}: the font Lacking of its words is not installed")
    assert "beside the drawing or into ~/.fonts, or convert text to paths" in said
    assert "\n" not in said


def test_flowed_words_and_html_are_refused(tmp_path: Path) -> None:
    """The renderer leaves them out without a line in its log."""
    for words in (
        "<flowRoot><flowPara>CHECKED</flowPara></flowRoot>",
        '<foreignObject width="9" height="9"><p>CHECKED</p></foreignObject>',
    ):
        (tmp_path / "m.svg").write_text(f"{HEAD}{words}</svg>")
        with pytest.raises(InputError, match=r"its words 'CHECKED' stand in <.*convert text"):
            load_mark(tmp_path / "m.svg", "m")


def test_a_generic_family_is_taken_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drawing leaves the choice, by sans-serif or by naming none; what was taken is said."""
    logs = {
        fonts.NONE: "Warning: No match for '\"Lacking\", sans-serif' font-family.\n"
        f"Warning: No match for '\"{fonts.DEFAULT}\"' font-family.\n",
        "Here": "",
    }
    asked = []

    def rendered(_: Path, text: str, options: dict[str, str]) -> tuple[bytes, str]:
        asked.append(options)
        if text == fonts.PROBE:
            names = {name for listed in fonts.GENERIC.values() for name in listed} - {"DejaVu Sans"}
            return b"", "".join(f"No match for '\"{name}\"' font-family.\n" for name in names)
        return b"png", logs.get(options["sans_serif_family"], "")

    monkeypatch.setattr(drawing, "_rendered", rendered)
    (tmp_path / "m.svg").write_text(f'{HEAD}<text font-family="Lacking, sans-serif">A</text></svg>')
    made = drawing.render(tmp_path / "m.svg")
    assert asked[-1]["sans_serif_family"] == asked[-1]["font_family"] == "DejaVu Sans"
    assert made.said == (
        "DejaVu Sans was taken for Lacking, sans-serif; DejaVu Sans was taken for words without a "
        "font"
    )


def test_letters_that_no_font_has_are_named(tmp_path: Path) -> None:
    """A private letter is in no font at all; without any font the line says so too."""
    (tmp_path / "m.svg").write_text(
        f'{HEAD}<text y="50" font-size="40" font-family="sans-serif">A\U000f1234</text></svg>',
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=r"no installed font has .*F1234|no font is installed"):
        load_mark(tmp_path / "m.svg", "m")


def test_words_as_paths_need_no_font(tmp_path: Path) -> None:
    """As a drawing program converts them."""
    (tmp_path / "m.svg").write_text(f'{HEAD}<path d="M40 40H200V90Z"/></svg>')
    mark = load_mark(tmp_path / "m.svg", "m")
    assert mark.treatment == "its own transparency is used"
    assert np.asarray(mark.image)[..., 3].mean() > 20
