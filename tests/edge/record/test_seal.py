"""The seal: what is changed, left out or cut off by whoever has the box is found by the key."""

import dataclasses
import hashlib
import hmac
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as searching
from hypothesis import strategies as st

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.config import Config, load_config
from edge.errors import InputError
from edge.record import seal as sealing
from edge.record.journal import Journal
from edge.record.journal_file import rotated_files
from edge.record.seal import (
    EndMark,
    SealKey,
    end_path,
    key_path,
    parse_key,
    parse_seal,
    read_end_mark,
    read_verification_key,
    set_up,
)
from edge.record.verify import read_records, verify
from edge.record.verify_seal import SealFound, verify_seal
from edge.selftest import box as checks
from tests.disk import Disk, item, journal, until
from tests.programs import Program

FIRST = SealKey.first(bytes(range(32)))
COUNTERS = {"triggers": 3, "pass": 3, "reject": 0, "fault": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal lies, sealed from its first record on."""
    set_up(tmp_path / "journal.jsonl", FIRST)
    return tmp_path / "journal.jsonl"


def run(path: Path, start_s: int = 0, *, stop: bool = True, **settings: Any) -> None:
    """One run of the service: three items."""
    clock = SimulatedClock(start_s * 1_000_000_000)
    with journal(path, clock=clock, **settings) as log:
        log.append("start", {"version": "0"})
        for _ in range(3):
            log.append("item", item())
        if stop:
            log.append("stop", {"counters": COUNTERS})


def found(path: Path, *keys: SealKey) -> SealFound:
    """Verify chain and seal."""
    return verify_seal(path, keys or (FIRST,), verify(path))


def weights(path: Path, *keys: SealKey) -> list[str]:
    """What weighs on a journal, by its seal."""
    return [discrepancy.weight for discrepancy in found(path, *keys).discrepancies]


def test_the_keys_are_those_of_the_page() -> None:
    """Reckoned once more by hand: HMAC-SHA256, a label for each use."""

    def h(key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, hashlib.sha256).digest()

    first = bytes(range(32))
    second = h(first, b"stampgate seal 1 next")
    name = h(first, b"stampgate seal 1 name").hex()[:16]
    key = FIRST.next()
    assert (key.name, key.number, key.key) == (name, 2, second)
    assert FIRST.onwards(2) == key
    mac = h(h(second, b"stampgate seal 1 record"), f"{name}:2:".encode() + b'{"v": 1}').hex()
    assert key.seal(b'{"v": 1}') == b'{"v": 1, "seal": "%s:2:%s"}' % (name.encode(), mac.encode())
    end = h(h(second, b"stampgate seal 1 end"), f"{name}:1:{'ab' * 32}".encode()).hex()
    assert key.end("ab" * 32) == end


@given(st.dictionaries(st.text(), st.text() | st.integers()), st.integers(1, 10**6))
def test_a_seal_comes_off_as_it_was_put_on(fields: dict[str, object], number: int) -> None:
    """Whatever the record says, a text like a seal among it."""
    line = json.dumps({**fields, "text": ', "seal": "'}).encode()
    key = dataclasses.replace(FIRST, number=number)
    taken = parse_seal(key.seal(line))
    assert taken is not None
    assert (taken.line, taken.number, taken.name) == (line, number, FIRST.name)
    assert taken.mac == key.mac(line)
    assert parse_seal(line) is None
    assert parse_key(key.as_file()) == key
    assert len(key.as_file()) == sealing.SECTOR


def test_a_sealed_journal_is_whole_over_restarts_and_files(path: Path) -> None:
    """Each record bears its number in the seal, and the end mark proves the last."""
    for start in range(3):
        run(path, start * 10, file_items=2)
    assert len(rotated_files(path)) == 4
    records = read_records(path)
    numbers = [int(record["seal"].split(":")[1]) for record in records]
    assert numbers == list(range(1, len(records) + 1))
    assert found(path) == SealFound(len(records), 1, end_proven=True)
    assert parse_key(key_path(path).read_bytes()) == FIRST.onwards(len(records) + 1)
    assert [r["reason"] for r in records if r["kind"] == "seal"] == ["sealing begins"]


def test_the_key_on_the_box_opens_no_record_before(path: Path) -> None:
    """It is written over with each record, in a file of one sector."""
    seen = set()
    with journal(path) as log:
        for number in range(1, 6):
            log.append("item", item())
            content = key_path(path).read_bytes()
            assert parse_key(content) == FIRST.onwards(number + 2)  # "sealing begins" was the first
            seen.add(key_path(path).stat().st_ino)
    assert len(seen) == 1
    assert FIRST.key.hex() not in key_path(path).read_text()


def test_sealing_begins_in_the_middle_of_a_journal(tmp_path: Path) -> None:
    """What was before is held by the chain of the first sealed record."""
    path = tmp_path / "journal.jsonl"
    run(path)
    set_up(path, FIRST)
    run(path, 10)
    (before,) = found(path).discrepancies
    assert before.weight == "note"
    assert before.text.startswith("the first 5 records were written before sealing began")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[2], *lines[3:]]))
    with pytest.raises(InputError, match="must carry the hash"):
        found(path)


@dataclass
class Intruder:
    """Has the box at the end of a journal of two runs: every file, and root."""

    path: Path

    def records(self) -> list[dict[str, Any]]:
        """All records, of one file."""
        return read_records(self.path)

    def write(self, records: list[dict[str, Any]], key: SealKey | None = None) -> None:
        """Write records with a right chain, as they are, or sealed anew from *key* on."""
        previous, lines = "0" * 64, []
        for record in records:
            kept = record.get("seal")
            fresh = {name: value for name, value in record.items() if name != "seal"}
            line = json.dumps(fresh | {"previous": previous}, ensure_ascii=False).encode()
            if key is not None:
                line, key = key.seal(line), key.next()
            elif kept is not None:
                line = line[:-1] + f', "seal": "{kept}"}}'.encode()
            previous = hashlib.sha256(line).hexdigest()
            lines.append(line + b"\n")
        self.path.write_bytes(b"".join(lines))

    def key(self) -> SealKey:
        """The key that lies on the box."""
        key = parse_key(key_path(self.path).read_bytes())
        assert key is not None
        return key

    def end(self, number: int) -> None:
        """Make up an end mark behind record *number*, with the key that lies on the box."""
        line = self.path.read_bytes().splitlines()[number - 1]
        digest = hashlib.sha256(line).hexdigest()
        mark = EndMark(FIRST.name, number, digest, self.key().end(digest))
        end_path(self.path).write_bytes(mark.as_file())


def without_seals(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records without their seals."""
    return [{name: value for name, value in r.items() if name != "seal"} for r in records]


def reject_made_pass(box: Intruder) -> None:
    """One verdict changed, the chain written anew, the seals as they were."""
    records = box.records()
    records[3]["reason"] = "changed"
    box.write(records)


def sealed_with_the_last_key(box: Intruder) -> None:
    """The same, and sealed with the key that he found, under the old numbers."""
    records = box.records()
    records[3]["reason"] = "changed"
    box.write(records, dataclasses.replace(box.key(), number=1))


def one_left_out(box: Intruder) -> None:
    """A record is missing, the chain written anew."""
    records = box.records()
    health = next(i for i, r in enumerate(records) if r["kind"] == "health")
    box.write(records[:health] + records[health + 1 :])


def tail_cut(box: Intruder) -> None:
    """The last three lines are gone."""
    lines = box.path.read_bytes().splitlines(keepends=True)
    box.path.write_bytes(b"".join(lines[:-3]))


def tail_cut_and_end_made_up(box: Intruder) -> None:
    """And the end mark says so, by the only key that is left."""
    tail_cut(box)
    box.end(len(box.records()))


def tail_cut_and_end_removed(box: Intruder) -> None:
    """And the end mark with it."""
    tail_cut(box)
    end_path(box.path).unlink()


def end_without_seals(box: Intruder) -> None:
    """The last records are written anew, without seals."""
    records = box.records()
    box.write(records[:-3] + without_seals(records[-3:]))


def all_without_seals(box: Intruder) -> None:
    """The whole journal is written anew, without seals."""
    box.write(without_seals(box.records()))


def seal_of_his_own(box: Intruder) -> None:
    """The whole journal is written anew under a seal of the intruder's."""
    box.write(without_seals(box.records()), SealKey.fresh())


def begins_later(box: Intruder) -> None:
    """The first records are written anew without seals: as if sealing had begun later."""
    records = box.records()
    box.write(without_seals(records[:2]) + records[2:])


def seal_field_moved(box: Intruder) -> None:
    """A seal is no longer the last field of its line."""
    lines = box.path.read_bytes().splitlines(keepends=True)
    record = json.loads(lines[-1])
    lines[-1] = json.dumps(record | {"more": 1}).encode() + b"\n"
    box.path.write_bytes(b"".join(lines))


def key_and_end_set_back(box: Intruder) -> None:
    """The end mark is that of an hour before."""
    line = box.path.read_bytes().splitlines()[1]
    digest = hashlib.sha256(line).hexdigest()
    key = FIRST.onwards(3)
    end_path(box.path).write_bytes(EndMark(FIRST.name, 2, digest, key.end(digest)).as_file())


ATTACKS: dict[Callable[[Intruder], None], tuple[int, str]] = {
    reject_made_pass: (1, r"line 4 must be as it was sealed \(record 4 of seal"),
    sealed_with_the_last_key: (1, "line 1 must be as it was sealed"),
    one_left_out: (1, "must be sealed as record 4, not 5: sealed records 4 to 4 are missing"),
    tail_cut: (
        1,
        "amiss: sealed records 10 to 12 are missing at the end, by .*: they were",
    ),
    tail_cut_and_end_made_up: (1, "amiss: .*journal.end: must be as the box wrote it; it was made"),
    tail_cut_and_end_removed: (3, "open: .*nobody can tell what was cut off behind record 9"),
    end_without_seals: (1, "amiss: 3 records from .* line 10 on bear no seal, and those before do"),
    all_without_seals: (1, "amiss: no record is sealed with this verification key"),
    seal_of_his_own: (1, "of which no verification key was given"),
    begins_later: (1, "line 3 must be as it was sealed|amiss: sealed records 1 to 2 are not here"),
    seal_field_moved: (1, "line 12 must bear its seal as its last field"),
    key_and_end_set_back: (1, "amiss: .* is 10 records behind the journal; it, or the box's key"),
}


@pytest.fixture
def intruder(path: Path) -> Intruder:
    """Somebody who has taken the box."""
    clock = SimulatedClock(0)
    with journal(path, clock=clock) as log:
        log.append("start", {})
        for number in range(3):
            clock.sleep_until((number + 1) * 100_000_000_000)
            log.append("item", item("reject"))
            log.append("health", {})
        log.append("settings", {"reason": "read"})
        for _ in range(3):
            log.append("item", item("pass"))
    return Intruder(path)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_whoever_has_the_box_cannot_rewrite_what_was(
    attack: Callable[[Intruder], None],
    intruder: Intruder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """He has every file and the key of the next record; the verifier has the first key."""
    status, words = ATTACKS[attack]
    key = tmp_path / "key.txt"
    key.write_text(FIRST.as_verification_key() + "\n")
    command = ["verify-log", str(intruder.path), "--seal-key", str(key)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "seal: 12 records as sealed, to the last one" in said
    assert "note: it ends at" in said
    assert "nothing was cut off, by the seal" in said
    attack(intruder)
    assert main(command) == status
    said = "".join(capsys.readouterr())
    assert re.search(words, said)
    assert FIRST.key.hex() not in said


def test_what_an_intruder_adds_from_then_on_is_sealed(intruder: Intruder) -> None:
    """The limit of every such scheme, as the page says: he has the key of what follows."""
    run(intruder.path, 1000)
    assert found(intruder.path).end_proven


def test_a_key_that_was_set_back_catches_up_and_harms_nobody(path: Path) -> None:
    """As after a power cut: the next start goes on behind the journal's end."""
    run(path)
    old = key_path(path).read_bytes(), end_path(path).read_bytes()
    run(path, 10)
    key_path(path).write_bytes(old[0])
    end_path(path).write_bytes(old[1])
    assert weights(path) == ["open"]
    run(path, 20)
    assert found(path).end_proven
    assert found(path).discrepancies == ()


def test_a_journal_set_back_behind_its_key_is_named(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a record, as trouble, and by verify-log at that place."""
    run(path)
    old = path.read_bytes()
    run(path, 10)
    path.write_bytes(old)
    with journal(path, clock=SimulatedClock(20 * 10**9)) as log:
        assert "the journal's seal: sealed records 7 to 11 are missing at the end" in log.trouble
        log.append("start", {})
    told = [r["reason"] for r in read_records(path) if r["kind"] == "seal"]
    assert told == ["sealing begins", "sealed records 7 to 11 are missing at the end"]
    with pytest.raises(InputError, match=r"sealed records 7 to 11 are missing before it"):
        found(path)


@pytest.mark.parametrize("exchanged", ["removed", "of another box"])
def test_an_exchanged_journal_is_named(path: Path, exchanged: str, tmp_path: Path) -> None:
    """By the box at its start, and by whoever verifies."""
    run(path)
    path.unlink()
    if exchanged == "of another box":
        (tmp_path / "other").mkdir()
        run(tmp_path / "other" / "journal.jsonl")
        shutil.copy(tmp_path / "other" / "journal.jsonl", path)
    with journal(path, clock=SimulatedClock(20 * 10**9)) as log:
        assert "the journal's seal: the last record does not bear it" in log.trouble
        log.append("start", {})
    assert "amiss" in weights(path)


def a_fifo(file: Path) -> None:
    """In the place of a file."""
    file.unlink()
    os.mkfifo(file)


def a_folder(file: Path) -> None:
    """In the place of a file."""
    file.unlink()
    file.mkdir()


Spoil = Callable[[Path], object]
SPOILT: dict[str, tuple[Spoil, str]] = {
    "removed": (lambda file: file.unlink(), "must hold the key of seal"),
    "damaged": (lambda file: file.write_bytes(file.read_bytes()[:100]), "is damaged"),
    "one bit": (
        lambda file: file.write_bytes(file.read_bytes().replace(b"key 1 ", b"key 1 0", 1)[:-1]),
        "is damaged",
    ),
    "open to others": (lambda file: file.chmod(0o640), "must be of the eye's user alone"),
    "a FIFO": (a_fifo, "a FIFO, not a file"),
    "a folder": (a_folder, "Is a directory"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_key_that_cannot_be_used_is_trouble_and_costs_no_record(path: Path, how: str) -> None:
    """Records go on without a seal; status, FAULT output and verify-log say so."""
    run(path)
    spoil, words = SPOILT[how]
    spoil(key_path(path))
    with journal(path, clock=SimulatedClock(10**10)) as log:
        assert words in log.trouble
        assert log.seal == "off"
        log.append("start", {})
        log.append("item", item())
    assert words in read_records(path)[6]["reason"]
    amiss = next(d for d in found(path).discrepancies if d.weight == "amiss")
    assert "3 records from" in amiss.text
    (result,) = checks.seal(config_beside(path))
    assert result.state == ("ok" if how == "removed" else "FAIL")


def config_beside(path: Path) -> Config:
    """The settings of a box with the journal *path*."""
    settings = path.with_name("edge.toml")
    settings.write_text(f'[journal]\nfile = "{path.name}"\nstatus = ""\n')
    return load_config(settings)


def test_a_key_that_cannot_be_written_is_trouble_until_it_can(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is broken under it; records are sealed all the same."""
    real = os.pwrite

    def broken(descriptor: int, content: bytes, offset: int) -> int:
        if content.startswith(b"stampgate-seal"):
            raise OSError(5, "Input/output error")
        return real(descriptor, content, offset)

    with journal(path) as log:
        log.append("item", item())
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", broken)
            log.append("item", item())
            assert "the seal: " in log.trouble
            assert "cannot be written (Input/output error)" in log.trouble
        log.append("item", item())
        assert log.trouble == ""
    assert found(path).end_proven


def test_records_that_wait_or_are_lost_leave_no_hole_in_the_seal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: numbers are those of the lines that come to the disk."""
    disk = Disk(monkeypatch)
    with journal(path, memory_kb=64) as log:
        log.append("start", {})
        disk.error = 28
        for _ in range(300):
            log.append("item", item("reject"))
        assert "more did not fit" in log.trouble
        disk.error = 0
        until(lambda: log.take_state()["waiting_lines"] == 0)
        log.append("item", item())
    assert verify(path).lost_items > 0
    assert found(path).end_proven


class Snapshots:
    """What the disk may hold after each call that writes: the power goes there.

    Of key and end mark either what was written, or what was last on the disk for sure.
    """

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.states: set[tuple[bytes, bytes, bytes]] = set()
        self._kept: dict[str, bytes] = {}
        for name in ("write", "pwrite", "fdatasync", "fsync"):
            monkeypatch.setattr(os, name, self._noting(name, getattr(os, name)))

    def _noting(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: int, *rest: Any) -> Any:
            file = Path(f"/proc/self/fd/{descriptor}").readlink()
            if name == "write" and file == self.path:  # torn in the middle
                real(descriptor, rest[0][: len(rest[0]) // 2])
                self._note()
                return real(descriptor, rest[0][len(rest[0]) // 2 :]) + len(rest[0]) // 2
            done = real(descriptor, *rest)
            if name.endswith("sync") and file.suffix in (".seal", ".end"):
                self._kept[file.suffix] = file.read_bytes()
            if file.parent == self.path.parent:
                self._note()
            return done

        return call

    def _note(self) -> None:
        content = self.path.read_bytes() if self.path.exists() else b""
        key, end = key_path(self.path).read_bytes(), b""
        if end_path(self.path).exists():
            end = end_path(self.path).read_bytes()
        for old_key in {key, self._kept.get(".seal", FIRST.as_file())}:
            for old_end in {end, self._kept.get(".end", b"")}:
                self.states.add((content, old_key, old_end))


@pytest.mark.parametrize("sync", ["every-line", "grouped"])
def test_a_power_cut_at_any_write_leaves_what_verifies(
    path: Path, tmp_path: Path, sync: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record, key, end mark: wherever the power goes, the next start goes on behind the end."""
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "SYNC_S", 0.0)
        snapshots = Snapshots(path, patch)
        run(path, sync=sync, file_items=100)
    with monkeypatch.context() as patch:  # and without a sync of its own until the end
        patch.setattr(sealing, "SYNC_S", 1e9)
        slow = Snapshots(path, patch)
        run(path, 10, sync=sync, file_items=100)
    assert len(snapshots.states) > 15
    for number, (content, key, end) in enumerate(sorted(snapshots.states | slow.states)):
        after = tmp_path / f"after-{number}" / "journal.jsonl"
        after.parent.mkdir()
        after.write_bytes(content)
        key_path(after).write_bytes(key)
        key_path(after).chmod(0o600)
        if end:
            end_path(after).write_bytes(end)
        with journal(after, clock=SimulatedClock(10**12)) as log:
            assert log.trouble == ""
            log.append("start", {})
        assert found(after).end_proven
        assert found(after).discrepancies == ()


def test_kill_9_leaves_a_journal_that_is_sealed_to_its_end(path: Path) -> None:
    """As fast as it can be written."""
    code = (
        "import sys; from pathlib import Path\n"
        "from edge.record.journal import Journal; from edge.clock import MonotonicClock\n"
        "from edge.config import JournalSettings\n"
        "settings = JournalSettings(patience_ms=10_000, file_items=15)\n"
        "with Journal(Path(sys.argv[1]), MonotonicClock(), settings=settings) as log:\n"
        "    while True:\n"
        "        log.append('item', {'verdict': 'pass'})\n"
        "        print(log.next_sequence - 1, flush=True)\n"
    )
    with Program(sys.executable, "-c", code, str(path)) as writer:
        writer.out_lines(20)
        writer.kill()
    assert {d.weight for d in found(path).discrepancies} <= {"open"}
    with journal(path, clock=SimulatedClock(10**18)) as log:
        assert log.trouble == ""
    assert found(path).end_proven


def test_older_files_may_be_elsewhere_and_a_seal_be_set_up_anew(path: Path) -> None:
    """Each key has its own stretch; what is not here is said."""
    run(path)
    other = SealKey.fresh()
    key_path(path).unlink()
    set_up(path, other)
    run(path, 10)
    assert weights(path) == ["amiss", "open"]
    assert weights(path, FIRST, other) == []
    assert found(path, FIRST, other).end_proven
    run(path, 20, file_items=3)
    rotated_files(path)[0].unlink()
    assert weights(path, FIRST, other) == ["open"]


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Settings that name a journal."""
    (tmp_path / "edge.toml").write_text('[journal]\nfile = "journal.jsonl"\nstatus = ""\n')
    return tmp_path / "edge.toml"


def test_seal_setup_gives_the_key_out_once(
    settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one line; a second call is refused and changes nothing."""
    command = ["seal-setup", "--config", str(settings_file)]
    assert main(command) == 0
    line, *said = capsys.readouterr().out.splitlines()
    journal_file, kept = settings_file.with_name("journal.jsonl"), settings_file.with_name("k")
    kept.write_text(line)
    first = read_verification_key(kept)
    content = key_path(journal_file).read_bytes()
    assert parse_key(content) == first
    assert stat.S_IMODE(key_path(journal_file).stat().st_mode) == 0o600
    assert not [text for text in said if first.key.hex() in text]
    assert main(command) == 1
    assert "is there already, so the journal is sealed" in capsys.readouterr().err
    assert key_path(journal_file).read_bytes() == content
    assert [name.name for name in settings_file.parent.glob(".*")] == []


def test_seal_setup_writes_to_a_new_file_alone(
    settings_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of this user alone; where it cannot be written nothing is set up."""
    command = ["seal-setup", "--config", str(settings_file), "--out"]
    (tmp_path / "there").write_text("mine")
    for place in ("there", "no/folder"):
        assert main([*command, str(tmp_path / place)]) == 1
        assert "must be a new file for the verification key" in capsys.readouterr().err
    assert (tmp_path / "there").read_text() == "mine"
    assert not key_path(tmp_path / "journal.jsonl").exists()
    assert main([*command, str(tmp_path / "key")]) == 0
    assert "stampgate-verification-key" not in capsys.readouterr().out
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_verification_key(tmp_path / "key").number == 1


def test_root_gives_the_key_to_the_eyes_user(settings_file: Path) -> None:
    """The owner of the journal, or of its folder."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(settings_file.parent, 4321, 4321)
    assert main(["seal-setup", "--config", str(settings_file)]) == 0
    assert key_path(settings_file.with_name("journal.jsonl")).stat().st_uid == 4321


@pytest.mark.parametrize("text", ["", "stampgate", FIRST.as_verification_key()[:-1], "\xff" * 99])
def test_what_is_no_verification_key_is_refused(text: str, tmp_path: Path) -> None:
    """Cut, mistyped, or another file: its name is a checksum."""
    (tmp_path / "key").write_text(text)
    with pytest.raises(InputError, match="must hold the one line"):
        read_verification_key(tmp_path / "key")
    mistyped = FIRST.as_verification_key()[:-1] + "0"
    (tmp_path / "key").write_text(mistyped)
    with pytest.raises(InputError, match="must hold the one line"):
        read_verification_key(tmp_path / "key")
    with pytest.raises(InputError, match="name the file with the verification key"):
        read_verification_key(tmp_path / "no")


def test_status_and_check_say_whether_the_journal_is_sealed(
    settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On or off, and which record is next."""
    path = settings_file.with_name("journal.jsonl")
    config = config_beside(path)
    (result,) = checks.seal(config)
    assert (result.state, result.text[:4]) == ("ok", "off:")
    run(path)
    main(["status", "--config", str(settings_file)])
    assert re.search(r"^seal +off$", capsys.readouterr().out, re.MULTILINE)
    set_up(path, FIRST)
    with journal(path, clock=SimulatedClock(10**10)) as log:
        assert log.seal == f"on, record 2 of {FIRST.name} is next"
    (result,) = checks.seal(config)
    assert result.text == f"on: {FIRST.name}, its next record is 2"
    main(["status", "--config", str(settings_file)])
    assert re.search(r"^seal +on$", capsys.readouterr().out, re.MULTILINE)
    mark = read_end_mark(end_path(path))
    assert mark is not None
    assert mark.number == 1


@searching(max_examples=40)
@given(st.data())
def test_no_byte_of_a_sealed_record_can_change_unseen(data: st.DataObject) -> None:
    """The last record's neither, which no hash of a next one holds."""
    lines = [FIRST.seal(b'{"v": 1, "kind": "a", "sequence": 0, "previous": "x"}')]
    at = data.draw(st.integers(0, len(lines[0]) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(lines[0])
    changed[at] ^= 1 << bit
    taken = parse_seal(bytes(changed))
    assert (
        taken is None
        or (taken.name, taken.number) != (FIRST.name, 1)
        or taken.mac != FIRST.mac(taken.line)
    )


def test_the_journal_class_seals_with_its_defaults(path: Path) -> None:
    """As the service makes it."""
    with Journal(path, SimulatedClock(0)) as log:
        log.append("item", item())
    assert found(path).records == 2
