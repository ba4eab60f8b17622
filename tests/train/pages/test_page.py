"""Self-contained pages: nothing is fetched, nothing can be forged, nothing is left open."""

import re
from pathlib import Path

import jinja2
import numpy as np
import pytest
from markupsafe import Markup

from train.pages import page, pdf
from train.pages.charts import Line, histogram, line_chart


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Templates beside the shipped ones, by name."""
    own: dict[str, str] = {}
    loader = jinja2.ChoiceLoader([jinja2.DictLoader(own), jinja2.PackageLoader("train.pages")])
    monkeypatch.setattr(page._environment(), "loader", loader)
    return own


def test_a_name_can_forge_neither_an_element_nor_a_line(templates: dict[str, str]) -> None:
    """Escaped by HTML's rules, and what cannot be seen by its number."""
    templates["name.html"] = "<b>{{ name }}</b>{{ ours }}"
    shown = page.render("name.html", name="<script>\n\u202egnp.exe", ours=Markup("<i>x</i>"))
    assert shown == "<b>&lt;script&gt;\\u000a\\u202egnp.exe</b><i>x</i>"


def test_a_page_with_a_hole_is_none(templates: dict[str, str]) -> None:
    """A value that was forgotten is an error and not a blank."""
    templates["hole.html"] = "{{ forgotten }}"
    with pytest.raises(jinja2.UndefinedError):
        page.render("hole.html")


def test_the_base_is_whole_and_asks_for_nothing(templates: dict[str, str]) -> None:
    """No script, no address, no file beside it; a size for phones and rules for paper."""
    templates["own.html"] = (
        '{% extends "base.html" %}{% block title %}t{% endblock %}'
        "{% block content %}<p>said</p>{% endblock %}"
    )
    shown = page.render("own.html")
    assert "<p>said</p>" in shown
    assert "width=device-width" in shown
    assert "@media print" in shown
    assert not re.search(r"<script|src=|https?://|@import|url\(", shown)


def test_charts_are_inline_and_have_words() -> None:
    """Two on one page share no id, and each says what it shows without being seen."""
    lines = [Line("<a> & b", [0, 1], [0, 1]), Line("c", [0, 1], [1, 0], "stamped")]
    one, two = (line_chart('rises "so"', lines, ("x", "y"), x_limit=("t", 0.5)) for _ in range(2))
    three = histogram("scores", [("unstamped", [0.1] * 900 + [0.9], "unstamped")], ("score", "n"))
    for chart in (one, two, three):
        assert chart.startswith("<svg")
        assert "<script" not in chart
    assert 'aria-label="rises &#34;so&#34;"' in one
    assert "&lt;a&gt; &amp; b" in one
    ids = [set(re.findall(r'\bid="([^"]+)"', chart)) for chart in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_a_picture_of_a_page_is_small(tmp_path: Path) -> None:
    """Whatever was photographed; and one that cannot be read is no picture."""
    frame = np.random.default_rng(0).integers(0, 255, (1200, 900, 3), np.uint8)
    assert 1000 < len(page.picture_uri(frame)) < 80_000
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert page.file_uri(tmp_path / "broken.jpg") == ""


def test_without_a_browser_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written then, and what can be done is named."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert pdf.print_pdf(tmp_path / "a.html", tmp_path / "a.pdf") == pdf.MISSING
    assert not (tmp_path / "a.pdf").exists()


def test_a_browser_that_fails_costs_the_pdf_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its status is told."""
    monkeypatch.setattr("shutil.which", lambda _: "/bin/false")
    said = pdf.print_pdf(tmp_path / "a.html", tmp_path / "a.pdf")
    assert said == "no PDF: /bin/false ended with 1; print the page in a browser"
    assert not (tmp_path / "a.pdf").exists()
