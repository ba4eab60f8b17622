"""The gpiod driver against stand-ins of the module's chip and request.

Its settings and enums are the real ones.

No chip is touched here: the kernel's own (gpio-sim) is tried on the emulated board.
"""

import dataclasses
import errno
import os
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpiod
import pytest
from gpiod.line import Bias, Clock, Direction, Edge, Value

from edge.errors import ConfigError, GateError
from edge.gate.lines import WireEvent
from edge.gate.lines.gpiochip import CONSUMER, EVENTS_KEPT, GpioLines
from edge.sections.gate import LinesSettings

NAMES = {
    "gpiochip0": ["ID_SDA", "EYE", "BIN", "REJECT", "READY", "FAULT", "TWIN", "TWIN"],
    "gpiochip1": ["EYE-2"],
}


class FakeRequest:
    """A line request: remembers what was driven, and has the events it was given."""

    fd = 11

    def __init__(
        self, chip: "FakeChip", config: dict[int, gpiod.LineSettings], events: int | None
    ) -> None:
        self.chip, self.config, self.events_kept = chip, config, events
        self.events: list[Any] = []
        self.later: list[Any] = []
        self.values = {offset: settings.output_value for offset, settings in config.items()}

    def release(self) -> None:
        self.chip.history.append(("release", tuple(self.config)))

    def set_value(self, offset: int, value: Value) -> None:
        self.chip.history.append((offset, value))

    def get_value(self, offset: int) -> Value:
        return self.values[offset]

    def wait_edge_events(self, timeout: float) -> bool:
        assert timeout == 0
        return bool(self.events)

    def read_edge_events(self, most: int) -> list[Any]:
        assert most == EVENTS_KEPT
        found, self.events, self.later = self.events, self.later, []
        return found


class FakeChip:
    """A chip with the lines of NAMES."""

    opened: list["FakeChip"]
    refuse: bool
    failing: dict[tuple[str, str], int]
    """The error of a chip's method, by the names of both."""

    def __init__(self, path: str) -> None:
        self.name = Path(path).name
        self._fail("open")
        self.requests: list[FakeRequest] = []
        self.history: list[Any] = []
        self.closed = False
        FakeChip.opened.append(self)

    def __enter__(self) -> "FakeChip":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def _fail(self, method: str) -> None:
        if (number := FakeChip.failing.get((self.name, method))) is not None:
            raise OSError(number, os.strerror(number))

    def get_info(self) -> Any:
        self._fail("get_info")
        return SimpleNamespace(label=f"label-{self.name[-1]}", num_lines=len(NAMES[self.name]))

    def get_line_info(self, offset: int) -> Any:
        self._fail("get_line_info")
        return SimpleNamespace(name=NAMES[self.name][offset])

    def request_lines(
        self, config: Any, *, consumer: str, event_buffer_size: int | None
    ) -> FakeRequest:
        assert consumer == CONSUMER
        if FakeChip.refuse:
            raise OSError(16, "Device or resource busy")
        self._fail("request_lines")
        self.requests.append(FakeRequest(self, config, event_buffer_size))
        return self.requests[-1]


