"""No two production lines of a box may claim one GPIO line, one camera or one file.

Each line's services would start, and the second would wait for ever for what the first holds, or
write into its journal. What two settings files claim is known before: it is refused in one line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.config import Config
from edge.errors import ConfigError
from edge.production_lines.names import LINES_FOLDER
from edge.sections.gate import LinesSettings

Load = Callable[[Path], Config]
"""Reads and checks a settings file; raises ConfigError."""
Wired = Callable[[LinesSettings], Mapping[str, str]]
"""Gives the names of the wires, by their roles."""


@dataclass(frozen=True)
class Claim:
    """One thing that a line has for itself.

    *setting*: that which claims it; *kind* and *what*: the thing; *among*: of what it is one, such
    as a chip's label, empty where any will do.
    """

    setting: str
    kind: str
    what: str
    among: str = ""

    def is_that_of(self, other: "Claim") -> bool:
        """Tell whether two claims are, or may be, of one thing."""
        alike = self.kind == other.kind and self.what == other.what
        return alike and ("" in (self.among, other.among) or self.among == other.among)


def refuse_shared(config: Config, load: Load, wired: Wired) -> None:
    """Check that no other line of the box claims what this one does.

    Only settings in a folder of lines, such as :data:`LINES_FOLDER`, are of one line of several. A
    file of another line that cannot be taken claims nothing: its services do not start. Raises
    ConfigError.
    """
    source = config.source
    if source is None or source.parent.name != LINES_FOLDER.name:
        return
    ours = list(claims(config, wired))
    for path in sorted(source.parent.glob("*.toml")):
        if path == source:
            continue
        try:
            theirs = list(claims(load(path), wired))
        except ConfigError:
            continue
        for claim in ours:
            if other := next((o for o in theirs if claim.is_that_of(o)), None):
                raise ConfigError(
                    f"{source}: {claim.setting} {claim.what or claim.among or 'any'} is claimed by "
                    f"another line too, as {other.setting} in {path}; give each line its own"
                )


def claims(config: Config, wired: Wired) -> Iterator[Claim]:
    """Yield what a line has for itself."""
    if config.lines.driver == "gpiod" and config.gate.driver == "process":
        for role, name in wired(config.lines).items():
            yield Claim(f"[lines] {role}", "wire", name, config.lines.chip)
    yield from _camera(config)
    yield from _files(config)


def _camera(config: Config) -> Iterator[Claim]:
    camera = config.camera
    if camera.driver == "gstreamer":
        yield Claim("[camera] pipeline", "pipeline", camera.pipeline)
    elif camera.driver != "replay":
        device = camera.device
        if device and camera.driver == "v4l2":
            device = str(config.path(device).resolve())
        yield Claim("[camera] device", f"camera of {camera.driver}", "", device)


def _files(config: Config) -> Iterator[Claim]:
    """Yield the files and folders that a line has for itself."""
    folder = config.evidence.folder
    folders = [("[evidence] folder", config.path(folder))] if folder else []
    if config.model.bundle:
        folders.append(("[model] releases", config.path(config.model.releases)))
    if config.reports.shifts:
        folders.append(("[reports] folder", config.path(config.reports.folder)))
    for setting, path in (*own_files(config), *folders):
        yield Claim(setting, "file", str(_resolved(path)))


def own_files(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield the files and sockets that a box has for itself, each with the setting that names it.

    Two settings must not name one of them, nor two lines; an empty text names none.
    """
    for setting, text in (
        ("[journal] file", config.journal.file),
        ("[journal] status", config.journal.status),
        ("[journal] mark", config.journal.mark),
        ("[imaging] reference", config.imaging.reference),
        ("[shadow] log", config.shadow.log),
        ("[gate] record", config.gate.record),
        ("[gate] debts", config.gate.debts),
        ("[gate] socket", config.gate.socket),
        ("[lines] inputs", config.lines.inputs),
        ("[challenge] socket", config.challenge.socket),
        ("[model] state", config.model.state if config.model.bundle else ""),
    ):
        if text:
            yield setting, config.path(text)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a circle of links: opening it says so
        return path
