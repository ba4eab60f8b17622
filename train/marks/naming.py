"""Names of marks: those given on the command line, and file names that say nothing.

No array and no picture is needed here, so that a command line is read before they are loaded.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from edge.errors import UsageError
from edge.vision.contract import MOST_NAME, is_class_name

PREFIXES = (
    *("img", "imag", "image", "images", "dsc", "dscn", "dscf", "_dsc", "_mg", "pxl", "mvimg"),
    *("gopr", "dji", "sam", "cimg", "hpim", "pict", "picture", "photo", "foto", "bild", "pano"),
    *("burst", "scan", "unnamed", "untitled", "unbenannt", "download", "dcim", "camera"),
    *(
        "camera roll",
        "screenshot",
        "screen shot",
        "bildschirmfoto",
        "capture",
        "capture d.[ée]cran",
    ),
    *("clipboard", "fullsizerender", "fullsizeoutput", "whatsapp image", "whatsapp bild"),
    *("signal", "telegram", "viber image", "fb_img", "received", "new image", "neues bild", "tmp"),
)
CAMERA_NAMES = re.compile(
    rf"""(?:
    (?:{"|".join(prefix.replace(" ", "[ ]") for prefix in PREFIXES)})
        [\W_]* (?: $ | e?\d.* | (?:at|from|copy|kopie|um|edited)\b.* | [\da-f]{{16,}}.*)
    | p\d{{6,}}.*                                                        # P1010001
    | (?=(?:\D*\d){{6}}) [\d\W_]+ (?:copy|kopie|edited|hdr|mp|wa\d+)? [\d\W_]*   # 20261130_1012
    | [\da-f]{{8}}(?:-[\da-f]{{4}}){{3}}-[\da-f]{{12}}.*                  # a UUID
    | (?=.*\d)[\da-f]{{16,}}
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def is_camera_name(stem: str) -> bool:
    """Return whether a file's stem, or a folder's name, is one that a camera or phone gives.

    >>> names = ["IMG_1234", "DSC0001", "PXL_20261130_1012", "Screenshot 2026-11-30 at 10.12"]
    >>> names += ["WhatsApp Image 2026-11-30 at 10.12.05", "image001", "photo (1)", "20261130_101"]
    >>> all(map(is_camera_name, names))
    True
    >>> any(map(is_camera_name, ["stamp", "qc-tested", "image of the seal", "scan-ok", "p1b"]))
    False
    """
    return CAMERA_NAMES.fullmatch(stem.strip()) is not None


def parse_marks(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Split ``NAME=PATH``, or ``PATH``, into pairs of class name and path.

    Without a name, the file's stem is the name. A path is a picture or a folder of pictures, which
    are variants of one class. Raises UsageError.

    >>> parse_marks(["ok=seal.png", "marks/Late Batch.png"])
    (('ok', 'seal.png'), ('Late Batch', 'marks/Late Batch.png'))
    """
    pairs = []
    for text in given:
        name, sign, path = text.partition("=")
        name, path = (name, path) if sign else (Path(text).stem, text)
        if not name.strip() or not path.strip():
            raise UsageError(
                f"--mark {text}: must be NAME=PATH or PATH, with neither empty; "
                "say which picture and its name"
            )
        if not sign and is_camera_name(name):
            raise UsageError(
                f"--mark {text}: its name is one that cameras give, and would be the name of the "
                f"class; say what it shows, e.g. --mark stamp={text}"
            )
        if not is_class_name(name.strip()):
            raise UsageError(
                f"--mark {text!a}: the name must be 1 to {MOST_NAME} printable characters; "
                "give it another, --mark NAME=PATH"
            )
        pairs.append((name.strip(), path.strip()))
    return tuple(pairs)
