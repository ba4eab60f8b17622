"""``[model]``: the file that finds the marks."""

from dataclasses import dataclass

from edge.settings import setting

DEFAULT_NAME = "default"
"""Name of :data:`DEFAULT_MODEL` where a model file is asked for."""


@dataclass(frozen=True)
class ModelSettings:
    """The model that finds the marks."""

    file: str = setting(
        DEFAULT_NAME,
        "ONNX file made by 'stampgate export', or default for the one in the package",
        form="path",
    )
    sha256: str = setting(
        "",
        "SHA-256 that the file must have, as sha256sum prints it; empty takes any that is whole",
    )
    golden_every_s: float = setting(
        3600.0,
        "How long after the last time the model must judge the golden pictures in its file again, "
        "while no item comes",
        at_least=1,
        at_most=86_400,
    )
    threads: int = setting(1, "Processor cores that one inference may use", at_least=1, at_most=64)
