"""A plan is read strictly, and says how many items it needs."""

import json

import pytest

from edge.errors import UsageError
from edge.rates.plan import Plan
from export.__main__ import main
from train.proof.plan import GOODNESS, both_chances, sizes


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("fa<1% fr<5% @95%", "fa<1% fr<5% @95%"),
        ("fr<5% fa<1%", "fa<1% fr<5% @95%"),
        ("  fa < 0.10 % , @ 99.0 % ", "fa<0.1% @99%"),
        ("fr<2%@90%", "fr<2% @90%"),
        ("@99.9% fa<0.001%\n", "fa<0.001% @99.9%"),
    ],
)
def test_a_plan_is_read_and_written_alike(text: str, read: str) -> None:
    """Blanks, commas and the order are free; what is written is read again."""
    assert str(Plan.parse(text)) == read
    assert Plan.parse(read) == Plan.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "claims nothing"),
        ("@95%", "claims nothing"),
        ("fa<1% fa<2%", "claims fa twice"),
        ("fa<1% @95% @99%", "two confidences"),
        ("fa<=1% @95%", "no part of a plan"),
        ("fa<1 @95%", "no part of a plan"),
        ("fa>1% @95%", "no part of a plan"),
        ("fa<1% and fr<5%", "no part of a plan"),
        ("FA<1%", "no part of a plan"),
        ("fa<-1%", "no part of a plan"),
        ("fa<1e-3%", "no part of a plan"),
        ("fa<nan%", "no part of a plan"),
        ("fa<1,5%", "no part of a plan"),
        ("fa<\u0661%", "no part of a plan"),
        ("fa<1%fr<5%", "needs blanks"),
        ("fa<0%", "limit of fa must be"),
        ("fa<0.0001%", "limit of fa must be"),
        ("fr<100%", "limit of fr must be"),
        ("fa<1% @100%", "confidence must be"),
        ("fa<1% @5%", "confidence must be"),
        ("fa<1%\nfalse accepts: none", "no part of a plan"),
    ],
)
def test_what_is_no_plan_costs_one_line(text: str, why: str) -> None:
    """It says what is wrong, and how a plan is written."""
    with pytest.raises(UsageError) as refused:
        Plan.parse(text)
    assert why in str(refused.value)
    assert str(refused.value).endswith('write it as "fa<1% fr<5% @95%"')
    assert "\n" not in str(refused.value)


def test_the_chance_to_pass_both_is_the_product() -> None:
    """Items of the two claims are others, so they err apart."""
    plan = Plan.parse("fa<1% fr<5%")
    first, second = (sizes(claim, 0.95) for claim in plan.claims)
    for together, one, two in zip(both_chances(plan), first, second, strict=True):
        assert together == pytest.approx(
            [a * b for a, b in zip(one.chances, two.chances, strict=True)]
        )
        assert len(together) == len(GOODNESS)


def test_the_command_prints_sizes_and_chances(capsys: pytest.CaptureFixture[str]) -> None:
    """As its issue asks for: 0-, 1- and 2-error plans, chances, frames."""
    assert main(["plan", "fa<1% fr<5% @95%"]) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines()]
    assert ["0", "299", "22", "%", "55", "%", "74", "%", "86", "%"] in rows
    assert ["1", "473", "32", "%", "76", "%", "92", "%", "98", "%"] in rows
    assert [row[1] for row in rows if row[:1] == ["2"] and len(row) == 10] == ["628", "124"]
    assert "in shadow           looked at after each shift: 327, 625, 878" in said
    assert "both together at no less than 90 %" in said
    assert ["10", "5.3", "2.7", "1.8"] in rows
    assert main(["plan", "fr<5%", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["plan"] == "fr<5% @95%"
    assert [size["items"] for size in told["claims"][0]["sizes"]] == [59, 93, 124]
    in_shadow = [size["items_in_shadow"] for size in told["claims"][0]["sizes"]]
    assert in_shadow == [64, 123, 173]


def test_the_command_refuses_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, as of every wrong call."""
    assert main(["plan", "fa<1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
