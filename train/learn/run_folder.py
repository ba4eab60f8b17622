"""The folder of a run: configuration, environment, sheets and validation pictures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.errors import InputError
from edge.files import make_folder, write_atomic
from train.assess.report import REPORT
from train.assess.sheets import CURVE, UNSTAMPED
from train.harvest.note_file import write_note
from train.leakage import NAME as MET
from train.leakage import meet, read_met, write_met
from train.learn.dataset import first_pictures
from train.learn.distributed import ProcessGroup
from train.learn.environment import note_environment
from train.learn.training_log import SHEET, summary_writer
from train.learn.validation_set import PICTURES, paint_validation_set
from train.marks.bearing_sheet import SHEET as BEARING
from train.network import checkpoint
from train.network.held_out import KEPT, write_held_out
from train.network.held_out import NAME as HELD_OUT
from train.paint.inputs import Inputs, met_files
from train.paint.picture_sheet import write_lookalike_sheet, write_picture_sheet
from train.paint.synth import Picture

HITS = "hits.png"
"""The sheet of what the trained network finds in the validation set."""
LOOKALIKES = "lookalikes.png"
"""The sheet of what is shown as no mark, for a person to look at."""
SHEET_PICTURES = 24


def prepare_folder(inputs: Inputs, out: Path, group: ProcessGroup, step: int) -> Sequence[Picture]:
    """Make the run's folder with all but weights and log, and return the validation set.

    That is: the configuration, the environment, a contact sheet of training pictures, and the
    validation pictures that export's parity check needs. Only the leader does so and has a
    validation set. Raises InputError, or UsageError when TensorBoard is asked for and missing.
    """
    if not group.is_leader:
        return ()
    if inputs.config.fit.tensorboard:
        summary_writer()
    make_folder(out)
    remove_unfinished(out)
    write_atomic(out / "config.toml", inputs.config.to_toml().encode())
    note_environment(out, group, step)
    write_met_photographs(inputs, out)
    write_note(inputs.config, out)
    write_training_sheet(inputs, out)
    if inputs.config.synth.lookalikes_max:
        write_lookalike_sheet(inputs.kit(), out / LOOKALIKES)
    pictures = paint_validation_set(inputs, PICTURES if inputs.config.fit.validate_share else KEPT)
    write_held_out(np.stack([picture.pixels for picture in pictures[:KEPT]]), out)
    return pictures


def write_met_photographs(inputs: Inputs, out: Path) -> None:
    """Write the hashes of all that the model meets, so that none of it judges the model later.

    A run that goes on has them already. Raises InputError.
    """
    digest = inputs.fingerprint().digest()
    try:
        known = read_met(out, digest)
    except InputError:  # damaged: it is made anew
        known = None
    if known is None:
        write_met(meet(met_files(inputs)), digest, out)


def remove_unfinished(out: Path) -> None:
    """Remove what a process that was killed while it wrote has left beside the run's files."""
    sheets = (HITS, SHEET, LOOKALIKES, CURVE, UNSTAMPED, REPORT, BEARING)
    for name in (checkpoint.NAME, *sheets, HELD_OUT, MET, "config.toml", "loss.csv"):
        for path in out.glob(f".{name}.*"):
            path.unlink(missing_ok=True)


def write_training_sheet(inputs: Inputs, out: Path) -> None:
    """Write a contact sheet of the first pictures trained on, as ``pictures.png``.

    They are painted by the function that paints the batches, so windows and whole frames, twins and
    real photographs appear as the network is shown them. Raises InputError.
    """
    pictures = first_pictures(inputs.kit(), inputs.config.fit, SHEET_PICTURES)
    write_picture_sheet(pictures, inputs.config.classes, out / SHEET)
