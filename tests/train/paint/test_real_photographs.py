import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.decision import Box
from edge.errors import InputError
from tests.quick_run import SMALL, config_in
from train.config import SynthSettings
from train.labels.ground_truth import Labelled, RealBox
from train.labels.reading import read_real
from train.learn.dataset import paint_batch
from train.learn.validation_set import paint_validation_set
from train.paint.inputs import read_inputs
from train.paint.real_photographs import MILDER, real_frame, real_picture, split_real
from train.photographs import product_of

WIDTH, HEIGHT = 320, 240
BOX = (40.0, 60.0, 100.0, 90.0)
RED, GREY = (220, 30, 30), (110, 120, 130)
NOTHING: dict[str, Any] = dict.fromkeys(MILDER, 0.0)
STILL = dataclasses.replace(SynthSettings(), **NOTHING)
"""Neither light nor lens nor sensor changes anything."""


def picture(path: Path, *boxes: tuple[float, ...], size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """A grey photograph with a red rectangle in each box."""
    image = Image.new("RGB", size, GREY)
    for x0, y0, x1, y1 in boxes:
        image.paste(RED, (round(x0), round(y0), round(x1), round(y1)))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def coco(folder: Path, label: str = "stamp", box: tuple[float, ...] = BOX, **extra: object) -> Path:
    """COCO labels of one photograph with one box and one without."""
    x0, y0, x1, y1 = box
    images = [
        {"id": 7, "file_name": "milk_1.png", "width": WIDTH, "height": HEIGHT},
        {"id": 9, "file_name": "tea_1.png"},
    ]
    annotation = {
        "id": 1,
        "image_id": 7,
        "category_id": 5,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        **extra,
    }
    content = {
        "images": images,
        "annotations": [annotation],
        "categories": [{"id": 5, "name": label}],
    }
    (folder / "labels.json").write_text(json.dumps(content))
    return folder / "labels.json"


def yolo(
    folder: Path, label: str = "stamp", box: tuple[float, ...] = BOX, names: str | None = None
) -> Path:
    """The same as YOLO text."""
    x0, y0, x1, y1 = (v / side for v, side in zip(box, (WIDTH, HEIGHT, WIDTH, HEIGHT), strict=True))
    (folder / "labels").mkdir()
    (folder / "labels" / "milk_1.txt").write_text(
        f"0 {(x0 + x1) / 2} {(y0 + y1) / 2} {x1 - x0} {y1 - y0}\n"
    )
    (folder / "labels" / "tea_1.txt").write_text("")
    (folder / "data.yaml").write_text(
        f"train: images\nnames: [{label}]\n" if names is None else names
    )
    return folder / "data.yaml"


def voc(
    folder: Path, label: str = "stamp", box: tuple[float, ...] = BOX, difficult: str = "0"
) -> Path:
    """The same as Pascal VOC, which counts from 1 and names the last pixel."""
    x0, y0, x1, y1 = box
    (folder / "xml").mkdir()
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
    corners = f"<xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
    flags = f"<name>{label}</name><difficult>{difficult}</difficult>"
    entry = f"<object>{flags}<bndbox>{corners}</bndbox></object>"
    begin = "<annotation><filename>milk_1.png</filename>"
    (folder / "xml" / "milk_1.xml").write_text(f"{begin}{size}{entry}</annotation>")
    (folder / "xml" / "tea_1.xml").write_text(f"<annotation>{size}</annotation>")
    return folder / "xml"


Layout = Callable[..., Path]
LAYOUTS = pytest.mark.parametrize("layout", [coco, yolo, voc])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two photographs: milk with a stamp, tea without."""
    picture(tmp_path / "images" / "milk_1.png", BOX)
    picture(tmp_path / "images" / "tea_1.png")
    return tmp_path


def complaint(labels: Path, images: Path, classes: tuple[str, ...] = ("stamp",)) -> str:
    """The error of reading, which must be one line that names a file."""
    with pytest.raises(InputError) as caught:
        read_real(labels, images, classes)
    text = str(caught.value)
    assert "\n" not in text
    assert str(labels.parent) in text
    return text


@LAYOUTS
def test_three_layouts_say_the_same(folder: Path, layout: Layout) -> None:
    """The box in half-open corners, the class's index, and the photograph without a stamp too."""
    milk, tea = read_real(layout(folder), folder / "images", ("other", "stamp"))
    (known,) = milk.boxes
    assert known.box.corners() == pytest.approx(BOX)
    assert (known.label, known.kind, known.ignore) == ("stamp", 1, False)
    assert (milk.path, milk.size) == (folder / "images" / "milk_1.png", (WIDTH, HEIGHT))
    assert (tea.path.name, tea.boxes) == ("tea_1.png", ())


@LAYOUTS
def test_one_class_on_each_side_is_the_same_class(folder: Path, layout: Layout) -> None:
    """No label of a single stamp needs renaming; with two classes a strange name is refused."""
    labels = layout(folder, label="badge")
    assert read_real(labels, folder / "images", ("stamp",))[0].boxes[0].label == "stamp"
    assert "'badge' is no" in complaint(labels, folder / "images", ("stamp", "seal"))


@LAYOUTS
def test_a_box_outside_its_picture_is_refused_and_a_rounding_is_clipped(
    folder: Path, layout: Layout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two pixels are a labelling program's rounding, thirty are another picture's label."""
    far = layout(folder, box=(300.0, 60.0, 350.0, 90.0))
    assert "must lie inside the picture of 320 x 240" in complaint(far, folder / "images")
    near = layout(tmp_path_factory.mktemp("near"), box=(300.0, 60.0, 321.5, 90.0))
    assert read_real(near, folder / "images", ("stamp",))[0].boxes[0].box.x1 == WIDTH


@LAYOUTS
def test_a_box_without_an_area_is_refused(folder: Path, layout: Layout) -> None:
    """A click where a drag was meant."""
    assert "must have width and height above 0" in complaint(
        layout(folder, box=(50.0, 60.0, 50.0, 60.0)), folder / "images"
    )


@LAYOUTS
def test_a_picture_that_is_not_there_is_named(folder: Path, layout: Layout) -> None:
    """And so is one that is there and is no picture."""
    labels = layout(folder)
    (folder / "images" / "milk_1.png").write_bytes(b"no picture")
    assert "milk_1.png: must be a whole picture file" in complaint(labels, folder / "images")
    (folder / "images" / "milk_1.png").unlink()
    assert "milk_1" in complaint(labels, folder / "images")


def test_what_is_marked_difficult_or_crowd_is_ignored(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """VOC says difficult, COCO iscrowd, our own sets ignore."""
    other = tmp_path_factory.mktemp("voc")
    for labels in (voc(other, difficult="1"), coco(folder, iscrowd=1)):
        assert read_real(labels, folder / "images", ("stamp",))[0].boxes[0].ignore
    assert read_real(coco(folder, ignore=True), folder / "images", ("stamp",))[0].boxes[0].ignore


@pytest.mark.parametrize(
    "names", ["names: {0: stamp, 1: seal}", "names:\n- stamp\n- seal\n", 'names: ["stamp", "seal"]']
)
def test_each_way_to_write_yolo_s_names_is_read(folder: Path, names: str) -> None:
    """Programs differ; so do hands."""
    labels = yolo(folder, names=names)
    assert read_real(labels, folder / "images", ("seal", "stamp"))[0].boxes[0].kind == 1


def test_yolo_s_labels_may_be_named_by_their_folder(folder: Path) -> None:
    """With classes.txt in it, as labelImg leaves it; the list is no label."""
    yolo(folder)
    (folder / "data.yaml").unlink()
    (folder / "labels" / "classes.txt").write_text("stamp\n")
    assert len(read_real(folder / "labels", folder / "images", ("stamp",))) == 2


def test_a_photograph_without_a_label_is_not_taken(folder: Path) -> None:
    """It may show anything: to call it one without a stamp would be a guess."""
    picture(folder / "images" / "soap_1.png", BOX)
    (folder / "labels.json").unlink(missing_ok=True)
    assert {p.path.name for p in read_real(yolo(folder), folder / "images", ("stamp",))} == {
        "milk_1.png",
        "tea_1.png",
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.5 0.5 0.1", "line 1: must hold 5 numbers"),
        ("0 a 0.5 0.1 0.1", "must hold numbers, not 'a 0.5 0.1 0.1'"),
        ("3 0.5 0.5 0.1 0.1", "class 3 must be 0 to 0"),
        ("-1 0.5 0.5 0.1 0.1", "class -1 must be 0 to 0"),
        ("0 nan 0.5 0.1 0.1", "must have width and height above 0"),
        ("0 40 60 100 90", "must be shares of the picture, 0 to 1, not pixels"),
        ("0 0.1 0.1 0.2 0.1 0.9", "must hold 5 numbers"),
        ("0 0.1 0.1 0.2 0.1 0.3 0.1", "must have width and height above 0"),
        ("0 inf 0.5 0.1 0.1", "must be shares of the picture"),
        ("00000000000 0.9 0.5 0.4 0.1", "must lie inside the picture of 320 x 240"),
    ],
)
def test_a_wrong_line_of_yolo_is_named(folder: Path, line: str, words: str) -> None:
    """With its file and number; the last one forgot to divide by the picture's size."""
    labels = yolo(folder)
    (folder / "labels" / "milk_1.txt").write_text(line + "\n")
    text = complaint(labels, folder / "images")
    assert words in text
    assert "milk_1.txt" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<annotation><object>", "cannot be read as XML"),
        ("<html></html>", "must hold a Pascal VOC annotation, not html"),
        (
            "<annotation><object><name>stamp</name></object></annotation>",
            "object 1: must have a name and a bndbox",
        ),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "without DOCTYPE or ENTITY"),
        (
            "<annotation><size><width>100</width><height>100</height></size></annotation>",
            "says 100 x 100 pixels",
        ),
        ("<annotation><size><width>wide</width></size></annotation>", "must hold numbers"),
    ],
)
def test_a_wrong_voc_file_is_named(folder: Path, content: str, words: str) -> None:
    """One of many is broken, and nobody wants to look through them all."""
    labels = voc(folder)
    (labels / "milk_1.xml").write_text(content)
    text = complaint(labels, folder / "images")
    assert words in text
    assert "milk_1.xml" in text


