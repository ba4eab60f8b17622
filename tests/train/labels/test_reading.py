"""Labels of other programs, read by the one reader of training and evaluation.

What is ambiguous or impossible is refused by name; what is right is taken, whatever its layout.
"""

import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image

from edge.errors import InputError
from train.labels.ground_truth import Labelled
from train.labels.reading import read_ground_truth, read_real

WIDTH, HEIGHT = 320, 240
BOX = (40.0, 60.0, 100.0, 90.0)
SHARES = "0 0.21875 0.3125 0.1875 0.125"
"""The same as a line of YOLO."""


def picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT), orientation: int = 1) -> Path:
    """Save a plain photograph, stored in some orientation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size, (110, 120, 130)).save(path, exif=exif)
    return path


def save(path: Path, content: str | bytes) -> Path:
    """Write a file in a folder that need not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def coco(path: Path, *names: str, **changes: Any) -> Path:
    """Write COCO labels of pictures with a box each; *changes*: fields of the first of each."""
    images = [
        {"id": n, "file_name": name, "width": WIDTH, "height": HEIGHT}
        for n, name in enumerate(names or ("a.png",), start=1)
    ]
    box = [BOX[0], BOX[1], BOX[2] - BOX[0], BOX[3] - BOX[1]]
    boxes = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": box} for n in range(1, 1 + len(images))
    ]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "stamp"}]}
    for key, fields in changes.items():
        content[key][0].update(fields)
    return save(path, json.dumps(content))


