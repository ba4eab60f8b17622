"""How the eye holds memory: little after loading, and from then on always the same, whatever the
items are.

Left alone, glibc gives a picture's memory back to the kernel after an item and fetches it page by
page for the next, which takes longer than decoding it; it keeps a heap for each thread; and what
loading a model freed stays between what lives on. See mallopt(3). With another C library nothing
happens here, and nothing depends on it.
"""

import contextlib
import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""What mallopt(3) calls its parameters; the numbers stand in glibc's malloc.h."""
LOADING_BYTES = 128 << 10
"""While a program loads, what is bigger lies apart and goes back as soon as it is freed: as glibc
itself begins."""
KEPT_BYTES = 32 << 20
"""Afterwards what is smaller is kept when it is freed: the next picture needs it. A 10-megapixel
frame fits."""


def begin_small() -> None:
    """Let all threads share one heap, and keep what is big out of it; call it before anything is
    loaded.
    """
    with contextlib.suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(ARENA_MAX, 1)
        libc.mallopt(MMAP_THRESHOLD, LOADING_BYTES)


def keep_frame_memory() -> None:
    """Give back what loading needed, and from now on keep what pictures need; call it before the
    first.
    """
    with contextlib.suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.malloc_trim(0)
        libc.mallopt(MMAP_THRESHOLD, KEPT_BYTES)
        libc.mallopt(TRIM_THRESHOLD, KEPT_BYTES)
