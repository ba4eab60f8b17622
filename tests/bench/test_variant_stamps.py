"""The benches of variants: what their items show, and how they are decided."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.variants import stamps
from bench.variants.__main__ import main
from edge.deciding.rules import Rules, rules_of
from edge.decision import Finding
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.vision.preprocess import Frame


class Told(Inspector):
    """Finds what the item truly shows, but of every seventh item nothing."""

    def __init__(self, rules: Rules, made: Sequence[stamps.Item]) -> None:
        self._rules, self._made = rules, list(made)

    def look(self, frame: Frame, stopper: object = None) -> tuple[Finding, ...]:
        """Take the item by its picture."""
        index = next(i for i, one in enumerate(self._made) if np.array_equal(one.frame, frame))
        if index % 7 == 6:
            return ()
        return tuple(Finding(name, 0.9, box) for name, box in self._made[index].stamps)


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """Three plain photographs."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"box_{number}.png" for number in range(3)]
    for path in paths:
        pixels = rng.integers(180, 200, (300, 400, 3), np.uint8)
        Image.fromarray(pixels).save(path)
    return paths


def test_items_show_each_combination_in_turn_and_the_same_each_time(
    photographs: list[Path],
) -> None:
    """Stamps of one item do not touch, and an item is good by the stamps that it shows."""
    made = list(stamps.items(photographs, 14, photographs[0].parent / "items"))
    again = list(stamps.items(photographs, 14, photographs[0].parent / "items"))
    assert all(np.array_equal(a.frame, b.frame) for a, b in zip(made, again, strict=True))
    shown = [tuple(name for name, _ in one.stamps) for one in made]
    assert shown == [*stamps.SHOWN, *stamps.SHOWN]
    assert [one.good for one in made[:7]] == [False, True, True, False, True, False, False]
    for one in made:
        boxes = [box for _, box in one.stamps]
        assert not any(a.intersection(b) for a in boxes for b in boxes if a is not b)


def test_what_was_decided_is_counted(
    photographs: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the rule that the variant is about; a stamp that was not found is a row of its own."""
    made = list(stamps.items(photographs, 14, photographs[0].parent / "items"))
    settings = DecisionSettings(any_of=tuple(stamps.PASSING), forbidden=tuple(stamps.FORBIDDING))
    rules = rules_of(settings, tuple(stamps.STAMPS), 0.5)
    found, decided, wrong = stamps.judge(
        Told(rules, made), photographs, 14, photographs[0].parent / "items"
    )
    assert decided == {"right": 14}
    assert found["tested", "tested"] == 6
    assert found["held", "none"] == 2
    monkeypatch.setattr(stamps.Item, "good", property(lambda _: True))
    found, decided, wrong = stamps.judge(
        Told(rules, made), photographs, 14, photographs[0].parent / "items"
    )
    assert decided["rejected"] == len(wrong) == 8
    stamps.print_table(found, decided, wrong, 0.5)
    assert "decided right: 6 of 14; false accepts 0, false rejects 8" in capsys.readouterr().out


def test_photographs_that_are_not_there_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line."""
    assert main(["stamps", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
