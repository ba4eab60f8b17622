"""Run ``stampgate`` without a part of the training that is no setting.

It is none because no real run should do without it.

``python -m bench.ablation.switches twins train --mark ...``: the parts, with commas between them,
then stampgate's own arguments.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unittest.mock import patch

from bench.ablation.singles import SingleBatches
from edge.errors import UsageError
from export.__main__ import main as stampgate

PARTS: Mapping[str, tuple[str, Any]] = {
    "twins": ("train.learn.dataset.PaintedBatches", SingleBatches),
    "bfloat16": ("train.network.model.HALVES", False),
}
"""Name of each part, what it is in the program, and what stands there without it."""


@contextlib.contextmanager
def switched_off(parts: Sequence[str]) -> Iterator[None]:
    """Do without *parts* inside the block. Raises UsageError for one that nobody knows."""
    with contextlib.ExitStack() as changed:
        for part in parts:
            if part not in PARTS:
                raise UsageError(f"{part}: must be one of {', '.join(PARTS)}; correct it")
            where, instead = PARTS[part]
            changed.enter_context(patch(where, instead))
        yield


def main(argv: Sequence[str] | None = None) -> int:
    """Run stampgate; the first argument names the parts to do without."""
    parts, *arguments = sys.argv[1:] if argv is None else argv
    with switched_off(parts.split(",")):
        return stampgate(arguments)


if __name__ == "__main__":
    sys.exit(main())
