"""The region saved into edge.toml: one value changes, and the rest of the text stays."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.aiming.region_file import (
    SettingsText,
    corners_of,
    read_settings,
    with_region,
    write_settings,
)
from edge.errors import ConfigError, InputError, UsageError
from edge.wiring import checked

CORNERS = ((10.0, 20.0), (200.0, 20.0), (200.0, 120.5), (10.0, 120.0))
VALUE = "[[10, 20], [200, 20], [200, 120.5], [10, 120]]"
TEXTS = {
    "": f"[decision]\nregion = {VALUE}\n",
    "# mine": f"# mine\n\n[decision]\nregion = {VALUE}\n",
    "[camera]\nloop = true # yes\n": (
        f"[camera]\nloop = true # yes\n\n[decision]\nregion = {VALUE}\n"
    ),
    "[decision] # rules\ncount = 1\n\n[gate]\n": (
        f"[decision] # rules\nregion = {VALUE}\ncount = 1\n\n[gate]\n"
    ),
    "[decision]": f"[decision]\nregion = {VALUE}\n",
    "[decision]\nregion = []  # all [of] it\ncount = 1": (
        f"[decision]\nregion = {VALUE}  # all [of] it\ncount = 1"
    ),
    '[ "decision" ]\r\n  "region"=[[1,2],[90,2],[90,80]]\r\n[gate]\r\n': (
        f'[ "decision" ]\r\n  "region"= {VALUE}\r\n[gate]\r\n'
    ),
    "[decision]\nregion = [ # corners\n  [1, 2], # left\n  [90, 2],\n  [90, 80],\n] # end\n": (
        f"[decision]\n# corners\n# left\nregion = {VALUE} # end\n"
    ),
    "decision.region = []\ndecision.count = 1\n": (
        f"decision.region = {VALUE}\ndecision.count = 1\n"
    ),
    '[camera]\npipeline = """\n[decision]\nregion = []\n"""\n[decision]\nregion = []\n': (
        f'[camera]\npipeline = """\n[decision]\nregion = []\n"""\n[decision]\nregion = {VALUE}\n'
    ),
}
"""Settings before, and with the region in them."""


def settings(text: str, path: Path = Path("edge.toml")) -> SettingsText:
    """Return a settings file's text as it is read."""
    return SettingsText(path, text.encode(), checked(text.encode(), path))


@pytest.mark.parametrize("text", TEXTS)
def test_the_region_is_the_only_change(text: str) -> None:
    """Comments, order, indents and line ends stay; a comment inside the old value goes above it."""
    after = with_region(settings(text), CORNERS)
    assert after.content.decode() == TEXTS[text]
    assert after.config.decision.region == CORNERS


@given(st.lists(st.sampled_from([*"abc[]=#'\" \n", "region", "[decision]", "\r\n"]), max_size=12))
def test_whatever_stands_in_comments_stays(words: list[str]) -> None:
    """A comment may look like a setting; no text but the value changes."""
    comment = "".join(words).replace("\r", "").replace("\n", "\n# ")
    text = f"# {comment}\n[decision]\ncount = 1 # {comment.splitlines()[0] if comment else ''}\n"
    after = with_region(settings(text), CORNERS).content.decode()
    assert after.replace(f"region = {VALUE}\n", "") == text


def test_no_region_is_an_empty_list() -> None:
    """The whole picture is looked at again."""
    after = with_region(settings(TEXTS[""]), ())
    assert after.content == b"[decision]\nregion = []\n"
    assert after.region is None


def test_a_text_that_cannot_be_edited_is_said_so() -> None:
    """An inline table is legal TOML: what to write there is in the message."""
    with pytest.raises(InputError, match=r"write it there: region = \[\[10, 20\], \[200, 20\]"):
        with_region(settings("decision = {count = 1}\n"), CORNERS)


@pytest.mark.parametrize(
    ("corners", "said"),
    [
        (((0.0, 0.0), (40.0, 0.0)), "3 to 32 corners, not 2"),
        (((0.0, 0.0), (4.0, 0.0), (0.0, 4.0)), "at least 16 pixels"),
        (((0.0, 0.0), (50.0, 50.0), (50.0, 0.0), (0.0, 50.0)), "do not cross"),
        (((-1.0, 0.0), (50.0, 0.0), (50.0, 50.0)), "at least 0"),
        (tuple((float(i), float(i * i % 97)) for i in range(40)), "3 to 32 corners, not 40"),
    ],
)
def test_the_service_s_own_checks_refuse_it(
    corners: tuple[tuple[float, float], ...], said: str
) -> None:
    """What the service would end on with status 78 is never written."""
    with pytest.raises(ConfigError, match=said):
        with_region(settings("[decision]\ncount = 1\n"), corners)


def test_a_region_beyond_the_camera_s_picture_is_refused() -> None:
    """The camera of the settings gives 640 x 480."""
    text = '[camera]\ndriver = "v4l2"\nwidth = 640\nheight = 480\n'
    with pytest.raises(ConfigError, match="must lie in the picture of 640 x 480"):
        with_region(settings(text), ((0.0, 0.0), (700.0, 0.0), (700.0, 400.0)))


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "x",
        [1, 2],
        [[1]],
        [[1, 2, 3]],
        [["1", 2]],
        [[True, 2]],
        [[float("nan"), 2]],
        [[1e9, 2]],
    ],
)
def test_what_is_no_list_of_points_is_refused(value: object) -> None:
    """A page, or what pretends to be one, may send anything."""
    with pytest.raises(UsageError, match="list of corners"):
        corners_of(value)


def test_owner_and_mode_of_the_file_stay(tmp_path: Path) -> None:
    """A file that not everybody may read does not become one that everybody may."""
    path = tmp_path / "edge.toml"
    path.write_text("[decision]\n")
    path.chmod(0o640)
    before = read_settings(path)
    write_settings(with_region(before, CORNERS), before)
    assert path.stat().st_mode & 0o777 == 0o640
    assert read_settings(path).config.decision.region == CORNERS
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_that_somebody_changed_meanwhile_stays(tmp_path: Path) -> None:
    """An editor's change is not overwritten."""
    path = tmp_path / "edge.toml"
    path.write_text("[decision]\n")
    before = read_settings(path)
    path.write_text("[decision]\ncount = 2\n")
    with pytest.raises(InputError, match="changed by somebody else"):
        write_settings(with_region(before, CORNERS), before)
    assert path.read_text() == "[decision]\ncount = 2\n"


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    """What it leads to is not ours to write; it stays as it was."""
    (tmp_path / "real.toml").write_text("[decision]\n")
    path = tmp_path / "edge.toml"
    path.symlink_to("real.toml")
    before = read_settings(path)
    with pytest.raises(InputError, match="a link, not a file"):
        write_settings(with_region(before, CORNERS), before)
    assert path.is_symlink()
    assert path.read_text() == "[decision]\n"
