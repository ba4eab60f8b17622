"""The board's step that aims, tried here on replayed pictures; the board has a video device."""

import sys
from pathlib import Path

import pytest

from tests.board import aiming, box
from tests.board.judge import aimed
from tests.edge.aiming.aim_rig import box_in


def test_the_step_aims_what_stands_before_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its facts prove the claim; a program that does not begin fails it, and nothing else."""
    program = tmp_path / "stampgate-edge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m edge "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(box, "PROGRAM", str(program))
    monkeypatch.setattr(box, "SETTINGS", box_in(tmp_path))
    (claim,) = aimed(aiming.aimed(lambda: None))
    assert claim.passed, claim.figures
    box.SETTINGS.write_text("nonsense")
    (claim,) = aimed(aiming.aimed(lambda: None))
    assert not claim.passed
    assert "IndexError" in claim.figures
