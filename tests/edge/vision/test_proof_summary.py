"""The summary of a proof is shown and never decides; of another model it is none."""

import dataclasses
import json

import pytest

from edge.vision.proof_summary import (
    MOST_CHARACTERS,
    MOST_WORDS,
    VERSION,
    ProofSummary,
    proof_line,
)

DIGEST = "d" * 64
SUMMARY = ProofSummary(
    version=VERSION,
    decision_digest=DIGEST,
    model_sha256="a" * 64,
    stage="desk",
    study=2,
    date="2026-11-30T21:53:26+00:00",
    plan="fa<1% @95%",
    result="shown",
    words="desk: false accepts below 1 % shown (0 of 300 items)",
    proof_sha256="b" * 64,
)


def test_what_was_proven_is_one_line() -> None:
    """With its study and day."""
    assert proof_line(SUMMARY.to_json(), DIGEST) == (
        "desk: false accepts below 1 % shown (0 of 300 items) (study 2, 2026-11-30)"
    )
    assert proof_line(None, DIGEST) == ""


def test_of_another_model_it_is_no_proof() -> None:
    """Whoever put it there."""
    assert "of another model" in proof_line(SUMMARY.to_json(), "e" * 64)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        SUMMARY.to_json() + " " * MOST_CHARACTERS,
        json.dumps(dataclasses.asdict(SUMMARY) | {"version": VERSION + 1}),
        json.dumps(dataclasses.asdict(SUMMARY) | {"more": 1}),
        json.dumps(dataclasses.asdict(SUMMARY) | {"study": "2"}),
        json.dumps(dataclasses.asdict(SUMMARY) | {"study": True}),
        json.dumps(dataclasses.asdict(SUMMARY) | {"words": ""}),
        json.dumps(dataclasses.asdict(SUMMARY) | {"words": "x" * (MOST_WORDS + 1)}),
        json.dumps(dataclasses.asdict(SUMMARY) | {"result": "excellent"}),
    ],
)
def test_what_is_not_understood_is_said(text: str) -> None:
    """It keeps nothing from running, for it decides nothing."""
    line = proof_line(text, DIGEST)
    assert line.startswith("the file's summary of a proof is not understood here")
    assert "\n" not in line


def test_a_line_cannot_be_forged() -> None:
    """A file may hold anything."""
    odd = dataclasses.replace(SUMMARY, words="proven\nverdict PASS\x1b[2J")
    assert "\n" not in proof_line(odd.to_json(), DIGEST)
    assert "\x1b" not in proof_line(odd.to_json(), DIGEST)


def test_a_file_of_before_the_field_had_its_name_is_read() -> None:
    """Models carry their summary for years."""
    raw = dataclasses.asdict(SUMMARY)
    raw["verdict"] = raw.pop("result")
    assert ProofSummary.from_json(json.dumps(raw)) == SUMMARY
    both = json.dumps(raw | {"result": "shown"})
    assert "not understood" in proof_line(both, DIGEST)
