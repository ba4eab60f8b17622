import dataclasses
import json
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.edge.__main__ import main as bench_edge
from bench.edge.figures import Figure, verdict
from bench.edge.overhead import looks_at
from bench.edge.processes import PROGRAM, Service, write_settings
from bench.edge.soak import main as soak
from bench.edge.soak_box import fill
from bench.edge.soak_proof import Ledger, Run, Sample, counted, grown, written
from bench.layouts import layouts
from edge.config import load_config
from edge.errors import InputError
from edge.vision.localizer import Localizer
from tests.paths import ROOT
from tests.programs import Program
from tests.tiny_model import CONTRACT, paint, write_tiny_model

# --- figures and bounds ---------------------------------------------------------------------------


def test_a_figure_at_its_bound_holds_and_one_above_does_not() -> None:
    """One without a bound cannot break it; the verdict names what is over."""
    figures = [
        Figure("start", 1.5, "s", 1.5),
        Figure("memory", 20.1, "MB", 20.0),
        Figure("disk", 999.0, "MB"),
    ]
    assert [figure.holds for figure in figures] == [True, False, True]
    assert verdict(figures) == "OVER: memory"
    assert verdict(figures[:1]) == "all 1 bounds hold"


# --- what a soak proves ---------------------------------------------------------------------------


def item(tag: int, verdict: str = "pass", **others: Any) -> dict[str, Any]:
    """A journal record of an item whose picture deserves to pass."""
    usual = {"gate": "cancelled", "reason": "dot found", "picture": "0-pass.jpg", "ms": 5.0}
    return {"kind": "item", "tag": tag, "verdict": verdict, **usual, **others}


def ledger_of(*records: dict[str, Any]) -> Ledger:
    """Return the ledger of a journal of these records."""
    ledger = Ledger()
    for record in records:
        ledger.take(record)
    return ledger


def run_of(passed: int, **gate: int) -> Run:
    """A run of so many items, all let pass unless *gate* says otherwise."""
    usual = dict.fromkeys(
        (
            "thrown",
            "thrown_passes",
            "late",
            "missed",
            "unknown",
            "lost_edges",
            "malformed",
            "refused",
        ),
        0,
    )
    return Run(passed, passed, 1.0, (), {"run": "1-1", "triggers": passed, **usual, **gate}, (0, 0))


def stop(passed: int, rejected: int = 0, faults: int = 0) -> dict[str, Any]:
    """The journal's last record."""
    counters = {
        "triggers": passed + rejected + faults,
        "pass": passed,
        "reject": rejected,
        "fault": faults,
    }
    return {"kind": "stop", "counters": counters}


def values(figures: list[Figure]) -> list[float]:
    """The figures alone."""
    return [figure.value for figure in figures]


def test_counts_that_agree_miss_nothing() -> None:
    """One passes, one is thrown off, and belt, gate and eye all say so."""
    thrown = item(2, "reject", gate="kept", picture="1-reject.jpg")
    assert values(counted(run_of(2, thrown=1), ledger_of(item(1), thrown, stop(1, 1)))) == [
        0,
        0,
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize(
    ("gate", "last", "missing"),
    [
        ({}, stop(1), [1, 0, 0, 0, 0, 0]),
        ({"triggers": 1}, stop(2), [0, 1, 1, 0, 0, 0]),
        ({"thrown": 1}, stop(2), [0, 1, 0, 0, 0, 0]),
        ({"missed": 2, "unknown": 1}, stop(2), [0, 0, 0, 3, 0, 0]),
    ],
)
def test_a_count_that_does_not_agree_shows(
    gate: dict[str, int], last: dict[str, Any], missing: list[float]
) -> None:
    """Of the eye, of the gate, of both against each other."""
    assert values(counted(run_of(2, **gate), ledger_of(item(1), item(2), last))) == missing


def test_an_item_out_of_time_is_told_apart_from_one_that_was_misjudged() -> None:
    """A late answer or a busy eye is no misjudgement; a bad item that passed always is."""
    ledger = ledger_of(
        item(1, "reject", gate="late", reason="the answer came after the item was due (dot found)"),
        item(
            2,
            "fault",
            gate="kept",
            reason="triggered while the eye was busy: it waited 120 ms",
            picture="",
        ),
        item(3, "pass", picture="1-reject.jpg"),
        item(4, "reject", gate="kept", reason="no dot found"),
    )
    assert ledger.untimely == 2
    assert ledger.wrong == Counter({"pass: dot found": 1, "reject: no dot found": 1})


def test_growth_is_told_from_the_warm_up() -> None:
    """The eye's memory doubles in the first twentieth and rests; the gate leaks 5 MB and a file."""
    samples = [
        Sample(
            items,
            15.0 + items / 4000,
            50.0 if items < 1000 else 100.0,
            9 + (items > 18_000),
            11 + items % 3,
        )
        for items in range(0, 20_020, 20)
    ]
    gate_mb, gate_files, eye_mb, eye_files = grown(samples)
    assert gate_mb.value == pytest.approx(4.05, abs=0.01)
    assert (gate_files.value, eye_mb.value, eye_files.value) == (1, 0, 0)
    assert [figure.holds for figure in (gate_mb, gate_files, eye_mb, eye_files)] == [
        False,
        False,
        True,
        True,
    ]


# --- the processes --------------------------------------------------------------------------------


def test_settings_written_are_the_settings_read(tmp_path: Path) -> None:
    """Every key of the soak's settings comes back as it was."""
    config = fill(tmp_path / "box", tmp_path, 1000)
    assert load_config(write_settings(config, config.folder / "edge.toml")) == config


def test_a_program_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the next step, and exit status 1."""
    assert (
        soak(
            [
                "--items",
                "4000",
                "--out",
                str(tmp_path / "out"),
                "--program",
                str(tmp_path / "nothing"),
            ]
        )
        == 1
    )
    complaint = capsys.readouterr().err
    assert "cannot be started (No such file or directory); install stampgate there" in complaint
    assert complaint.count("\n") == 1


def test_a_process_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    """Its status too: a soak never waits for one that is gone."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho first >&2\necho no gate listens >&2\nexit 75\n")
    program.chmod(0o755)
    with (
        Service(program, "run", tmp_path / "edge.toml", tmp_path) as service,
        pytest.raises(
            InputError, match="'stampgate-edge run' ended with status 75: no gate listens"
        ),
    ):
        service.ready_s()


