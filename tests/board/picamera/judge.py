"""Judges the facts from the board with a libcamera camera, claim by claim.

Pure: no board, no files, so each claim can be seen to fail.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.board.judge import Claim, three
from tests.board.picamera.scene import BARS, PATTERNS
from tests.board.picamera.settings import DELAY_MS, HEIGHT, PULSE_MS, TIMEOUT_MS, WIDTH

PRIMARIES = {
    "white": (1, 1, 1),
    "yellow": (1, 1, 0),
    "cyan": (0, 1, 1),
    "green": (0, 1, 0),
    "magenta": (1, 0, 1),
    "red": (1, 0, 0),
    "blue": (0, 0, 1),
    "black": (0, 0, 0),
}
"""Which of red, green and blue are in a colour."""
LIT, DARK = 150, 60
"""Levels that a channel must be above and below; three quarters of full brightness is about 190."""
SLACK_MS = 1000
"""By how much a wait may be longer than its limit: the processor is emulated, and not alone on its
machine."""
CLOSE_S, END_S = 3.0, 20.0
"""How long closing may take, and the end of the process: the driver gives up after 2 s, Python
takes its time."""
LATE_MS = 1000
"""By how much a pulse may be late: the gate is a thread of the eye here, whose processor is
emulated."""
DEVICES = ("/dev/media", "/dev/video", "/dev/dma_heap/")
"""What the service must be able to open under its own unit, the beginning of each name."""
Facts = Mapping[str, Any]


def judge(facts: Mapping[str, Facts]) -> list[Claim]:
    """Judge all claims. *facts*: by step."""
    return [
        *installed(facts["install"]),
        *taken(facts["pictures"]),
        *refused(facts["refused"]),
        *timed_out(facts["impatient"]),
        *unplugged(facts["unplugged"]),
        *served(facts["service"]),
        *service_unplugged(facts["service_unplugged"]),
        *checked(facts["check"]),
    ]


def installed(facts: Facts) -> list[Claim]:
    """The package, put in by dpkg without a network."""
    whole = facts["status"] == "install ok installed" and facts["networks"] == ["lo"]
    major, minor, picamera2 = facts["versions"]
    figures = (
        f"{facts['seconds']:.0f} s; Python {major}.{minor}, picamera2 {picamera2}, "
        f"Linux {facts['kernel']}"
    )
    return [Claim("dpkg installs the package without a network, beside picamera2", whole, figures)]


def taken(facts: Facts) -> list[Claim]:
    """What the driver gave."""
    takes = facts["takes"]
    shapes = {(*take["shape"], take["type"]) for take in takes}
    wrong = [take["pattern"] for take in takes if not shows(take["colours"], take["pattern"])]
    late_ms = [(take["t_ns"] - take["after_ns"]) / 1e6 for take in takes]
    within = all(take["after_ns"] <= take["t_ns"] < take["came_ns"] for take in takes)
    counts = [take["sequence"] for take in takes]
    ended = facts["status"] == 0 and facts["closing_s"] < CLOSE_S
    many = len(takes) > 4 * facts["buffers"]
    number = len(takes) + facts["skipped"]
    bars: list[list[int]] = next(
        (take["colours"] for take in takes if take["pattern"] == "bars"), []
    )
    return [
        Claim(
            "pictures are (height, width, 3) uint8 of the size asked for",
            shapes == {(HEIGHT, WIDTH, 3, "uint8")},
            ", ".join(str(shape) for shape in sorted(shapes)),
        ),
        Claim(
            "each shows what was put before the camera just before its trigger, "
            "in red, green, blue",
            many and not wrong and {take["pattern"] for take in takes} == set(PATTERNS),
            f"{len(takes) - len(wrong)} of {len(takes)}, "
            f"{facts['skipped']} older ones passed over; bars {bars}",
        ),
        Claim(
            "each began after its trigger, by the monotonic clock",
            within,
            f"{three(late_ms)} ms after it, and before it came",
        ),
        Claim(
            "counts advance",
            all(a < b for a, b in pairwise([0, *counts])),
            f"{counts[0]} to {counts[-1]}",
        ),
        Claim(
            "lent buffers are given back, and closing ends",
            many and ended,
            f"{number} pictures by {facts['buffers']} buffers; "
            f"closed in {facts['closing_s']:.1f} s",
        ),
    ]


def refused(facts: Facts) -> list[Claim]:
    """The control that the camera lacks."""
    said = facts["said"]
    return [
        Claim("a control that the camera lacks is refused by name", "no ExposureTime" in said, said)
    ]


def timed_out(facts: Facts) -> list[Claim]:
    """The wait that was too short for a picture."""
    held = facts["said"].startswith("camera timeout") and facts["status"] == 0
    return [
        lost(
            "a wait ends by itself when no picture comes, and so does the process",
            held,
            facts,
            "began_ns",
        )
    ]


def unplugged(facts: Facts) -> list[Claim]:
    """The camera's driver was unbound while it was open.

    Then libcamera may abort the process at closing, as it pleases.
    """
    held = facts["said"].startswith("camera ")
    return [
        lost("the camera is taken away: an error, and the process ends", held, facts, "gone_ns")
    ]


def lost(name: str, held: bool, facts: Facts, since: str) -> Claim:
    """Whether the driver gave up in time, and the process then ended."""
    waited_ms, ending_s = (
        (facts["failed_ns"] - facts[since]) / 1e6,
        (facts["ended_ns"] - facts["failed_ns"]) / 1e9,
    )
    figures = f"after {waited_ms:.0f} ms '{facts['said'].partition(';')[0]}'"
    figures += f", ended {ending_s:.1f} s later with status {facts['status']}"
    return Claim(name, held and waited_ms < TIMEOUT_MS + SLACK_MS and ending_s < END_S, figures)


def served(facts: Facts) -> list[Claim]:
    """The service, as its hardened unit."""
    verdicts = [record["verdict"] for record in facts["records"]]
    opened = {start for start in DEVICES for path in facts["opened"] if path.startswith(start)}
    late_ms, widths_ms = pulses(facts)
    on_time = len(late_ms) == len(verdicts) and all(0 <= ms <= LATE_MS for ms in late_ms)
    whole = len(widths_ms) == len(verdicts) and min(widths_ms, default=0) >= PULSE_MS
    return [
        Claim(
            "the hardened unit opens the camera",
            opened == set(DEVICES) and facts["user"] == "stampgate",
            f"started in {facts['started_s']:.0f} s as {facts['user']}; "
            f"{', '.join(facts['opened'])}",
        ),
        Claim(
            "items are judged: no stamp on a test pattern",
            set(verdicts) == {"reject"}
            and not facts["restarts"]
            and "chain whole" in facts["verified"],
            f"{len(verdicts)} rejects, {facts['restarts']} restarts; "
            f"{facts['verified'].strip().rpartition(': ')[2]}",
        ),
        Claim(
            "each is thrown off by a pulse at its time",
            on_time and whole,
            f"{told(late_ms)} ms later than {DELAY_MS}; width {told(widths_ms)} ms for {PULSE_MS}",
        ),
        Claim(
            "stopping it ends cleanly",
            facts["result"] == ["success", "0"],
            f"in {facts['stopped_s']:.1f} s",
        ),
    ]


def service_unplugged(facts: Facts) -> list[Claim]:
    """The camera taken away from the running service."""
    faults = [record["reason"] for record in facts["records"] if record["verdict"] == "fault"]
    back = facts["records"][-1]["verdict"] == "reject" and "chain whole" in facts["verified"]
    named = bool(faults) and all(reason.startswith("camera ") for reason in faults)
    thrown = {
        edge["sequence"] for edge in facts["edges"] if edge["line"] == "reject" and edge["level"]
    }
    missed = {record["sequence"] for record in facts["records"]} - thrown
    return [
        Claim(
            "the camera is taken from the service: the item is a FAULT, "
            "and with the camera it goes on",
            named and back,
            f"'{faults[0].partition(';')[0]}'" if faults else "no fault",
        ),
        Claim(
            "no item of both was let pass",
            not missed,
            f"{len(thrown)} pulses, {len(missed)} missing",
        ),
    ]


def pulses(facts: Facts) -> tuple[list[float], list[float]]:
    """By how many ms the pulse of each item was late, and how wide each pulse was."""
    edges = [
        edge for edge in facts["edges"] if edge["line"] == "reject" and edge["sequence"] is not None
    ]
    rises, falls = ([edge["t_ns"] for edge in edges if edge["level"] == level] for level in (1, 0))
    due = [record["trigger_ns"] + DELAY_MS * 1_000_000 for record in facts["records"]]
    late_ms = [(rise - at) / 1e6 for rise, at in zip(rises, due, strict=False)]
    return late_ms, [(fall - rise) / 1e6 for rise, fall in zip(rises, falls, strict=False)]


def told(values: Sequence[float]) -> str:
    """Least, median and greatest, where there are any."""
    return three(values) if values else "none"


def checked(facts: Facts) -> list[Claim]:
    """``stampgate-edge check``, as the service's user."""
    opened, fresh = (
        line_of(facts["said"], state, what)
        for state, what in (("ok", "camera"), ("WARN", "pictures"))
    )
    figures = f"{opened}; {fresh}"
    return [
        Claim(
            "the self-test opens the camera, and says that it is slower than asked",
            bool(opened and fresh),
            figures,
        )
    ]


def shows(colours: Sequence[Sequence[int]], pattern: str) -> bool:
    """Whether the eighths of a picture have the colours of a pattern.

    >>> shows([(200, 10, 10)] * 8, "red"), shows([(10, 10, 200)] * 8, "red")
    (True, False)
    """
    wanted = BARS if pattern == "bars" else (pattern,) * len(BARS)
    return len(colours) == len(wanted) and all(
        all(
            level > LIT if lit else level < DARK
            for level, lit in zip(colour, PRIMARIES[name], strict=True)
        )
        for colour, name in zip(colours, wanted, strict=True)
    )


def line_of(said: Sequence[str], state: str, what: str) -> str:
    """What the self-test said of a thing that is in this state; empty when it said no such thing.

    >>> line_of(["ok   camera            picamera: opened"], "ok", "camera")
    'picamera: opened'
    """
    found = [line for line in said if line.split(None, 2)[:2] == [state, what]]
    return found[0].split(None, 2)[2] if found else ""
