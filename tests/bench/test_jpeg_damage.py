"""The sweep of damaged motion JPEG, with a few tries: what it counts, and what must hold."""

import pytest

from bench import jpeg_damage
from bench.jpeg_damage import DAMAGES, camera_picture, main, measure


def test_lost_packets_are_told_nearly_all_and_single_bytes_often() -> None:
    """Nobody can tell a code that decodes: docs/faults.md has the figures of the long sweep."""
    counts = measure([camera_picture(0, 60), camera_picture(1, 80)], tries=10)
    assert {name: counted.tried for name, counted in counts.items()} == dict.fromkeys(DAMAGES, 20)
    for name in ("512 bytes lost", "3,060 bytes lost", "512 bytes twice", "the end lost"):
        assert counts[name].told >= 19, name
    assert counts["1 byte lost"].told >= 5
    assert sum(counted.other for counted in counts.values()) <= 5  # 10 in a hundred without it
    assert all(counted.told + counted.other <= counted.tried for counted in counts.values())


def test_the_command_prints_shares_and_times(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line a kind, below one for each quality and restart interval."""
    monkeypatch.setattr(jpeg_damage, "TIMED", 2)
    assert main(["--tries", "1", "--pictures", "1", "--quality", "60", "95"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 * (1 + len(DAMAGES))
    assert lines[0].startswith("quality 60, restart markers none, ")
    assert "by Pillow" in lines[0]
