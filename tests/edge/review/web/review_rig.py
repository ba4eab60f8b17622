"""A box with a made-up shift: real journal and evidence, small painted pictures, and the pages."""

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from edge.clock import SimulatedClock
from edge.config import Config, load_config
from edge.decision import Kind
from edge.record.evidence import Evidence
from edge.record.journal import Journal
from edge.review.people import Users
from edge.review.web.application import make_application
from edge.review.web.desk import Desk, open_desk
from edge.sections.records import EvidenceSettings, JournalSettings

SETTINGS = """\
[service]
name = "Line 3"
[journal]
file = "journal.jsonl"
mark = ""
status = "status.json"
[evidence]
folder = "evidence"
[challenge]
socket = ""
[review]
folder = "review"
port = 0
"""
WIDTH, HEIGHT = 160, 120
THRESHOLD = 0.5
PASSWORD = "a long enough word"
PEOPLE = {"vera": "viewer", "sam": "supervisor", "sue": "supervisor", "eng": "engineer"}
ORIGIN = "http://localhost:8378"
MODEL = {"file": "model.onnx", "sha256": "ab" * 32, "threshold": THRESHOLD}
NASTY = "<script>alert(1)</script>\u202e"
"""A class of a model that means harm."""


@dataclass(frozen=True)
class Made:
    """One item of the shift: its verdict, the score of its best mark, and its picture."""

    verdict: Kind
    score: float
    box: tuple[float, float, float, float]
    picture: NDArray[np.uint8]
    label: str = "seal"


def painted(number: int) -> Made:
    """Paint item *number*: a carton on a belt, four of five with a round seal on it."""
    draw = random.Random(number)
    picture = np.full((HEIGHT, WIDTH, 3), (92, 96, 104), np.uint8)
    picture[18:108, 26:134] = (196, 168, 128)
    x, y = draw.randint(60, 104), draw.randint(44, 84)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    near = np.hypot(columns - x, rows - y)
    stamped = number % 5 != 0
    ink = (30, 60, 150) if stamped else (150, 130, 100)
    picture[np.abs(near - 14) < 3] = ink
    picture[near < 6] = ink
    score = draw.uniform(0.62, 0.97) if stamped else draw.uniform(0.2, 0.48)
    box = (x - 17.0, y - 17.0, x + 17.0, y + 17.0)
    return Made("pass" if stamped else "reject", round(score, 3), box, picture)


def record_of(made: Made) -> dict[str, Any]:
    """Return the fields of an item's record, as the service writes them."""
    mark = {"label": made.label, "score": made.score, "box": list(made.box)}
    passed = made.verdict == "pass"
    return {
        "verdict": made.verdict,
        "reason": f"{made.label} found" if passed else f"no {made.label} found",
        "code": "found" if passed else "missing",
        "gate": "pass" if passed else "reject",
        "findings": [mark] if passed else [],
        "near_miss": None if passed else mark,
        "picture": "camera",
        "ms": 41.5,
    }


def make_shift(
    folder: Path,
    items: int = 40,
    *,
    made: Any = painted,
    apart_s: float = 20.0,
    settings: str = SETTINGS,
    pass_rate: float = 1.0,
) -> Config:
    """Write settings, a journal whose last item came just now, pictures, and four users."""
    (folder / "edge.toml").write_text(settings)
    config = load_config(folder / "edge.toml")
    begin = datetime.now(UTC) - timedelta(seconds=apart_s * items)
    moment = [begin]
    journal = Journal(
        config.path(config.journal.file),
        SimulatedClock(42),
        lambda: moment[0],
        JournalSettings(patience_ms=10_000, mark=""),
    )
    keeping = EvidenceSettings(pass_rate=pass_rate, keep_free_mb=0, patience_ms=10_000)
    with Evidence(config.path(config.evidence.folder), keeping) as evidence, journal:
        start = {"version": "0", "mode": "run", "settings_sha256": config.checksum()}
        journal.append("start", {**start, "model": MODEL})
        for number in range(1, items + 1):
            moment[0] = begin + timedelta(seconds=apart_s * number)
            one = made(number)
            kept = evidence.keep(number, one.verdict, one.picture)
            journal.append("item", {**record_of(one), **kept.as_fields(), "trigger_ns": number})
    add_people(config)
    return config


def add_people(config: Config) -> None:
    """Make a user of each role; one scrypt for all of them, for it takes its time on purpose."""
    folder = config.path(config.review.folder)
    folder.mkdir()
    users = Users(folder / "users.json")
    for name, role in PEOPLE.items():
        users.add(name, role, PASSWORD, name.capitalize())


@contextlib.contextmanager
def opened(config: Config) -> Iterator[Desk]:
    """Open the store, with all of the journal in its index."""
    with open_desk(config) as desk:
        desk.store.index.catch_up()
        yield desk


def client_of(desk: Desk, name: str = "") -> TestClient:
    """Return a browser without a screen; *name*: who is logged in, without a password."""
    client = TestClient(make_application(desk), ORIGIN, follow_redirects=False)
    client.headers["Origin"] = ORIGIN
    if name:
        user = desk.store.users.find(name)
        assert user is not None
        client.cookies.set(desk.cookie, desk.sessions.begin(user, "test"))
    return client


def csrf_of(desk: Desk, client: TestClient) -> str:
    """Return the token that this browser's forms bear."""
    session = desk.sessions.find(client.cookies[desk.cookie])
    assert session is not None
    return session.csrf


@contextlib.contextmanager
def cheap_passwords() -> Iterator[None]:
    """Let scrypt cost next to nothing while the block runs: what is tested is who may what."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.review.people.N", 2)
        patch.setattr("edge.review.people.P", 1)
        yield
