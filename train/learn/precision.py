"""Calculating in 16 bits where a GPU does so faster, while the weights stay in 32.

Source: Micikevicius et al., *Mixed Precision Training* (2018). float16 has few exponents, so the
loss is scaled up before the backward pass and a step whose gradients overflow is left out; bfloat16
needs none of that.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from edge.errors import UsageError

TENSOR_CORES, BFLOAT16_CORES = (7, 0), (8, 0)
"""NVIDIA's compute capability from which a GPU multiplies in float16, and in bfloat16."""


@dataclass(frozen=True)
class Precision:
    """What the network calculates in: *dtype* on *device*; *scaler* does nothing except for
    float16.
    """

    device: torch.device
    dtype: torch.dtype
    scaler: torch.amp.GradScaler

    @classmethod
    def on(cls, device: torch.device, dtype: torch.dtype) -> "Precision":
        """Calculate in *dtype*."""
        return cls(device, dtype, torch.amp.GradScaler(device.type, enabled=dtype == torch.float16))

    def autocast(self) -> AbstractContextManager[object]:
        """The network's forward pass runs inside this; it holds for the calling thread only."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def choose_precision(asked: str, device: torch.device) -> Precision:
    """Read the setting *precision* for this machine. Raises UsageError when it has no GPU for what
    is asked.
    """
    if asked == "auto":
        return Precision.on(device, best_dtype(device))
    if asked != "float32" and device.type == "cpu":
        raise UsageError(f"precision: {asked} needs a GPU, and none is found; take auto or float32")
    return Precision.on(
        device,
        {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[asked],
    )


def best_dtype(device: torch.device) -> torch.dtype:
    """The fastest that *device* trains well in.

    >>> best_dtype(torch.device("cpu"))
    torch.float32
    """
    if device.type != "cuda":
        return torch.float32
    capability = torch.cuda.get_device_capability(device)
    if capability >= BFLOAT16_CORES:
        return torch.bfloat16
    return torch.float16 if capability >= TENSOR_CORES else torch.float32