def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A soak empties only what a soak has made."""
    (tmp_path / "thesis.txt").write_text("years of work")
    assert soak(["--items", "4000", "--out", str(tmp_path)]) == 1
    assert "must be empty or hold an earlier soak" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_soak_too_short_to_say_anything_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and nothing is written."""
    assert soak(["--items", "10", "--out", str(tmp_path / "out")]) == 2
    assert "--items must be at least 4000, not 10" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_network_alone_is_shown_what_it_is_shown_on_the_way(tmp_path: Path) -> None:
    """A frame with two marks costs a look at the whole and, together, two looks at likely marks."""
    contract = dataclasses.replace(CONTRACT, second_side=32, second_px=24)
    localizer = Localizer(write_tiny_model(tmp_path / "model.onnx", contract))
    looks = looks_at(localizer, paint({"dot": [(8, 8), (40, 40)]}))
    assert [pictures.shape for pictures in looks] == [(1, 64, 64, 3), (2, 32, 32, 3)]
    assert all(pictures.dtype == np.uint8 for pictures in looks)


@pytest.fixture(scope="module")
def short_soak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a soak of 4000 items: too few for memory, enough for everything else."""
    out = tmp_path_factory.mktemp("soak")
    assert soak(["--items", "4000", "--out", str(out)]) in (0, 1)
    return out


@pytest.mark.slow
def test_4000_items_through_both_processes_lose_nothing(short_soak: Path) -> None:
    """All bounds of the long soak but those of memory hold, and what it wrote says so."""
    told = json.loads((short_soak / "soak.json").read_text())
    over = {figure["name"] for figure in told["figures"] if not figure["holds"]}
    assert over <= {"gate: memory grown after the warm-up", "eye: memory grown after the warm-up"}
    assert told["gate"]["triggers"] == 4000
    assert told["samples"][-1][0] == 4000
    assert len(list((short_soak / "box").glob("journal*.jsonl"))) > 5
    assert (short_soak / "soak.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_journal_with_a_changed_line_breaks_the_proof(short_soak: Path) -> None:
    """The soak asks the box's own command, and that sees it."""
    config = load_config(short_soak / "box" / "edge.toml")
    journal = config.path(config.journal.file)
    before = next(iter(journal.parent.glob("journal-000003-*.jsonl")))
    before.write_text(before.read_text().replace('"verdict": "reject"', '"verdict": "pass"', 1))
    checked = {
        figure.name: figure for figure in written(run_of(1), ledger_of(item(1)), config, PROGRAM)
    }
    assert checked["exit status of verify-log"].value == 1
    assert "must carry the hash of the line before" in checked["exit status of verify-log"].note


@pytest.mark.slow
def test_ctrl_c_ends_a_soak_in_good_order_and_shows_what_was_seen(tmp_path: Path) -> None:
    """Exit status 130; items under way are judged, and the proof is made for all that passed."""
    words = ["-m", "bench.edge.soak", "--items", "1000000", "--out", str(tmp_path / "out")]
    with Program(sys.executable, *words) as program:
        program.hear("item/s")
        program.send(signal.SIGINT)
        done = program.ended()
    assert done.returncode == 130, done.stderr
    assert "of 1000000 items: what is said above is true of those" in done.stdout
    told = json.loads((tmp_path / "out" / "soak.json").read_text())
    assert {f["name"]: f["value"] for f in told["figures"]}[
        "eye: triggers other than pass + reject + fault"
    ] == 0


@pytest.mark.slow
def test_bench_edge_measures_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With few rounds of two pictures the figures are there and belong together.

    How good they are is not for a test to say.
    """
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for sample in sorted((ROOT / "edge/default/samples").glob("*.jpg"))[:2]:
        shutil.copy(sample, pictures)
    few = ["--starts", "1", "--items", "5", "--rounds", "1", "--pictures", str(pictures)]
    few += ["--out", str(tmp_path)]
    assert bench_edge(few) in (0, 1)
    told = {
        f["name"]: f["value"]
        for f in json.loads((tmp_path / "bench-edge.json").read_text())["figures"]
    }
    assert list(told) == [
        "environment on the disk",
        "gate: start to READY=1",
        "eye: start to READY=1, model",
        "both: start to the READY line, model",
        "gate: memory",
        "eye: memory, model",
        *(
            f"whole way / network, {layout}{how}, model"
            for layout in layouts()
            for how in ("", ", evidence kept", ", JPEG decoded")
        ),
    ]
    assert min(told["both: start to the READY line, model"], told["gate: start to READY=1"]) > 0
    assert 0 < told["gate: memory"] < told["eye: memory, model"]
    assert min(value for name, value in told.items() if name.startswith("whole way")) > 0
    assert "again: python -m bench.edge" in capsys.readouterr().out
