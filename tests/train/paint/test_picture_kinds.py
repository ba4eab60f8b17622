import dataclasses

import numpy as np

from tests.painting import make_kit
from train.config import SynthSettings
from train.paint.picture_kinds import PICTURE_KINDS


def test_no_kind_changes_the_kit_it_is_handed() -> None:
    """Else the next picture from that kit would be painted by the settings of the one before."""
    settings = dataclasses.replace(SynthSettings(), lookalikes_max=2)
    kit = make_kit(settings, "disc", size=96)
    for kind in PICTURE_KINDS.values():
        kind(np.random.default_rng(0), kit, settings, 1)
        assert kit.settings == settings


def test_look_alikes_drawn_for_one_picture_are_there_for_the_next() -> None:
    """To draw one takes longer than to paint a picture."""
    settings = dataclasses.replace(SynthSettings(), lookalikes_max=2, piece_share=0.0)
    kit = make_kit(settings, "disc", size=96)
    PICTURE_KINDS["lookalikes"](np.random.default_rng(0), kit, settings, 1)
    assert kit._kept
