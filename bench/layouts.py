"""The two ways in which onnxruntime lays out a graph, both to be had on an x86 machine.

On x86 its wheel runs convolutions in blocks of channels (NCHWc) and fuses hard-swish into them. The
aarch64 wheel does neither. The graph that it makes is also to be had on x86: with the optimizer
``NchwcTransformer`` switched off, the operators are the same, one by one (:mod:`bench.census`
compares them). What runs them are x86's kernels all the same, so of times there only the ratio of
two networks is worth quoting. The box is an Arm board: its figure is the one that counts.
"""

import platform
from collections.abc import Mapping

Entries = Mapping[str, str]
"""Session configuration entries of onnxruntime."""
X86, ARM_LIKE = "x86", "Arm-like"
COUNTS = ARM_LIKE
"""The layout whose figure counts."""
NO_BLOCKS: Entries = {"optimization.disable_specified_optimizers": "NchwcTransformer"}


def layouts(machine: str | None = None) -> dict[str, Entries]:
    """Return the layouts that *machine*, this one when None, can run, each with its entries.

    >>> list(layouts("x86_64")), list(layouts("aarch64"))
    (['x86', 'Arm-like'], ['aarch64'])
    """
    name = platform.machine() if machine is None else machine
    return {X86: {}, ARM_LIKE: NO_BLOCKS} if name in ("x86_64", "AMD64") else {name: {}}


def that_counts(names: Mapping[str, object]) -> str:
    """Return the one of these layouts whose figure counts.

    >>> that_counts(layouts("x86_64")), that_counts(layouts("aarch64"))
    ('Arm-like', 'aarch64')
    """
    return COUNTS if COUNTS in names else next(iter(names))