@pytest.fixture(autouse=True)
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like /dev, and a gpiod that opens stand-ins."""
    for name in NAMES:
        (tmp_path / name).touch()
    (tmp_path / "gpiochip9").symlink_to(tmp_path / "gpiochip0")
    FakeChip.opened, FakeChip.refuse, FakeChip.failing = [], False, {}
    monkeypatch.setattr(gpiod, "Chip", FakeChip)
    monkeypatch.setattr(gpiod, "is_gpiochip_device", lambda _: True)
    return tmp_path


def lines(devices: Path, **names: Any) -> GpioLines:
    """A driver with a photo-eye and all three outputs."""
    wires = {
        "trigger": "EYE",
        "bin_full": "BIN",
        "reject": "REJECT",
        "ready": "READY",
        "fault": "FAULT",
        **names,
    }
    return GpioLines(LinesSettings(driver="gpiod", **wires), 7.5, devices)


def event(offset: int, kind: str, number: int, of_all: int, t_ns: int = 5) -> Any:
    """An edge as gpiod tells of it, with its number on its line and among those of all lines."""
    return SimpleNamespace(
        line_offset=offset,
        event_type=SimpleNamespace(name=kind),
        timestamp_ns=t_ns,
        line_seqno=number,
        global_seqno=of_all,
    )


def rises(offset: int, *numbers: tuple[int, int]) -> list[Any]:
    """Rises of one line, each with its number on it and among those of all."""
    return [event(offset, "RISING_EDGE", number, of_all) for number, of_all in numbers]


def test_the_outputs_are_requested_first_and_safe_from_the_first_moment(devices: Path) -> None:
    """REJECT and READY low, FAULT high, in the very request; then the inputs."""
    with lines(devices, active_low=("fault",)):
        outputs, inputs = FakeChip.opened[0].requests
        assert {
            o: (s.direction, s.output_value, s.active_low) for o, s in outputs.config.items()
        } == {
            3: (Direction.OUTPUT, Value.INACTIVE, False),
            4: (Direction.OUTPUT, Value.INACTIVE, False),
            5: (Direction.OUTPUT, Value.ACTIVE, True),
        }
        assert outputs.events_kept is None
        assert inputs.events_kept == EVENTS_KEPT
        assert FakeChip.opened[1].requests == []


def test_the_outputs_are_safe_after(devices: Path) -> None:
    """They are driven to their SAFE levels before the request is given back."""
    with lines(devices) as driver:
        driver.set("reject", 1, 7)
        driver.set("ready", 1)
        driver.set("fault", 0)
    assert FakeChip.opened[0].history == [
        *[(3, Value.ACTIVE), (4, Value.ACTIVE), (5, Value.INACTIVE)],
        ("release", (1, 2)),
        *[(3, Value.INACTIVE), (4, Value.INACTIVE), (5, Value.ACTIVE)],
        ("release", (3, 4, 5)),
    ]
    assert all(chip.closed for chip in FakeChip.opened)


def test_inputs_are_debounced_and_stamped_by_the_kernel(devices: Path) -> None:
    """Each for both its edges; an encoder is never debounced."""
    with lines(devices, encoder_a="ID_SDA", pull="up", active_low=("trigger",)):
        config = FakeChip.opened[0].requests[1].config
    seen = {o: (s.edge_detection, s.debounce_period, s.active_low) for o, s in config.items()}
    assert seen == {
        0: (Edge.BOTH, timedelta(), False),
        1: (Edge.BOTH, timedelta(milliseconds=7.5), True),
        2: (Edge.BOTH, timedelta(milliseconds=7.5), False),
    }
    assert {(s.direction, s.bias, s.event_clock) for s in config.values()} == {
        (Direction.INPUT, Bias.PULL_UP, Clock.MONOTONIC)
    }


def test_only_the_rise_of_the_reset_button_counts(devices: Path) -> None:
    """Of all others both edges, so that a lost one shows in their levels."""
    with lines(devices, reset="ID_SDA"):
        config = FakeChip.opened[0].requests[1].config
    assert {o: s.edge_detection for o, s in config.items()} == {
        0: Edge.RISING,
        1: Edge.BOTH,
        2: Edge.BOTH,
    }


def test_a_number_left_out_is_an_edge_lost(devices: Path) -> None:
    """Each line is numbered on its own, from 1: two before the first we see, none, three."""
    with lines(devices) as driver:
        assert driver.filenos() == (11,)
        assert driver.read() == []
        FakeChip.opened[0].requests[1].events = [
            event(1, "RISING_EDGE", 3, 3, 100),
            event(2, "FALLING_EDGE", 1, 4, 101),
            event(1, "RISING_EDGE", 4, 5, 102),
            event(1, "RISING_EDGE", 8, 9, 103),
        ]
        assert driver.read() == [
            WireEvent("trigger", 1, 100, lost=2, overflow=2),
            WireEvent("bin_full", 0, 101),
            WireEvent("trigger", 1, 102),
            WireEvent("trigger", 1, 103, lost=3, overflow=3),
        ]


def test_a_loss_on_one_line_is_told_by_the_next_edge_of_any_other(devices: Path) -> None:
    """The kernel's buffer is shared: its numbers over all lines leave out what it has dropped.

    How many the photo-eye has lost is told by its own next edge, and is no second loss.
    """
    with lines(devices) as driver:
        request = FakeChip.opened[0].requests[1]
        request.events = rises(2, (1, 1), (2, 5), (3, 6))
        assert [(e.lost, e.overflow) for e in driver.read()] == [(0, 0), (0, 3), (0, 0)]
        request.events = rises(1, (4, 7))
        assert [(e.lost, e.overflow) for e in driver.read()] == [(3, 0)]


def test_edges_that_overtake_one_another_are_not_lost(devices: Path) -> None:
    """Two lines rise at one moment on two cores: the later number is delivered first.

    Within one read, or the earlier one only by the next.
    """
    with lines(devices) as driver:
        request = FakeChip.opened[0].requests[1]
        request.events = [*rises(1, (1, 2)), *rises(2, (1, 1))]
        assert [(e.line, e.overflow) for e in driver.read()] == [("bin_full", 0), ("trigger", 0)]
        request.events, request.later = rises(1, (2, 4)), rises(2, (2, 3))
        assert [(e.line, e.overflow) for e in driver.read()] == [("bin_full", 0), ("trigger", 0)]


def test_a_storm_of_edges_does_not_keep_the_driver_reading(devices: Path) -> None:
    """One read takes one buffer full; what came meanwhile is for the next."""
    with lines(devices) as driver:
        request = FakeChip.opened[0].requests[1]
        numbers = range(1, EVENTS_KEPT + 2)
        request.events = rises(1, *((n, n) for n in numbers[:-1]))
        request.later = rises(1, (numbers[-1], numbers[-1]))
        assert [len(driver.read()), len(driver.read())] == [EVENTS_KEPT, 1]


def test_the_level_of_an_input_is_asked_of_the_kernel(devices: Path) -> None:
    """An input that is not wired is low, an output that is not wired is nobody's."""
    with lines(devices, ready="") as driver:
        FakeChip.opened[0].requests[1].values[2] = Value.ACTIVE
        assert (driver.level("bin_full"), driver.level("trigger"), driver.level("reset")) == (
            1,
            0,
            0,
        )
        driver.set("ready", 1)
    assert 4 not in dict(FakeChip.opened[0].requests[0].config)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"trigger": "NOBODY"}, r"NOBODY, READY, REJECT: must be lines of one GPIO chip, not of 0"),
        ({"trigger": "EYE-2"}, r"must be lines of one GPIO chip, not of 0"),
        ({"trigger": "TWIN"}, r"TWIN: must be the name of one line, not of 2"),
        ({"trigger": "1"}, r"must be lines of one GPIO chip, not of 0"),
        ({"chip": "label-1"}, r"must be lines of one GPIO chip, not of 0"),
        ({"trigger": "BIN"}, r"must name each line once"),
    ],
)
def test_lines_are_taken_strictly_by_name(
    devices: Path, names: dict[str, str], message: str
) -> None:
    """A name that is missing, there twice, on another chip, or a number is refused.

    Nothing is requested, and the chips are closed.
    """
    with pytest.raises(ConfigError, match=message), lines(devices, **names):
        pass
    assert [chip.requests for chip in FakeChip.opened] == [[] for _ in FakeChip.opened]
    assert all(chip.closed for chip in FakeChip.opened)


