"""The one place that knows onnxruntime: load a model, feed it a frame, read boxes off its dense answer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edge.contract import HEAT_NAME, INPUT_NAME, METADATA_KEY, SIDES_NAME, STRIDE, Contract
from edge.decision import Box, Finding
from edge.errors import ModelError
from edge.preprocess import Frame, prepare

Floats = NDArray[np.float32]

DUPLICATE_IOU = 0.5
"""Two boxes of one class that overlap more than this are the same mark seen twice; the better score stays."""
MAX_CANDIDATES = 100
"""Peaks looked at per picture; a busy picture has a handful, noise may have thousands."""


class Localizer:
    """Find marks in frames with a stampgate model.

    Synchronization: one thread per instance; onnxruntime's own threads work inside :meth:`find`.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load *path* and warm up; *threads*: cores one inference may use. Raises ModelError with one clear line."""
        self.path = path
        self.session = _open_session(path, threads)
        self.contract = _read_contract(self.session, path)
        self._check_graph()

    def find(self, frame: Frame, min_score: float | None = None) -> tuple[Finding, ...]:
        """Findings in *frame*, best first, in the frame's own pixels.

        *frame*: (height, width, 3) uint8, RGB; *min_score*: 0..1, the contract's threshold when None.
        """
        contract = self.contract
        picture, fit = prepare(frame, contract.input_width, contract.input_height)
        heat, sides = self.raw(picture)
        least = contract.threshold if min_score is None else min_score
        found = decode(heat, sides, contract.classes, least)
        return tuple(Finding(f.label, f.score, fit.to_camera(f.box)) for f in found)

    def raw(self, picture: Frame) -> tuple[Floats, Floats]:
        """Run the graph on a prepared (height, width, 3): heat (classes, rows, columns), sides (4, rows, columns)."""
        heat, sides = self.session.run([HEAT_NAME, SIDES_NAME], {INPUT_NAME: picture[None]})
        return np.asarray(heat[0], np.float32), np.asarray(sides[0], np.float32)

    def _check_graph(self) -> None:
        """Compare what the graph answers with what its contract promises, on a grey picture (also the warm-up)."""
        contract = self.contract
        grey = np.full((contract.input_height, contract.input_width, 3), 128, np.uint8)
        try:
            heat, sides = self.raw(grey)
        except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base class
            raise ModelError(
                f"{self.path}: the graph does not take the input its contract states ({_line(error)}); export it again"
            ) from None
        cells = (contract.input_height // STRIDE, contract.input_width // STRIDE)
        if heat.shape != (len(contract.classes), *cells) or sides.shape != (4, *cells):
            raise ModelError(
                f"{self.path}: answers {heat.shape} and {sides.shape} do not fit its contract; export it again"
            )


def decode(heat: Floats, sides: Floats, classes: Sequence[str], min_score: float) -> list[Finding]:
    """Read findings off the dense answer, best first, in network pixels.

    *heat*: (classes, rows, columns), 0..1; *sides*: (4, rows, columns), left, top, right, bottom in strides from the
    cell's centre. A cell counts when no neighbour of its class scores higher: Zhou et al., Objects as Points (2019),
    section 3.1. Boxes that still overlap are thinned greedily by IoU.
    """
    kinds, rows, columns = np.nonzero((heat >= min_score) & (heat >= _neighbourhood_maximum(heat)))
    scores = heat[kinds, rows, columns]
    best = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    found: list[Finding] = []
    for kind, row, column in zip(kinds[best], rows[best], columns[best], strict=True):
        if not np.isfinite(sides[:, row, column]).all():
            continue
        left, top, right, bottom = (float(side) * STRIDE for side in sides[:, row, column])
        x, y = (float(column) + 0.5) * STRIDE, (float(row) + 0.5) * STRIDE
        finding = Finding(classes[kind], float(heat[kind, row, column]), Box(x - left, y - top, x + right, y + bottom))
        if all(other.label != finding.label or other.box.iou(finding.box) <= DUPLICATE_IOU for other in found):
            found.append(finding)
    return found


def _neighbourhood_maximum(heat: Floats) -> Floats:
    """Greatest value in the 3 x 3 cells around each cell; same shape as *heat*."""
    _, rows, columns = heat.shape
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    windows = [padded[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.asarray(np.maximum.reduce(windows), np.float32)


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; name an ONNX file made by 'stampgate export'")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base class
        raise ModelError(
            f"{path}: not an ONNX model that can be loaded ({_line(error)}); export or copy it again"
        ) from None


def _read_contract(session: onnxruntime.InferenceSession, path: Path) -> Contract:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{path}: carries no {METADATA_KEY}, so it was not made by 'stampgate export'; export one and use that"
        )
    try:
        return Contract.from_json(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
