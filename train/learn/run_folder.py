"""What a run leaves in its folder besides its weights and its diary."""

from collections.abc import Sequence
from pathlib import Path

from edge.files import make_folder, write_atomic
from train.learn.dataset import first_pictures
from train.learn.diary import SHEET, summary_writer
from train.learn.distributed import Team
from train.learn.environment import note_environment
from train.learn.held_out import KEPT, PICTURES, paint_held_out, write_pictures
from train.paint.inputs import Inputs
from train.paint.picture_sheet import write_picture_sheet
from train.paint.synth import Picture

HITS = "hits.png"
"""The sheet of what the trained network finds in held-out pictures."""
SHEET_PICTURES = 24


def prepare_folder(inputs: Inputs, out: Path, team: Team, step: int) -> Sequence[Picture]:
    """Make the run's folder, write down what it is, and return the held-out pictures, which only
    the leader needs.

    The configuration, the environment, a contact sheet of training pictures, and the held-out
    pictures that an export is checked on, so that it needs nothing but this folder. Raises
    InputError, or UsageError when TensorBoard is asked for and not there.
    """
    if not team.leads:
        return ()
    if inputs.config.fit.tensorboard:
        summary_writer()
    make_folder(out)
    write_atomic(out / "config.toml", inputs.config.to_toml().encode())
    note_environment(out, team, step)
    write_training_sheet(inputs, out)
    pictures = paint_held_out(inputs, PICTURES if inputs.config.fit.validate_share else KEPT)
    write_pictures(pictures, out)
    return pictures


def write_training_sheet(inputs: Inputs, out: Path) -> None:
    """Write a contact sheet of the first pictures trained on, as ``pictures.png``.

    They are painted by the function that paints the batches, so windows and whole frames, twins and
    real photographs appear as the network is shown them. Raises InputError.
    """
    pictures = first_pictures(inputs.kit(), inputs.config.fit, SHEET_PICTURES)
    write_picture_sheet(pictures, inputs.config.classes, out / SHEET)
