import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.clock import boot_id
from edge.errors import InputError
from edge.record.status import process_name
from tests.programs import Program
from train import folder_lock
from train.crawl.manifest import Manifest
from train.folder_lock import NAME, locked_folder

HOLD = """
import sys, time
from pathlib import Path
from train.folder_lock import locked_folder
with locked_folder(Path(sys.argv[1]), "stampgate train"):
    print("held", flush=True)
    time.sleep(3600)
"""


def holder(folder: Path) -> Program:
    """A program of its own that holds the lock of *folder*."""
    return Program(sys.executable, "-c", HOLD, str(folder))


def test_the_second_is_refused_in_one_line_that_names_the_first(tmp_path: Path) -> None:
    """Whatever the second one is; the folder is not touched."""
    with holder(tmp_path / "run") as first:
        first.out_lines(1)
        with (
            pytest.raises(InputError) as caught,
            locked_folder(tmp_path / "run", "stampgate synth"),
        ):
            pass
    assert str(caught.value) == (
        f"{tmp_path / 'run'}: another 'stampgate train' is writing there (process {first.pid}); "
        "wait for it to end, or name another folder"
    )


def test_another_way_to_the_same_folder_is_the_same_folder(tmp_path: Path) -> None:
    """By a link to it."""
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with holder(tmp_path / "run") as first:
        first.out_lines(1)
        with pytest.raises(InputError), locked_folder(tmp_path / "link", "stampgate train"):
            pass


def test_a_lock_of_a_killed_process_keeps_nobody_out(tmp_path: Path) -> None:
    """The kernel released it; what the file says is of no account."""
    with holder(tmp_path / "run") as first:
        first.out_lines(1)
        first.send(signal.SIGKILL)
        first.ended()
    assert json.loads((tmp_path / "run" / NAME).read_text())["process"][0] == first.pid
    with locked_folder(tmp_path / "run", "stampgate train") as lock:
        lock.check()


def test_a_child_that_outlives_the_holder_does_not_hold_it(tmp_path: Path) -> None:
    """The descriptor is closed in every program that is started."""
    with locked_folder(tmp_path / "run", "stampgate train"):
        child = subprocess.Popen(["sleep", "3600"], close_fds=False)
    try:
        with locked_folder(tmp_path / "run", "stampgate train"):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_folder_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    """Removed while the first still wrote there, and begun anew by a second."""
    run = tmp_path / "run"
    with locked_folder(run, "stampgate train") as lock:
        run.rename(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="is another folder than at the start, or gone"):
            lock.check()
        with locked_folder(run, "stampgate train") as second:
            second.check()
            with pytest.raises(InputError):
                lock.check()


def test_a_folder_in_which_nothing_was_written_is_not_left_behind(tmp_path: Path) -> None:
    """Unless it was there before."""
    with locked_folder(tmp_path / "new" / "run", "stampgate train"):
        pass
    assert not (tmp_path / "new" / "run").exists()
    (tmp_path / "old").mkdir()
    with locked_folder(tmp_path / "old", "stampgate train"):
        pass
    assert (tmp_path / "old").is_dir()


def test_a_folder_that_may_not_be_written_is_one_line(tmp_path: Path) -> None:
    """Here the lock's name is taken by a folder."""
    (tmp_path / "run" / NAME).mkdir(parents=True)
    with (
        pytest.raises(InputError, match=r"\.lock: cannot be written \(Is a directory\)"),
        locked_folder(tmp_path / "run", "stampgate train"),
    ):
        pass


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network share whose server keeps no locks."""

    def no_locks(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)


def test_a_share_without_locks_works_and_says_so(
    tmp_path: Path, without_locks: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line; a crawl's folder alike."""
    with locked_folder(tmp_path / "run", "stampgate train"):
        pass
    said = (
        "this file system has no locks (No locks available); see to it that no other machine "
        "writes there at the same time\n"
    )
    assert capsys.readouterr().err == f"stampgate: {tmp_path / 'run'}: {said}"
    with Manifest(tmp_path / "manifest.jsonl"):
        assert capsys.readouterr().err == f"stampgate: {tmp_path / 'manifest.jsonl'}: {said}"


@pytest.mark.parametrize(
    "whose", ["another's", "one's own", "of a process that ended", "of a boot"]
)
def test_a_share_without_locks_refuses_a_second_of_the_same_machine(
    tmp_path: Path, without_locks: None, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """By the process named in the file, which must still be that process."""
    pid = os.getpid() if whose == "one's own" else os.getppid()
    process = process_name(pid)
    assert process is not None
    if whose == "of a process that ended":
        process = [process[0], process[1] + 1]
    boot = "another" if whose == "of a boot" else boot_id()
    (tmp_path / NAME).write_text(json.dumps({"program": "p", "boot_id": boot, "process": process}))
    if whose == "another's":
        with pytest.raises(InputError, match=f"another 'p' is writing there \\(process {pid}\\)"):
            folder_lock.locked_folder(tmp_path, "stampgate train").__enter__()
    else:
        with locked_folder(tmp_path, "stampgate train"):
            pass


def test_another_error_of_the_lock_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for a share without locks."""

    def broken(descriptor: int, how: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", broken)
    with (
        pytest.raises(InputError, match=r"cannot be written \(Input/output error\)"),
        locked_folder(tmp_path, "stampgate train"),
    ):
        pass
