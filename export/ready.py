"""Whether a run may be exported, and at which threshold: by its assessment."""

from pathlib import Path

from edge.errors import InputError, UsageError
from edge.printing import printable
from edge.vision.assessed import Assessed
from train.assess.assessment import Assessment, plain_line
from train.assess.counts import Count
from train.network.checkpoint import Checkpoint


def assessment_of(kept: Checkpoint) -> Assessment | None:
    """Return the assessment of a run; None when it has none, as of an earlier release."""
    return Assessment.from_json(kept.assessment) if kept.assessment else None


def check_ready(kept: Checkpoint, run: Path, anyway: bool) -> None:
    """Check that a run is ready at its threshold, which must have been set. Raises InputError.

    *anyway*: export it all the same, unless it does not even find its mark pasted plainly. A run of
    an earlier release has no assessment and is taken.
    """
    assessment = assessment_of(kept)
    if assessment is None or kept.threshold is None:
        return
    if missed := plain_line(assessment, kept.threshold):
        raise InputError(
            f"{printable(run)}: {missed} at threshold {kept.threshold:.3f}, and cannot be "
            "exported; train longer ('stampgate train --resume'), or bring a clearer picture of it"
        )
    row = assessment.at(kept.threshold) or assessment.chosen
    if not anyway and not assessment.is_ready(row):
        raise InputError(
            f"{printable(run)}: {assessment.words(row)}; export it all the same with --anyway"
        )


def assessed_of(kept: Checkpoint, anyway: bool) -> Assessed | None:
    """Return the summary of the assessment for the model's contract.

    None when there is none, or when an earlier release kept too little to count at this threshold.
    """
    assessment = assessment_of(kept)
    row = assessment.at(kept.threshold) if assessment and kept.threshold is not None else None
    if assessment is None or row is None:
        return None
    photographs = Count(0, 0) if assessment.painted else row.photographs
    counts = ((one.hits, one.of) for one in (row.marks, photographs, row.lookalikes))
    return Assessed(assessment.is_ready(row), anyway, *counts)


def threshold_for(kept: Checkpoint, asked: float | None) -> float | None:
    """Return the threshold of the exported model, 0..1, None when the run has none.

    *asked*: by the user, in place of the run's own. Raises UsageError when it is no score, or lies
    below the least that the user's photographs allow.
    """
    if asked is None:
        return kept.threshold
    if not 0.0 < asked < 1.0:
        raise UsageError(f"--threshold {asked:g}: must be above 0 and below 1")
    assessment = assessment_of(kept)
    floor = assessment.floor if assessment else 0.0
    if asked < floor:
        raise UsageError(
            f"--threshold {asked:g}: photographs without the mark score up to {floor:.3f}; ask for "
            "that or more, or take them out of --backgrounds when they bear the mark, and train "
            "again"
        )
    return asked
