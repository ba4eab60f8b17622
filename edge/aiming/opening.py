"""What ``aim`` and ``snapshot`` need before they look: a free camera, and the model if it works."""

import sys

from edge.config import Config
from edge.errors import ConfigError, ModelError, UsageError
from edge.printing import print_line
from edge.record.journal_lock import is_written
from edge.vision.localizer import Localizer


def check_camera_free(config: Config, command: str) -> None:
    """Refuse while the service has the camera. Raises UsageError, InputError."""
    if is_written(config.path(config.journal.file)):
        raise UsageError(
            f"{command}: the service runs and has the camera; stop the line and its "
            "stampgate-edge.service, and start them again afterwards"
        )


def open_model(config: Config, command: str) -> Localizer | None:
    """Load the model of the settings; None, with a line that says why, where it does not work.

    A camera is often aimed before the model is there.
    """
    try:
        return Localizer.of(config)
    except (ModelError, ConfigError) as error:
        print_line(f"{command}: marks are not looked for: {error}", sys.stderr, flush=True)
        return None
