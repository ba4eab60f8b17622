"""The reference as a file: whole again, or refused in a line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import InputError
from edge.imaging.reference import Reference, with_view
from edge.imaging.reference_file import load_reference, save_reference
from tests.edge.imaging.test_reference import REFERENCE, place


def test_a_reference_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Patches and views to the last level, and the sum that the journal names."""
    path = tmp_path / "reference.json"
    written = save_reference(path, REFERENCE, {"made": "2026-12-01"})
    loaded = load_reference(path)
    assert loaded is not None
    reference, read = loaded
    assert read == written
    assert reference.spread == REFERENCE.spread
    assert [(p.x, p.y) for p in reference.patches] == [(p.x, p.y) for p in REFERENCE.patches]
    for one, other in zip(reference.patches, REFERENCE.patches, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
    assert reference.filled is not None
    assert reference.filled.pictures == 5
    assert json.loads(path.read_text())["made"] == "2026-12-01"


def test_one_kind_alone_comes_back_and_the_other_is_added(tmp_path: Path) -> None:
    """Empty in the morning, filled once items come."""
    path = tmp_path / "reference.json"
    save_reference(path, with_view(None, "empty", [place(None, seed) for seed in range(3)]), {})
    loaded = load_reference(path)
    assert loaded is not None
    assert with_view(loaded[0], "filled", [place(1, 9), place(2, 10)]).patches


def test_where_there_is_none_nothing_is_compared(tmp_path: Path) -> None:
    """No file is no error."""
    assert load_reference(tmp_path / "reference.json") is None


def changed(path: Path, **fields: Any) -> None:
    """Replace fields of a written reference."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {"v": 2},
        {"width": 0},
        {"width": 100},
        {"width": "wide"},
        {"spread": "nan"},
        {"patches": 5},
        {"patches": [{"x": 1, "y": 1, "pixels": {"rows": 64, "columns": 64, "zlib": "AAAA"}}]},
        {"patches": [{"x": -5, "y": 1}]},
        {"empty": {"mean": None}},
        {"empty": []},
    ],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    """With the next step."""
    path = tmp_path / "reference.json"
    save_reference(path, REFERENCE, {})
    changed(path, **fields)
    with pytest.raises(InputError, match="remove it, and run 'stampgate-edge calibrate' anew"):
        load_reference(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]", b"{", b'{"v": 1, "v": 1}', b"[" * 9999]
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Half of one, another thing, or nested without end."""
    path = tmp_path / "reference.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no reference of this version"):
        load_reference(path)


def test_a_folder_in_its_place_is_refused_both_ways(tmp_path: Path) -> None:
    """Nothing is removed."""
    with pytest.raises(InputError):
        load_reference(tmp_path)
    with pytest.raises(InputError):
        save_reference(tmp_path, Reference(64, 64), {})
