import hashlib
import io
import os
import random
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.record.evidence import NAME, UNFINISHED, Evidence, Exhibit, Kept, is_drawn, retention_key
from edge.sections.records import EvidenceSettings
from edge.vision.preprocess import Frame
from tests.disk import item, journal, shape, small_file_system, until

PATIENCE_S = 60.0


def settings(**changes: Any) -> EvidenceSettings:
    """Patient settings that heed the folder alone, not the disk around it."""
    calm = {"keep_free_mb": 0, "pass_rate": 0.0, "patience_ms": 60_000.0}
    return EvidenceSettings(**{**calm, **changes})


def noise(seed: int, side: int = 64) -> Frame:
    """A picture that no JPEG makes small."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def files(folder: Path) -> list[str]:
    """What lies in the folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def keep_all(kept: Evidence, numbers: range, side: int = 64) -> list[str]:
    """Keep a picture for each number, none before the last one is written; return their names."""
    names = []
    for number in numbers:
        names.append(kept.keep(number, "reject", noise(number, side)).name)
        assert kept.drained(PATIENCE_S)
    return names


class Room:
    """Stands in for os.statvfs, which the writing thread asks for room before each picture.

    *free*: says from the folder how many bytes are free; None asks the real disk. Until *held* is
    set the answer is waited for, as on a disk that hangs; *asked* is set once it is.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free: Callable[[Path], int] | None = None
        self.held, self.asked = threading.Event(), threading.Event()
        self._statvfs = os.statvfs
        monkeypatch.setattr(os, "statvfs", self.statvfs)

    def statvfs(self, folder: Path) -> Any:
        self.asked.set()
        assert self.held.wait(PATIENCE_S)
        if self.free is None:
            return self._statvfs(folder)
        return SimpleNamespace(f_bavail=self.free(folder), f_frsize=1)


def test_rejects_and_faults_are_kept_always_and_passes_as_drawn(tmp_path: Path) -> None:
    """By number: its own, the item's, the verdict; the comment says what it is."""
    with Evidence(tmp_path / "e", settings()) as kept:
        names = [
            kept.keep(7, "reject", noise(1), "no dot found").name,
            kept.keep(8, "pass", noise(2)).name,
            kept.keep(9, "fault", None).name,
        ]
        assert kept.drained(PATIENCE_S)
        names.append(kept.keep(10, "fault", noise(3)).name)
    assert names == ["000000001-000000007-reject.jpg", "", "", "000000002-000000010-fault.jpg"]
    assert files(tmp_path / "e") == [name for name in names if name]
    with Image.open(tmp_path / "e" / names[0]) as picture:
        assert (picture.format, picture.size, picture.info["comment"]) == (
            "JPEG",
            (64, 64),
            b"no dot found",
        )


def test_the_passes_drawn_are_a_stated_share_and_the_same_each_time(tmp_path: Path) -> None:
    """One percent of a hundred thousand numbers, by one seed; another seed draws others."""
    drawn = [number for number in range(100_000) if is_drawn(number, 0.01, 1)]
    assert 900 < len(drawn) < 1100
    assert drawn != [number for number in range(100_000) if is_drawn(number, 0.01, 2)]
    assert not any(is_drawn(number, 0.0, 1) for number in range(1000))
    assert all(is_drawn(number, 1.0, 1) for number in range(1000))
    first = drawn[0]
    with Evidence(tmp_path, settings(pass_rate=0.01)) as kept:
        assert kept.keep(first, "pass", noise(1)).name == f"000000001-{first:09}-pass.jpg"
        assert kept.keep(first + 1, "pass", noise(1)) == Exhibit()


def test_the_ring_keeps_the_newest_within_its_limit(tmp_path: Path) -> None:
    """Of twenty pictures of 140 kB each, one megabyte holds the last seven."""
    with Evidence(tmp_path, settings(limit_mb=1, quality=95)) as kept:
        names = keep_all(kept, range(1, 21), side=256)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert files(tmp_path) == names[-len(sizes) :]
    assert 1_000_000 - max(sizes) < sum(sizes) <= 1_000_000


