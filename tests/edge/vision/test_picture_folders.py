import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from edge.errors import InputError
from edge.vision.picture_folders import find_files, find_pictures

FORMATS = {
    "a.JPE": "JPEG",
    "b.jfif": "JPEG",
    "c": "JPEG",
    "d.dat": "PNG",
    "e.WebP": "WEBP",
    "f": "WEBP",
    "g.bmp": "BMP",
    "h.tmp": "BMP",
    "i.TIF": "TIFF",
    "j": "TIFF",
    "k.gif": "GIF",
}
"""Names of pictures, by what they hold."""


def names(folder: Path) -> list[str]:
    """The pictures found, by their names in the folder."""
    return [path.relative_to(folder).as_posix() for path in find_pictures(folder).pictures]


def left_out(folder: Path) -> dict[str, str]:
    """Everything else, with its reason."""
    return {str(p.relative_to(folder)): why for p, why in find_pictures(folder).left_out}


def save(path: Path, format_: str = "PNG") -> Path:
    """A small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path, format_)
    return path


def test_a_picture_is_found_by_its_ending_or_by_what_it_holds(tmp_path: Path) -> None:
    """Whatever case the ending has, and without any; a damaged one is found, to be reported."""
    for name, format_ in FORMATS.items():
        save(tmp_path / name, format_)
    for name in ("l.heic", "m.avif", "n.jpg"):
        (tmp_path / name).write_bytes(b"none that could be read")
    for name in ("notes.txt", "BMW", "o", "list.json"):
        (tmp_path / name).write_text("" if name == "o" else "BMW and II* and MM")
    assert names(tmp_path) == [*FORMATS, "l.heic", "m.avif", "n.jpg"]
    assert left_out(tmp_path) == dict.fromkeys(("BMW", "list.json", "notes.txt", "o"), "no picture")


def test_what_is_left_out_is_counted_with_its_reason(tmp_path: Path) -> None:
    """With some names, in one line; where nothing is, nothing is said."""
    save(tmp_path / "in" / "a.png")
    assert find_pictures(tmp_path / "in").describe_left_out() == ""
    for name in ("._a.png", ".b/c.png", "__MACOSX/d.png", "@eaDir/e.png"):
        save(tmp_path / "in" / name)
    for number in range(5):
        (tmp_path / "in" / f"{number}.txt").touch()
    assert find_pictures(tmp_path / "in").describe_left_out() == (
        f"{tmp_path}/in: holds 1 pictures; left out: 4 hidden (._a.png, .b, @eaDir, ...), "
        "5 no picture (0.txt, 1.txt, 2.txt, ...)"
    )


def test_sub_folders_and_links_are_read_each_file_once(tmp_path: Path) -> None:
    """A link out of the folder is one of its pictures, one within it is not a second one."""
    outside = save(tmp_path / "outside" / "x" / "a.png").parent
    folder = tmp_path / "in"
    save(folder / "b" / "c" / "d.png")
    (folder / "aa").symlink_to(folder / "b")
    (folder / "linked").symlink_to(outside)
    (folder / "again").symlink_to(outside)
    (folder / "copy.png").symlink_to(folder / "b" / "c" / "d.png")
    assert names(folder) == ["again/a.png", "b/c/d.png"]
    twice = "a second way to the same"
    assert left_out(folder) == {"aa": twice, "copy.png": twice, "linked": twice}


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """One to itself, one to a folder above, two to one another."""
    folder = tmp_path / "in"
    save(folder / "a" / "b.png")
    (folder / "self").symlink_to(folder / "self")
    (folder / "a" / "up").symlink_to(folder)
    (folder / "a" / "here").symlink_to(".")
    (folder / "gone").symlink_to("nowhere")
    save(tmp_path / "other" / "c.png")
    (tmp_path / "other" / "back").symlink_to(folder)
    (folder / "out").symlink_to(tmp_path / "other")
    assert names(folder) == ["a/b.png", "out/c.png"]
    twice, nowhere = "a second way to the same", "a link to nothing"
    assert left_out(folder) == {
        "a/here": twice,
        "a/up": twice,
        "gone": nowhere,
        "out/back": twice,
        "self": nowhere,
    }


def test_pipes_and_sockets_are_not_opened(tmp_path: Path) -> None:
    """Whoever opens a pipe that nobody writes to waits for ever."""
    save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        (tmp_path / "null.png").symlink_to("/dev/null")
        assert names(tmp_path) == ["a.png"]
    assert left_out(tmp_path) == dict.fromkeys(("null.png", "pipe.jpg", "s"), "no regular file")


def test_a_folder_that_cannot_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read; the one that was named is refused."""
    save(tmp_path / "a.png")
    save(tmp_path / "locked" / "b.png")
    real = os.scandir

    def scandir(folder: Path) -> object:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_pictures(tmp_path)
    assert [path.name for path in found.pictures] == ["a.png"]
    assert found.unread == (tmp_path / "locked",)
    assert "1 cannot be read: Permission denied (locked)" in found.describe_left_out()
    with pytest.raises(InputError, match=r"locked: must be a folder of pictures \(Permission"):
        find_pictures(tmp_path / "locked")
    with pytest.raises(InputError, match="locked: cannot be read: Permission denied"):
        find_files(tmp_path, ".txt")


def test_a_name_that_is_no_utf_8_is_a_name(tmp_path: Path) -> None:
    """A file from an old disk: Latin-1 in its name."""
    path = tmp_path / os.fsdecode(b"Pr\xfcfung.png")
    save(tmp_path / "a.png").rename(path)
    assert find_pictures(tmp_path).pictures == (path,)