def voc(name: str = "a.png", box: tuple[float, ...] = (41, 61, 100, 90), **more: str) -> str:
    """Return a Pascal VOC annotation of one box."""
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    bounds = "".join(f"<{corner}>{side}</{corner}>" for corner, side in corners)
    size = more.get("size", f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>")
    entry = f"<object><name>stamp</name>{more.get('extra', '')}<bndbox>{bounds}</bndbox></object>"
    return f"<annotation><filename>{name}</filename>{size}{entry}</annotation>"


def read(labels: Path, images: Path, classes: tuple[str, ...] = ("stamp",)) -> tuple[Labelled, ...]:
    """Read to train on, and see that an evaluation reads the same."""
    found = read_real(labels, images, classes)
    judged, _ = read_ground_truth(labels, images, classes)
    assert [judged.images[number] for number in judged.images] == [one.path for one in found]
    assert [label.box for label in judged.labels] == [box.box for one in found for box in one.boxes]
    return found


def refusal(labels: Path, images: Path, classes: tuple[str, ...] = ("stamp",)) -> str:
    """Return the one line that training and evaluation refuse the labels with."""
    said = []
    for reader in (read_real, read_ground_truth):
        with pytest.raises(InputError) as caught:
            reader(labels, images, classes)
        said.append(str(caught.value).replace("--coco", "--real"))
    assert said[0] == said[1]
    assert "\n" not in said[0]
    return said[0]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with two photographs."""
    picture(tmp_path / "images" / "a.png")
    return picture(tmp_path / "images" / "b.png").parent


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": {"id": 2}}, "image id 2 stands twice ('a.png' and 'b.png')"),
        ({"annotations": {"id": 2}}, "annotation id 2 stands twice"),
        ({"images": {"file_name": "b.png"}}, "b.png is labelled twice"),
        ({"images": {"file_name": "./b.png"}}, "b.png is labelled twice"),
        ({"images": {"file_name": "/data/a.png"}}, "neither absolute nor with .."),
        ({"images": {"file_name": "C:\\data\\a.png"}}, "neither absolute nor with .."),
        ({"images": {"file_name": "..\\..\\media\\a.png"}}, "neither absolute nor with .."),
        ({"images": {"file_name": "https://host/a.png"}}, "neither absolute nor with .."),
        ({"images": {"file_name": "c.png"}}, "names c.png, which is no picture"),
        ({"images": {"file_name": ""}}, "must name a picture"),
        ({"images": {"file_name": 7}}, "must have a file_name"),
        ({"images": {"width": 160, "height": 120}}, "says 160 x 120 pixels, but the picture has"),
        ({"images": {"width": 320.5}}, "width and height must be whole numbers"),
        ({"images": {"width": "wide"}}, "width and height must be whole numbers"),
        ({"annotations": {"bbox": [0.125, 0.25, 0.1875, 0.125]}}, "in shares of the picture"),
        ({"annotations": {"bbox": [0.125, 0.25, 0.1875, 0.125], "area": 1800}}, "in shares of the"),
        ({"annotations": {"bbox": [40, 60, 100, 90], "area": 1800}}, "area 1800 only as corners"),
        ({"annotations": {"bbox": [240, 60, 300, 90]}}, "if its numbers were corners"),
        ({"annotations": {"bbox": [float("nan"), 60, 60, 30]}}, "width and height above 0"),
        ({"annotations": {"bbox": [40, 60, float("inf"), 30]}}, "width and height above 0"),
        ({"annotations": {"bbox": [40, 60, 0, 30]}}, "width and height above 0"),
        ({"annotations": {"bbox": [40, 60, -60, 30]}}, "width and height above 0"),
        ({"annotations": {"bbox": [40, 60, 60]}}, "must be x, y, width and height"),
        ({"annotations": {"bbox": [40, 60, 60, True]}}, "must hold numbers"),
        ({"annotations": {"bbox": [40, 60, 60, 10**400]}}, "too large"),
        ({"annotations": {"bbox": None}}, "must be x, y, width and height"),
        ({"annotations": {"iscrowd": "no"}}, "iscrowd must be 0 or 1"),
        ({"annotations": {"image_id": 9}}, "belongs to image 9, which is not listed"),
        ({"annotations": {"category_id": 9}}, "is of category 9, which is not listed"),
        (
            {"annotations": {"segmentation": [[200, 100, 260, 100, 260, 130, 200, 130]]}},
            "its segmentation [200 100 260 130] are not of one place",
        ),
        (
            {"annotations": {"segmentation": {"size": [240, 320], "counts": [5, 5]}}},
            "the runs of a mask must fill 320 x 240",
        ),
    ],
)
def test_what_coco_cannot_mean_is_refused_by_name(
    tmp_path: Path, images: Path, changes: dict[str, Any], words: str
) -> None:
    """In training and in evaluation by the same line, which names the file."""
    labels = coco(tmp_path / "labels.json", "a.png", "b.png", **changes)
    said = refusal(labels, images)
    assert words in said
    assert str(labels) in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"images": [], "images": []}', "the key 'images' stands twice"),
        (
            '{"images": [1], "annotations": [], "categories": []}',
            "images must be a list of objects",
        ),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": ""}]}',
            "must have a name",
        ),
        ('{"images": [{"id": [1]}], "annotations": [], "categories": []}', "must be an id"),
        (
            json.dumps(
                {
                    "images": [],
                    "annotations": [],
                    "categories": [{"id": 1, "name": "stamp"}, {"id": 1, "name": "dent"}],
                }
            ),
            "category id 1 stands twice ('stamp' and 'dent')",
        ),
        ('{"id": ' + "9" * 5000 + "}", "cannot be read as JSON"),
    ],
)
def test_what_is_no_coco_is_refused_in_a_moment(
    tmp_path: Path, images: Path, content: str, words: str
) -> None:
    """Deep or doubled, or not in the layout at all."""
    assert words in refusal(save(tmp_path / "labels.json", content), images)


def test_a_group_of_categories_that_nobody_uses_is_passed_over(
    tmp_path: Path, images: Path
) -> None:
    """Roboflow puts one before the others; one that is used, or groups nothing, is a class."""
    content = json.loads(coco(tmp_path / "labels.json").read_text())
    group = {"id": 0, "name": "stamps", "supercategory": "none"}
    content["categories"] = [group, {"id": 1, "name": "seal", "supercategory": "stamps"}]
    labels = save(tmp_path / "labels.json", json.dumps(content))
    assert read(labels, images)[0].boxes[0].label == "stamp"
    content["categories"][1]["supercategory"] = "none"
    labels = save(tmp_path / "labels.json", json.dumps(content))
    assert "is no class of the model" in refusal(labels, images)
    content["categories"] = [{"id": 1, "name": "seal", "supercategory": "seal"}, group]
    assert "is no class" in refusal(save(tmp_path / "labels.json", json.dumps(content)), images)


RUNS = {"size": [240, 320], "counts": [40 * 240 + 60, *([30, 210] * 59), 30, 220 * 240 + 150]}
"""The box as a mask: 60 columns of 30 pixels."""


@pytest.mark.parametrize(
    "fields",
    [
        {"bbox": [], "segmentation": [[40, 60, 100, 60, 100, 90, 40, 90]]},
        {"bbox": [], "segmentation": [[40, 60, 70, 90, 50, 70], [100, 60, 80, 90, 90, 80], []]},
        {"bbox": [], "segmentation": RUNS},
        {"bbox": [40, 60, 60, 30], "segmentation": RUNS, "area": 1800},
        {"bbox": ["40", "60", 60.0, 3e1], "segmentation": [[]], "area": 1800.0},
        {"id": "a1", "category_id": 1.0, "image_id": "1", "iscrowd": None},
    ],
)
def test_each_way_to_write_a_box_of_coco_is_the_same_box(
    tmp_path: Path, images: Path, fields: dict[str, Any]
) -> None:
    """Polygons and masks have their box, numbers may be texts, ids too."""
    (known,) = read(coco(tmp_path / "labels.json", annotations=fields), images)
    assert known.boxes[0].box.corners() == BOX


def test_a_mask_in_coco_s_compressed_form_has_its_box(tmp_path: Path, images: Path) -> None:
    """Six bits a character, from the third run on as the difference to the last but one."""
    written, runs = "", RUNS["counts"]
    for number, run in enumerate(runs):
        left = run - runs[number - 2] if number > 2 else run
        more = True
        while more:
            bits, left = left & 31, left >> 5
            more = left != (-1 if bits & 16 else 0)
            written += chr(48 + (bits | 32 * more))
    fields = {"bbox": [], "segmentation": {"size": [240, 320], "counts": written}}
    (known,) = read(coco(tmp_path / "labels.json", annotations=fields), images)
    assert known.boxes[0].box.corners() == BOX


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_labels_with_a_byte_order_mark_are_read(
    tmp_path: Path, images: Path, kind: str, encoding: str
) -> None:
    """As Windows editors save them; XML declares its encoding, or not."""
    if kind == "coco":
        labels = coco(tmp_path / "labels.json")
        labels.write_bytes(labels.read_text().encode(encoding))
    elif kind == "yolo":
        labels = save(tmp_path / "data.yaml", "names: [stamp]\n".encode(encoding))
        save(tmp_path / "labels" / "a.txt", f"{SHARES}\r\n".encode(encoding))
    else:
        head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
        labels = save(tmp_path / "xml" / "a.xml", (head + voc()).encode(encoding)).parent
    assert read(labels, images)[0].boxes[0].box.corners() == pytest.approx(BOX)


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "GBK", "Shift_JIS", "Big5"])
def test_xml_is_read_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str) -> None:
    """The picture's name is not in ASCII; expat by itself knows four encodings."""
    name = "Prüfung" if encoding[0] in "iw" else "印"
    picture(tmp_path / "images" / f"{name}.png")
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + voc(f"{name}.png")
    save(tmp_path / "xml" / f"{name}.xml", text.encode(encoding))
    assert read(tmp_path / "xml", tmp_path / "images")[0].path.stem == name


@pytest.mark.parametrize("encoding", ["rot13", "punycode", "klingon", "idna"])
def test_xml_in_no_encoding_of_text_is_refused(tmp_path: Path, images: Path, encoding: str) -> None:
    """Python has codecs of which some are no text, and some slow."""
    save(tmp_path / "xml" / "a.xml", f'<?xml version="1.0" encoding="{encoding}"?>{voc()}')
    assert f"declares the encoding {encoding}" in refusal(tmp_path / "xml", images)


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_umlaut_is_the_same_however_it_is_composed(
    tmp_path: Path, kind: str, form: Literal["NFC", "NFD"]
) -> None:
    """File systems of macOS take it apart; the class has one too."""
    other: Literal["NFC", "NFD"] = "NFD" if form == "NFC" else "NFC"
    stem, stamp = (unicodedata.normalize(form, text) for text in ("Prüfung", "Güte"))
    picture(tmp_path / "images" / f"{unicodedata.normalize(other, 'Prüfung')}.png")
    if kind == "coco":
        labels = coco(tmp_path / "l.json", f"{stem}.png", categories={"name": stamp})
    elif kind == "yolo":
        labels = save(tmp_path / "data.yaml", f"names: [{stamp}, other]")
        save(tmp_path / "labels" / f"{stem}.txt", SHARES)
    else:
        text = voc(f"{stem}.png").replace("stamp", stamp)
        labels = save(tmp_path / "xml" / f"{stem}.xml", text).parent
    classes = (unicodedata.normalize(other, "Güte"), "other")
    assert read(labels, tmp_path / "images", classes)[0].boxes[0].kind == 0


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("day 1\\a.png", "day 1/a.png"),
        ("images/a.png", "a.png"),
        ("images\\a.png", "a.png"),
        ("images/1/a.png", "a.png"),
        ("a.png", "day 1/a.png"),
        ("JPEGImages/a.png", "a.png"),
        ("a\\b.png", "a\\b.png"),
        ("a: b.png", "a: b.png"),
    ],
)
def test_a_name_in_labels_is_found_where_programs_put_the_picture(
    tmp_path: Path, name: str, file: str
) -> None:
    """Label Studio names it from the folder above, with backslashes on Windows."""
    path = picture(tmp_path / "set" / "images" / file)
    labels = coco(tmp_path / "set" / "labels.json", name)
    assert [one.path for one in read(labels, tmp_path / "set" / "images")] == [path]


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_one_name_in_two_folders_is_refused_unless_the_label_says_which(
    tmp_path: Path, kind: str
) -> None:
    """The label of one of them would be taught on the other."""
    for folder in ("day1", "day2"):
        picture(tmp_path / "images" / folder / "a.png")
    write: dict[str, Callable[[str], Path]] = {
        "coco": lambda folder: coco(tmp_path / "labels.json", f"{folder}a.png"),
        "yolo": lambda folder: save(tmp_path / "labels" / f"{folder}a.txt", SHARES).parent,
        "voc": lambda folder: save(tmp_path / "labels" / f"{folder}a.xml", voc()).parent,
    }
    save(tmp_path / "classes.txt", "stamp")
    labels = write[kind]("")
    assert "2 pictures (day1/a.png and day2/a.png)" in refusal(labels, tmp_path / "images")
    if kind != "coco":
        (labels / f"a.{'txt' if kind == 'yolo' else 'xml'}").unlink()
    write[kind]("day2/")
    assert read(labels, tmp_path / "images")[0].path.parent.name == "day2"


