"""A trained run as it is, without an export, for an evaluation beside model files."""

from dataclasses import dataclass
from pathlib import Path

from edge.decision import Finding
from edge.errors import InputError
from edge.printing import printable
from edge.vision.contract import TwoLookPlan
from edge.vision.preprocess import Frame
from edge.vision.two_looks import Network, find
from train.judge.contender import Contender
from train.network import checkpoint
from train.network.model import as_network


@dataclass(frozen=True)
class RunDetector:
    """Finds marks by a network in torch, as the box's localizer does by its own."""

    network: Network
    plan: TwoLookPlan

    def find(self, frame: Frame, min_score: float) -> tuple[Finding, ...]:
        """Return the findings of at least *min_score*, best first, in the pixels of *frame*."""
        return find(self.network, frame, self.plan, min_score)


def open_run(path: Path) -> Contender:
    """Open the folder of a run, or its checkpoint. Raises InputError."""
    folder = path.parent if path.name == checkpoint.NAME else path
    kept = checkpoint.load(folder)
    if kept.threshold is None:
        raise InputError(
            f"{printable(path)}: the run has no threshold yet; "
            f"'stampgate train --resume --out {printable(folder)}' sets it"
        )
    plan = kept.config.two_look_plan
    detector = RunDetector(as_network(kept.network()), plan)
    return Contender(str(path), plan.classes, kept.threshold, detector)
