from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import InputError
from train.paint.backgrounds import PaintedProducts, Photographs, check_sizes
from train.photographs import list_photographs, product_of, read_photograph, split_by_product


def photographs(folder: Path, *names: str, side: int = 200) -> list[Path]:
    """Write small plain photographs."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side), (120, 90, 60)).save(folder / name)
    return [folder / name for name in names]


def test_no_product_is_on_both_sides_of_the_split(tmp_path: Path) -> None:
    """Pictures of one product are alike: split at random they would leak."""
    names = [
        f"{product}_{number:03}.jpg"
        for product in ("Leek", "Milk", "Plum", "Kiwi", "Lime")
        for number in range(4)
    ]
    paths = photographs(tmp_path, *names)
    training, held_out = split_by_product(paths, tmp_path, 0.2)
    assert sorted(training + held_out) == sorted(paths)
    assert not {product_of(p, tmp_path) for p in training} & {
        product_of(p, tmp_path) for p in held_out
    }
    assert len(held_out) == 4


def test_one_product_alone_is_split_by_picture(tmp_path: Path) -> None:
    """There is nothing better, and both sides must have something."""
    paths = photographs(tmp_path, *(f"box_{number}.png" for number in range(10)))
    training, held_out = split_by_product(paths, tmp_path, 0.2)
    assert (len(training), len(held_out)) == (8, 2)


def test_one_single_photograph_serves_both_sides(tmp_path: Path) -> None:
    """A run on one picture is poor but possible."""
    paths = photographs(tmp_path, "only.png")
    assert split_by_product(paths, tmp_path, 0.1) == (paths, paths)


def test_a_missing_or_empty_folder_is_refused_with_the_next_step(tmp_path: Path) -> None:
    """Said before anything is trained."""
    with pytest.raises(InputError, match="no such folder; name a folder"):
        list_photographs(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(InputError, match="holds no picture"):
        list_photographs(tmp_path)


def test_files_that_are_no_pictures_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One bad file does not end a night's work, and does not go unsaid."""
    good, bad = photographs(tmp_path, "good.jpg")[0], tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    assert check_sizes([bad, good], tmp_path) == [good]
    assert "bad.jpg: must be a whole picture file, not a file of" in capsys.readouterr().err


def test_a_folder_of_rubbish_is_refused(tmp_path: Path) -> None:
    """Nothing readable is as good as nothing."""
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not one of its 1 files"):
        check_sizes(list_photographs(tmp_path), tmp_path)


def test_a_photograph_cut_off_in_the_middle_is_left_out_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its header is fine, so it is found out only when it is read."""
    photographs(tmp_path, "good.png", side=300)
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:9000])
    (tmp_path / "whole.jpg").unlink()
    served = Photographs(list_photographs(tmp_path), 300)
    rng = np.random.default_rng(0)
    assert {served.choose(rng).getpixel((5, 5)) for _ in range(20)} == {(120, 90, 60)}
    assert capsys.readouterr().err.count("cut.jpg") == 1


def test_a_damaged_photograph_does_not_change_what_later_draws_give(tmp_path: Path) -> None:
    """A painter that has met the damaged one draws the same as one that begins there."""
    for number in range(4):
        Image.new("RGB", (60, 60), (number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:50])
    old = Photographs(list_photographs(tmp_path), 60)
    seen = [int(old.pixels(np.random.default_rng(seed))[0, 0, 0]) for seed in range(20)]
    fresh = [
        int(
            Photographs(list_photographs(tmp_path), 60).pixels(np.random.default_rng(seed))[0, 0, 0]
        )
        for seed in range(20)
    ]
    assert seen == fresh
    assert set(seen) == {0, 2, 3}


def test_photographs_none_of_which_can_be_read_are_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is named, then it ends, and it ends again when it is asked again."""
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"nothing")
    served = Photographs(list_photographs(tmp_path), 60)
    for _ in range(2):
        with pytest.raises(InputError, match="not one photograph could be read; bring others"):
            served.pixels(np.random.default_rng(0))
    assert sorted(
        line.partition(".png")[0][-1] for line in capsys.readouterr().err.splitlines()
    ) == ["0", "1", "2"]


def test_a_photograph_is_turned_upright_and_shrunk(tmp_path: Path) -> None:
    """Phones write the rotation beside the pixels."""
    picture = Image.new("RGB", (400, 200), (10, 200, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "phone.jpg", exif=exif)
    assert read_photograph(tmp_path / "phone.jpg", 100).size == (50, 100)


def test_painted_products_do_not_depend_on_the_order_of_asking() -> None:
    """Each picture of the pool has a seed of its own, so every worker paints the same ones."""
    one, other = PaintedProducts(3, 3), PaintedProducts(3, 3)
    first = {i: one.choose(np.random.default_rng(i)).tobytes() for i in range(5)}
    second = {i: other.choose(np.random.default_rng(i)).tobytes() for i in reversed(range(5))}
    assert first == second
