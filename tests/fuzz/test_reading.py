"""The reading's pattern language: whatever the text, an automaton that ends, or one refusal."""

import contextlib

from hypothesis import strategies as st

from edge.decision import Box, Finding
from edge.errors import UsageError
from edge.reading.fields import Field, match
from edge.reading.findings import read_findings
from tests.fuzz.fuzzing import Fuzzer

PIECES = ("LOT", "[A-Z]", "[0-9]", "{2}", "{1,3}", "?", "(", ")", "|", " ", "\\", "{DD}", "{MMM}",
          "{YY}", "{GTIN8}", "{WORD}", "[", "]", "{", "}", "-", "0", "B", "Å", "{64}")  # fmt: skip
PATTERNS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=40)
)
NUMBERS = st.floats(0, 200)
FINDINGS = st.lists(
    st.builds(
        lambda label, score, x, y, w, h: Finding(label, score, Box(x, y, x + w, y + h)),
        st.sampled_from("LOT0B8I1.-") | st.text(max_size=3),
        st.floats(),
        NUMBERS,
        NUMBERS,
        NUMBERS,
        NUMBERS,
    ),
    max_size=14,
)


def read(given: tuple[str, list[Finding]]) -> None:
    """Read findings by a pattern: a text that is made of what was found or looks like it."""
    pattern, findings = given
    with contextlib.suppress(UsageError):
        field = Field.of(pattern, ("LOT", "B1"), raised_fraction=True)
        found = match(read_findings(findings), field)
        assert found is None or (found.text and 0.0 <= found.score <= 1.0)


FUZZER = Fuzzer("reading", st.tuples(PATTERNS, FINDINGS), read)


def test_any_pattern_reads_any_findings_or_is_refused() -> None:
    """The box reads its settings, and a network says what it likes."""
    FUZZER.short()
