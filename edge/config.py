"""The box's settings: one frozen dataclass a section, read once at the start from ``edge.toml``.

Defaults, bounds and sentences stand in the fields alone; the sample file, the checks and the documentation are made
from them. A relative path in the file is relative to the file's own folder.
"""

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.settings import read_section, sample_section, setting

DEFAULT_MODEL = Path(__file__).parent / "default" / "model.onnx"
"""The packaged model that finds the project's own QC TESTED seal."""
DEFAULT_NAME = "default"
"""What stands for :data:`DEFAULT_MODEL` where a model file is named."""


@dataclass(frozen=True)
class CameraSettings:
    """Where the pictures come from."""

    driver: str = setting("replay", "What takes the pictures; replay shows the files of a folder", choices=("replay",))
    folder: str = setting("/var/lib/stampgate/frames", "Folder of pictures to replay, in the order of their names")
    pictures_per_second: float = setting(
        2.0, "How fast they are shown; 0 shows the next as soon as it is asked for", at_least=0, at_most=1000
    )
    loop: bool = setting(False, "Begin again after the last picture; otherwise the run ends there, cleanly")
    timeout_ms: float = setting(
        1000.0, "How long to wait for a picture after a trigger before the item is a FAULT", above=0, at_most=2000
    )


@dataclass(frozen=True)
class TriggerSettings:
    """What says that an item is in front of the camera."""

    kind: str = setting(
        "every-frame",
        "every-frame: each new picture is an item; interval: one item each interval_ms",
        choices=("every-frame", "interval"),
    )
    interval_ms: float = setting(500.0, "Time between items of an interval trigger", at_least=1, at_most=3_600_000)


@dataclass(frozen=True)
class GateSettings:
    """What throws an item off the line: it will, unless the answer cancels it in time."""

    driver: str = setting(
        "simulated", "What moves the reject line; simulated only records its edges", choices=("simulated",)
    )
    reject_delay_ms: float = setting(
        500.0, "Time from the trigger until the item is at the gate; a later answer rejects", above=0, at_most=60_000
    )
    pulse_ms: float = setting(
        50.0, "How long the reject line is high; pulses that overlap or touch become one", above=0, at_most=10_000
    )
    record: str = setting("", "File to which the simulated gate adds every edge as a JSON line; empty for none")


@dataclass(frozen=True)
class ModelSettings:
    """The model that finds the marks."""

    file: str = setting(DEFAULT_NAME, "ONNX file made by 'stampgate export', or default for the one in the package")
    threads: int = setting(1, "Processor cores that one inference may use", at_least=1, at_most=64)


@dataclass(frozen=True)
class DecisionSettings:
    """When an item passes."""

    required: tuple[str, ...] = setting(
        (), "Class names that must all be found; an empty list asks for every class of the model"
    )


@dataclass(frozen=True)
class JournalSettings:
    """Where every decision is written down."""

    file: str = setting("/var/log/stampgate/journal.jsonl", "The journal, JSON lines, each on the disk before the next")


@dataclass(frozen=True)
class ServiceSettings:
    """How the service behaves towards systemd."""

    tick_ms: float = setting(
        500.0, "Longest wait for a trigger before the watchdog is told that all is well", at_least=10, at_most=5000
    )


@dataclass(frozen=True)
class Config:
    """All settings, and the folder that relative paths start from."""

    camera: CameraSettings = field(default_factory=CameraSettings)
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    folder: Path = Path()

    def path(self, text: str) -> Path:
        """The file that *text* in the settings names."""
        return self.folder / text

    def model_file(self) -> Path:
        """The model's file."""
        return DEFAULT_MODEL if self.model.file == DEFAULT_NAME else self.path(self.model.file)

    def checksum(self) -> str:
        """SHA-256, in hex, of all settings as sorted JSON; layout and comments of the file do not count."""
        settings = {name: dataclasses.asdict(getattr(self, name)) for name in SECTIONS}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


SECTIONS: dict[str, type[Any]] = {
    "camera": CameraSettings,
    "trigger": TriggerSettings,
    "gate": GateSettings,
    "model": ModelSettings,
    "decision": DecisionSettings,
    "journal": JournalSettings,
    "service": ServiceSettings,
}


def load_config(path: Path) -> Config:
    """Read and check ``edge.toml``. Raises ConfigError with one line for the first thing that is wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); 'stampgate-edge config' prints one to begin with"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path}: must be TOML in UTF-8 ({error}); correct it there") from None
    for name, table in tables.items():
        if name not in SECTIONS:
            raise ConfigError(f"{path}: has no section [{name}]; its sections are {', '.join(SECTIONS)}")
        if not isinstance(table, dict):
            raise ConfigError(
                f"{path}: [{name}] must be a section, not {json.dumps(table, default=str)}; correct it there"
            )
    sections = {name: read_section(kind, tables.get(name, {}), f"{path}: [{name}]") for name, kind in SECTIONS.items()}
    return Config(**sections, folder=path.absolute().parent)


def sample() -> str:
    """Write a commented ``edge.toml`` with every key at its default."""
    head = (
        "# The settings of stampgate-edge; this file is what 'stampgate-edge config' prints.\n"
        "# A key left out keeps the value shown here. A relative path starts from this file's folder.\n"
    )
    return "\n".join([head, *(sample_section(name, kind) for name, kind in SECTIONS.items())])
