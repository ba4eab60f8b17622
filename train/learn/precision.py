"""Mixed precision: calculation in 16 bits where a GPU is faster so; weights stay in 32.

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
    """The number format the network calculates in.

    *dtype* on *device*; *scaler*: the loss scaling of float16, which does nothing elsewhere.
    """

    device: torch.device
    dtype: torch.dtype
    scaler: torch.amp.GradScaler

    @classmethod
    def on(cls, device: torch.device, dtype: torch.dtype) -> "Precision":
        """Return the precision of calculation in *dtype*."""
        return cls(device, dtype, torch.amp.GradScaler(device.type, enabled=dtype == torch.float16))

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context of the forward pass; it holds for the calling thread only."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def choose_precision(asked: str, device: torch.device) -> Precision:
    """Return the precision that the setting *precision* means on this machine.

    Raises UsageError when 16 bits are asked for and there is no GPU.
    """
    if asked == "auto":
        return Precision.on(device, best_dtype(device))
    if asked != "float32" and device.type == "cpu":
        raise UsageError(f"precision: {asked} needs a GPU, and none is found; take auto or float32")
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    return Precision.on(device, dtypes[asked])


def best_dtype(device: torch.device) -> torch.dtype:
    """Return the fastest number format that *device* trains well in.

    >>> best_dtype(torch.device("cpu"))
    torch.float32
    """
    if device.type != "cuda":
        return torch.float32
    capability = torch.cuda.get_device_capability(device)
    if capability >= BFLOAT16_CORES:
        return torch.bfloat16
    return torch.float16 if capability >= TENSOR_CORES else torch.float32
