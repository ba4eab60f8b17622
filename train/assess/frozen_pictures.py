"""Frozen pictures: the same ones each time, on which two files of one run are compared.

They are painted by the run's own configuration, with seeds that neither training nor trial has, or
are the user's own photographs. There are three parts that have no picture in common: to calibrate
by, to choose by, and to judge by. The last are painted on held-out photographs.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np

from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train.labels.ground_truth import Labelled
from train.network.checkpoint import Checkpoint
from train.paint.input_fingerprint import Fingerprint
from train.paint.inputs import Inputs, read_inputs
from train.paint.picture_kinds import camera, lookalikes
from train.paint.real_photographs import real_frame
from train.paint.synth import Kit
from train.photographs import refused_for

SEED_OFFSET = 2**33
"""Keeps these pictures' seeds away from those of training and trial."""
STAMPED, UNSTAMPED, LOOKALIKES, BORDER = "stamped", "unstamped", "look-alikes", "at the border"
PHOTOGRAPHS, LABELLED = "photographs", "labelled photographs"
PAINTED = (STAMPED, UNSTAMPED, LOOKALIKES, BORDER)


class Part(IntEnum):
    """What pictures are for."""

    CALIBRATE = 0
    CHOOSE = 1
    JUDGE = 2


Counts = Mapping[Part, Mapping[str, int]]
"""How many pictures of each kind a part has; of photographs at most."""
COUNTS: Counts = MappingProxyType(
    {
        Part.CALIBRATE: {STAMPED: 60, LOOKALIKES: 20, PHOTOGRAPHS: 40},
        Part.CHOOSE: {STAMPED: 400, LOOKALIKES: 60, PHOTOGRAPHS: 40},
        Part.JUDGE: {
            STAMPED: 800,
            UNSTAMPED: 200,
            LOOKALIKES: 300,
            BORDER: 300,
            PHOTOGRAPHS: 400,
        },
    }
)
"""Those to judge by are 2000: where there are fewer photographs, more stamped ones are painted."""


@dataclass(frozen=True)
class FrozenPicture:
    """One picture: its kind, and (height, width, 3) uint8, RGB."""

    kind: str
    frame: Frame


@dataclass(frozen=True)
class FrozenPictures:
    """The frozen pictures of a run; each is painted or read when it is asked for."""

    inputs: Inputs
    counts: Counts = field(default_factory=lambda: COUNTS)

    @classmethod
    def of(cls, kept: Checkpoint) -> "FrozenPictures":
        """Return those of a run, whose photographs are split as it split them.

        Raises InputError when its mark or photographs are gone or were changed.
        """
        fingerprint = Fingerprint.from_json(kept.inputs) if kept.inputs else None
        return cls(read_inputs(kept.config, fingerprint))

    def count(self, part: Part) -> int:
        """Return how many pictures a part has."""
        return sum(number for _, number in self._painted_counts(part)) + len(self._others(part))

    def pictures(self, part: Part) -> Iterator[FrozenPicture]:
        """Yield the pictures of a part. Raises InputError when a photograph cannot be read."""
        kit = self.inputs.kit(held_out=part == Part.JUDGE)
        for kind, wanted in self._painted_counts(part):
            for number in range(wanted):
                yield FrozenPicture(kind, self._painted(kit, part, kind, number))
        for one in self._others(part):
            if isinstance(one, Path):
                with refused_for("bring a whole one"):
                    yield FrozenPicture(PHOTOGRAPHS, read_picture(one))
            else:
                yield FrozenPicture(LABELLED, real_frame(one, kit.size, kit.settings).frame)

    def _painted_counts(self, part: Part) -> list[tuple[str, int]]:
        counts = self.counts[part]
        missing = counts.get(PHOTOGRAPHS, 0) - len(self._photographs(part))
        more = {STAMPED: missing if part == Part.JUDGE else 0}
        return [(kind, counts.get(kind, 0) + more.get(kind, 0)) for kind in PAINTED]

    def _others(self, part: Part) -> tuple[Path | Labelled, ...]:
        """Return the photographs, then the labelled ones, which are all there to judge by."""
        labelled = (*self.inputs.real_held_out, *self.inputs.real) if part == Part.JUDGE else ()
        return (*self._photographs(part), *labelled)

    def _photographs(self, part: Part) -> tuple[Path, ...]:
        """Return the user's photographs of a part; no two parts share one.

        Of those trained on each part but the last has a share; the last has those held out, too.
        """
        training, held_out = self.inputs.training, self.inputs.held_out
        if training is None or held_out is None:
            return ()
        rng = np.random.default_rng((SEED_OFFSET + self.inputs.config.fit.seed, 3))
        order = [training[index] for index in rng.permutation(len(training))]
        begin = 0
        for one in (Part.CALIBRATE, Part.CHOOSE):
            end = begin + min(self.counts[one].get(PHOTOGRAPHS, 0), len(order) // 4)
            if one == part:
                return tuple(order[begin:end])
            begin = end
        return (*held_out, *order[begin:])[: self.counts[part].get(PHOTOGRAPHS, 0)]

    def _painted(self, kit: Kit, part: Part, kind: str, number: int) -> Frame:
        """Paint one picture of a kind; the same whatever was painted before."""
        seed = SEED_OFFSET + self.inputs.config.fit.seed
        rng = np.random.default_rng((seed, int(part), PAINTED.index(kind), number))
        settings = kit.settings
        if kind == LOOKALIKES:
            most = max(1, settings.lookalikes_max)
            settings = dataclasses.replace(settings, lookalikes_max=most)
            return lookalikes(rng, kit, settings, number).frame
        cut = 1.0 if kind == BORDER else settings.cut_share
        unmarked = 1.0 if kind == UNSTAMPED else 0.0
        settings = dataclasses.replace(settings, negative_share=unmarked, cut_share=cut)
        return camera(rng, dataclasses.replace(kit, settings=settings), settings, number).frame
