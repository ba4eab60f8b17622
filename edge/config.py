"""The box's settings: one frozen dataclass a section, read once at the start from ``edge.toml``.

Defaults, bounds and sentences stand in the fields of :mod:`edge.sections` alone; the sample file,
the checks and the documentation are made from them. A relative path in the file is relative to the
file's own folder.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigError
from edge.sections.alarms import AlarmSettings
from edge.sections.camera import CameraSettings
from edge.sections.challenge import ChallengeSettings
from edge.sections.decision import DecisionSettings
from edge.sections.exporters import ModbusSettings, MqttSettings, PrometheusSettings
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.imaging import ImagingSettings
from edge.sections.model import DEFAULT_NAME, ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.reports import ReportSettings
from edge.sections.review import ReviewSettings
from edge.sections.service import ServiceSettings
from edge.sections.shadow import ShadowSettings
from edge.sections.trigger import TriggerSettings
from edge.settings import comment, key_text, read_section, sample_section, shown
from edge.settings_file import read_toml

if TYPE_CHECKING:
    from edge.releases.release import Release

DEFAULT_MODEL = Path(__file__).parent / "default" / "model.onnx"
"""The packaged model that finds the project's own QC TESTED seal."""


@dataclass(frozen=True)
class Config:
    """All settings, and the folder that relative paths start from."""

    camera: CameraSettings = field(default_factory=CameraSettings)
    trigger: TriggerSettings = field(default_factory=TriggerSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    lines: LinesSettings = field(default_factory=LinesSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    imaging: ImagingSettings = field(default_factory=ImagingSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    challenge: ChallengeSettings = field(default_factory=ChallengeSettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    shadow: ShadowSettings = field(default_factory=ShadowSettings)
    reports: ReportSettings = field(default_factory=ReportSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    prometheus: PrometheusSettings = field(default_factory=PrometheusSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    modbus: ModbusSettings = field(default_factory=ModbusSettings)
    folder: Path = Path()
    source: Path | None = field(default=None, compare=False)
    """The file that it was read from; None where there is none."""

    def path(self, text: str) -> Path:
        """Return the path of the file that *text* in the settings names."""
        return self.folder / text

    def model_file(self) -> Path:
        """Return the path of the model's file. Raises ConfigError where no release is active."""
        if self.model.bundle:
            return self.release().model
        return DEFAULT_MODEL if self.model.file == DEFAULT_NAME else self.path(self.model.file)

    def model_pin(self) -> str:
        """Return the SHA-256 that the model's file must have, any when empty; as model_file."""
        return self.release().model_sha256 if self.model.bundle else self.model.sha256

    def release(self) -> "Release":
        """Return the release that the service runs. Raises ConfigError where there is none."""
        from edge.releases.active import active_release  # noqa: PLC0415 - few boxes ask for one

        model = self.model
        return active_release(self.path(model.releases), self.path(model.state))

    def checksum(self) -> str:
        """Return the SHA-256, in hex, of all settings as sorted JSON.

        Layout and comments of the file do not count, and neither do the sections :data:`BESIDE`.
        """
        import hashlib  # noqa: PLC0415 - OpenSSL takes 4 MB, and the gate's process does without

        settings = {
            name: dataclasses.asdict(getattr(self, name)) for name in SECTIONS if name not in BESIDE
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


SECTIONS: dict[str, type[Any]] = {
    "camera": CameraSettings,
    "trigger": TriggerSettings,
    "gate": GateSettings,
    "lines": LinesSettings,
    "model": ModelSettings,
    "decision": DecisionSettings,
    "imaging": ImagingSettings,
    "journal": JournalSettings,
    "evidence": EvidenceSettings,
    "alarms": AlarmSettings,
    "challenge": ChallengeSettings,
    "service": ServiceSettings,
    "shadow": ShadowSettings,
    "reports": ReportSettings,
    "review": ReviewSettings,
    "prometheus": PrometheusSettings,
    "mqtt": MqttSettings,
    "modbus": ModbusSettings,
}
BESIDE = frozenset(("reports", "review", "prometheus", "mqtt", "modbus"))
"""Sections of programs beside the line, which neither eye nor gate reads: a change of them is none
of what was proven or challenged, and keeps no reload from being taken."""


HEAD = (
    "The settings of stampgate-edge; this file is what 'stampgate-edge config' prints. A key left "
    "out keeps the value shown here. A relative path starts from this file's folder. After "
    "'systemctl reload stampgate-gate stampgate-edge' a change of a key marked [reload] counts "
    "from the next item on. Any other needs a restart; a file that changes one is refused whole "
    "until then. [reports] and the sections behind it are read by programs beside the line alone, "
    "when they start."
)
"""How the sample file begins, as a comment."""


def load_config(path: Path) -> Config:
    """Read and check ``edge.toml``.

    Raises ConfigError with one line for the first thing that is wrong.
    """
    return config_from(read_toml(path), path)


def config_from(tables: Mapping[str, Any], path: Path) -> Config:
    """Check the *tables* of the settings file *path* into a Config. Raises ConfigError."""
    for name, table in tables.items():
        if name not in SECTIONS:
            known = ", ".join(SECTIONS)
            raise ConfigError(
                f"{path}: has no section [{key_text(name)}]; its sections are {known}"
            )
        if not isinstance(table, dict):
            raise ConfigError(
                f"{path}: [{name}] must be a section, not {shown(table)}; correct it there"
            )
    sections = {
        name: read_section(kind, tables.get(name, {}), f"{path}: [{name}]")
        for name, kind in SECTIONS.items()
    }
    return Config(**sections, folder=path.absolute().parent, source=path.absolute())


def sample() -> str:
    """Return a commented ``edge.toml`` with every key at its default."""
    head = "\n".join([*comment(HEAD), ""])
    return "\n".join([head, *(sample_section(name, kind) for name, kind in SECTIONS.items())])
