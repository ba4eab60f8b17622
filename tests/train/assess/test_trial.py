"""The trial: what it looks at, and that it is found by the box's own code."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.decision import Box, Finding
from edge.errors import InputError
from edge.vision.legend import colour_of
from edge.vision.preprocess import Frame, letterbox
from tests.quick_run import config_in, paint_few
from train.assess import trial as trials
from train.assess.assessment import Length, assess
from train.assess.choice import choose
from train.assess.scores import MarkScore, Scored, Trial
from train.assess.sheets import curve, unstamped_sheet
from train.assess.trial import chosen_photographs, run_trial
from train.config import FitSettings, RunConfig
from train.network.model import DenseLocalizer
from train.paint.inputs import Inputs, read_inputs
from train.paint.synth import Picture

FIT = FitSettings()


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """Four photographs, one of them held out."""
    paint_few(monkeypatch)
    return read_inputs(config_in(tmp_path))


def test_a_network_that_finds_every_mark_scores_them_all(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks by the best finding on them, frames without a mark by the best anywhere."""
    truth: dict[bytes, tuple[Box, ...]] = {}
    real_scores = trials.scores_of

    def noting(
        findings: trials.Findings, picture: Picture, config: RunConfig
    ) -> list[tuple[MarkScore, Box, Box | None]]:
        height, width = picture.frame.shape[:2]
        fit = letterbox(width, height, config.fit.size, config.fit.size)
        truth[picture.frame.tobytes()] = tuple(fit.to_camera(box) for _, box in picture.marks)
        return real_scores(findings, picture, config)

    def knows(_net: object, frame: Frame, _plan: object, _least: float) -> tuple[Finding, ...]:
        found = tuple(Finding("disc", 0.8, box) for box in truth.get(frame.tobytes(), ()))
        return (*found, Finding("disc", 0.9 if found else 0.3, Box(0, 0, 2, 2)))

    monkeypatch.setattr(trials, "scores_of", noting)
    monkeypatch.setattr(trials, "find", knows)
    net = DenseLocalizer("mobilenet_v3_small", 1).eval()
    tried = run_trial(net, inputs)
    assert set(tried.marks) == {0.8}
    assert tried.lookalikes == (0.3,) * trials.LOOKALIKES
    assert [one.score for one in tried.photographs] == [0.3] * trials.PHOTOGRAPHS
    assert tried.real_marks == ()


def test_held_out_photographs_come_first_and_painted_frames_stand_in(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fixed sample of the others fills up; without photographs there are painted frames."""
    assert inputs.held_out is not None
    assert inputs.training is not None
    chosen = chosen_photographs(inputs)
    assert chosen[: len(inputs.held_out)] == inputs.held_out
    assert len(set(chosen)) == trials.PHOTOGRAPHS == len(chosen)
    assert chosen == chosen_photographs(inputs)
    bare = dataclasses.replace(inputs, held_out=None, training=None)
    assert chosen_photographs(bare) == ()
    monkeypatch.setattr(trials, "find", lambda *_: ())
    tried = run_trial(DenseLocalizer("mobilenet_v3_small", 1).eval(), bare)
    assert all(one.path.startswith("painted frame") for one in tried.photographs)


def test_a_photograph_that_cannot_be_read_is_named(inputs: Inputs) -> None:
    """It was whole when the training began."""
    damaged = chosen_photographs(inputs)[-1]
    damaged.write_bytes(b"no picture")
    with pytest.raises(InputError, match=damaged.name):
        run_trial(DenseLocalizer("mobilenet_v3_small", 1).eval(), inputs)


def test_only_a_finding_of_its_class_on_the_mark_counts_for_it() -> None:
    """Another class, or a place beside it, is none."""
    box = Box(10, 10, 30, 30)
    found = (
        Finding("other", 0.9, box),
        Finding("disc", 0.8, Box(60, 60, 90, 90)),
        Finding("disc", 0.6, Box(11, 10, 31, 30)),
    )
    assert trials.best_on(found, "disc", box) == 0.6
    assert trials.best_on((), "disc", box) == 0.0


def test_the_curve_falls_and_the_sheet_shows_the_best_scores(tmp_path: Path) -> None:
    """Each curve in its colour, the threshold as a line; the likeliest photograph first."""
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (60, 40), (40 * number, 0, 0)).save(paths[-1])
    found = tuple(
        Scored(str(path), 0.1 * number, Box(5, 5, 20, 20) if number else None)
        for number, path in enumerate(paths)
    )
    tried = Trial((0.9,) * 50, (), (0.4,) * 50, found)
    drawn = np.asarray(curve(tried, assess(tried, choose(tried, FIT), False, FIT, Length(9, 1.0))))
    for colour in ((0x1B, 0x7F, 0x3B), (0xC7, 0x77, 0x00), (0xB3, 0x26, 0x1E), (0, 0, 0)):
        assert (drawn == colour).all(-1).sum() > 50
    sheet = unstamped_sheet(tried, 0.15)
    first = np.asarray(sheet)[8:308, 8:368].reshape(-1, 3)
    assert (first == (80, 0, 0)).all(-1).sum() > 500
    false, bare = colour_of("false"), dataclasses.replace(tried, photographs=found[:1])
    assert not (np.asarray(unstamped_sheet(bare, 0.15)) == false).all(-1).any()
    one = dataclasses.replace(tried, photographs=found[1:2])
    whole, dashed = (
        int((np.asarray(unstamped_sheet(one, threshold)) == false).all(-1).sum())
        for threshold in (0.1, 0.2)
    )
    assert 0 < dashed < 0.8 * whole
