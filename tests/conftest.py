"""What several tests share: the photographs beside the checkout, and how hypothesis searches."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from edge.clock import Stop

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

# A deadline measures the machine, not the code. In CI the same examples are tried each time: a red
# run repeats.
hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs, ../shared/data; a test that asks for it is skipped where it
    is missing.
    """
    if not SHARED.is_dir():
        pytest.skip(
            f"{SHARED}: no such folder; the photographs are kept beside the checkout, never in it"
        )
    return SHARED


@pytest.fixture
def stop() -> Iterator[Stop]:
    """A request that nobody makes unless the test does."""
    stop = Stop()
    yield stop
    stop.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that asks for the photographs, so that `-m 'not shared'` leaves it out."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared)
