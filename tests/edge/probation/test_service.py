"""Releases in the running service: a change between two items, probation, and what gives one up."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.camera import Capture
from edge.clock import SimulatedClock, boot_id
from edge.config import Config, load_config
from edge.decision import Finding
from edge.errors import AnswerError, ConfigError, ModelError
from edge.probation import control
from edge.probation.loading import Loading
from edge.record.status import read_status
from edge.record.verify import read_records, verify
from edge.releases.release import Release
from edge.releases.state import ReleaseState, read_state, write_state
from edge.service import serve
from edge.vision.localizer import Localizer
from tests.camera_doubles import ScriptedCamera
from tests.programs import PATIENCE_S
from tests.release_store import make_current, make_release
from tests.tiny_model import CONTRACT, paint

SETTINGS = """\
[camera]
folder = "frames"
allow_repeats = true
covered_below = 0.0
[gate]
record = "edges.jsonl"
reject_delay_ms = 500.0
[model]
bundle = "current"
releases = "releases"
state = "release.json"
probation_items = 6
probation_row = 3
probation_faults = 2
[journal]
file = "journal.jsonl"
status = "status.json"
[evidence]
folder = ""
"""
DOT = paint({"dot": [(32, 48)]}, 128, 128, 16)
PLAIN = paint({}, 128, 128)
BLACK = PLAIN * 0
ANOTHER = dataclasses.replace(CONTRACT, threshold=0.45)
REJECTS_ALL = dataclasses.replace(CONTRACT, classes=("square",))
Hook = Callable[[], object]


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Box":
    """A box with release 1 in service, which has passed its probation."""
    return Box(tmp_path, monkeypatch)


class Box:
    """A box whose service runs in this process, on a simulated clock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.store = folder, folder / "releases"
        self.clock = SimulatedClock()
        self._patch = monkeypatch
        self.first = make_release(self.store, 1)
        make_current(self.store, self.first, probation=False)
        (folder / "edge.toml").write_text(SETTINGS)
        monkeypatch.setattr(control, "LOOK_NS", 0)
        # What is loaded beside the line is ready at the next item.
        monkeypatch.setattr(Loading, "ended", property(lambda self: self.wait(PATIENCE_S)))

    def activate(self, version: int, contract: Any = ANOTHER, **changes: object) -> Release:
        release = make_release(self.store, version, contract, **changes)
        make_current(self.store, release)
        return release

    def serve(self, pictures: list[Any], hooks: dict[int, Hook] | None = None) -> list[Any]:
        """Run the service on *pictures*; *hooks*: what is done while that item is pictured."""
        box, done = self, hooks or {}

        class Camera(ScriptedCamera):
            def __init__(self, _config: Config, clock: SimulatedClock) -> None:
                super().__init__(clock, pictures)

            def capture(self, after_ns: int) -> Capture:
                done.pop(self._shown + 1, lambda: None)()
                return super().capture(after_ns)

        self._patch.setattr("edge.service.make_camera", Camera)
        serve(load_config(self.folder / "edge.toml"), box.clock)
        verify(self.folder / "journal.jsonl")
        return read_records(self.folder / "journal.jsonl")

    @property
    def state(self) -> ReleaseState:
        return read_state(self.folder / "release.json")

    @property
    def status(self) -> dict[str, Any]:
        return read_status(self.folder / "status.json") or {}


def shape(records: list[dict[str, Any]]) -> list[str]:
    """Verdict, kind, or what was done about the release, record by record."""
    return [
        r.get("verdict", r["what"] if r["kind"] == "release" else r["kind"])
        for r in records
        if r["kind"] not in ("incident", "note")
    ]