@pytest.mark.parametrize("stale", ["b.png", "gone.png", "day1/b.png"])
def test_a_stale_name_in_voc_is_refused(tmp_path: Path, images: Path, stale: str) -> None:
    """Renamed files keep the old name inside, be it that of another picture or of none."""
    labels = save(tmp_path / "xml" / "a.xml", voc(stale)).parent
    said = refusal(labels, images)
    assert f"says that it is of {stale}, but is called a.xml" in said


@pytest.mark.parametrize("name", ["a.png", "a", "", "a.jpg"])
def test_a_name_in_voc_may_lack_its_ending_or_have_the_old_one(
    tmp_path: Path, images: Path, name: str
) -> None:
    """Label Studio wrote it without; pictures are converted."""
    labels = save(tmp_path / "xml" / "a.xml", voc(name)).parent
    assert [one.path.name for one in read(labels, images)] == ["a.png"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (voc("/data/a.png"), "neither absolute nor with .."),
        (voc("..\\a.png"), "neither absolute nor with .."),
        (voc(box=(0.1, 0.2, 0.3, 0.4)), "in shares of the picture"),
        (voc(box=(40, 60, 40, 90)), "width and height above 0"),
        (voc(box=(100, 60, 40, 90)), "width and height above 0"),
        (voc(box=(float("nan"), 60, 40, 90)), "width and height above 0"),
        (voc(box=(1, 1, float("inf"), 90)), "width and height above 0"),
        (voc(extra="<difficult>perhaps</difficult>"), "difficult must be 0 or 1"),
        (voc(size="<size><width>nan</width><height>3</height></size>"), "must be whole numbers"),
        (voc(size="<size><width>inf</width><height>3</height></size>"), "must be whole numbers"),
        (voc(size="<size><width>100</width><height>75</height></size>"), "says 100 x 75 pixels"),
        ("<annotations><image/></annotations>", "must hold a Pascal VOC annotation"),
        ("<a>" * 200_000, "cannot be read as XML"),
        ("<a>" * 700_000, "must have at most 2000 kB"),
    ],
)
def test_what_voc_cannot_mean_is_refused_by_name(
    tmp_path: Path, images: Path, content: str, words: str
) -> None:
    """In training and in evaluation by the same line, which names the file."""
    path = save(tmp_path / "xml" / "a.xml", content)
    said = refusal(path.parent, images)
    assert words in said
    assert str(path) in said