@pytest.mark.parametrize(
    "content", ["names: 3", "names: {1: a, 2: b}", "names: []", "[", "train: images"]
)
def test_wrong_class_names_are_refused(folder: Path, content: str) -> None:
    """A guess would give a box to another class."""
    assert "data.yaml" in complaint(yolo(folder, names=content), folder / "images")


def test_what_is_no_label_at_all_is_refused(folder: Path) -> None:
    """A folder without labels, a file of another kind, nothing."""
    (folder / "notes.doc").write_text("see the pictures")
    (folder / "empty").mkdir()
    assert "no such file or folder" in complaint(folder / "none.json", folder / "images")
    assert "must be a COCO .json" in complaint(folder / "notes.doc", folder / "images")
    assert "needs its class names" in complaint(folder / "empty", folder / "images")
    (folder / "empty" / "classes.txt").write_text("stamp")
    assert "labels no photograph" in complaint(folder / "empty", folder / "images")
    assert "--real-images" in complaint(coco(folder), folder / "elsewhere")


def test_two_pictures_of_one_name_are_refused(folder: Path) -> None:
    """YOLO text does not say which of them it means."""
    picture(folder / "images" / "milk_1.jpg")
    assert "one picture named milk_1" in complaint(yolo(folder), folder / "images")


def test_a_picture_labelled_twice_is_refused(folder: Path) -> None:
    """Two labels that disagree would both be taught."""
    labels = voc(folder)
    (labels / "again").mkdir()
    (labels / "again" / "milk_1.xml").write_text((labels / "milk_1.xml").read_text())
    assert "milk_1.png is labelled twice" in complaint(labels, folder / "images")


