import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.copies import near_duplicates, original_name, same_content
from train.photographs import product_of, split_by_product

COPIES = [
    "{}",
    "{}.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "{}_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "{}_png.rf.Zk3TqQ9xVb1LmN7p",
    "{} (1)",
    "{}(2)",
    "{} (3) (1)",
    "{} - Copy",
    "{} - Copy (2)",
    "{} copy",
    "{} copy 2",
    "{}_copy2",
    "{} Kopie",
    "{} - Kopie (4)",
    "{} copie",
    "{} - Copia",
    "{} - копия",
    "{} - コピー",
    "{} - 副本",
    "Copy of {}",
    "Kopie von {}",
    "Copy (2) of {}",
    "{}_BURST001",
    "{}_BURST002_COVER",
    "{}.BURST-03.COVER",
    "{}~2",
    "{}-edited",
    "{}_crop",
    "{}-1024x768",
    "{}@2x",
    "{}.jpg",
    "{}.jpeg - Copy",
]
"""What programs make of a name when they copy, export, crop or shoot it again."""


@pytest.mark.parametrize("form", COPIES)
@pytest.mark.parametrize("name", ["IMG_20260101_101010", "Milk-7", "Prüfung 12", "DSC0001"])
def test_a_copy_has_the_name_of_its_original(form: str, name: str) -> None:
    """Whatever language the file manager speaks."""
    assert original_name(form.format(name)) == original_name(name) == name


@pytest.mark.parametrize(
    "name", ["copy", "Copyright 7", "(1)", "7", "edit", "photocopy", "hardcover", "a.rf.b", "~1"]
)
def test_a_name_that_is_no_copy_s_stays(name: str) -> None:
    """A word within a word, or all that there is, is no mark of a copy."""
    assert original_name(name) == name


def test_shots_of_one_burst_have_one_name() -> None:
    """Android numbers them in front and repeats the time of the burst."""
    shots = [f"{n:05}IMG_{n:05}_BURST20260101101010123" for n in range(3)]
    shots.append(f"{shots[0]}_COVER")
    assert {original_name(shot) for shot in shots} == {"burst 20260101101010123"}


def photograph(path: Path, seed: int, **options: int) -> Path:
    """Draw a photograph of its own: a few rough patches."""
    rough = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(rough).resize((192, 160), Image.Resampling.BICUBIC)
    picture.resize((options.get("side", 192), 160)).save(path, quality=options.get("quality", 95))
    return path


@pytest.mark.parametrize("form", COPIES[1:])
def test_a_photograph_and_its_copy_are_never_on_both_sides(tmp_path: Path, form: str) -> None:
    """Of one product and of many; the copy may look otherwise, as an augmented one does."""
    for stem in ("IMG_{}", "product{}"):
        names = [stem.format(n) for n in range(1000, 1008)]
        paths = [tmp_path / stem / f"{name}.jpg" for name in names]
        paths += [tmp_path / stem / f"{form.format(name)}.jpg" for name in names]
        training, held_out = split_by_product(sorted(paths), tmp_path / stem, 0.3)
        assert sorted(training + held_out) == sorted(paths)
        sides = [{original_name(path.stem) for path in side} for side in (training, held_out)]
        assert not sides[0] & sides[1]
        assert all(sides)


def test_copies_under_other_names_are_told_by_what_they_show(tmp_path: Path) -> None:
    """The same bytes, and the same picture saved again or scaled."""
    paths = [photograph(tmp_path / f"{name}.jpg", seed) for seed, name in enumerate("abcdefgh")]
    twins = [photograph(tmp_path / "z" / f"{seed}x.jpg", seed) for seed in range(4)]
    again = [photograph(tmp_path / f"y{n}y.jpg", n, quality=40, side=230) for n in range(4, 8)]
    assert same_content([*paths, *twins]) == [
        list(pair) for pair in zip(paths, twins, strict=False)
    ]
    assert near_duplicates([*paths[4:], *again]) == [
        list(pair) for pair in zip(paths[4:], again, strict=True)
    ]
    copies = {
        path: number for group in (paths, [*twins, *again]) for number, path in enumerate(group)
    }
    for share in (0.1, 0.2, 0.5):
        training, held_out = split_by_product(list(copies), tmp_path, share)
        assert len(training) + len(held_out) == 16
        assert not {copies[path] for path in training} & {copies[path] for path in held_out}


def test_a_camera_that_does_not_move_makes_no_single_product(tmp_path: Path) -> None:
    """All its photographs are alike; the names tell them apart then."""
    paths = [photograph(tmp_path / f"{n}_1.jpg", 1, quality=95 - n) for n in range(20)]
    training, held_out = split_by_product(paths, tmp_path, 0.1)
    assert (len(training), len(held_out)) == (18, 2)


def test_a_large_product_is_not_held_out_where_a_small_one_will_do(tmp_path: Path) -> None:
    """Ninety of a hundred photographs held out would leave nothing to learn from."""
    paths = [tmp_path / "large" / f"{n}.jpg" for n in range(90)]
    paths += [tmp_path / name / f"{n}.jpg" for name in "abcde" for n in range(2)]
    for order in itertools.islice(itertools.permutations("abcde"), 6):
        renamed = [tmp_path / order["abcde".index(p.parent.name)] / p.name for p in paths[90:]]
        training, held_out = split_by_product([*paths[:90], *renamed], tmp_path, 0.05)
        assert len(training) >= 90
        assert held_out


def test_a_folder_of_a_data_set_s_layout_is_no_product(tmp_path: Path) -> None:
    """Roboflow puts augmented copies of one photograph into train and valid."""
    folder = tmp_path / "set"
    for part in ("train", "valid"):
        assert product_of(folder / part / "images" / "Milk_7_jpg.rf.0a1b2c3d.jpg", folder) == "Milk"
    assert product_of(folder / "train" / "Tea" / "7.jpg", folder) == "Tea"