def test_voc_may_have_broken_numbers_and_sizes_in_words(tmp_path: Path, images: Path) -> None:
    """CVAT writes tenths of pixels, others a size with a point, or none."""
    sizes = f"<size><width>{WIDTH}.0</width><height>{HEIGHT}.00</height></size>"
    for size in (sizes, "<size/>", "", "<size><width>0</width><height>0</height></size>"):
        content = voc(box=(41.2, 61.0, 100.4, 90.0), size=size, extra="<difficult>1</difficult>")
        path = save(tmp_path / "xml" / "a.XML", content)
        (box,) = read(path.parent, images)[0].boxes
        assert box.box.corners() == pytest.approx((40.2, 60, 100.4, 90))
        assert box.ignore


def roboflow(folder: Path) -> tuple[Path, ...]:
    """Three splits, each with its pictures and labels, and texts beside them."""
    for part, name in (("train", "a"), ("valid", "b"), ("test", "c")):
        picture(folder / part / "images" / f"{name}_png.rf.0a1b2c3d4e5f6071.jpg")
        save(folder / part / "labels" / f"{name}_png.rf.0a1b2c3d4e5f6071.txt", SHARES)
    for text in ("README.roboflow.txt", "README.dataset.txt"):
        save(folder / text, "stamps > 2026-11-30\nProvided by a Roboflow user\n")
    places = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
    save(folder / "data.yaml", f"{places}\nnc: 1\nnames: ['stamp']\n")
    return folder / "data.yaml", folder, folder / "data.yaml", folder / "train" / "images"


