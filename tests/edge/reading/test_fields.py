"""Fields: patterns, lexicons, dates and check digits, read from characters in doubt."""

import math
import random
from datetime import date

import pytest

from edge.decision import Box, Finding
from edge.errors import UsageError
from edge.reading.fields import Field, Match, match
from edge.reading.findings import read_findings
from edge.reading.pattern import parse_pattern
from edge.reading.text import Character, Line, Reading, Word
from tests.edge.reading.lettering import EM, FONT, Lettering, findings_of


def reading(text: str, score: float = 0.9, **doubts: list[tuple[str, float]]) -> Reading:
    """Return a reading of *text*, each character 10 pixels wide.

    *doubts*: alternatives of a place, e.g. ``at3=[("0", 0.4)]``.
    """
    words, number = [], 0
    for word in text.split():
        characters = []
        for letter in word:
            others = tuple(doubts.get(f"at{number}", ()))
            box = Box(10 * number, 0, 10 * number + 9, 15)
            characters.append(Character(letter, score, box, others))
            number += 1
        words.append(Word(tuple(characters)))
    return Reading((Line(tuple(words)),))


def said(pattern: str, text: str, *lexicon: str) -> str | None:
    """Return what a pattern makes of a text that was read without doubt."""
    found = match(reading(text), Field.of(pattern, lexicon))
    return None if found is None else found.text


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("LOT [A-Z]{2}[0-9]{6}", "LOT AB123456", "LOT AB123456"),
        ("LOT [A-Z]{2}[0-9]{6}", "LOTAB 123456", "LOT AB123456"),  # spacing is free
        ("LOT [A-Z]{2}[0-9]{6}", "LOT AB1234567", None),  # a field ends where a word ends
        ("[A-Z]{2}[0-9]{6}", "LOT AB123456 X", "AB123456"),
        ("LOT [A-Z]{2}[0-9]{6}", "L0T A8I2E4S6", None),  # E is like no digit
        ("LOT [A-Z]{2}[0-9]{6}", "L0T A8I2B4S6", "LOT AB128456"),  # the print of one of them
        ("[0-9]{1,3}[.,][0-9]{2}", "22.90", "22.90"),
        ("A|BC?|(D|E){2}", "DE", "DE"),
        ("A|BC?|(D|E){2}", "B", "B"),
        (r"\[\{A\}", "[{A}", "[{A}"),
        ("{WORD}", "QC PASSEO", "PASSED"),
        ("BEST BEFORE {MM} {YYYY}", "BEST BEFORE 12 2027", "BEST BEFORE 12 2027"),
    ],
)
def test_a_pattern_takes_what_fits_it(pattern: str, text: str, found: str | None) -> None:
    """And nothing else: characters that look alike are those that the pattern allows."""
    assert said(pattern, text, "PASSED", "REWORK") == found


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("{DD}.{MM}.{YYYY}", "03.09.2027", date(2027, 9, 3)),
        ("{MM}/{YY}", "02/28", date(2028, 2, 29)),
        ("{DD}{MMM}{YY}", "03SEP27", date(2027, 9, 3)),
        ("{DD} {MMM} {YYYY}", "3OSep2027", date(2027, 9, 30)),
        ("BEST BEFORE {MM} {YYYY}", "BEST BEFORE 12 2027", date(2027, 12, 31)),
        ("EXP {YYYY}-{MM}-{DD}|EXP {MM}/{YYYY}", "EXP 10/2027", date(2027, 10, 31)),
        ("{D}.{M}.{YY}", "1.2.27", date(2027, 2, 1)),
        ("{YYYY}", "2031", date(2031, 12, 31)),
    ],
)
def test_dates_are_read_as_they_are_printed(pattern: str, text: str, day: date) -> None:
    """Without a day it is the month's last."""
    found = match(reading(text), Field.of(pattern))
    assert found is not None
    assert (found.day, found.rival) == (day, "")


@pytest.mark.parametrize("text", ["31.02.2027", "00.01.2027", "10.13.2027", "10.10.1027"])
def test_a_day_that_is_none_fits_no_pattern(text: str) -> None:
    """As for one that was misread."""
    assert said("{DD}.{MM}.{YYYY}", text) is None


def test_a_date_that_can_be_two_days_is_in_doubt() -> None:
    """By the text alone, that of the day before the month's or behind it."""
    field = Field.of("{DD}/{MM}/{YY}|{MM}/{DD}/{YY}")
    found = match(reading("03/09/27"), field)
    assert found is not None
    assert "03/09/27 as 2027-" in found.rival
    sure = match(reading("03/19/27"), field)
    assert sure == Match("03/19/27", 0.9, date(2027, 3, 19))


def test_the_check_digit_decides_between_two_characters() -> None:
    """The likelier one is wrong by it."""
    doubted = reading("4006381833931", at7=[("3", 0.3)])
    assert match(doubted, Field.of("{GTIN13}")) == Match("4006381333931", 0.25, None)
    assert match(reading("4006381833931"), Field.of("{GTIN13}")) is None
    assert said("{LUHN11}", "79927398713") == "79927398713"
    assert said("{LUHN11}", "79927398710") is None


