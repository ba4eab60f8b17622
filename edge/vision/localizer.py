"""Inference by onnxruntime: load a model, check it against its contract, find marks with it.

No other module imports onnxruntime.
"""

import functools
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edge.decision import Finding
from edge.errors import ModelError
from edge.vision import two_looks
from edge.vision.contract import HEAT_NAME, INPUT_NAME, METADATA_KEY, SIDES_NAME, STRIDE, Contract
from edge.vision.preprocess import Frame
from edge.vision.two_looks import Floats

ARENA_BYTES = 64 << 20
"""Size of the arena for the layers' tensors: addresses reserved at once, of which only those used
take memory. In one piece, all layers share it; in onnxruntime's own pieces of 1, 2, 4, 8 ... MB, a
layer that fits into no free piece adds one."""


class Localizer:
    """A loaded model that finds marks in frames.

    Synchronization: one thread per instance; onnxruntime's own threads work inside :meth:`find`.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Load the ONNX file *path* and warm up; *threads*: cores that one inference may use.

        Raises ModelError with one clear line.
        """
        self.path = path
        self.session = _open_session(path, threads)
        self.contract = _read_contract(self.session, path)
        self._check_graph()

    def find(self, frame: Frame, min_score: float | None = None) -> tuple[Finding, ...]:
        """Find the marks in *frame*, best score first, with boxes in the frame's own pixels.

        *frame*: (height, width, 3) uint8, RGB; *min_score*: 0..1, the contract's threshold when
        None.
        """
        least = self.contract.threshold if min_score is None else min_score
        return two_looks.find(self.infer, frame, self.contract.two_look_plan, least)

    def infer(self, pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Run the graph on a batch of pictures, (n, height, width, 3) uint8, RGB.

        Returns heat, (n, classes, rows, columns), and sides, (n, 4, rows, columns), as
        :class:`~edge.vision.contract.Contract` describes them.
        """
        heat, sides = self.session.run([HEAT_NAME, SIDES_NAME], {INPUT_NAME: pictures})
        return np.asarray(heat, np.float32), np.asarray(sides, np.float32)

    def _check_graph(self) -> None:
        """Check the graph's outputs against its contract, on grey pictures; also the warm-up."""
        contract = self.contract
        self._check_outputs(1, contract.input_height, contract.input_width)
        if contract.second_side:
            self._check_outputs(2, contract.second_side, contract.second_side)

    def _check_outputs(self, number: int, height: int, width: int) -> None:
        try:
            heat, sides = self.infer(np.full((number, height, width, 3), 128, np.uint8))
        except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base
            raise ModelError(
                f"{self.path}: the graph does not take the input its contract states "
                f"({_line(error)}); export it again"
            ) from None
        cells = (height // STRIDE, width // STRIDE)
        wanted = (number, len(self.contract.classes), *cells), (number, 4, *cells)
        if (heat.shape, sides.shape) != wanted:
            raise ModelError(
                f"{self.path}: answers {heat.shape} and {sides.shape} do not fit its contract; "
                "export it again"
            )


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(
            f"{path}: no such model file; name an ONNX file made by 'stampgate export'"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    # Branches as late as may be: fewer tensors to hold at once.
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    options.add_session_config_entry("session.use_env_allocators", "1")
    _share_arena()
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base
        raise ModelError(
            f"{path}: not an ONNX model that can be loaded ({_line(error)}); "
            "export or copy it again"
        ) from None


@functools.cache
def _share_arena() -> None:
    """Register one arena of :data:`ARENA_BYTES` for all sessions that ask for a shared one."""
    plan = onnxruntime.OrtArenaCfg(0, -1, ARENA_BYTES, -1)  # -1: onnxruntime's default
    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    onnxruntime.create_and_register_allocator(onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use), plan)


def _read_contract(session: onnxruntime.InferenceSession, path: Path) -> Contract:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{path}: carries no {METADATA_KEY}, so it was not made by 'stampgate export'; "
            "export one and use that"
        )
    try:
        return Contract.from_json(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
