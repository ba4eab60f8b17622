"""The region as a person saves it: checked, recorded in the journal, then written."""

import os
import pwd
import threading
from pathlib import Path
from typing import Any

from edge.aiming.aimer import Aimer
from edge.aiming.region_file import (
    Corners,
    SettingsText,
    read_settings,
    with_region,
    write_settings,
)
from edge.clock import Clock
from edge.errors import ConfigError, InputError, StampgateError
from edge.files import check_ours
from edge.printing import print_line
from edge.record.high_water import mark_path
from edge.record.journal import Journal
from edge.reload import changes

NEXT = "counts from the next start of the service on"


class RegionSaver:
    """Loads and saves the region of one settings file, and lets the aimer look by it.

    Synchronization: any thread.
    """

    def __init__(self, path: Path, aimer: Aimer, clock: Clock) -> None:
        self._path, self._aimer, self._clock = path, aimer, clock
        self._lock = threading.Lock()

    def load(self) -> dict[str, Any]:
        """Read the file again, aim by it, and return its region and its sum.

        Raises ConfigError.
        """
        with self._lock:
            return self._adopt(read_settings(self._path))

    def save(self, corners: Corners, seen: str) -> dict[str, Any]:
        """Save another region, and return what :meth:`load` does.

        *seen*: the SHA-256 of the file that the region was drawn for. It must lie in the picture
        that the camera gives. The journal holds who changed what before the file does. Raises
        ConfigError, InputError or JournalError; then the file is as it was.
        """
        with self._lock:
            check_ours(self._path)
            before = read_settings(self._path)
            if before.sha256 != seen:
                raise InputError(
                    f"{self._path}: was changed by somebody else meanwhile, and nothing was saved; "
                    "load the region again, and draw it once more"
                )
            after = with_region(before, corners)
            self._check_in_picture(after)
            self._aimer.about_model(after.config)
            self._write(before, after)
            print_line(f"aim: {self._path}: region saved; it {NEXT}", flush=True)
            return self._adopt(read_settings(self._path))

    def _check_in_picture(self, after: SettingsText) -> None:
        view = self._aimer.views[-1] if self._aimer.views else None
        if after.region is None or view is None or not view.width:
            return
        if beyond := after.region.beyond(view.width, view.height):
            raise ConfigError(f"[decision] {beyond.removeprefix('the ')}; draw it inside")

    def _write(self, before: SettingsText, after: SettingsText) -> None:
        config = after.config
        changed = changes(before.config, config)
        if not changed and before.content == after.content:
            return
        about = {"changed": changed, "settings_sha256": config.checksum(), "by": _person()}
        journal = config.path(config.journal.file)
        mark = mark_path(config.path(config.journal.mark), journal) if config.journal.mark else None
        name = config.service.name
        with Journal(journal, self._clock, settings=config.journal, mark=mark, name=name) as opened:
            opened.append("note", {"reason": f"aim saves another region; it {NEXT}", **about})
            try:
                write_settings(after, before)
            except StampgateError as error:
                opened.append("note", {"reason": f"aim did not save the region: {error}"})
                raise

    def _adopt(self, settings: SettingsText) -> dict[str, Any]:
        model, region = self._aimer.about_model(settings.config), settings.region
        if settings.config != self._aimer.config:
            self._aimer.config = settings.config
        return {
            "region": [] if region is None else [list(corner) for corner in region.corners],
            "sha256": settings.sha256,
            "file": str(self._path),
            "model": model,
        }


def _person() -> str:
    """Return the user who runs this, also behind sudo."""
    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
