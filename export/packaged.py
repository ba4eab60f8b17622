"""Seal the packaged model anew, with golden pictures from its samples; the weights stay.

``python -m export.packaged`` is for those who work on stampgate: after a change of what a sealed
file holds, or of the samples.
"""

import onnx

from edge.config import DEFAULT_MODEL
from edge.files import write_atomic
from edge.printing import print_line
from edge.vision.contract import METADATA_KEY, Contract
from edge.vision.localizer import Localizer
from edge.vision.picture_files import list_pictures, read_picture
from export.sealing import seal


def resealed() -> bytes:
    """Return the content of the packaged model's file, sealed anew. Raises ModelError."""
    model = onnx.load(DEFAULT_MODEL, load_external_data=False)
    texts = {entry.key: entry.value for entry in model.metadata_props}
    samples = {
        path.stem: read_picture(path) for path in list_pictures(DEFAULT_MODEL.parent / "samples")
    }
    return seal(model, Contract.from_json(texts[METADATA_KEY]), samples)


if __name__ == "__main__":
    write_atomic(DEFAULT_MODEL, resealed())
    localizer = Localizer(DEFAULT_MODEL)
    for picture in localizer.golden.pictures:
        print_line(f"{picture.decision:<6} {picture.name}: {len(picture.png)} bytes")
    print_line(f"{DEFAULT_MODEL}: sha256 {localizer.sha256}")