def ultralytics(folder: Path) -> tuple[Path, ...]:
    """Pictures and labels by split, in two trees, and the names by number."""
    for part, name in (("train", "a"), ("val", "b"), ("val", "c")):
        picture(folder / "images" / part / f"{name}.jpg")
        save(folder / "labels" / part / f"{name}.txt", SHARES)
    save(folder / "train.txt", "./images/train/a.jpg\n")
    text = "path: ../datasets/stamps\ntrain: images/train\nval: images/val\nnames:\n  0: stamp\n"
    save(folder / "stamps.yaml", text)
    return (
        folder / "stamps.yaml",
        folder / "images",
        folder / "stamps.yaml",
        folder / "images/train",
    )


def cvat(folder: Path) -> tuple[Path, ...]:
    """obj.names, and labels beside the pictures."""
    for name in "abc":
        picture(folder / "obj_train_data" / f"{name}.jpg")
        save(folder / "obj_train_data" / f"{name}.txt", SHARES + "\n")
    save(folder / "obj.names", "stamp\n")
    save(folder / "obj.data", "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\n")
    save(folder / "train.txt", "data/obj_train_data/a.jpg\n")
    return folder, folder, folder / "obj.data", folder / "obj_train_data"


def label_studio(folder: Path) -> tuple[Path, ...]:
    """classes.txt and notes beside two folders."""
    for name in "abc":
        picture(folder / "images" / f"5d6e7f80-{name}.jpg")
        save(folder / "labels" / f"5d6e7f80-{name}.txt", SHARES)
    save(folder / "classes.txt", "stamp\n")
    save(folder / "notes.json", '{"categories": [{"id": 0, "name": "stamp"}], "info": {}}')
    return folder, folder / "images", folder / "labels", folder / "images"


def labelimg(folder: Path) -> tuple[Path, ...]:
    """classes.txt among the labels, those beside the pictures, and a data.yaml by hand."""
    for name in "abc":
        picture(folder / "images" / f"{name}.jpg")
        save(folder / "labels" / f"{name}.TXT", SHARES)
        save(folder / "labels" / f"._{name}.txt", b"\0\5\x16\7AppleDouble")
    save(folder / "labels" / "classes.txt", "stamp\n")
    save(folder / "data.yaml", "names: [stamp]\n")
    return folder / "data.yaml", folder / "images", folder / "labels", folder / "images"


