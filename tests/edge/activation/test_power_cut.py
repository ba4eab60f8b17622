"""A power cut at any moment of an activation or a rollback leaves the old release or the new."""

from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")
from tests.edge.activation.power_cuts import ACTS, sweep


@pytest.mark.parametrize("act", ACTS)
def test_a_power_cut_at_any_call_leaves_one_whole_release(act: str, tmp_path: Path) -> None:
    """Whatever the disk had written by then; the command tries each call."""
    assert sweep(ACTS[act], tmp_path, every=40) >= 10
