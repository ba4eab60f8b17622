import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.decision import Box
from edge.errors import InputError
from train.config import RunConfig, SynthSettings
from train.marks.insides import INSIDES
from train.marks.mark import Mark, load_marks
from train.marks.search import searchable
from train.paint.backgrounds import PaintedProducts
from train.paint.input_fingerprint import Fingerprint, check_marks, fingerprint_of_marks
from train.paint.synth import Kit, paint

RED = Box(120, 60, 180, 90)
"""Where the red part lies on a plate of 400 x 200 pixels with an empty border of 20."""


def save_plates(folder: Path, boxes: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    """Write two plates, white with a red part, the second without a box, and what counts."""
    for name in ("a.png", "b.png"):
        pixels = np.zeros((200, 400, 4), np.uint8)
        pixels[20:-20, 20:-20] = (255, 255, 255, 255)
        pixels[60:90, 120:180] = (255, 0, 0, 255)
        Image.fromarray(pixels).save(folder / name)
    images = [
        {"id": number, "file_name": name, "width": 400, "height": 200}
        for number, name in enumerate(("a.png", "b.png"), start=1)
    ]
    kinds = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    text = {"images": images, "annotations": boxes, "categories": kinds}
    (folder / INSIDES).write_text(json.dumps(text))


def box_of(box: Box, category: int = 1, image: int = 1) -> dict[str, Any]:
    """A box as COCO has it."""
    sides = [box.x0, box.y0, box.width, box.height]
    return {"id": category, "image_id": image, "category_id": category, "bbox": sides}


def plates(folder: Path) -> tuple[Mark, ...]:
    """Marks of which the red part counts."""
    save_plates(folder, [box_of(RED)], ("red",))
    return load_marks((("red", str(folder)),))


def test_a_part_follows_its_picture_when_that_is_cropped_and_resized(tmp_path: Path) -> None:
    """The empty border goes, and the longer side becomes 320 pixels of 360."""
    first, second = plates(tmp_path)
    assert first.image.size == (320, 142)
    assert first.insides is not None
    assert second.insides == ()
    share = 320 / 360
    assert first.insides[0].box.x0 == pytest.approx(100 * share)
    assert first.insides[0].box.y1 == pytest.approx(70 * share, abs=0.4)


def test_what_is_painted_is_boxed_at_the_part_alone(tmp_path: Path) -> None:
    """The box is that of the red pixels, wherever the plate lies and however it is turned."""
    settings = SynthSettings(
        negative_share=0.0, marks_max=1, lookalike_share=0.0, ink_share=0.0, opacity_min=1.0,
        occlusion_share=0.0, colour_jitter=0.0, worn_share=0.0, cut_share=0.0, plate_share=0.0,
        turned_share=0.0, light_stops=0.0, gamma=0.0, white_balance=0.0, blur_share=0.0,
        noise_share=0.0, jpeg_share=0.0, size_min=0.5, size_max=0.8, gloss_share=0.0,
        gradient_share=0.0, shadow_share=0.0, glare_share=0.0, coarse_share=0.0, lift_share=0.0,
        soft_share=0.0,
    )  # fmt: skip
    kit = Kit(plates(tmp_path)[:1], PaintedProducts(1, 2), settings, 192)
    tried = 0
    for seed in range(12):
        picture = paint(np.random.default_rng(seed), kit, 192)
        for _, box in picture.marks:
            x0, y0, x1, y1 = (round(side) for side in box.corners())
            red = picture.pixels[y0:y1, x0:x1].astype(int)
            bright = (red[..., 0] > 150) & (red[..., 1] < 100)
            assert bright.any(0).mean() > 0.85
            assert bright.any(1).mean() > 0.85
            assert box.width < 0.35 * 192
            tried += 1
    assert tried >= 8


def test_a_picture_without_a_part_shows_nothing_that_counts(tmp_path: Path) -> None:
    """It is pasted all the same, as what must not be taken for the mark."""
    kit = Kit(plates(tmp_path)[1:], PaintedProducts(1, 2), SynthSettings(negative_share=0.0), 96)
    assert all(not paint(np.random.default_rng(seed), kit, 96).marks for seed in range(6))


def test_several_classes_of_one_folder_share_its_pictures(tmp_path: Path) -> None:
    """Each class has the pictures as marks of its own, and all classes count on each."""
    save_plates(tmp_path, [box_of(RED), box_of(RED, 2)], ("red", "part"))
    marks = load_marks((("other", str(tmp_path)), ("red", str(tmp_path)), ("part", str(tmp_path))))
    assert [mark.kind for mark in marks] == [0, 0, 1, 1, 2, 2]
    assert marks[0].image is marks[2].image
    assert [part.kind for part in marks[4].insides or ()] == [1, 2]


def test_such_pictures_are_not_searched_for_in_photographs(tmp_path: Path) -> None:
    """Each is a look of very many, none of which need be on a photograph."""
    assert searchable(plates(tmp_path)) == []


def test_a_picture_of_which_nothing_is_said_is_refused(tmp_path: Path) -> None:
    """It would count as empty."""
    save_plates(tmp_path, [box_of(RED)], ("red",))
    Image.new("RGBA", (40, 40), "white").save(tmp_path / "c.png")
    with pytest.raises(InputError, match=r"insides\.json: says nothing of c\.png"):
        load_marks((("red", str(tmp_path)),))


def test_a_class_that_is_none_of_the_marks_is_refused(tmp_path: Path) -> None:
    """By the reader of labels."""
    save_plates(tmp_path, [box_of(RED), box_of(RED, 2)], ("red", "part"))
    with pytest.raises(InputError, match="'part' is no class of the model"):
        load_marks((("red", str(tmp_path)),))


def test_a_run_that_goes_on_refuses_other_boxes(tmp_path: Path) -> None:
    """What counts is an input as much as the pictures are."""
    plates(tmp_path)
    config = RunConfig((("red", str(tmp_path)),), "")
    kept = Fingerprint.from_json(fingerprint_of_marks(config).to_json())
    check_marks(kept, config)
    save_plates(tmp_path, [box_of(Box(121, 60, 180, 90))], ("red",))
    with pytest.raises(InputError, match=r"insides\.json is not what the run began with"):
        check_marks(kept, config)
