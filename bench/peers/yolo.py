"""Run a YOLO detector's ONNX file as our own models are run.

The same letterbox, the same non-maximum suppression, numpy only.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bench.layouts import Entries
from edge.decision import Box, Finding
from edge.errors import ModelError
from edge.vision.localizer import NO_ENTRIES
from edge.vision.preprocess import Frame, prepare
from edge.vision.two_looks import non_maximum_suppression

Floats = NDArray[np.float32]

THRESHOLD = 0.25
"""Score from which Ultralytics' own prediction shows a box, when nobody says otherwise."""
MAX_CANDIDATES = 300
"""Boxes kept before thinning; Ultralytics keeps as many after it."""


class Yolo:
    """A YOLO detector exported without its non-maximum suppression.

    Synchronization: one thread per instance.
    """

    def __init__(
        self,
        path: Path,
        classes: Sequence[str],
        threads: int = 1,
        entries: Entries = NO_ENTRIES,
    ) -> None:
        """Load *path*, whose classes are *classes* in that order.

        *entries*: session configuration entries of onnxruntime. Raises ModelError.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        for key, value in entries.items():
            options.add_session_config_entry(key, value)
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base class
            line = " ".join(str(error).split())[:160]
            raise ModelError(
                f"{path}: not an ONNX model that can be loaded ({line}); remove it to make it again"
            ) from None
        self.classes = tuple(classes)
        given, answered = self.session.get_inputs()[0], self.session.get_outputs()[0].shape
        if (
            len(given.shape) != 4
            or given.shape[1] != 3
            or len(answered) != 3
            or answered[1] != 4 + len(self.classes)
        ):
            raise ModelError(
                f"{path}: must take (1, 3, height, width) and answer (1, {4 + len(self.classes)}, "
                "boxes), not "
                f"{given.shape} and {answered}; remove it to make it again"
            )
        self.name, self.height, self.width = given.name, int(given.shape[2]), int(given.shape[3])

    def find(self, frame: Frame, min_score: float = THRESHOLD) -> tuple[Finding, ...]:
        """Return the findings in *frame*, (height, width, 3) uint8 RGB, best first."""
        picture, fit = prepare(frame, self.width, self.height)
        found = decode(self.raw(as_input(picture)), self.classes, min_score)
        return tuple(Finding(f.label, f.score, fit.to_camera(f.box)) for f in found)

    def raw(self, tensor: Floats) -> Floats:
        """Run the graph on (1, 3, height, width) in 0..1: (4 + classes, boxes)."""
        return np.asarray(self.session.run(None, {self.name: tensor})[0][0], np.float32)


def as_input(picture: Frame) -> Floats:
    """Return a prepared (height, width, 3) uint8 picture as the graph wants it.

    (1, 3, height, width) float32, 0..1.
    """
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def decode(answer: Floats, classes: Sequence[str], min_score: float) -> list[Finding]:
    """Read findings off a YOLO answer, best first, in network pixels.

    *answer*: (4 + classes, boxes): centre x and y, width, height in pixels, then a score 0..1 for
    each class. Boxes of one class are thinned greedily by the IoU that our own models are thinned
    by.
    """
    kinds, boxes = np.nonzero(answer[4:] >= min_score)
    scores = answer[4:][kinds, boxes]
    best = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    x, y, width, height = answer[:4, boxes[best]].astype(float)
    corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    found = zip(kinds[best], scores[best], corners, strict=True)
    return non_maximum_suppression(
        Finding(classes[kind], float(score), Box(*map(float, box))) for kind, score, box in found
    )
