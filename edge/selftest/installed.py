"""Try a fresh environment before it is switched to: ``python -I -m edge.selftest.installed``.

The package's ``postinst`` runs it. What is asked is what the production line will ask of it: that a
known stamped and a known unstamped picture are judged as they must be, that the box's settings are
taken, and the model that they name. What is refused here leaves the version before in service.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from edge.config import DEFAULT_MODEL, Config
from edge.deciding.rules import rules_of
from edge.decision import decide
from edge.errors import ModelError, StampgateError
from edge.printing import print_error
from edge.releases.store import read_pointer
from edge.selftest.sight import SAMPLES
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.wiring import check_model, load_checked


def try_packaged_model() -> None:
    """Judge the known pictures with the packaged model. Raises ModelError or FrameError."""
    localizer = Localizer(DEFAULT_MODEL)
    for name, wanted in SAMPLES.items():
        picture = read_picture(DEFAULT_MODEL.parent / "samples" / name)
        verdict = decide(localizer.find(picture), localizer.contract.classes)
        if verdict.kind != wanted:
            raise ModelError(
                f"{name} must be {wanted}, not {verdict.kind} ({verdict.reason}): the program does "
                "not judge on this computer as it must; send this line to whoever looks after it"
            )


def try_settings(path: Path) -> None:
    """Read the box's settings, and load the model that they name.

    A file that is not there yet is none to try. Raises ConfigError or ModelError.
    """
    if not path.exists():
        return
    config: Config = load_checked(path)
    check_model(config)  # the service would not start, and the line would stand still
    if config.model.bundle and not read_pointer(config.path(config.model.releases)).current:
        return
    if config.model_file() != DEFAULT_MODEL and not config.model_file().exists():
        return
    contract = Localizer.of(config).contract
    rules_of(config.decision, contract.classes, contract.threshold)


def main(arguments: Sequence[str]) -> int:
    """Try the environment and the settings that are named; return 1, after a line, if it fails."""
    try:
        try_packaged_model()
        for settings in arguments:
            try_settings(Path(settings))
    except StampgateError as error:
        print_error("stampgate-edge", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