@pytest.mark.parametrize("length", [8, 12, 13, 14, 18])
def test_every_single_misread_digit_is_told_by_its_check_digit(length: int) -> None:
    """GS1's modulo 10 sees each."""
    draw = random.Random(length)
    for _ in range(20):
        digits = "".join(draw.choice("0123456789") for _ in range(length - 1))
        pattern = f"{{GTIN{length}}}"
        (number,) = (digits + d for d in "0123456789" if said(pattern, digits + d))
        at = draw.randrange(length)
        other = draw.choice([d for d in "0123456789" if d != number[at]])
        assert said(pattern, number[:at] + other + number[at + 1 :]) is None


def test_what_might_be_another_text_as_well_says_so() -> None:
    """With a pattern that takes both, and without any."""
    doubted = reading("AO1", 0.5, at1=[("0", 0.45)])
    found = match(doubted, Field.of("[A-Z0-9]{3}"))
    assert found is not None
    assert (found.text, found.rival) == ("AO1", "A01")
    whole = match(doubted, Field.of())
    assert whole is not None
    assert (whole.text, whole.rival) == ("AO1", "0 for O")
    ruled_out = match(doubted, Field.of("[A-Z]{2}[0-9]"))
    assert ruled_out == Match("AO1", 0.5)


def test_two_fields_that_fit_and_differ_are_in_doubt_and_alike_are_not() -> None:
    """Nobody can tell which one is meant."""
    found = match(reading("12 34"), Field.of("[0-9]{2}"))
    assert found is not None
    assert {found.text, found.rival} == {"12", "34"}
    assert match(reading("12 12"), Field.of("[0-9]{2}")) == Match("12", 0.9)


def test_a_doubtful_character_may_be_none() -> None:
    """A speck behind the code does not keep it from being read, but makes it less sure."""
    lines = reading("A12").lines[0].words[0].characters
    speck = Character("1", 0.2, Box(100, 0, 109, 15))
    found = match(Reading((Line((Word((*lines, speck)),)),)), Field.of("A[0-9]{2}"))
    assert found == Match("A12", 0.8)
    sure = Character("1", 0.7, Box(100, 0, 109, 15))
    assert match(Reading((Line((Word((*lines, sure)),)),)), Field.of("A[0-9]{2}")) is None


@pytest.mark.parametrize("turn", [0, 25, -60])
def test_a_raised_fraction_is_joined_to_its_price(turn: float) -> None:
    """Small digits on the line are none, nor is one digit alone or three."""
    field = Field.of(r"[0-9]{1,4}\.[0-9]{2}", raised_fraction=True)

    def price(share: float, up: float, fraction: str = "90") -> Match | None:
        whole = findings_of("22", Lettering(turn_deg=turn, size=60), 1)
        return match(read_findings([*whole, *_small(fraction, share, up, turn)]), field)

    found = price(0.5, 0.34)
    assert found is not None
    assert found.text == "22.90"
    assert price(0.5, 0.0) is None
    assert price(1.0, 0.0) is None
    assert price(0.5, 0.34, "9") is None
    assert price(0.5, 0.34, "900") is None


def _small(text: str, share: float, up: float, turn: float) -> list[Finding]:
    """Return a text *share* as large as the price before it, *up* ems above its base line."""
    size, base = 60, FONT.getbbox("0")[3] / EM - 0.7
    along, below = 1.25 * size, (base * (1 - share) - up) * size
    t = math.radians(turn)
    dx = along * math.cos(t) - below * math.sin(t)
    dy = along * math.sin(t) + below * math.cos(t)
    return [
        Finding(f.label, f.score, Box(f.box.x0 + dx, f.box.y0 + dy, f.box.x1 + dx, f.box.y1 + dy))
        for f in findings_of(text, Lettering(turn_deg=turn, size=size * share), 2)
    ]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "fits nothing"),
        ("A?", "fits nothing"),
        ("(A", "lacks a ')'"),
        ("A)", "closes nothing"),
        ("[A", "without characters and a ']'"),
        ("[]", "without characters and a ']'"),
        ("[Z-A]", "runs backwards"),
        ("A{3,2}", "the lesser number first"),
        ("A{99}", "must repeat 1 to 64 times"),
        ("A*", "put a backslash before it"),
        ("{WORD}", "there is none"),
        ("{GTIN9}", "no such part"),
        ("{DDD}", "no such part"),
        ("A{", "no such part"),
        ("A\n", "characters that can be seen"),
        ("A\\", "characters that can be seen"),
        ("(" * 30, "nested too deeply"),
        ("((A{64}){64}){64}", "too large"),
        ("A" * 501, "at most 500 characters"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused_in_one_line(source: str, why: str) -> None:
    """It says where."""
    with pytest.raises(UsageError, match=r"pattern") as refused:
        parse_pattern(source)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value).replace("\\n", "")
