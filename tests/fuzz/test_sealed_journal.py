"""The seal: whatever is done to a sealed journal, it is as it was, or somebody is told."""

import functools
import tempfile
from pathlib import Path

from hypothesis import strategies as st

from edge.clock import SimulatedClock
from edge.errors import InputError
from edge.record.seal import SealKey, end_path, parse_key, parse_seal, set_up
from edge.record.verify import verify
from edge.record.verify_seal import verify_seal
from tests.disk import item, journal
from tests.fuzz.fuzzing import Fuzzer

KEY = SealKey.first(bytes(range(32)))
CHANGE = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(0, 7)),
    st.tuples(st.just("put"), st.integers(0, 10_000), st.binary(min_size=1, max_size=4)),
    st.tuples(st.just("take"), st.integers(0, 10_000), st.integers(1, 700)),
    st.tuples(st.just("swap"), st.integers(0, 7), st.integers(0, 7)),
    st.tuples(st.just("double"), st.integers(0, 7), st.integers(0, 7)),
    st.tuples(st.just("drop"), st.integers(0, 7), st.integers(1, 7)),
)
CHANGES = st.tuples(st.lists(CHANGE, max_size=3), st.lists(CHANGE, max_size=1))


@functools.cache
def sound() -> tuple[bytes, bytes]:
    """A sealed journal of seven records, and its end mark."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        set_up(path, KEY)
        with journal(path, clock=SimulatedClock(1)) as log:
            log.append("start", {})
            for _ in range(4):
                log.append("item", item())
            counters = {"triggers": 4, "pass": 4, "reject": 0, "fault": 0}
            log.append("stop", {"counters": counters})
        return path.read_bytes(), end_path(path).read_bytes()


def changed(content: bytes, how: str, at: int, what: int | bytes) -> bytes:
    """Return *content* after one change."""
    lines = content.splitlines(keepends=True) or [b""]
    if isinstance(what, bytes):
        return content[:at] + what + content[at:]
    if how == "flip" and content:
        spoilt = bytearray(content)
        spoilt[at % len(content)] ^= 1 << what
        return bytes(spoilt)
    if how == "take":
        return content[:at] + content[at + what :]
    one, other = at % len(lines), what % len(lines)
    if how == "swap":
        lines[one], lines[other] = lines[other], lines[one]
    elif how == "double":
        lines.insert(other, lines[one])
    elif how == "drop":
        del lines[one : one + what]
    return b"".join(lines)


def read_it(changes: tuple[list[tuple[str, int, int | bytes]], ...]) -> None:
    """Verify a journal that was changed: only one that is as it was is sealed to its end."""
    content, mark = sound()
    for change in changes[0]:
        content = changed(content, *change)
    for change in changes[1]:
        mark = changed(mark, *change)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        path.write_bytes(content)
        end_path(path).write_bytes(mark)
        try:
            found = verify_seal(path, (KEY,), verify(path))
        except InputError:
            assert content != sound()[0]
            return
    heavy = [one for one in found.discrepancies if one.weight != "note"]
    if content == sound()[0] and mark == sound()[1]:
        assert found.end_proven
    elif not heavy:
        assert content == sound()[0]
    parse_key(content)
    parse_seal(content)


FUZZER = Fuzzer("sealed journals", CHANGES, read_it)


def test_a_sealed_journal_is_as_it_was_or_somebody_is_told() -> None:
    """By the seal, the end mark, or the chain."""
    FUZZER.short()