def test_a_restart_goes_on_with_the_numbers_and_the_ring(tmp_path: Path) -> None:
    """Even when the items begin at 1 again, because somebody took the journal away."""
    with Evidence(tmp_path, settings(limit_mb=1, quality=95)) as kept:
        before = keep_all(kept, range(1001, 1009), side=256)
    with Evidence(tmp_path, settings(limit_mb=1, quality=95)) as kept:
        after = keep_all(kept, range(1, 9), side=256)
    left = files(tmp_path)
    assert after == [f"{number + 8:09}-{number:09}-reject.jpg" for number in range(1, 9)]
    assert left == (before + after)[-len(left) :]
    assert 8 < len(left) < 16


def test_what_goes_first_is_one_key() -> None:
    """The oldest, by its own number and by no clock."""
    kept = [Kept(number, 100 - number, "reject", 1) for number in range(20)]
    assert sorted(random.Random(1).sample(kept, 20), key=retention_key) == kept


def test_a_decision_never_waits_for_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that hangs, one is being written and two wait; the others say why they are lost."""
    room = Room(monkeypatch)
    with Evidence(tmp_path, settings(patience_ms=10.0)) as kept:
        assert kept.drained(PATIENCE_S)
        kept.keep(1, "reject", noise(1))
        assert room.asked.wait(PATIENCE_S)
        exhibits = [kept.keep(number, "reject", noise(1)) for number in range(2, 12)]
        assert [bool(exhibit.name) for exhibit in exhibits] == [True, True] + [False] * 8
        assert {exhibit.sha256 for exhibit in exhibits} == {""}
        assert {exhibit.lost for exhibit in exhibits[2:]} == {"2 others wait for the disk"}
        assert kept.take_state()["lost"] == 8
        assert not kept.drained()
        room.held.set()
    assert len(files(tmp_path)) == 3


def test_the_camera_may_have_its_picture_back_at_once(tmp_path: Path) -> None:
    """What is kept is a copy: the driver writes the next frame into the same memory."""
    picture = np.zeros((64, 64, 3), np.uint8)
    with Evidence(tmp_path, settings()) as kept:
        name = kept.keep(1, "reject", picture).name
        picture[:] = 255
    with Image.open(tmp_path / name) as written:
        assert np.asarray(written).max() < 10


def test_a_picture_that_is_written_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 5 MB, and the next one may come tomorrow."""
    made: list[weakref.ref[Image.Image]] = []
    real = Image.fromarray

    def fromarray(array: Frame) -> Image.Image:
        picture = real(array)
        made.append(weakref.ref(picture))
        return picture

    monkeypatch.setattr(Image, "fromarray", fromarray)
    with Evidence(tmp_path, settings()) as kept:
        kept.keep(1, "reject", noise(1))
        until(lambda: made[0]() is None)


def test_the_sum_is_that_of_the_file_which_is_there_before_keep_returns(tmp_path: Path) -> None:
    """So the record that carries it can be compared with the file for ever."""
    with Evidence(tmp_path, settings()) as kept:
        assert kept.drained(PATIENCE_S)
        exhibit = kept.keep(1, "reject", noise(1))
        assert hashlib.sha256((tmp_path / exhibit.name).read_bytes()).hexdigest() == exhibit.sha256
    assert exhibit.as_fields() == {"evidence": exhibit.name, "evidence_sha256": exhibit.sha256}


