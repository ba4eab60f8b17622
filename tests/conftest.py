"""Shared by all tests: clean surroundings, the photographs, and how hypothesis searches."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from edge.clock import Stop
from tests.leftovers import (  # noqa: F401 - fixtures and a hook for every test
    nothing_left_by_the_module,
    nothing_left_by_the_session,
    nothing_left_by_the_test,
    pytest_runtest_teardown,
)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

# A deadline measures the machine, not the code, and so does the check that examples are quick to
# make. In CI the same examples are tried each time: a red run repeats.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")

# Tests that run side by side (pytest-xdist) share the cores: OpenMP's threads would spin on them.
# It is read when torch is loaded, so here is the last moment; a test may still ask for more.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Hear Ctrl-C even when started in a shell's background, which has it ignored.

    Programs that tests start inherit that, too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs, ../shared/data; where it is missing the test is skipped."""
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
    """Mark what needs the photographs, for `-m 'not shared'`; bring files with slow tests forward.

    Files are handed out in this order, so no worker has a long one to itself at the end.
    """
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
