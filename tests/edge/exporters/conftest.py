"""What all tests of the exporters have in common."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the journals of these tests stay in the kernel's memory: readers see them all the same.

    What a power cut leaves is the business of the journal's own tests.
    """
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _descriptor: None)
