"""The page of a run: whole, self-contained, and with what its user needs."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.decision import Box
from edge.errors import InputError
from tests.quick_run import SMALL
from train.assess.assessment import Assessment, Length, assess
from train.assess.choice import choose
from train.assess.report import Facts, run_page
from train.assess.scores import MarkScore, PlainScore, Scored, Trial, WorstPicture
from train.assess.sheets import sheet
from train.config import RunConfig
from train.paint.placing import Conditions

GREY = np.full((60, 80, 3), 128, np.uint8)
BOX = Box(10, 10, 50, 40)
CONFIG = RunConfig((("seal", "seal.png"), ("<b>word</b>", "word.png")), "")


def trial_in(folder: Path) -> Trial:
    """A trial of two classes, with a worst picture of each kind and a photograph."""
    Image.fromarray(GREY).save(folder / "a <i>.png")
    shown = Conditions(0.2, 5.0, 0.0, 0.0, False, 1.0)
    details = (
        *[MarkScore("seal", 0.9, shown)] * 90,
        *[MarkScore("<b>word</b>", 0.1, dataclasses.replace(shown, size=0.05), "seal", 0.8)] * 10,
    )
    return Trial(
        tuple(one.score for one in details),
        (),
        (0.2,) * 50,
        (Scored(str(folder / "a <i>.png"), 0.3, BOX, "seal"),),
        details,
        (PlainScore("seal", "plain", 0.3, 0.95), PlainScore("<b>word</b>", "plain", 0.3, 0.1)),
        ("seal",) * 50,
        (
            WorstPicture(GREY, "<b>word</b>", 0.1, BOX, BOX),
            WorstPicture(GREY, "seal", 0.2, None, BOX),
        ),
    )


def assessed(trial: Trial) -> Assessment:
    """Its assessment."""
    return assess(trial, choose(trial, SMALL), False, SMALL, Length(20_000, 400.0))


def page_of(trial: Trial, assessment: Assessment, folder: Path) -> str:
    """The page of a run with short tables."""
    rows = "step,seconds,loss\r\n1,1.0,5.0\r\n2,2.0,4.0\r\n"
    (folder / "loss.csv").write_text(rows)
    (folder / "validation.csv").write_text("no,table\r\nat,all\r\n")
    return run_page(trial, assessment, CONFIG, folder, Facts("today", {"length": "2 steps"}))


def test_the_page_of_a_run_says_what_came_of_it_and_what_next(tmp_path: Path) -> None:
    """With the sentence, where it breaks, the confusion of its classes, and the worst pictures."""
    trial = trial_in(tmp_path)
    assessment = assessed(trial)
    page = page_of(trial, assessment, tmp_path)
    words = " ".join(re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").split())
    assert "Not ready" in words
    assert assessment.words()[1:].partition(":")[0] in words
    assert "does not find its own mark pasted plainly" in words
    assert "--anyway" not in words  # it cannot be exported at all
    assert "stampgate train --resume --out" in words
    assert "below 8 % of the picture 0 of 10 0% weak" in words
    assert "seal 90 0 0" in words
    assert page.count("data:image/jpeg;base64,") == 3
    assert page.count("<svg") == 2


def test_the_page_needs_no_other_file_and_no_script_and_names_forge_nothing(
    tmp_path: Path,
) -> None:
    """A class or a photograph may be called anything."""
    trial = trial_in(tmp_path)
    page = page_of(trial, assessed(trial), tmp_path)
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "<b>word</b>" not in page
    assert "a &lt;i&gt;.png" in page


def test_a_ready_model_is_led_to_its_export_and_its_evaluation(tmp_path: Path) -> None:
    """In the order of the journey."""
    trial = dataclasses.replace(trial_in(tmp_path), marks=(0.9,) * 100, plain=())
    page = page_of(trial, assessed(trial), tmp_path)
    assert "Ready to be tried" in page
    assert page.index("stampgate export") < page.index("stampgate evaluate")


def test_a_photograph_that_is_gone_is_named(tmp_path: Path) -> None:
    """As in the trial itself."""
    trial = trial_in(tmp_path)
    (tmp_path / "a <i>.png").unlink()
    with pytest.raises(InputError, match=r"a <i>\.png"):
        page_of(trial, assessed(trial), tmp_path)


def test_the_picture_of_the_assessment_shows_where_it_breaks(tmp_path: Path) -> None:
    """Below the curve, the weak parts in red; without details there is the curve alone."""
    trial = trial_in(tmp_path)
    whole = sheet(trial, assessed(trial))
    bare = sheet(trial, dataclasses.replace(assessed(trial), bins=()))
    assert whole.height > bare.height
    below = np.asarray(whole)[bare.height :]
    assert (below == (0x1B, 0x7F, 0x3B)).all(-1).sum() > 500
