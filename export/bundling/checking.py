"""Judge a bundle's golden frames here, as the box does; needs neither onnx nor torch."""

from pathlib import Path

from edge.bundles.frames import judge_frames
from edge.bundles.manifest import MODEL_NAME
from edge.bundles.reading import Bundle
from edge.deciding.rules import rules_of
from edge.errors import ModelError
from edge.vision.localizer import Localizer
from edge.vision.model_file import examine


def check_frames(bundle: Bundle) -> None:
    """Judge a bundle's golden frames with its model and its rules. Raises ModelError."""
    model = examine(Path(bundle.path), bundle.member(MODEL_NAME))
    contract = model.contract
    localizer = Localizer.unproven(bundle.path, model.content, contract)
    rules = rules_of(bundle.decision, contract.classes, contract.threshold)
    if wrong := judge_frames(localizer, bundle.golden_frames, rules):
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise ModelError(
            f"{bundle.path}: golden frame {wrong[0]}{more}; this computer does not compute as the "
            "one that made it: take another one, or make the bundle again here"
        )
