"""The simulation of studies in shadow, in short."""

import pytest

from bench import shadow
from bench.shadow import wrong_shares
from edge.rates.bounds import sample_size
from edge.rates.plan import Claim


def test_looks_after_each_shift_are_wrong_no_more_often_than_they_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """2,000 studies at the limit; the exact bound is, when it is looked at again and again."""
    monkeypatch.setattr(shadow, "SHIFTS", 25)
    any_look, exact_any, exact_one = wrong_shares(Claim("fa", 0.05), 0.95, 30, 2000, seed=14)
    assert 0.01 < any_look < 0.075
    assert exact_any > 0.12
    assert exact_one < 0.075


def test_the_command_tells_of_a_bound_that_is_wrong_too_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the exact bound in the place of the one of any look."""
    monkeypatch.setattr(shadow, "SHIFTS", 15)
    monkeypatch.setattr("sys.argv", ["bench.shadow", "fa<10%", "--studies", "500"])
    assert shadow.main() == 0
    monkeypatch.setattr(shadow, "anytime_size", sample_size)
    assert shadow.main() == 1
    assert "too often" in capsys.readouterr().out