def test_a_photograph_lying_on_its_side_has_its_upright_size(folder: Path) -> None:
    """A phone stores it lying, with a note; labels are of the picture as it is seen."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(folder / "images" / "tea_1.png") as lying:
        lying.save(folder / "images" / "milk_1.png", exif=exif)
    assert "says 320 x 240 pixels, but the picture has 240 x 320 when upright" in complaint(
        coco(folder), folder / "images"
    )


def test_no_product_is_on_both_sides_of_the_split(tmp_path: Path) -> None:
    """Three photographs each of four products: one product is held out, whole."""
    paths = [
        tmp_path / f"{name}_{i}.png" for name in ("milk", "tea", "soap", "leek") for i in range(3)
    ]
    labelled = [Labelled(path, (WIDTH, HEIGHT), ()) for path in paths]
    training, held_out = split_real(labelled, tmp_path, 0.2)
    assert {p.path for p in (*training, *held_out)} == set(paths)
    sides = [{product_of(p.path, tmp_path) for p in side} for side in (training, held_out)]
    assert (len(sides[0]), len(sides[1]), sides[0] & sides[1]) == (3, 1, set())


def labelled(path: Path, *boxes: tuple[float, ...], ignore: bool = False) -> Labelled:
    """A painted photograph with its labels."""
    picture(path, *boxes)
    return Labelled(
        path, (WIDTH, HEIGHT), tuple(RealBox("stamp", 0, Box(*box), ignore) for box in boxes)
    )


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("window", [96, 160])
def test_boxes_follow_what_they_hold(tmp_path: Path, window: int, seed: int) -> None:
    """However the picture is cut and scaled, the red rectangle fills its box, to a pixel."""
    photograph = labelled(tmp_path / "a.png", (40, 60, 120, 110), (220, 130, 290, 200))
    made = real_picture(np.random.default_rng(seed), photograph, window, 160, STILL)
    assert made.pixels.shape == (window, window, 3)
    red = made.pixels[..., 0].astype(int) - made.pixels[..., 1] > 95
    expected = np.zeros_like(red)
    for box in [box for _, box in made.marks] + list(made.ignored):
        assert box.clipped(window, window) == box
        expected[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = True
    wrong = red != expected
    # One pixel of the rim may be shared by red and grey, all else must agree.
    assert not (
        wrong[1:-1, 1:-1] & wrong[:-2, 1:-1] & wrong[2:, 1:-1] & wrong[1:-1, :-2] & wrong[1:-1, 2:]
    ).any()
    assert wrong.mean() < 0.03


def test_a_real_picture_is_a_function_of_its_seed(tmp_path: Path) -> None:
    """As painted ones are, so that a run can be resumed; another seed gives another picture."""
    photograph = labelled(tmp_path / "a.png", BOX)
    first, same, other = (
        real_picture(np.random.default_rng(seed), photograph, 96, 160, SynthSettings())
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first.pixels, same.pixels)
    assert (first.marks, first.ignored) == (same.marks, same.ignored)
    assert not np.array_equal(first.pixels, other.pixels)


def test_a_stamp_is_about_as_large_as_the_box_will_see_it(tmp_path: Path) -> None:
    """60 of 320 camera pixels are 30 in a network of 160: from 0.7 to 1.4 times that, no more."""
    photograph = labelled(tmp_path / "a.png", BOX)
    rng = np.random.default_rng(0)
    uncut = dataclasses.replace(STILL, visible_min=0.999)
    made = [real_picture(rng, photograph, 96, 160, uncut) for _ in range(80)]
    widths = [box.width for picture in made for _, box in picture.marks]
    assert 30 * 0.7 - 1 <= min(widths) < 26
    assert 36 < max(widths) <= 30 * 1.4 + 1


def test_most_windows_show_a_stamp_and_some_none(tmp_path: Path) -> None:
    """A part chosen blindly would rarely hold it; a part always aimed shows nothing else."""
    photograph = labelled(tmp_path / "a.png", BOX)
    rng = np.random.default_rng(3)
    shown = [bool(real_picture(rng, photograph, 96, 160, STILL).marks) for _ in range(60)]
    assert 0.5 < np.mean(shown) < 1.0


def test_what_is_ignored_or_too_small_does_not_count(tmp_path: Path) -> None:
    """It is said where it lies, so that it is neither rewarded nor punished."""
    for photograph in (
        labelled(tmp_path / "a.png", BOX, ignore=True),
        labelled(tmp_path / "b.png", (40, 60, 52, 66)),
    ):
        made = real_picture(np.random.default_rng(0), photograph, 160, 160, STILL)
        assert made.marks == ()
        assert len(made.ignored) == 1


def test_a_stamp_cut_by_the_edge_of_the_part_is_ignored(tmp_path: Path) -> None:
    """Less than the visible share asked for; none of it seen is none said."""
    photograph = labelled(tmp_path / "a.png", (0, 0, 200, 240))
    rng = np.random.default_rng(0)
    strict = SynthSettings(visible_min=0.9)
    made = [real_picture(rng, photograph, 64, 160, strict) for _ in range(20)]
    assert all(picture.marks == () for picture in made)
    assert any(picture.ignored for picture in made)


def test_a_whole_real_frame_is_the_photograph_unchanged(tmp_path: Path) -> None:
    """To be judged on, it is shown as the box will see it: letterboxed, and nothing else."""
    frame = real_frame(labelled(tmp_path / "a.png", BOX), 160, SynthSettings())
    assert frame.marks == ((0, Box(20, 50, 50, 65)),)  # half as large, 20 pixels of grey above
    assert (frame.pixels[51:64, 21:49] == RED).all()
    assert (frame.pixels[80:140] == GREY).all()


def test_real_photographs_take_the_place_of_painted_pictures_by_chance(tmp_path: Path) -> None:
    """At the share asked for, the same for the same batch; the others stay as they were."""
    settings = dataclasses.replace(SMALL, batch=8, real_share=0.5, held_out_share=0.4)
    config = config_in(tmp_path, settings)
    for number in range(5):
        picture(tmp_path / "images" / f"milk{number}_1.png", (40, 60, 160, 140))
    images = [{"id": n, "file_name": f"milk{n}_1.png"} for n in range(5)]
    boxes = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [40, 60, 120, 80]} for n in range(5)
    ]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "disc"}]}
    (tmp_path / "labels.json").write_text(json.dumps(content))
    real = (str(tmp_path / "labels.json"), str(tmp_path / "images"))
    inputs = read_inputs(dataclasses.replace(config, real=real))
    assert (len(inputs.real), len(inputs.real_held_out)) == (3, 2)
    painted = [
        p.pixels.tobytes()
        for n in range(6)
        for p in paint_batch(read_inputs(config).kit(), settings, n)
    ]
    mixed = [p.pixels.tobytes() for n in range(6) for p in paint_batch(inputs.kit(), settings, n)]
    again = [p.pixels.tobytes() for n in range(6) for p in paint_batch(inputs.kit(), settings, n)]
    assert mixed == again
    assert 12 < sum(a != b for a, b in zip(painted, mixed, strict=True)) < 36
    looks = paint_validation_set(inputs, 4)
    assert [
        bool(look.marks) and bool((look.pixels == RED).all(-1).any()) for look in looks[:2]
    ] == [True, True]


def test_real_photographs_are_read_as_they_are(shared_data: Path) -> None:
    """The badge's labels, read as anybody's: all boxes inside, the ignored ones known."""
    found = read_real(
        shared_data / "arla" / "labels.json", shared_data / "arla" / "images", ("mark",)
    )
    assert len(found) == 130
    assert sum(not known.ignore for photograph in found for known in photograph.boxes) == 177
