"""Nothing that a test starts outlives it, and a shell's background makes no difference."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from tests.programs import Program

HASTY = "import tests.leftovers\ntests.leftovers.GRACE_S = 0.3\n"
TESTS = """
import multiprocessing, subprocess, time
import pytest

def test_leaves_a_child():
    subprocess.Popen(["sleep", "601"], stdout=subprocess.PIPE)

def test_innocent_after_a_child():
    assert subprocess.run(["true"]).returncode == 0

def test_leaves_an_orphan_in_a_session_of_its_own():
    subprocess.run(["sh", "-c", "setsid sleep 602 >/dev/null 2>&1 &"])

def test_leaves_a_painter():
    context = multiprocessing.get_context("forkserver")
    context.Process(target=time.sleep, args=(603,), daemon=True).start()

def test_fails_and_leaves():
    subprocess.Popen(["sleep", "604"])
    raise ValueError

@pytest.fixture(scope="module")
def service():
    return subprocess.Popen(["sleep", "605"])

def test_innocent_user_of_a_shared_service(service):
    assert service.poll() is None

def test_last_of_the_module(service):
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        assert pool.map(abs, [-1]) == [1]
"""


def test_what_a_test_leaves_is_killed_and_told_and_the_next_test_is_green(tmp_path: Path) -> None:
    """A child, an orphan, a forkserver's child, a shared one: named, gone, and nobody else hurt."""
    (tmp_path / "test_them.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(HASTY)
    options = ["-p", "tests.leftovers", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error"]
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    wide = {**os.environ, "COLUMNS": "1000"}
    with Program(*command, *options, tmp_path / "test_them.py", environment=wide) as pytest:
        done = pytest.ended()
    line = re.compile(r"^ERROR .*::(\w+) - .* left running, .*: \d+ (.*)$", re.MULTILINE)
    told = line.findall(done.stdout)
    assert [(test, "forkserver" if "forkserver" in left else left) for test, left in told] == [
        ("test_leaves_a_child", "sleep 601"),
        ("test_leaves_an_orphan_in_a_session_of_its_own", "sleep 602"),
        ("test_leaves_a_painter", "forkserver"),
        ("test_fails_and_leaves", "sleep 604"),
        ("test_last_of_the_module", "sleep 605"),
    ], done.stdout
    assert "2 failed, 5 passed, 5 errors" in done.stdout


WITH_CTRL_C = (
    "tests/edge/test_replay.py::test_a_signal_ends_the_service_and_loses_no_line",
    "tests/train/commands/test_crawl.py::test_ctrl_c_ends_between_two_pictures_and_the_same_command_goes_on",
)
"""A program that hears SIGINT, and a command in the test's own process."""


def test_a_shells_background_makes_no_difference() -> None:
    """Started by ``pytest &``, which ignores SIGINT: Ctrl-C still ends programs and commands."""
    words = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *WITH_CTRL_C]
    script = '"$@" & wait $!'
    command = ["sh", "-c", script, "sh", sys.executable, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