@pytest.mark.parametrize("layout", [roboflow, ultralytics, cvat, label_studio, labelimg])
def test_yolo_is_read_as_programs_export_it(
    tmp_path: Path, layout: Callable[[Path], tuple[Path, ...]]
) -> None:
    """The whole data set, or one part of it, by its labels and its pictures."""
    labels, images, other_labels, part = layout(tmp_path / "set")
    whole = read(labels, images)
    assert len(whole) == 3
    some = read(other_labels, part)
    assert {one.path.name for one in some} <= {one.path.name for one in whole}
    assert len(some) == (1 if layout in (roboflow, ultralytics) else 3)
    for one in (*whole, *some):
        assert one.boxes[0].box.corners() == pytest.approx(BOX)


@pytest.mark.parametrize(
    "line",
    [
        "0 0.125 0.25 0.3125 0.25 0.3125 0.375 0.125 0.375",
        "0 0.125 0.25 0.3125 0.30 0.25 0.375",
        "0.0 0.21875 0.3125 0.1875 0.125",
        f"{SHARES} 17",
        f"{SHARES}\n{SHARES}",
    ],
)
def test_each_line_of_yolo_that_means_a_box_is_that_box(
    tmp_path: Path, images: Path, line: str
) -> None:
    """Polygons, oriented boxes, a class with a point, the number of a track, a line twice."""
    save(tmp_path / "data.yaml", "names: [stamp]")
    save(tmp_path / "labels" / "a.txt", line)
    (known,) = read(tmp_path / "data.yaml", images)
    assert [box.box.corners() for box in known.boxes] == [pytest.approx(BOX)]


def test_a_line_with_key_points_has_its_box_before_them(tmp_path: Path, images: Path) -> None:
    """data.yaml says so; the same numbers without it are a polygon."""
    save(tmp_path / "data.yaml", "names: [stamp]\nkpt_shape: [2, 3]\n")
    save(tmp_path / "labels" / "a.txt", f"{SHARES} 0.1 0.1 2 0.9 0.9 1")
    assert read(tmp_path / "data.yaml", images)[0].boxes[0].box.corners() == pytest.approx(BOX)