def test_the_chip_may_be_named_by_its_label(devices: Path) -> None:
    """For boards on which two chips have lines of one name."""
    with lines(devices, chip="label-0"):
        assert len(FakeChip.opened[0].requests) == 2


UNOPENED, OLD = "gpiochip0: cannot be opened", "has no GPIO interface of version 2"


@pytest.mark.parametrize("method", ["open", "get_info", "get_line_info"])
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENODEV, errno.EINVAL])
@pytest.mark.parametrize("chip", ["", "label-0"])
def test_a_chip_that_is_not_asked_for_stops_nobody(
    devices: Path, method: str, number: int, chip: str
) -> None:
    """A USB expander that may not be opened, is just unplugged, or is too old for version 2."""
    FakeChip.failing = {("gpiochip1", method): number}
    with lines(devices, chip=chip) as driver:
        assert driver.filenos() == (11,)


@pytest.mark.parametrize(
    ("method", "number", "kind", "message"),
    [
        ("open", errno.EACCES, GateError, rf"{UNOPENED} \(Permission denied\); the gate's user"),
        ("open", errno.ENODEV, GateError, rf"{UNOPENED} \(No such device\); is it plugged in"),
        ("get_info", errno.ENODEV, GateError, rf"{UNOPENED} \(No such device\)"),
        ("get_line_info", errno.ENODEV, GateError, r"does not tell of its lines \(No such device"),
        ("get_line_info", errno.EINVAL, ConfigError, rf"{OLD}; a kernel from Linux 5.10 on"),
        ("get_line_info", errno.ENOTTY, ConfigError, OLD),
    ],
)
def test_a_chip_that_may_have_the_lines_and_cannot_be_looked_at_is_named(
    devices: Path, method: str, number: int, kind: type[Exception], message: str
) -> None:
    """One line each; only what no new process heals is a wrong setting."""
    FakeChip.failing = {("gpiochip0", method): number}
    with pytest.raises(kind, match=message), lines(devices):
        pass
    assert all(chip.closed for chip in FakeChip.opened)


