"""Marks of which a part counts: a folder of cut-outs beside a file that says where the parts are.

A shelf label is pasted whole, and what is sought is the price on it; a line of digits is pasted
whole, and each digit is sought. The boxes stand in a file of the folder, in COCO's layout, in the
pixels of the cut-outs; a cut-out without a box shows nothing that counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.decision import Box
from edge.errors import InputError
from train.labels.reading import read_labels

INSIDES = "insides.json"
"""The file's name; a folder without it holds cut-outs that count as they are."""


@dataclass(frozen=True)
class Inside:
    """A part of a mark that counts.

    *kind*: class index; *box*: in the mark's own pixels; *ignore*: neither right nor wrong to find.
    """

    kind: int
    box: Box
    ignore: bool = False

    def cut(self, x: float, y: float, scale: tuple[float, float]) -> "Inside":
        """Return it on the picture cropped at a corner and then resized by *scale*."""
        a, b = scale
        c = self.box
        box = Box((c.x0 - x) * a, (c.y0 - y) * b, (c.x1 - x) * a, (c.y1 - y) * b)
        return Inside(self.kind, box, self.ignore)


def has_insides(folder: Path) -> bool:
    """Return whether a folder of marks says which parts of them count."""
    return (folder / INSIDES).is_file()


def read_insides(
    folder: Path, classes: Sequence[str], kinds: Sequence[int]
) -> dict[Path, tuple[Inside, ...]]:
    """Read the parts of each cut-out in *folder* that count.

    *classes*: names of the classes that the folder is given for, *kinds*: their indices. Raises
    InputError in one line: of a class that is none of them, a box outside its picture, a picture
    that is missing or cannot be read.
    """
    read = read_labels(folder / INSIDES, folder, classes, ("--mark", "--mark"))
    if read.unread:
        raise InputError(read.unread[0][1])
    return {
        one.path: tuple(Inside(kinds[box.kind], box.box, box.ignore) for box in one.boxes)
        for one in read.labelled
    }