def bomb() -> str:
    """Return a YAML of 1 kB whose names are a billion when they are written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join([*lines, "names: *a8"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bomb(), "it has an alias"),
        ("names: " + "[" * 50_000, "nested too deeply"),
        ("names: " + "{a: " * 40_000, "nested too deeply"),
        ("- " * 50_000, "cannot be read as YAML"),
        ("names: {0: stamp, 0: seal}", "the key '0' stands twice"),
        ("names: [stamp]\nnc: 2", "says nc: '2', but names 1 classes"),
        ("names: [stamp]\n" + "# \n" * 100_000, "must have at most 200 kB"),
        ("names: !!python/object/apply:os.system [ls]", "which"),
    ],
)
def test_hostile_class_names_are_refused_in_a_moment(
    tmp_path: Path, images: Path, text: str, words: str
) -> None:
    """Aliases that stand for a billion names, brackets in brackets."""
    save(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.1 0.1")
    said = refusal(save(tmp_path / "data.yaml", text), images, ("ls", "seal"))
    if words != "which":  # a tag means nothing here: the names are the text that stands there
        assert words in said
    else:
        assert "class 1 must be 0 to 0" in said


def test_a_name_of_a_class_is_the_text_that_stands_there(tmp_path: Path, images: Path) -> None:
    """YAML by itself makes a yes of it, or a number."""
    save(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.1 0.1")
    labels = save(tmp_path / "data.yaml", "names: [no, 1e3, 007]\nnc: 3\n")
    assert read(labels, images, ("no", "1e3", "007"))[0].boxes[0].label == "1e3"


def test_two_files_of_class_names_that_disagree_are_refused(tmp_path: Path, images: Path) -> None:
    """A program (labelImg) writes its own list beside the labels, of other classes."""
    save(tmp_path / "labels" / "a.txt", SHARES)
    save(tmp_path / "labels" / "classes.txt", "dog\nstamp\n")
    save(tmp_path / "labels" / "data.yaml", "names: [stamp, dog]")
    assert "names other classes than data.yaml" in refusal(tmp_path / "labels", images)


def test_a_folder_with_labels_of_two_kinds_is_refused(tmp_path: Path, images: Path) -> None:
    """One of them is the older one, and half of the pictures would be missing."""
    save(tmp_path / "both" / "a.xml", voc())
    save(tmp_path / "both" / "b.txt", SHARES)
    save(tmp_path / "both" / "classes.txt", "stamp")
    assert "holds Pascal VOC (a.xml) and YOLO text (b.txt)" in refusal(tmp_path / "both", images)


def test_coco_is_found_in_its_folder(tmp_path: Path) -> None:
    """Roboflow puts it beside the pictures; two are ambiguous."""
    folder = picture(tmp_path / "train" / "a.png").parent
    coco(folder / "_annotations.coco.json")
    assert len(read(folder, folder)) == 1
    coco(folder / "old.json")
    assert "holds 2 .json files" in refusal(folder, folder)


def test_a_photograph_that_is_cut_off_is_found_before_the_training(
    tmp_path: Path, images: Path
) -> None:
    """Its header is whole, so that it would fail in the midst of a run; an evaluation goes on."""
    Image.effect_noise((WIDTH, HEIGHT), 90).save(images / "c.jpg")
    whole = (images / "c.jpg").read_bytes()
    (images / "c.jpg").write_bytes(whole[: len(whole) // 2])
    labels = coco(tmp_path / "labels.json", "a.png", "c.jpg")
    with pytest.raises(InputError, match=r"c\.jpg: must be a whole picture"):
        read_real(labels, images, ("stamp",))
    assert len(read_ground_truth(labels, images, ("stamp",))[0].images) == 2


def test_a_picture_that_is_none_is_left_out_of_an_evaluation(tmp_path: Path, images: Path) -> None:
    """And named; a training is refused."""
    save(images / "b.png", "no picture")
    labels = coco(tmp_path / "labels.json", "a.png", "b.png")
    truth, found = read_ground_truth(labels, images, ("stamp",))
    assert [path.name for path in truth.images.values()] == ["a.png"]
    assert [path.name for path, _ in found.unread] == ["b.png"]
    with pytest.raises(InputError, match=r"b\.png: must be a whole picture"):
        read_real(labels, images, ("stamp",))


@pytest.mark.parametrize("orientation", [2, 3, 6])
@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_what_labels_of_a_turned_photograph_mean_is_said_or_refused(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    """Shares, or a size that is the same turned round, do not tell what the labels lie on."""
    picture(tmp_path / "images" / "a.jpg", (WIDTH, HEIGHT), orientation)
    if kind == "coco":
        labels = coco(tmp_path / "labels.json", "a.jpg")
    else:
        save(tmp_path / "labels" / "a.txt", SHARES)
        labels = save(tmp_path / "data.yaml", "names: [stamp]")
    said: list[str] = []
    if kind == "coco" and orientation == 6:
        assert "has 240 x 320 when upright" in refusal(labels, tmp_path / "images")
        return
    read_real(labels, tmp_path / "images", ("stamp",), said.append)
    assert len(said) == 1
    assert "1 labelled photographs (a.jpg) are stored turned" in said[0]


def test_pictures_without_a_label_are_counted(tmp_path: Path, images: Path) -> None:
    """They may show anything, and are not taken."""
    said: list[str] = []
    read_real(coco(tmp_path / "labels.json"), images, ("stamp",), said.append)
    (remark,) = said
    assert remark.startswith(f"{images}: 1 pictures (b.png) have no label and are not taken; ")


def test_boxes_that_might_be_corners_are_told(tmp_path: Path, images: Path) -> None:
    """Nothing in the file says which, where all of them would be both."""
    content = json.loads(coco(tmp_path / "labels.json").read_text())
    content["annotations"] = [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": [n, 20, 90, 70]} for n in range(6)
    ]
    labels, said = save(tmp_path / "labels.json", json.dumps(content)), list[str]()
    read_real(labels, images, ("stamp",), said.append)
    assert any("all 6 boxes would be corners as well" in remark for remark in said)
    content["annotations"][0]["area"] = 90 * 70
    said.clear()
    read_real(save(labels, json.dumps(content)), images, ("stamp",), said.append)
    assert not any("corners" in remark for remark in said)


def test_names_that_are_no_utf_8_are_read(tmp_path: Path) -> None:
    """A file from an old disk: Latin-1 in its name."""
    name = os.fsdecode(b"Pr\xfcfung")
    picture(tmp_path / "images" / f"{name}.png")
    save(tmp_path / "labels" / f"{name}.txt", SHARES)
    save(tmp_path / "data.yaml", "names: [stamp]")
    assert read(tmp_path / "data.yaml", tmp_path / "images")[0].path.stem == name
