"""A box that is aimed in a test: replayed pictures, a small model, and the page's server."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from edge.aiming.aimer import Aimer, Open
from edge.aiming.saving import RegionSaver
from edge.aiming.server import AimServer, serving
from edge.aiming.view import View
from edge.camera.drivers import make_camera
from edge.clock import MonotonicClock, Stop
from edge.vision.localizer import Localizer
from edge.wiring import load_checked
from tests.programs import PATIENCE_S, eventually
from tests.tiny_model import paint, save, write_tiny_model

SIDE = 320
"""Side of each picture, pixels; the network sees a fifth of it."""
SETTINGS = """\
# The box of line 3
[camera]
folder = "frames"
pictures_per_second = 0.0
loop = true
allow_repeats = true
covered_below = 0.0   # drawings
[model]
file = "model.onnx"
[decision]
# what passes
count = 1
[journal]
file = "journal.jsonl"
patience_ms = 10000.0
mark = ""
status = ""
[evidence]
folder = ""
"""


def box_in(folder: Path) -> Path:
    """Make a box in *folder*: a stamped picture, a model that knows dots; return its settings."""
    (folder / "frames").mkdir()
    save(folder / "frames" / "good.png", paint({"dot": [(80, 120)]}, SIDE, SIDE, 40))
    write_tiny_model(folder / "model.onnx")
    path = folder / "edge.toml"
    path.write_text(SETTINGS)
    return path


@dataclass
class Aimed:
    """A box while it is aimed."""

    path: Path
    aimer: Aimer
    server: AimServer
    failed: list[BaseException] = field(default_factory=list)

    def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "",
        headers: Mapping[str, str | None] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask as the page does, but for *headers*, None for one left out; status, headers, body."""
        host = f"{self.server.server_name}:{self.server.server_port}"
        sent: dict[str, str | None] = {"Host": host, "Stampgate-Key": self.server.access.key}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None:
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        sent |= headers or {}
        asked = HTTPConnection(self.server.server_name, self.server.server_port, PATIENCE_S)
        try:
            asked.putrequest(method or ("GET" if body is None else "POST"), path, True, True)
            for name, value in sent.items():
                if value is not None:
                    asked.putheader(name, value)
            asked.endheaders(None if body is None else content)
            answer = asked.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            asked.close()

    def get(self, path: str) -> Any:
        """Ask for JSON that must be given."""
        status, _, body = self.ask(path)
        assert status == 200, body
        return json.loads(body)

    def view(self) -> View:
        """Wait for a view and return the newest."""
        eventually(lambda: self.failed or self.aimer.views)
        assert not self.failed, self.failed
        return self.aimer.views[-1]

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the journal."""
        journal = self.path.parent / "journal.jsonl"
        return [json.loads(line) for line in journal.read_text().splitlines()]


@contextlib.contextmanager
def aimed(path: Path, open_camera: Open = make_camera, host: str = "127.0.0.1") -> Iterator[Aimed]:
    """Aim the box of the settings *path* while the block runs."""
    config, clock, stop = load_checked(path), MonotonicClock(), Stop()
    aimer = Aimer(config, clock, Localizer.of(config), open_camera)
    server = AimServer(host, 0, aimer, RegionSaver(path, aimer, clock))
    box = Aimed(path, aimer, server)

    def watch() -> None:
        try:
            aimer.run(stop)
        except BaseException as error:  # noqa: BLE001 - shown by the test that waits
            box.failed.append(error)

    thread = threading.Thread(target=watch)
    with serving(server):
        thread.start()
        try:
            yield box
        finally:
            stop.request("the test is over")
            thread.join(PATIENCE_S)
            stop.close()