def test_another_release_judges_from_the_next_item_on_and_every_record_says_which(
    box: Box,
) -> None:
    """The item in hand is judged by the release before; nothing restarts."""
    second: list[Release] = []
    records = box.serve([DOT] * 10, {2: lambda: second.append(box.activate(2))})
    assert shape(records) == [
        *("start", "activated", "pass", "pass", "activated", "in-service"),
        *("pass", "pass", "pass", "pass", "pass", "pass", "probation-passed"),
        *("pass", "pass", "stop"),
    ]
    items = [r for r in records if r["kind"] == "item"]
    assert [r["release"] for r in items] == [box.first.id] * 2 + [second[0].id] * 8
    config = load_config(box.folder / "edge.toml")
    assert {r["settings"] for r in items} == {config.checksum()[:12]}
    swapped = records[5]
    assert swapped["model"]["sha256"] == second[0].model_sha256 != box.first.model_sha256
    assert swapped["release"] == second[0].id
    assert box.state.result == "passed"
    assert box.status["release"]["id"] == second[0].id
    assert box.status["release"]["state"] == "in service"
    assert box.status["model"]["sha256"] == second[0].model_sha256


def test_a_release_that_rejects_all_is_given_up_by_itself(box: Box) -> None:
    """After so many items running without a pass the one before judges again, and says why."""
    records = box.serve([DOT] * 8, {2: lambda: box.activate(2, REJECTS_ALL)})
    assert shape(records) == [
        *("start", "activated", "pass", "pass", "activated", "in-service"),
        *("reject", "reject", "reject", "given-up", "in-service", "pass", "pass", "pass", "stop"),
    ]
    given_up = next(r for r in records if r.get("what") == "given-up")
    assert given_up["reason"].startswith("3 items running did not pass")
    assert given_up["back"] == box.first.id
    assert "was given up: 3 items running did not pass" in box.status["trouble"]
    assert box.status["release"]["state"] == "back in service"
    assert box.status["release"]["id"] == box.first.id
    note = next(r for r in records if r["kind"] == "note" and r["code"] == "release")
    assert note["alarm"] == "begun"
    again = box.serve([DOT] * 2)
    assert shape(again[len(records) :]) == ["start", "pass", "pass", "stop"]
    assert again[-2]["release"] == box.first.id


