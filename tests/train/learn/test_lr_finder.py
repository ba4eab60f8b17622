from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import InputError, UsageError
from tests.quick_run import config_in
from train.commands import lr_find
from train.learn import lr_finder
from train.learn.lr_finder import Sweep, suggest, sweep
from train.paint.inputs import read_inputs


def arguments_for(tmp_path: Path, out: str, steps: int) -> list[str]:
    """The command line of a tiny sweep."""
    config = config_in(tmp_path)
    words = ["--mark", config.marks[0][1], "--backgrounds", config.backgrounds, "--size", "96"]
    keys = ("window=96", "batch=2", "workers=0", "threads=1", "painted_share=0.0", "weights=none")
    words += [word for key in keys for word in ("--set", key)]
    return [*words, "--out", str(tmp_path / out), "--steps", str(steps)]


def run(words: list[str]) -> int:
    """Parse and run as the program does."""
    parser = ArgumentParser()
    lr_find.add_arguments(parser)
    arguments = parser.parse_args(words)
    return lr_find.run(arguments)


def test_the_command_draws_the_sweep_and_suggests_a_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real sweep of a real network."""
    pytest.importorskip("matplotlib")
    assert run(arguments_for(tmp_path, "plot.png", 24)) == 0
    told = capsys.readouterr().out
    rate = float(told.partition("learning rate of ")[2].partition(":")[0])
    assert lr_finder.LOWEST < rate < lr_finder.HIGHEST
    assert f"--set learning_rate={rate:.2g}" in told
    with Image.open(tmp_path / "plot.png") as plot:
        assert plot.size == (960, 600)
        assert len(np.unique(np.asarray(plot.convert("L")))) > 20


def test_a_plot_of_another_kind_is_refused_before_the_sweep(tmp_path: Path) -> None:
    """With the endings that there are."""
    with pytest.raises(UsageError, match=r"must end in \.png, \.svg, \.pdf"):
        run(arguments_for(tmp_path, "plot.txt", 24))


def test_the_suggestion_is_where_the_smoothed_loss_falls_fastest() -> None:
    """A curve with a known steepest place, noise on it, and the explosion behind it."""
    rates = np.geomspace(1e-5, 1.0, 200)
    losses = 2.0 + 8.0 / (1 + (rates / 3e-3) ** 2) + np.where(rates > 0.2, 1e3 * (rates - 0.2), 0.0)
    noisy = losses + np.random.default_rng(0).normal(0, 0.05, 200)
    found = Sweep.of(rates.tolist(), noisy.tolist())
    assert len(found.smoothed) == 200
    assert found.smoothed[0] == pytest.approx(noisy[0])
    assert 1.5e-3 < suggest(found) < 9e-3


def test_the_sweep_grows_evenly_and_ends_when_told(tmp_path: Path) -> None:
    """Each step's size is the one before times the same number; too short a sweep is said so."""
    inputs = read_inputs(config_in(tmp_path))
    found = sweep(inputs, 40, lambda step, _: step >= 20)
    ratios = found.rates[1:] / found.rates[:-1]
    assert len(found.rates) == 20
    assert np.allclose(ratios, ratios[0])
    with pytest.raises(InputError, match="too few to see a slope"):
        sweep(inputs, 40, lambda step, _: step >= 3)
