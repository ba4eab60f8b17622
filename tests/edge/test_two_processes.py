"""Eye and gate as the two real processes that they are, on a photo-eye moved by the test."""

import functools
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.gate.keeper import EYE_LOST, NO_EYE
from edge.record.verify import read_records, verify
from edge.wiring import SAFE
from tests.edge.test_replay import Systemd
from tests.gate_rig import edge_process, edges_of, pass_photo_eye, pulses_of, swept
from tests.programs import eventually
from tests.tiny_model import paint, save, write_tiny_model

pytestmark = pytest.mark.slow

SETTINGS = """\
[camera]
folder = "frames"
pictures_per_second = 0.0
loop = true
# Drawings, which have neither noise nor print.
allow_repeats = true
covered_below = 0.0
[trigger]
kind = "{kind}"
interval_ms = 400.0
latest_ms = 10000.0
[gate]
driver = "process"
reject_delay_ms = 3000.0
pulse_ms = 100.0
eye_silent_ms = 10000.0
# Each pulse is for an item: the belt runs on, and nothing is thrown as READY begins.
ready_stops_belt = false
socket = "gate.sock"
record = "edges.jsonl"
[lines]
trigger = "EYE"
inputs = "lines.sock"
[model]
file = "model.onnx"
[journal]
file = "journal.jsonl"
status = ""
[evidence]
folder = ""
"""


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Settings, a model that knows dots, and pictures with and without one by turns."""
    (tmp_path / "frames").mkdir()
    save(tmp_path / "frames" / "1.png", paint({"dot": [(16, 24)]}))
    save(tmp_path / "frames" / "2.png", paint({}))
    write_tiny_model(tmp_path / "model.onnx")
    (tmp_path / "edge.toml").write_text(SETTINGS.format(kind="photo-eye"))
    return tmp_path


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """A supervisor for the eye to report to."""
    systemd = Systemd(tmp_path / "notify")
    yield systemd
    systemd.close()


def items(box: Path) -> list[dict[str, Any]]:
    """The item records so far."""
    lines = (
        (box / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        if (box / "journal.jsonl").exists()
        else []
    )
    records: list[dict[str, Any]] = []
    for line in lines:
        try:
            records.append(json.loads(line))
        except ValueError:  # being written just now
            break
    return [record for record in records if record["kind"] == "item"]


def written_more_than(box: Path, count: int) -> bool:
    """Return whether there are more item records."""
    return len(items(box)) > count


def pass_items(box: Path, count: int) -> None:
    """Let items pass, each when the one before is written down."""
    for _ in range(count):
        before = len(items(box))
        pass_photo_eye(box)
        eventually(functools.partial(written_more_than, box, before))


def test_every_trigger_becomes_one_record_whoever_is_killed(box: Path, systemd: Systemd) -> None:
    """Eight items make eight records with eight verdicts.

    Four items, kill -9 of the eye, two items without one, a new eye, two items.
    """
    with edge_process("gate", box / "edge.toml") as gate:
        swept(box)
        with edge_process("run", box / "edge.toml", systemd.path):
            systemd.hear("READY=1")
            pass_items(box, 4)
        eventually(lambda: edges_of(box, "fault")[-1].level == 1)
        pass_photo_eye(box)
        pass_photo_eye(box)
        with edge_process("run", box / "edge.toml", systemd.path) as eye:
            systemd.hear("READY=1", times=2)
            eventually(lambda: len(items(box)) == 6)
            pass_items(box, 2)
            eye.send(signal.SIGTERM)
            assert eye.ended().returncode == 0
        gate.send(signal.SIGTERM)
        done = gate.ended()
    assert done.returncode == 0
    assert "items passed that no eye" not in done.stderr
    found = items(box)
    assert [(r["verdict"], r["gate"]) for r in found] == [
        *[("pass", "cancelled"), ("reject", "kept"), ("pass", "cancelled"), ("reject", "kept")],
        *[("fault", "kept"), ("fault", "kept")],
        *[("pass", "cancelled"), ("reject", "kept")],
    ]
    assert sorted(r["tag"] for r in found) == list(range(1, 9))
    assert {r["reason"] for r in found[4:6]} <= {NO_EYE, EYE_LOST}
    assert_counters_add_up(box)
    assert_pulses_agree(box)


def assert_counters_add_up(box: Path) -> None:
    """The eye's counters, the gate's and the journal tell of the same eight items."""
    stop = read_records(box / "journal.jsonl")[-1]
    counters, gate = stop["counters"], stop["gate"]
    assert counters["triggers"] == counters["pass"] + counters["reject"] + counters["fault"]
    assert (gate["triggers"], gate["missed"], gate["unknown"]) == (8, 2, 0)
    assert verify(box / "journal.jsonl").items == 8


def assert_pulses_agree(box: Path) -> None:
    """The reject line rose for items that did not pass, each in its time, and is SAFE now."""
    found, rises = items(box), [e for e in edges_of(box, "reject") if e.level and e.sequence]
    rejected = {r["tag"]: r["trigger_ns"] for r in found if r["verdict"] != "pass"}
    # Two of them came so close that their pulses are one.
    assert {e.sequence for e in rises} <= set(rejected)
    assert all(e.t_ns - rejected[e.sequence] >= 3000 * 10**6 for e in rises)
    assert {edge.line: edge.level for line in SAFE for edge in edges_of(box, line)} == dict(SAFE)


def test_gate_killed_ends_the_eye_which_says_so(box: Path, systemd: Systemd) -> None:
    """Exit 75 and one line, for systemd to start it again; the journal says why it ended."""
    with edge_process("gate", box / "edge.toml") as gate:
        swept(box)
        with edge_process("run", box / "edge.toml", systemd.path) as eye:
            systemd.hear("READY=1")
            pass_items(box, 1)
            gate.kill()
            done = eye.ended()
    assert done.returncode == 75
    assert "the gate is lost" in done.stderr
    assert done.stderr.count("\n") == 1
    stop = read_records(box / "journal.jsonl")[-1]
    assert (stop["kind"], stop["reason"].split(":")[0]) == ("stop", "GateError")
    assert verify(box / "journal.jsonl").items == 1


def test_the_eye_without_a_gate_exits_75(box: Path) -> None:
    """One line that says what to start; no item was judged."""
    with edge_process("run", box / "edge.toml") as eye:
        done = eye.ended()
    assert done.returncode == 75
    assert "no gate listens there" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["every-frame", "interval"])
def test_items_without_a_photo_eye_go_over_the_gate_too(
    box: Path, systemd: Systemd, kind: str
) -> None:
    """The eye announces each frame, or the gate keeps the beat.

    Each item has the gate's number and one verdict.
    """
    text = SETTINGS.format(kind=kind).replace(
        "pictures_per_second = 0.0", "pictures_per_second = 10.0"
    )
    (box / "edge.toml").write_text(text)
    with edge_process("gate", box / "edge.toml"):
        swept(box)
        with edge_process("run", box / "edge.toml", systemd.path) as eye:
            systemd.hear("READY=1")
            eventually(lambda: sum(record["verdict"] == "pass" for record in items(box)) >= 2)
            eye.send(signal.SIGTERM)
            assert eye.ended().returncode == 0
        found = items(box)
        assert len({record["tag"] for record in found}) == len(found)
        assert {record["verdict"] for record in found} <= {"pass", "reject", "fault"}
        last = max(record["tag"] for record in found if record["verdict"] != "pass")
        eventually(
            lambda: any(
                e.sequence is not None and e.sequence >= last for e in edges_of(box, "reject")
            )
        )
        assert not set(pulses_of(box)) & {
            record["tag"] for record in found if record["verdict"] == "pass"
        }


def test_another_gate_is_told_in_the_journal_as_it_threw_what_was_under_way(
    box: Path, systemd: Systemd
) -> None:
    """An item passed by its record, and was under way when the gate was killed."""
    with edge_process("gate", box / "edge.toml") as gate:
        swept(box)
        with edge_process("run", box / "edge.toml", systemd.path) as eye:
            systemd.hear("READY=1")
            pass_items(box, 1)
            gate.kill()
            eye.ended()
    with (
        edge_process("gate", box / "edge.toml") as gate,
        edge_process("run", box / "edge.toml", systemd.path) as eye,
    ):
        systemd.hear("READY=1", times=2)
        pass_items(box, 1)
        eye.send(signal.SIGTERM)
        assert eye.ended().returncode == 0
    runs = [item["gate_run"] for item in items(box)]
    told = [r for r in read_records(box / "journal.jsonl") if r["kind"] == "incident"]
    assert [(r["gate_run_before"], r["gate_run"]) for r in told if r["what"] == "swept"] == [
        (runs[0], runs[1])
    ]