def test_an_old_kernel_is_named_before_a_chip_that_may_not_be_opened(devices: Path) -> None:
    """Trying again for ever would not heal it."""
    FakeChip.failing = {
        ("gpiochip0", "open"): errno.EACCES,
        ("gpiochip1", "get_line_info"): errno.EINVAL,
    }
    with pytest.raises(ConfigError, match="no GPIO interface of version 2"), lines(devices):
        pass


def test_a_line_that_another_holds_is_a_lost_gate_and_not_a_wrong_setting(devices: Path) -> None:
    """It may be free in two seconds, when systemd tries again."""
    FakeChip.refuse = True
    with (
        pytest.raises(
            GateError, match=r"the kernel does not give them \(Device or resource busy\)"
        ),
        lines(devices),
    ):
        pass
    assert all(chip.closed for chip in FakeChip.opened)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTTY, errno.EOPNOTSUPP])
def test_lines_that_the_kernel_can_never_give_are_a_wrong_setting(
    devices: Path, number: int
) -> None:
    """No pull resistors in the chip, or no version 2 of the request: trying again heals nothing."""
    FakeChip.failing = {("gpiochip0", "request_lines"): number}
    with (
        pytest.raises(ConfigError, match=r"the kernel cannot do what is asked of them \("),
        lines(devices, pull="up"),
    ):
        pass
    assert all(chip.closed for chip in FakeChip.opened)


def test_a_chip_that_is_gone_ends_the_gate(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expander was unplugged: reading and driving say so."""

    def gone(*_: object) -> None:
        raise OSError(19, "No such device")

    with lines(devices) as driver, monkeypatch.context() as patch:
        patch.setattr(FakeRequest, "wait_edge_events", gone)
        patch.setattr(FakeRequest, "set_value", gone)
        patch.setattr(FakeRequest, "get_value", gone)
        for ask in (driver.read, lambda: driver.set("reject", 1), lambda: driver.level("trigger")):
            with pytest.raises(GateError, match=r"the GPIO lines are lost \(No such device\)"):
                ask()


def test_without_gpiod_or_with_version_1_the_user_is_told(
    devices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and what to install."""
    monkeypatch.setitem(sys.modules, "gpiod", None)
    with (
        pytest.raises(ConfigError, match=r'needs libgpiod 2 for Python: pip install "gpiod>=2.1"'),
        lines(devices),
    ):
        pass
    monkeypatch.setitem(sys.modules, "gpiod", SimpleNamespace(Chip=1))
    with pytest.raises(ConfigError, match="needs version 2 of gpiod, not 1"), lines(devices):
        pass


def test_the_stand_ins_have_what_the_real_module_has() -> None:
    """So that a renamed method of gpiod is not hidden by them."""
    for real, fake in (
        (gpiod.LineRequest, FakeRequest),
        (sys.modules["gpiod.chip"].Chip, FakeChip),
    ):
        asked = {name for name in vars(fake) if not name.startswith("_")} - {
            "opened",
            "refuse",
            "failing",
            "history",
        }
        assert asked <= set(dir(real))
    known = {field.name for field in dataclasses.fields(gpiod.EdgeEvent)}
    assert set(vars(event(0, "RISING_EDGE", 1, 1))) <= known
