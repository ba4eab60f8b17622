"""Whether a run may be exported, and at which threshold: by its assessment."""

from pathlib import Path

from edge.errors import InputError, UsageError
from edge.printing import printable
from train.assess.assessment import Assessment
from train.network.checkpoint import Checkpoint


def check_ready(kept: Checkpoint, run: Path, anyway: bool) -> None:
    """Check that the assessment of a run calls it ready. Raises InputError.

    *anyway*: export it all the same. A run of an earlier release has no assessment and is taken.
    """
    if not kept.assessment or anyway:
        return
    assessment = Assessment.from_json(kept.assessment)
    if not assessment.ready:
        raise InputError(
            f"{printable(run)}: {assessment.words()}; export it all the same with --anyway"
        )


def threshold_for(kept: Checkpoint, asked: float | None) -> float | None:
    """Return the threshold of the exported model, 0..1, None when the run has none.

    *asked*: by the user, in place of the run's own. Raises UsageError when it is no score, or lies
    below the least that the user's photographs allow.
    """
    if asked is None:
        return kept.threshold
    if not 0.0 < asked < 1.0:
        raise UsageError(f"--threshold {asked:g}: must be above 0 and below 1")
    floor = Assessment.from_json(kept.assessment).floor if kept.assessment else 0.0
    if asked < floor:
        raise UsageError(
            f"--threshold {asked:g}: photographs without the mark score up to {floor:.3f}; ask for "
            "that or more, or take them out of --backgrounds when they bear the mark, and train "
            "again"
        )
    return asked
