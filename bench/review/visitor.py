"""The real review service in a process of its own, and one reviewer who asks it by HTTP."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from bench.edge.processes import MB, PROGRAM
from edge.errors import InputError
from edge.review.people import Users

WORD = "a long enough word"
NAME = "eng"
START_S, ASK_S = 60.0, 60.0


@dataclass(frozen=True)
class Priority:
    """With which priority a unit's program runs.

    *before*: the command that gives Nice=, CPUSchedulingPolicy= and IOSchedulingClass=. *session*:
    the niceness of its session, whose weight (sched(7), autogroup) is that of CPUWeight=.
    """

    before: tuple[str, ...] = ()
    session: int = 0


NORMAL = Priority()
OF_REVIEW = Priority(("nice", "-n", "15", "ionice", "-c", "3"), 10)
"""CPUWeight=10 of 100: the kernel gives niceness 10 the weight 110 of 1024."""
OF_REPORT = Priority(("nice", "-n", "19", "ionice", "-c", "3"), 19)
OF_EXPORTER = Priority(("chrt", "--idle", "0", "ionice", "-c", "3"), 19)


class Beside:
    """A command of the box that runs beside the service, with the priority of its unit.

    The kernel weighs sessions against one another before it looks at niceness, so its own session
    gets one, too; under systemd the unit's control group does that.

    Synchronization: one thread.
    """

    def __init__(self, words: Sequence[str], log: Path, as_unit: Priority = NORMAL) -> None:
        self._call = [*as_unit.before, str(PROGRAM), *words]
        self._log, self._session = log, as_unit.session

    def __enter__(self) -> Self:
        if shutil.which(self._call[0]) is None:
            raise InputError(f"{self._call[0]}: is not installed; the bench needs it")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                self._call, stdout=log, stderr=log, start_new_session=True
            )
        if self._session:
            with contextlib.suppress(OSError):  # a kernel without autogroup
                Path(f"/proc/{self._process.pid}/autogroup").write_text(str(self._session))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """Raise InputError when it has ended."""
        if self._process.poll() is not None:
            said = self._log.read_text(errors="replace").splitlines()[-1:]
            raise InputError(f"{' '.join(self._call)}: has ended: {' '.join(said)}")

    def ended(self) -> bool:
        """Tell whether it has come to its end."""
        return self._process.poll() is not None

    def rss_mb(self, peak: bool = False) -> float:
        """Return its memory now, or the most so far, MB (proc(5))."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 / MB if found else 0.0

    def cpu_s(self) -> float:
        """Return how long it has had a core, seconds (proc(5))."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Reviewer:
    """Somebody at a browser who is logged in; keeps one connection, as browsers do."""

    def __init__(self, port: int) -> None:
        self._origin = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_S)
        form = urlencode({"name": NAME, "password": WORD, "next": "/today"})
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self._origin}
        self._connection.request("POST", "/login", form, kind)
        response = self._connection.getresponse()
        response.read()
        cookie = response.getheader("Set-Cookie", "")
        if response.status != 303 or cookie is None:
            raise InputError(f"{self._origin}: the log-in failed with {response.status}")
        self._headers = {"Cookie": cookie.partition(";")[0]}

    def ask(self, path: str) -> float:
        """Ask for a page; return how long all of it took, ms. Raises InputError."""
        begun = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        response.read()
        if response.status != 200:
            raise InputError(f"{path}: was answered with {response.status}")
        return (time.perf_counter() - begun) * 1000

    def close(self) -> None:
        """Go away."""
        self._connection.close()


@contextlib.contextmanager
def reviewed(settings: Path, port: int, as_unit: Priority = NORMAL) -> Iterator[Beside]:
    """Serve the pages of a box in a process; *settings* has its folder ``review`` beside it."""
    users = Users(settings.parent / "review" / "users.json")
    users.path.parent.mkdir(exist_ok=True)
    if not users.all():
        users.add(NAME, "engineer", WORD)
    words = ["review", "--config", str(settings)]
    with Beside(words, settings.parent / "review.log", as_unit) as server:
        ending = time.monotonic() + START_S
        while time.monotonic() < ending:
            server.check()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield server
