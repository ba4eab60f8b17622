"""Lines, order and words of findings, with letters at any turn, curved, spaced and blurred."""

import random
from typing import Any

import pytest

from edge.decision import Box, Finding
from edge.reading.findings import read_findings
from edge.reading.text import Reading
from tests.edge.reading.lettering import Lettering, findings_of

TEXTS = (
    "LOT AB123456",
    "22.90",
    "BEST BEFORE 12 2027",
    "EXP 01.02.2027",
    "L12I81 II0 1I",
    "MINIMUM WIDTH",
    "4006381333931",
    "Rundstykker grove 8 stk",
    "LOT 12345\nEXP 31.12.2027",
    "BATCH A1\nMFG 2025-10-01\nEXP 2027-10",
)
WAYS: dict[str, dict[str, Any]] = {
    "level": {},
    "turned": {"turn_deg": (-85, 85)},
    "curved": {"bend_deg": (-20, 20), "turn_deg": (-40, 40)},
    "tracked": {"tracking": (0.0, 0.2), "space": (0.45, 0.45)},
    "in steps": {"pitch": (0.75, 1.0)},
    "small": {"size": (8, 16), "turn_deg": (-15, 15)},
}


@pytest.mark.parametrize("way", WAYS)
def test_lines_words_and_order_are_those_that_were_set(way: str) -> None:
    """In forty settings each, drawn once for all."""
    wrong = []
    for seed in range(40):
        draw = random.Random(seed)
        text = draw.choice(TEXTS)
        how = Lettering(**{name: draw.uniform(*span) for name, span in WAYS[way].items()})
        read = read_findings(findings_of(text, how, seed)).text
        if read != text:
            wrong.append((text, read, how))
    assert wrong == []


@pytest.mark.parametrize("turn", [180, 150, -120, 90, -90])
def test_a_line_on_its_head_is_read_when_its_direction_is_known(turn: int) -> None:
    """Else it would be read from its end."""
    found = findings_of("LOT AB123456", Lettering(turn_deg=turn))
    assert read_findings(found, upright_deg=turn).text == "LOT AB123456"


def test_a_worse_finding_at_one_place_is_an_alternative_and_a_double_is_none() -> None:
    """Whatever the score is from which a character counts."""
    place, beside = Box(10, 10, 20, 26), Box(10.5, 10.2, 20, 25.5)
    found = [Finding("0", 0.3, beside), Finding("O", 0.7, place), Finding("O", 0.6, beside)]
    (character,) = read_findings(found, least=0.5).lines[0].characters
    assert (character.text, character.alternatives) == ("O", (("0", 0.3),))
    assert character.sureness == 0.7


def test_a_finding_below_the_least_score_is_no_character_of_its_own() -> None:
    """And neither is one of a class that is none."""
    box = Box(10, 10, 20, 26)
    assert read_findings([Finding("A", 0.4, box), Finding("seal", 0.9, box)], 0.5) == Reading()
    assert Reading().text == ""
    assert Reading().score == 0.0


def test_confidence_is_that_of_the_least_sure_character() -> None:
    """Of word, line and reading."""
    found = findings_of("LOT 12", Lettering())
    reading = read_findings(found)
    least = min(finding.score for finding in found)
    assert reading.score == reading.lines[0].score == least
    assert min(word.score for word in reading.words) == least


def test_a_line_tells_its_direction() -> None:
    """In degrees, clockwise from the x axis."""
    reading = read_findings(findings_of("HELLO", Lettering(turn_deg=30)))
    assert reading.lines[0].turn_deg == pytest.approx(30, abs=3)


def test_noise_is_read_without_an_error_and_nothing_of_it_is_lost() -> None:
    """Any boxes: each finding is a character once, or an alternative."""
    for seed in range(60):
        draw = random.Random(seed)
        found = []
        for _ in range(draw.randint(1, 60)):
            x, y = draw.uniform(0, 300), draw.uniform(0, 200)
            box = Box(x, y, x + draw.choice([1, 8, 30]), y + draw.choice([1, 12, 40]))
            found.append(Finding(draw.choice("AB1.-"), draw.random(), box))
        reading = read_findings(found)
        read = [c for line in reading.lines for c in line.characters]
        assert 1 <= len(read) <= len(found)
        assert {c.box for c in read} <= {f.box for f in found}
        assert len({id(c) for c in read}) == len(read)
