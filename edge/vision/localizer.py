"""Inference by onnxruntime: load a model, prove that it judges as it must, find marks with it.

No other module imports onnxruntime.
"""

import os
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edge.config import Config
from edge.decision import Finding
from edge.errors import AnswerError, ModelError
from edge.vision import two_looks
from edge.vision.answers import Floats
from edge.vision.contract import HEAT_NAME, INPUT_NAME, SIDES_NAME, STRIDE, Contract
from edge.vision.golden import GoldenPicture, GoldenSet
from edge.vision.harvest_note import harvest_fields
from edge.vision.model_file import read_model
from edge.vision.preprocess import Frame
from edge.vision.proof_summary import PROOF_KEY, proof_line

ARENA_BYTES = 64 << 20
"""Size of the arena for the layers' tensors: addresses reserved at once, of which only those used
take memory. In one piece, all layers share it; in onnxruntime's own pieces of 1, 2, 4, 8 ... MB, a
layer that fits into no free piece adds one."""
NO_ENTRIES: Mapping[str, str] = MappingProxyType({})


class Localizer:
    """A loaded model that finds marks in frames.

    Synchronization: one thread per instance; onnxruntime's own threads work inside :meth:`find`.
    """

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        pin: str = "",
        entries: Mapping[str, str] = NO_ENTRIES,
    ) -> None:
        """Load the model file *path*, and judge its golden pictures, which is the warm-up too.

        *threads*: cores that one inference may use; *pin*: the SHA-256 that the file must have, any
        when empty; *entries*: further session configuration entries of onnxruntime, for the benches
        (:mod:`bench.layouts`). Raises ModelError with one clear line, ConfigError for a *pin* that
        is none.
        """
        file = read_model(path, pin)
        self._open(path, file.content, file.contract, threads, entries)
        self.sha256, self.golden = file.sha256, file.golden
        self.decision_digest = file.decision_digest
        summary = file.texts.get(PROOF_KEY)
        self.proof = "" if summary is None else proof_line(summary, self.decision_digest)
        self.learnt = harvest_fields(file.texts)
        for picture in self.golden.pictures:
            self.prove(picture)

    @classmethod
    def of(cls, config: Config, entries: Mapping[str, str] = NO_ENTRIES) -> "Localizer":
        """Load the model that the settings name; parameters and errors are the constructor's.

        More threads than cores would only wait for one another.
        """
        threads = min(config.model.threads, os.cpu_count() or 1)
        return cls(config.model_file(), threads, config.model_pin(), entries)

    @classmethod
    def unproven(
        cls,
        path: Path,
        content: bytes,
        contract: Contract,
        entries: Mapping[str, str] = NO_ENTRIES,
    ) -> Self:
        """Load a model that is not sealed yet, to ask it for the answers that will be.

        *path*: what it is called in errors. Raises ModelError. For :mod:`export.sealing`, and for
        benches with random weights.
        """
        localizer = cls.__new__(cls)
        localizer._open(path, content, contract, 1, entries)
        localizer._check_outputs()
        localizer.sha256, localizer.golden = "", GoldenSet(1.0, 0.0, 0.0, ())
        localizer.decision_digest = ""
        localizer.proof = ""
        localizer.learnt = {}
        return localizer

    def _open(
        self,
        path: Path,
        content: bytes,
        contract: Contract,
        threads: int,
        entries: Mapping[str, str],
    ) -> None:
        self.path, self.contract = path, contract
        self.session = _open_session(path, content, threads, entries)
        # It would keep the file's content, 5 MB, to load it once more with other providers.
        self.session._model_bytes = None

    def prove(self, picture: GoldenPicture) -> None:
        """Judge one of :attr:`golden`'s pictures. Raises ModelError when the answer is wrong."""
        try:
            self.golden.judge(picture, partial(Localizer.find, self), self.contract)
        except ModelError as error:
            text = str(error).removeprefix(f"{self.path}: ")
            raise ModelError(f"{self.path}: {text}") from None

    def find(
        self,
        frame: Frame,
        min_score: float | None = None,
        *,
        near: bool = False,
        stopper: "Stopper | None" = None,
    ) -> tuple[Finding, ...]:
        """Find the marks in *frame*, best score first, with boxes in the frame's own pixels.

        *frame*: (height, width, 3) uint8, RGB; *min_score*: 0..1, the contract's threshold when
        None; *near*: whether the best of each class below that is there, too, last; *stopper*: what
        another thread can stop it by.
        """
        least = self.contract.threshold if min_score is None else min_score
        plan, strict_from = self.contract.two_look_plan, self.contract.threshold
        network = self.infer if stopper is None else partial(self.infer, stopper=stopper)
        return two_looks.find(network, frame, plan, least, strict_from, near=near)

    def infer(
        self, pictures: NDArray[np.uint8], stopper: "Stopper | None" = None
    ) -> tuple[Floats, Floats]:
        """Run the graph on a batch of pictures, (n, height, width, 3) uint8, RGB.

        Returns heat, (n, classes, rows, columns), and sides, (n, 4, rows, columns), as
        :class:`~edge.vision.contract.Contract` describes them. Raises AnswerError when the graph
        does not take them, is stopped by *stopper*, or gives arrays of another shape.
        """
        options = None if stopper is None else stopper.options
        names = [HEAT_NAME, SIDES_NAME]
        try:
            heat, sides = self.session.run(names, {INPUT_NAME: pictures}, options)
        except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base
            raise AnswerError(
                f"{self.path}: the graph does not take the input its contract states "
                f"({_line(error)}); export it again"
            ) from None
        number, height, width, _ = pictures.shape
        cells = (height // STRIDE, width // STRIDE)
        wanted = (number, len(self.contract.classes), *cells), (number, 4, *cells)
        if (np.shape(heat), np.shape(sides)) != wanted:
            raise AnswerError(
                f"{self.path}: answers {np.shape(heat)} and {np.shape(sides)} do not fit its "
                "contract; export it again"
            )
        return np.asarray(heat, np.float32), np.asarray(sides, np.float32)

    def _check_outputs(self) -> None:
        """Check the graph against its contract, on grey pictures. Raises ModelError."""
        contract = self.contract
        self.infer(np.full((1, contract.input_height, contract.input_width, 3), 128, np.uint8))
        if contract.second_side:
            self.infer(np.full((2, contract.second_side, contract.second_side, 3), 128, np.uint8))


class Stopper:
    """Ends an inference of another thread at the next layer.

    Synchronization: any thread.
    """

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()

    def stop(self) -> None:
        """End the inference that uses it; one that has ended is left alone."""
        self.options.terminate = True


def _open_session(
    path: Path, content: bytes, threads: int, entries: Mapping[str, str]
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is told in the error, on one line
    options.enable_mem_pattern = False
    # Branches as late as may be: fewer tensors to hold at once.
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.load_model_format", "ONNX")
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    _share_arena()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime's exceptions share no public base
        raise ModelError(
            f"{path}: not an ONNX model that can be loaded ({_line(error)}); "
            "export or copy it again"
        ) from None


@cache
def _share_arena() -> None:
    """Register one arena of :data:`ARENA_BYTES` for all sessions that ask for a shared one."""
    plan = onnxruntime.OrtArenaCfg(0, -1, ARENA_BYTES, -1)  # -1: onnxruntime's default
    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    onnxruntime.create_and_register_allocator(onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use), plan)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
