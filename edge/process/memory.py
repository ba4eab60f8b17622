"""Tuning of glibc's malloc, so that the eye's memory is small after loading and constant after.

By default, glibc returns a picture's memory to the kernel after an item and faults it in page by
page for the next, which takes longer than decoding it; it keeps a heap (arena) for each thread; and
memory freed after loading a model stays between blocks in use. See mallopt(3). With another C
library nothing happens here, and nothing depends on it.
"""

import contextlib
import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3); the numbers are those of glibc's malloc.h."""
LOADING_BYTES = 128 << 10
"""While a program loads, larger blocks are mapped apart (mmap) and returned as soon as they are
freed; this is glibc's own first threshold."""
KEPT_BYTES = 32 << 20
"""Afterwards, smaller blocks are kept when they are freed: the next picture needs them. A
10-megapixel frame fits."""


def limit_arenas() -> None:
    """Make all threads share one arena and map large blocks apart. Call before loading anything."""
    with contextlib.suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(ARENA_MAX, 1)
        libc.mallopt(MMAP_THRESHOLD, LOADING_BYTES)


def keep_frame_memory() -> None:
    """Trim the heap after loading and raise malloc's thresholds. Call before the first frame."""
    with contextlib.suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.malloc_trim(0)
        libc.mallopt(MMAP_THRESHOLD, KEPT_BYTES)
        libc.mallopt(TRIM_THRESHOLD, KEPT_BYTES)