def test_a_disk_that_has_caught_up_gets_patience_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One written too late has a name and no sum; the next one, after that is written, has both."""
    room = Room(monkeypatch)
    with Evidence(tmp_path, settings(patience_ms=1.0)) as kept:
        assert kept.drained(PATIENCE_S)
        late = kept.keep(1, "reject", noise(1))
        room.held.set()
        assert kept.drained(PATIENCE_S)
        kept.settings = settings()
        assert late.name
        assert late.sha256 == ""
        assert kept.keep(2, "reject", noise(2)).sha256
    assert (tmp_path / late.name).exists()


@pytest.mark.parametrize("in_the_way", [True, False])
def test_no_trouble_with_the_folder_fails_a_decision(tmp_path: Path, in_the_way: bool) -> None:
    """A file has its name, or somebody removed it: it is told, and counted."""
    folder = tmp_path / "e"
    if in_the_way:
        folder.write_text("mine")
    with Evidence(folder, settings()) as kept:
        if not in_the_way:
            folder.rmdir()
        assert kept.drained(PATIENCE_S)
        exhibit = kept.keep(1, "reject", noise(1))
        assert exhibit.name == ""
        assert "pictures cannot be kept" in exhibit.lost
        assert kept.trouble == exhibit.lost
        assert kept.take_state() == {"pictures": 0, "mb": 0.0, "lost": 1}


def test_below_the_room_left_to_others_the_oldest_go_and_then_none_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk of which 60 kB are free for us with nothing kept; each picture takes some 14 kB."""
    room = Room(monkeypatch)
    room.held.set()
    room.free = lambda folder: 2_060_000 - sum(path.stat().st_size for path in folder.iterdir())
    with Evidence(tmp_path, settings(keep_free_mb=2)) as kept:
        names = keep_all(kept, range(1, 9), side=128)
        left = files(tmp_path)
        assert left == names[-len(left) :]
        assert 1 < len(left) < 8
        assert kept.trouble == ""
        room.free = lambda _: 1_000_000
        kept.keep(9, "reject", noise(9))
        assert kept.drained(PATIENCE_S)
        assert kept.trouble.endswith(
            "pictures cannot be kept (the disk is nearly full, see [evidence] keep_free_mb)"
        )
    assert files(tmp_path) == []


def test_after_a_power_cut_half_written_pictures_are_removed(tmp_path: Path) -> None:
    """Empty, full of zeros, cut, unfinished; a whole one and other people's files stay."""
    buffer = io.BytesIO()
    Image.fromarray(noise(1)).save(buffer, "JPEG")
    whole = buffer.getvalue()
    contents = {
        "000000001-000000001-reject.jpg": whole,
        "000000002-000000002-fault.jpg": b"",
        "000000003-000000003-pass.jpg": b"\0" * 500,
        "000000004-000000004-reject.jpg": whole[:-7],
        UNFINISHED: whole[:100],
        "notes.txt": b"mine",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    with Evidence(tmp_path, settings()) as kept:
        assert kept.keep(5, "reject", noise(1)).name == "000000005-000000005-reject.jpg"
    assert files(tmp_path) == [
        "000000001-000000001-reject.jpg",
        "000000005-000000005-reject.jpg",
        "notes.txt",
    ]


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    """And nothing is missing."""
    with Evidence(None, settings()) as kept:
        assert kept.keep(1, "reject", noise(1)) == Exhibit()
        assert not kept.give_way(tmp_path / "journal.jsonl")
        assert (kept.trouble, kept.take_state()) == ("", {"pictures": 0, "mb": 0.0, "lost": 0})


def test_disk_full_evidence_goes_first_and_the_journal_never(tmp_path: Path) -> None:
    """On a real file system of a megabyte, full of pictures, the journal takes their room."""
    with small_file_system(tmp_path / "small") as disk:
        with Evidence(disk / "e", settings(limit_mb=10)) as kept:
            log = journal(disk / "journal.jsonl", make_room=kept.give_way)
            with log:
                keep_all(kept, range(1, 151), side=128)
                assert kept.trouble == ""
                pictures = len(files(disk / "e"))
                for _ in range(100):
                    log.append("item", item("reject", reason="x" * 400))
                assert log.trouble == ""
        assert shape(disk / "journal.jsonl") == [("reject", number) for number in range(1, 101)]
        assert 0 < pictures < 150
        assert len([name for name in files(disk / "e") if NAME.fullmatch(name)]) < pictures


def test_evidence_on_another_disk_is_not_given_up(tmp_path: Path) -> None:
    """It would not help."""
    with (
        small_file_system(tmp_path / "small") as disk,
        Evidence(tmp_path / "e", settings()) as kept,
    ):
        keep_all(kept, range(1, 3))
        assert kept.take_state()["pictures"] == 2
        assert not kept.give_way(disk / "journal.jsonl")
        assert kept.give_way(tmp_path / "journal.jsonl")
        assert not kept.give_way(tmp_path / "journal.jsonl")
