import csv
import dataclasses
import os
import re
import signal
import sys
from pathlib import Path

import pytest
import torch

from edge.errors import InputError
from tests.leftovers import descendants
from tests.paths import ROOT
from tests.programs import PATIENCE_S, Program
from tests.quick_run import SMALL, config_in, paint_few
from train.config import RunConfig
from train.learn.dataset import paint_batch, plan_batch
from train.learn.distributed import ProcessGroup, cores_here, is_leader, join_process_group
from train.learn.fit import fit
from train.network import checkpoint
from train.paint.inputs import read_inputs

PAIR = dataclasses.replace(SMALL, size=128, batch=8, steps=5, whole_every=3, validate_share=0.5)
"""Windows and whole frames, the batch of both together."""


def torchrun(config: RunConfig, folder: Path, out: str = "pair") -> Program:
    """Start two processes of one run as a user would, over loopback."""
    (folder / "config.json").write_text(config.to_json())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "--shutdown-timeout", f"{PATIENCE_S:.0f}"]
    command += ["tests/two_processes.py", str(folder / "config.json"), str(folder / out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return Program(*command, environment=environment)


def told_by(process: Program) -> list[str]:
    """Return what both said in the end, the leader first."""
    with process:
        done = process.ended()
    assert done.returncode == 0, done.stderr
    return sorted(re.findall("^leader .+$", done.stdout, re.MULTILINE), reverse=True)


def losses_in(run: Path) -> list[tuple[float, ...]]:
    """Step, pictures and losses of each row."""
    with (run / "loss.csv").open(newline="") as file:
        return [
            tuple(float(cell) for cell in row[:1] + row[2:]) for row in list(csv.reader(file))[1:]
        ]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_doubled_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss curve is that of one process with two parts, to its last printed digit."""
    told = told_by(torchrun(config_in(tmp_path, dataclasses.replace(PAIR, batch=4)), tmp_path))
    paint_few(monkeypatch)
    outcome = fit(
        read_inputs(config_in(tmp_path, dataclasses.replace(PAIR, threads=2))), tmp_path / "one"
    )
    one, pair = losses_in(tmp_path / "one"), losses_in(tmp_path / "pair")
    assert [row[:2] for row in pair] == [(1.0, 8.0), (2.0, 8.0), (3.0, 4.0), (4.0, 8.0), (5.0, 8.0)]
    assert pair == one
    kept, want = checkpoint.load(tmp_path / "pair"), checkpoint.load(tmp_path / "one")
    for name, value in want.weights.items():
        assert torch.allclose(kept.weights[name], value, rtol=1e-4, atol=1e-6), name
    threshold = kept.threshold
    assert told == [
        f"leader {leads} step 5 threshold {threshold!r} stopped False" for leads in (True, False)
    ]
    assert outcome.step == 5
    assert sorted(path.name for path in (tmp_path / "pair").iterdir()) == sorted(
        path.name for path in (tmp_path / "one").iterdir()
    )


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on_together(tmp_path: Path) -> None:
    """One signal to torchrun ends both after one step; both resume from the leader's checkpoint."""
    config = config_in(
        tmp_path, dataclasses.replace(PAIR, batch=4, steps=100_000, validate_share=0.0)
    )
    with torchrun(config, tmp_path) as process:
        process.hear("images/s")
        process.send(signal.SIGINT)
        done = process.ended()
    said = re.findall(
        r"^leader (True|False) step (\d+) threshold (\S+) stopped True$", done.stdout, re.MULTILINE
    )
    assert sorted(leads for leads, *_ in said) == ["False", "True"], done.stderr
    assert len({(step, threshold) for _, step, threshold in said}) == 1
    kept = checkpoint.load(tmp_path / "pair")
    assert str(kept.step) == said[0][1]
    more = dataclasses.replace(config, fit=dataclasses.replace(config.fit, steps=kept.step + 2))
    assert len(told_by(torchrun(more, tmp_path))) == 2
    assert [row[0] for row in losses_in(tmp_path / "pair")] == [
        float(n + 1) for n in range(kept.step + 2)
    ]


def environment_of(pid: int) -> list[bytes]:
    """The environment of a process, variable by variable."""
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


@pytest.mark.slow
@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_killed_process_costs_no_more_than_what_the_last_checkpoint_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rank: str
) -> None:
    """The others end and say why; the checkpoint is whole, and both go on from it.

    One process has begun the run, which costs a start of two less.
    """
    config = config_in(tmp_path, dataclasses.replace(PAIR, batch=4, steps=3, validate_share=0.0))
    paint_few(monkeypatch)
    fit(read_inputs(config), tmp_path / "pair")
    endless = dataclasses.replace(config, fit=dataclasses.replace(config.fit, steps=100_000))
    with torchrun(endless, tmp_path) as process:
        process.hear("images/s")
        ranks = [one.process.pid for one in descendants(process.pid) if one.parent == process.pid]
        asked = f"RANK={rank}".encode()
        (pid,) = [pid for pid in ranks if asked in environment_of(pid)]
        os.kill(pid, signal.SIGKILL)
        done = process.ended()
    assert done.returncode != 0
    assert checkpoint.load(tmp_path / "pair").step == 3
    if rank == "1":
        return  # it is the same checkpoint
    more = dataclasses.replace(config, fit=dataclasses.replace(config.fit, steps=5))
    assert len(told_by(torchrun(more, tmp_path))) == 2
    assert [row[0] for row in losses_in(tmp_path / "pair")] == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_processes_with_other_inputs_do_not_train_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one's digest differs; the message says what to copy."""
    asked: list[tuple[bool, float]] = []

    def answered(group: ProcessGroup, stop: bool, seconds: float) -> tuple[bool, float]:
        asked.append((stop, seconds))
        return stop, float(0xABC)

    monkeypatch.setattr(ProcessGroup, "synchronize", answered)
    group = ProcessGroup(rank=1, world=2)
    group.check_same("000000000abc" + "0" * 52, "marks or photographs")
    with pytest.raises(InputError, match="the processes have different marks or photographs"):
        group.check_same("000000000abd" + "0" * 52, "marks or photographs")
    assert [stop for stop, _ in asked] == [False, False, False, True]


def test_the_shares_of_all_processes_are_the_whole_batch(tmp_path: Path) -> None:
    """Picture for picture, for windows and for whole frames, whatever the number of processes."""
    config = config_in(tmp_path, dataclasses.replace(PAIR, batch=4))
    kit = read_inputs(config).kit()
    doubled = PAIR
    for number in (0, 2):
        shares = [p for rank in (0, 1) for p in paint_batch(kit, config.fit, number, rank, 2)]
        whole = paint_batch(kit, doubled, number)
        assert [p.marks for p in shares] == [p.marks for p in whole]
        assert all((a.pixels == b.pixels).all() for a, b in zip(shares, whole, strict=True))
    assert plan_batch(dataclasses.replace(config.fit, whole_every=1), 0, world=5)[1] >= 10


def test_a_team_of_one_costs_nothing_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torchrun there is no process group, and every answer is one's own."""
    monkeypatch.delenv("RANK", raising=False)
    with join_process_group() as group:
        gradient = torch.ones(3)
        group.all_reduce_mean([gradient])
        assert (group.world, group.is_leader, is_leader()) == (1, True, True)
        assert (group.synchronize(True, 2.5), group.broadcast(0.25), gradient.tolist()) == (
            (True, 2.5),
            0.25,
            [1.0, 1.0, 1.0],
        )
        assert not torch.distributed.is_initialized()


def test_processes_on_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes on two cores have one each, not none."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert cores_here() == 2
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "8"), ("LOCAL_WORLD_SIZE", "4")):
        monkeypatch.setenv(name, value)
    assert (cores_here(), is_leader(), ProcessGroup().rank) == (1, False, 0)