def test_a_release_that_faults_or_is_too_slow_is_given_up(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two in a row are enough here: of the model's own faults, and of late answers."""
    find, bad, how = Localizer.find, list[str](), ["fault"]

    def failing(self: Localizer, frame: Any, *rest: Any, **more: Any) -> tuple[Finding, ...]:
        if self.sha256 in bad and frame.shape[0] == 128:
            if how[0] == "fault":
                raise AnswerError("no answer; export it again")
            box.clock.sleep_until(box.clock.now_ns() + 600_000_000)
        return find(self, frame, *rest, **more)

    monkeypatch.setattr(Localizer, "find", failing)
    records = box.serve([DOT] * 6, {2: lambda: bad.append(box.activate(2).model_sha256)})
    assert shape(records)[5:] == [
        *("in-service", "fault", "fault", "given-up", "in-service", "pass", "pass", "stop")
    ]
    how[0] = "late"
    more = box.serve([DOT] * 6, {2: lambda: bad.append(box.activate(3).model_sha256)})
    assert shape(more[len(records) :]) == [
        *("start", "pass", "pass", "activated", "in-service"),
        *("reject", "reject", "given-up", "in-service", "pass", "pass", "stop"),
    ]


def test_a_reject_rate_outside_the_limits_gives_a_release_up(box: Box) -> None:
    """A rate that is too high is known before the end, one that is too low at the end."""
    pictures = [DOT, DOT, PLAIN, PLAIN, DOT, PLAIN, DOT, PLAIN, DOT, DOT]
    records = box.serve(pictures, {2: lambda: box.activate(2)})
    assert shape(records)[5:] == [
        *("in-service", "reject", "reject", "pass", "reject", "pass", "reject"),
        *("given-up", "in-service", "pass", "pass", "stop"),
    ]
    text = SETTINGS.replace("[journal]", "probation_rejects = [0.1, 0.9]\n[journal]")
    (box.folder / "edge.toml").write_text(text)
    more = box.serve([DOT] * 8, {1: lambda: box.activate(3)})[len(records) :]
    assert shape(more)[-4:] == ["given-up", "in-service", "pass", "stop"]
    given_up = next(r for r in more if r.get("what") == "given-up")
    assert given_up["reason"].startswith("0 of 6 items did not pass, must be between 10.0% and")


def test_pictures_at_fault_prove_nothing_about_a_release(box: Box) -> None:
    """A camera that gives no picture is no storm of faults of the model."""
    records = box.serve([DOT, DOT, *[BLACK] * 5, DOT], {2: lambda: box.activate(2)})
    assert shape(records)[5:] == ["in-service", *["fault"] * 5, "pass", "stop"]
    assert box.state.result == ""


def test_a_release_that_does_not_load_never_judges(box: Box) -> None:
    """Damaged on the disk, or for another class than the settings ask for."""

    def damaged() -> None:
        release = box.activate(2)
        content = bytearray(release.model.read_bytes())
        content[len(content) // 2] ^= 1
        release.model.write_bytes(content)

    records = box.serve([DOT] * 4, {2: damaged})
    assert shape(records)[4:] == ["activated", "given-up", "pass", "pass", "stop"]
    text = SETTINGS.replace("[gate]", '[decision]\nrequired = ["dot"]\n[gate]')
    (box.folder / "edge.toml").write_text(text)
    more = box.serve([DOT] * 4, {2: lambda: box.activate(3, REJECTS_ALL)})[len(records) :]
    assert shape(more) == ["start", "pass", "pass", "activated", "given-up", "pass", "pass", "stop"]
    assert "dot" in next(r for r in more if r.get("what") == "given-up")["reason"]


def test_a_release_that_does_not_load_at_a_start_gives_way_to_the_one_before(box: Box) -> None:
    """A crash loop is no end: the start itself falls back."""
    release = box.activate(2)
    release.model.unlink()
    records = box.serve([DOT] * 2)
    assert shape(records) == ["start", "activated", "activated", "given-up", "pass", "pass", "stop"]
    assert records[0]["model"]["sha256"] == box.first.model_sha256
    third = box.activate(3)
    (third.folder / "release.json").write_text("{}")
    more = box.serve([DOT] * 2)
    assert shape(more[len(records) :])[-4:] == ["given-up", "pass", "pass", "stop"]


def test_a_release_that_kills_the_eye_is_given_up_at_a_start(box: Box) -> None:
    """Three ends by a kill in one boot; a stop, and a power cut, are none."""
    box.activate(2)
    box.serve([DOT])  # ends well
    assert (box.state.kills, box.state.open) == (0, False)
    killed = dataclasses.replace(box.state, open=True, boot=boot_id())
    write_state(box.folder / "release.json", dataclasses.replace(killed, boot="another"))
    box.serve([DOT])
    assert box.state.kills == 0
    records = list[dict[str, Any]]()
    for kills in range(3):
        state = dataclasses.replace(box.state, open=True, boot=boot_id())
        assert (state.kills, state.result) == (kills, "")
        write_state(box.folder / "release.json", state)
        records = box.serve([DOT])
    assert box.state.result == "failed"
    assert "killed 3 times" in box.state.why
    assert records[-2]["release"] == box.first.id


def test_without_a_release_before_it_a_bad_one_ends_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing passes, the last words say why, and a start says so again."""
    box = Box(tmp_path, monkeypatch)
    only = make_release(box.store, 5, REJECTS_ALL)
    make_current(box.store, only, previous="")
    with pytest.raises(ModelError, match=r"3 items running did not pass.*activate another bundle"):
        box.serve([DOT] * 8)
    records = read_records(box.folder / "journal.jsonl")
    assert shape(records)[-5:] == ["reject", "reject", "reject", "given-up", "stop"]
    with pytest.raises(ConfigError, match=r"was given up .*activate another bundle"):
        box.serve([DOT])


def test_a_failed_challenge_or_golden_picture_gives_a_release_up(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails beside the items ends the probation as well, and not the service."""
    failures = ["", "", "challenge test 1 failed: the bad item passed"]
    monkeypatch.setattr(
        "edge.challenge.control.Challenges.take_failure",
        lambda _self: failures.pop(0) if failures else "",
    )
    records = box.serve([DOT] * 4, {1: lambda: box.activate(2)})
    assert shape(records) == [
        *("start", "activated", "pass", "activated", "in-service", "pass"),
        *("given-up", "in-service", "pass", "pass", "stop"),
    ]
    assert box.state.why == "challenge test 1 failed: the bad item passed"
    text = SETTINGS.replace("[journal]", "golden_every_s = 1.0\n[journal]")
    text = text.replace("[camera]", '[trigger]\nkind = "interval"\ninterval_ms = 900\n[camera]')
    (box.folder / "edge.toml").write_text(text)
    third = box.activate(3)
    prove = Localizer.prove

    def proven(self: Localizer, picture: Any) -> None:
        if box.clock.now_ns() > begun_ns and self.sha256 == third.model_sha256:
            raise ModelError("golden picture 'marks' is not judged as it must be")
        prove(self, picture)

    begun_ns = box.clock.now_ns() + 1_500_000_000
    monkeypatch.setattr(Localizer, "prove", proven)
    more = box.serve([DOT] * 6)[len(records) :]
    assert (
        "golden picture 'marks'" in next(r for r in more if r.get("what") == "given-up")["reason"]
    )
    assert shape(more)[-2:] == ["pass", "stop"]
    assert more[-2]["release"] == box.first.id


def test_no_item_passes_while_the_release_before_is_loaded(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that passes what it should not must not go on for the second of the loading."""
    text = SETTINGS.replace("[journal]", "probation_rejects = [0.5, 0.9]\n[journal]")
    (box.folder / "edge.toml").write_text(text)
    slow = [3]

    def ended(self: Loading) -> bool:
        if self.release.id == box.first.id and slow[0]:
            slow[0] -= 1
            return False
        return self.wait(PATIENCE_S)

    monkeypatch.setattr(Loading, "ended", property(ended))
    records = box.serve([DOT] * 11, {1: lambda: box.activate(2)})
    assert shape(records)[3:] == [
        *("activated", "in-service", *["pass"] * 6, "given-up", "reject", "reject", "reject"),
        *("in-service", "pass", "stop"),
    ]
    refused = [r for r in records if r.get("code") == "release-given-up"]
    assert len(refused) == 3
    assert refused[0]["reason"].startswith("the release is given up, and the one before")


def test_an_expired_release_goes_on_and_is_told(box: Box) -> None:
    """Nobody is helped by a line that stops at midnight."""
    box.serve([DOT] * 3, {1: lambda: box.activate(2, expires="2020-01-01T00:00:00+00:00")})
    assert "has expired on 2020-01-01" in box.status["trouble"]


def test_a_pointer_that_cannot_be_read_leaves_the_release_in_service(box: Box) -> None:
    """Told as trouble until it can be read again."""
    pointer = box.store / "store.json"
    whole = pointer.read_bytes()
    records = box.serve([DOT] * 4, {2: lambda: pointer.write_text("{")})
    assert shape(records) == ["start", "activated", *["pass"] * 4, "stop"]
    assert "store.json: is damaged" in box.status["trouble"]
    pointer.write_bytes(whole)
    box.serve([DOT] * 2)
    assert box.status["trouble"] == ""


def test_no_release_is_a_setting_that_no_restart_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what to run."""
    box = Box(tmp_path, monkeypatch)
    (box.store / "store.json").unlink()
    with pytest.raises(ConfigError, match="no release is active; run 'stampgate-edge activate"):
        box.serve([DOT])
