"""What the board's camera sees, and the packaged model with a smaller input.

An emulated processor needs half a minute for a look at 800 pixels. A camera that sits closer shows
the same model the same mark at the same size in fewer. Runs on the host, which has onnx.
"""

import dataclasses
import json
from pathlib import Path

import onnx
from PIL import Image

from edge.vision.contract import STRIDE
from edge.vision.model_file import read_model
from edge.vision.preprocess import as_frame
from export.sealing import seal
from tests.board.camera import HEIGHT, NEIGHBOUR, OWN, TWO, WIDTH

PACKAGED = Path(__file__).resolve().parents[2] / "edge" / "default"
INPUT_PX = 192
"""Side of the model's input on the board."""
MARK_SHARE = 0.75
"""How much of the picture's width the mark takes; in the whole sample pictures it is a tenth to a
quarter."""
UNSTAMPED_PX = 360
"""Width of what is seen of an item without a mark, in pixels of its sample picture: a usual width
among the others."""
HALF_SHARE = 0.92
"""The same for each of two items that share the picture."""
SIDE_BY_SIDE = (
    (NEIGHBOUR, "02-milk-unstamped.jpg", "01-milk-stamped.jpg"),
    (OWN, "01-milk-stamped.jpg", "02-milk-unstamped.jpg"),
    (TWO, "01-milk-stamped.jpg", "01-milk-stamped.jpg"),
)
"""Pictures of two items: their name, the item on the left and the one on the right."""
GOLDEN = ("01-milk-stamped.jpg", "02-milk-unstamped.jpg")
Box = tuple[float, float, float, float]


def labelled() -> dict[str, Box | None]:
    """Return the first mark of each sample picture by name, as (x, y, width, height).

    None for an unstamped item.
    """
    labels = json.loads((PACKAGED / "labels.json").read_text())
    boxes = {
        annotation["image_id"]: tuple(annotation["bbox"])
        for annotation in reversed(labels["annotations"])
    }
    return {image["file_name"]: boxes.get(image["id"]) for image in labels["images"]}


def write_pictures(folder: Path) -> None:
    """Write each sample picture as a camera close to the mark sees it.

    Of an unstamped item the camera sees the middle.
    """
    folder.mkdir(parents=True)
    for name in labelled():
        seen(name).save(folder / name, quality=92)
    for name, left, right in SIDE_BY_SIDE:
        side_by_side(left, right).save(folder / name, quality=92)


def side_by_side(left: str, right: str) -> Image.Image:
    """Return what the camera sees of two items, each in its half of the picture."""
    both = Image.new("RGB", (WIDTH, HEIGHT))
    half = (WIDTH // 2, HEIGHT)
    for x, name in ((0, left), (WIDTH // 2, right)):
        both.paste(seen(name, half, HALF_SHARE), (x, 0))
    return both


def seen(
    name: str, view: tuple[int, int] = (WIDTH, HEIGHT), share: float = MARK_SHARE
) -> Image.Image:
    """Return what the camera sees of the item on the sample picture *name*, in a *view* of pixels.

    *share*: how much of the view's width the mark takes.
    """
    box = labelled()[name]
    with Image.open(PACKAGED / "samples" / name) as picture:
        part = window(picture.size, box, view, share)
        return picture.resize(view, Image.Resampling.BICUBIC, box=part)


def window(
    size: tuple[int, int],
    box: Box | None,
    view: tuple[int, int] = (WIDTH, HEIGHT),
    share: float = MARK_SHARE,
) -> Box:
    """Return the part of a picture that is seen: (left, top, right, bottom).

    It lies inside the picture and has the view's aspect.

    >>> window((1280, 960), (600.0, 400.0, 120.0, 60.0))
    (580.0, 370.0, 740.0, 490.0)
    """
    width, height = size
    x, y = (width / 2, height / 2) if box is None else (box[0] + box[2] / 2, box[1] + box[3] / 2)
    across = UNSTAMPED_PX if box is None else box[2] / share
    down = across * view[1] / view[0]
    left, top = (
        min(max(0.0, x - across / 2), width - across),
        min(max(0.0, y - down / 2), height - down),
    )
    return left, top, left + across, top + down


def write_model(path: Path, threshold: float | None = None) -> None:
    """Write the packaged model with an input of :data:`INPUT_PX` pixels, sealed anew.

    *threshold*: another than its own, if not None. It is fully convolutional, so nothing else
    changes. Golden are two of the pictures that the board's camera sees: each costs the emulated
    processor a look.
    """
    model = onnx.load(PACKAGED / "model.onnx")
    sides = model.graph.input[0].type.tensor_type.shape.dim[1:3]
    cells = [
        side for output in model.graph.output for side in output.type.tensor_type.shape.dim[2:]
    ]
    for dims, number in ((sides, INPUT_PX), (cells, INPUT_PX // STRIDE)):
        for dim in dims:
            dim.dim_value = number
    del model.graph.value_info[:]  # sizes in between
    own = read_model(PACKAGED / "model.onnx").contract
    contract = dataclasses.replace(
        own,
        input_width=INPUT_PX,
        input_height=INPUT_PX,
        threshold=own.threshold if threshold is None else threshold,
    )
    path.write_bytes(seal(model, contract, {name: as_frame(seen(name)) for name in GOLDEN}))
