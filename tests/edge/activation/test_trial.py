"""A release is tried in a child process, which may die in any way."""

import dataclasses
import sys
from pathlib import Path

import pytest

from edge.activation.activate import activate
from edge.activation.child import main
from edge.activation.known_time import KnownTime
from edge.activation.trial import run_trial, try_release
from edge.config import Config, load_config
from edge.errors import BundleError
from edge.sections.gate import GateSettings
from tests.release_store import make_release

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")
from tests.tiny_bundle import CREATED, trust, write_tiny_bundle

CHILD = [sys.executable, "-S", "-c"]
DIFFERS = '{"frame": "a", "words": "a: another", "ms": 1}\n{"done": true, "rss_mb": 1}'
BOUND = "import sys; sys.path.insert(0, sys.argv[1]); from edge.activation.child import limit; "


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "SIGILL: the model's runtime"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL: there was no memory"),
        ("import os; os.abort()", "ended by SIGABRT"),
        ("import time; time.sleep(600)", "hangs: no end within"),
        ("raise SystemExit(3)", "ended with status 3: no word"),
        ("print('{\"why\": \"out of range\"}'); raise SystemExit(1)", "failed: out of range"),
        ("print('{\"frame\": \"a\", \"words\": \"\", \"ms\": 1}')", "ended with status 0"),
        (f"print({DIFFERS!r})", "1 of 1 golden frames are not .* a: another"),
    ],
)  # fmt: skip
def test_however_a_child_ends_is_one_line(code: str, why: str) -> None:
    """By a signal, by a hang, by a status, by what it says."""
    limit_s = 0.5 if "sleep" in code else 60.0
    with pytest.raises(BundleError, match=f"{why}.*not activated"):
        run_trial([*CHILD, code], limit_s)


def test_memory_and_processor_are_bounded() -> None:
    """A child that eats more than its share ends, and the box goes on."""
    root = str(Path(__file__).parents[3])
    eats = f"{BOUND} limit(400, 30); bytearray(1 << 30)"
    with pytest.raises(BundleError, match="MemoryError"):
        run_trial([*CHILD, eats, root], 60.0)
    spins = f"{BOUND} limit(400, 1)\nwhile True: pass"
    with pytest.raises(BundleError, match="SIGXCPU: it took more of the processor"):
        run_trial([*CHILD, spins, root], 60.0)


def test_a_real_release_is_judged_by_a_real_child(tmp_path: Path) -> None:
    """Frames that are missing are a line; a bundle's own are judged as they must be."""
    bare = make_release(tmp_path / "store", 1)
    config = Config(folder=tmp_path)
    with pytest.raises(BundleError, match=r"the trial failed: .*frames\.json: cannot be read"):
        try_release(config, bare.folder)
    trust(tmp_path / "keys")
    text = '[model]\nreleases = "releases"\nkeys = "keys"\n[journal]\nfile = "journal.jsonl"\n'
    (tmp_path / "edge.toml").write_text(text)
    config = load_config(tmp_path / "edge.toml")
    now = KnownTime(CREATED, "the clock", synced=True)
    done = activate(config, write_tiny_bundle(tmp_path / "b"), time=now)
    assert done.trial is not None
    assert done.trial.frames == 16
    quick = dataclasses.replace(config, gate=GateSettings(reject_delay_ms=1e-9))
    with pytest.raises(BundleError, match=r"must be below \[gate\] reject_delay_ms"):
        try_release(quick, done.release.folder)


def test_the_child_says_why_it_cannot_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of JSON, here without its bounds, which would be this process's."""
    monkeypatch.setattr("edge.activation.child.limit", lambda _memory, _cpu: None)
    assert main([str(tmp_path), "500", "10", "1"]) == 1
    assert '{"why": "' in capsys.readouterr().out
