import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.decision import Box, Finding
from edge.errors import ModelError
from edge.vision.golden import GoldenPicture, GoldenSet
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from tests.tiny_model import CONTRACT, paint, write_tiny_model


@pytest.fixture(scope="module")
def localizer(tmp_path_factory: pytest.TempPathFactory) -> Localizer:
    """The tiny model."""
    return Localizer(write_tiny_model(tmp_path_factory.mktemp("golden") / "m.onnx"))


def text_of(localizer: Localizer, **values: Any) -> str:
    """The golden pictures as JSON with some values replaced."""
    return json.dumps({**json.loads(localizer.golden.to_json()), **values})


def picture_of(localizer: Localizer, **values: Any) -> str:
    """The same with values of the first picture replaced."""
    first, *others = json.loads(localizer.golden.to_json())["pictures"]
    return text_of(localizer, pictures=[{**first, **values}, *others])


def test_what_is_written_is_read_back(localizer: Localizer) -> None:
    """To the last byte of the pictures."""
    assert GoldenSet.from_json(localizer.golden.to_json()) == localizer.golden


def png(width: int, height: int, kind: str = "PNG") -> bytes:
    """The content of a grey picture file."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(file, kind)
    return file.getvalue()


BOX = {"label": "dot", "score": 0.9, "box": [0, 0, 8, 8]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": 2}, "version must be 1, not 2"),
        ({"version": True}, "version must be 1, not True"),
        ({"pictures": []}, "pictures must be 1 to 16"),
        ({"pictures": [{}] * 17}, "pictures must be 1 to 16"),
        ({"pictures": {}}, "pictures must be 1 to 16"),
        ({"pictures": [[]]}, "an object must have the fields name, png"),
        ({"pictures": 7}, "pictures must be 1 to 16"),
        ({"score_gap": 0.5}, "score_gap must be between 0 and 0.1"),
        ({"box_gap": 1e9}, "box_gap must be between 0 and 16"),
        ({"least": "0"}, "least must be a number"),
        ({"least": True}, "least must be a number"),
        ({"more": 1}, "an object must have the fields version, least"),
    ],
)
def test_a_set_that_is_not_as_it_must_be_is_refused(
    localizer: Localizer, values: dict[str, Any], message: str
) -> None:
    """A tolerance without bounds would take any answer."""
    with pytest.raises(ModelError, match=message) as caught:
        GoldenSet.from_json(text_of(localizer, **values))
    assert "export it again" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"decision": "fault"}, "decision must be pass or reject"),
        ({"decision": ["pass"]}, "decision must be pass or reject"),
        ({"name": ""}, "a name must be"),
        ({"name": "a\nb"}, "a name must be"),
        ({"png": "!"}, "png must be base64"),
        ({"png": 7}, "golden pictures: "),
        ({"findings": [BOX] * 129}, "findings must be at most 128"),
        ({"findings": [{**BOX, "score": 1.5}]}, "score must be between 0 and 1"),
        ({"findings": [{**BOX, "box": [0, 0, 8]}]}, "a box of four corners"),
        ({"findings": [{**BOX, "box": [0, 0, 8, None]}]}, "d must be a number"),
        ({"findings": [{**BOX, "label": 7}]}, "a finding must have a label"),
        ({"findings": [{}]}, "an object must have the fields label, score, box"),
    ],
)
def test_a_picture_that_is_not_as_it_must_be_is_refused(
    localizer: Localizer, values: dict[str, Any], message: str
) -> None:
    """Each in one line."""
    with pytest.raises(ModelError, match=message) as caught:
        GoldenSet.from_json(picture_of(localizer, **values))
    assert "\n" not in str(caught.value)


def test_pictures_that_all_pass_prove_nothing(localizer: Localizer) -> None:
    """A model that lets everything pass would answer them well."""
    first = json.loads(localizer.golden.to_json())["pictures"][0]
    with pytest.raises(ModelError, match="none of them must be rejected"):
        GoldenSet.from_json(text_of(localizer, pictures=[first]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no PNG file"),
        (png(8, 8, "JPEG"), "is no PNG file"),
        (png(8, 8)[:-30], "must be a whole picture file"),
        (png(513, 8), "must have at most 512 pixels a side, not 513 x 8"),
    ],
)
def test_a_picture_that_cannot_be_decoded_is_refused(content: bytes, message: str) -> None:
    """At the start, by name."""
    with pytest.raises(ModelError, match=message):
        GoldenPicture("one", content, "reject", ()).frame()


DOT = Finding("dot", 0.8, Box(4, 4, 28, 28))
GOLDEN = GoldenSet(0.25, 0.02, 2.0, ())
PICTURE = GoldenPicture("one", png(64, 64), "pass", (DOT,))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ((DOT,), ""),
        ((dataclasses.replace(DOT, score=0.81, box=Box(5, 3, 29, 28)),), ""),
        ((DOT, dataclasses.replace(DOT, score=0.26, box=Box(30, 30, 40, 40))), ""),
        ((), "the decision is reject, must be pass"),
        ((dataclasses.replace(DOT, score=0.77),), "it lacks dot 0.800 at"),
        ((dataclasses.replace(DOT, box=Box(7, 4, 28, 28)),), "it lacks dot 0.800 at"),
        ((DOT, dataclasses.replace(DOT, score=0.4, box=Box(30, 30, 40, 40))), "it has dot 0.400"),
        ((dataclasses.replace(DOT, label="square"),), "the decision is reject"),
    ],
)
def test_an_answer_counts_to_its_tolerance(given: tuple[Finding, ...], wrong: str) -> None:
    """Decision, scores and boxes; a weak finding at the edge of what is compared may come or go."""

    def find(frame: Frame, min_score: float) -> tuple[Finding, ...]:
        assert (frame.shape, min_score) == ((64, 64, 3), 0.25)
        return given

    if not wrong:
        GOLDEN.judge(PICTURE, find, CONTRACT)
        return
    with pytest.raises(ModelError, match="golden picture 'one' is not judged") as caught:
        GOLDEN.judge(PICTURE, find, CONTRACT)
    assert wrong in str(caught.value)


def test_every_start_judges_every_golden_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the right size, through both steps of the box's own way."""
    path, shown = write_tiny_model(tmp_path / "m.onnx"), list[Frame]()
    infer = Localizer.infer

    def watched(self: Localizer, pictures: Frame) -> tuple[Any, Any]:
        shown.extend(pictures)
        return infer(self, pictures)

    monkeypatch.setattr(Localizer, "infer", watched)
    localizer = Localizer(path)
    assert len(shown) == len(localizer.golden.pictures) == 3
    assert np.array_equal(shown[0], paint({"dot": [(16, 24)]}))
