"""A program for ``torchrun``: a tiny run as CONFIG.json says, begun or resumed in OUT."""

import os
import sys
from pathlib import Path

import pytest

from tests.quick_run import paint_few
from train.config import RunConfig
from train.learn.distributed import is_leader
from train.learn.fit import fit
from train.network import checkpoint
from train.paint.inputs import read_inputs

if __name__ == "__main__":
    config, out = RunConfig.from_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    with pytest.MonkeyPatch.context() as monkeypatch:
        paint_few(monkeypatch)
        kept = checkpoint.load(out) if (out / checkpoint.NAME).exists() else None
        outcome = fit(read_inputs(config), out, kept)
    ended = f"threshold {outcome.threshold!r} stopped {outcome.interrupted}"
    said = f"leader {is_leader()} step {outcome.step} {ended}\n"
    os.write(1, said.encode())  # at once, since both write to one pipe
